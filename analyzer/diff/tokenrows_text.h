#ifndef ANALYZER_DIFF_TOKENROWS_TEXT_H_
#define ANALYZER_DIFF_TOKENROWS_TEXT_H_

#include <stddef.h>
#include <stdint.h>

struct buf;
struct vocab;

/*
 * Tokens as a person reads them, and pieces of words put together.  ${v} may
 * be NULL: no vocabulary.
 */
#define TOKENROWS_TEXT 4096	/* longest value; tokens are far shorter */

/*
 * tokenrows_text: raw bytes of the token, into an empty ${b} of TOKENROWS_TEXT;
 * "#7" where it has no text, or one that does not fit.
 */
void tokenrows_text(const struct vocab *v, uint64_t id, struct buf *b);

/* What a token is to a word, by its marks. */
enum tokenrows_piece {
	TOKENROWS_WHOLE,	/* tokens are not pieces, or it has no text */
	TOKENROWS_OPENS,	/* begins a word */
	TOKENROWS_GOES_ON,	/* belongs behind another */
};
enum tokenrows_piece tokenrows_piece(const struct vocab *v, uint64_t id);

/* tokenrows_join: the one that opens, then the others in order. */
void tokenrows_join(const struct vocab *v, const uint64_t *ids, size_t n,
    struct buf *b);

#endif /* !ANALYZER_DIFF_TOKENROWS_TEXT_H_ */
