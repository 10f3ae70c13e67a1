#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "analyzer/diff/tokenrows_text.h"
#include "base/buf.h"
#include "base/err.h"
#include "formats/tokenizer.h"

/*
 * Marks: "##ing" goes on (WordPiece); U+2581 (SentencePiece) or U+0120, the
 * space of the byte alphabet, begin a word; "</w>" ends one, so that what has
 * it goes on and what lacks it begins.
 */
#define HASHES "##"
#define SPACE "\xe2\x96\x81"
#define BYTE_SPACE "\xc4\xa0"
#define WORD_END "</w>"

static const struct token *
token_of(const struct vocab *v, uint64_t id)
{
	if (v == NULL || id >= v->n || v->v[id].p == NULL || v->v[id].n == 0)
		return NULL;
	return &v->v[id];
}

void
tokenrows_text(const struct vocab *v, uint64_t id, struct buf *b)
{
	if (token_of(v, id) != NULL)
		vocab_show(v, (uint32_t)id, b);
	if (buf_failed(b) == ERR_LIMIT)
		buf_clear(b);
	if (b->len == 0)
		buf_printf(b, "#%" PRIu64, id);
}

static bool
begins(const struct token *t, const char *s)
{
	return t->n >= strlen(s) && memcmp(t->p, s, strlen(s)) == 0;
}

static bool
ends(const struct token *t, const char *s)
{
	return t->n >= strlen(s) &&
	    memcmp(t->p + t->n - strlen(s), s, strlen(s)) == 0;
}

enum tokenrows_piece
tokenrows_piece(const struct vocab *v, uint64_t id)
{
	const struct token *t = token_of(v, id);

	if (t == NULL || (t->kind != TOKEN_NORMAL && t->kind != TOKEN_BYTE))
		return TOKENROWS_WHOLE;
	if (v->spelling & VOCAB_HASHES)
		return begins(t, HASHES) ? TOKENROWS_GOES_ON
		    : TOKENROWS_OPENS;
	if (v->spelling & VOCAB_WORD_END)
		return ends(t, WORD_END) ? TOKENROWS_GOES_ON
		    : TOKENROWS_OPENS;
	if (v->spelling & VOCAB_SPACES)
		return begins(t, SPACE) ? TOKENROWS_OPENS
		    : TOKENROWS_GOES_ON;
	if (v->spelling & VOCAB_BYTES)
		return begins(t, BYTE_SPACE) ? TOKENROWS_OPENS
		    : TOKENROWS_GOES_ON;
	return TOKENROWS_WHOLE;
}

static void
append(const struct vocab *v, uint64_t id, struct buf *b)
{
	struct buf one;
	size_t skip = 0;

	buf_init(&one, TOKENROWS_TEXT);
	tokenrows_text(v, id, &one);
	if ((v->spelling & VOCAB_HASHES) && one.len > 2 &&
	    memcmp(one.p, HASHES, 2) == 0)
		skip = 2;
	buf_put(b, one.p + skip, one.len - skip);
	buf_release(&one);
}

void
tokenrows_join(const struct vocab *v, const uint64_t *ids, size_t n,
    struct buf *b)
{
	for (size_t i = 0; i < n; i++)
		if (tokenrows_piece(v, ids[i]) == TOKENROWS_OPENS)
			append(v, ids[i], b);
	for (size_t i = 0; i < n; i++)
		if (tokenrows_piece(v, ids[i]) != TOKENROWS_OPENS)
			append(v, ids[i], b);
}
