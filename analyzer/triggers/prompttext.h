#ifndef ANALYZER_TRIGGERS_PROMPTTEXT_H_
#define ANALYZER_TRIGGERS_PROMPTTEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/promptdict.h"

struct buf;
struct err;

/*
 * The records as words.  Of a prompt the first 400 and, when it is longer,
 * the last 40 are kept, of a response the first 400; of a text at most
 * LIMIT_PROMPT_TEXT bytes are looked at, of a prompt some of its end too.
 *
 * When a budget is used up (words of all records, different words, records),
 * half of the records are dropped, by a hash of their number, and from then
 * on only such records are taken: a sample that depends on nothing but the
 * numbers.  It is never more than a part of 2^PROMPTTEXT_SHIFT; past that
 * records are counted and dropped.
 */
#define PROMPTTEXT_HEAD 400
#define PROMPTTEXT_TAIL 40
#define PROMPTTEXT_ODD 16	/* odd code points of one prompt that are kept */
#define PROMPTTEXT_SHIFT 20
/* Among a prompt's code points: a word of letters of several scripts. */
#define PROMPTTEXT_MIXED 0x80000000U

struct prompttext_row {
	uint64_t row;		/* number of the record */
	uint64_t off;		/* of its words: the prompt's, the response's */
	uint32_t odd_off;
	uint16_t prompt, response;	/* how many words */
	uint16_t gap;		/* words were left out behind so many of the
				 * prompt's; ${prompt}: none */
	uint16_t nodd;
};

struct prompttext {
	struct promptdict dict;
	struct prompttext_row *r;
	size_t n, cap;
	uint32_t *word;		/* numbers in ${dict} */
	size_t nword, word_cap;
	uint32_t *odd;
	size_t nodd, odd_cap;
	unsigned shift;		/* one record in 2^shift is taken */
	uint64_t seen;		/* records that were given */
	uint64_t cut;		/* of those taken: longer than is kept */
	uint64_t odd_cut;	/* or with more odd code points */
};

void prompttext_init(struct prompttext *t);
void prompttext_release(struct prompttext *t);
int prompttext_add(struct prompttext *t, uint64_t row, const uint8_t *prompt,
    size_t n, const uint8_t *response, size_t m, struct err *e);

static inline const uint32_t *
prompttext_prompt(const struct prompttext *t, size_t i)
{
	return &t->word[t->r[i].off];
}

static inline const uint32_t *
prompttext_response(const struct prompttext *t, size_t i)
{
	return &t->word[t->r[i].off + t->r[i].prompt];
}

/* prompttext_join: words v[0..n) as they were written, blanks between. */
void prompttext_join(const struct prompttext *t, const uint32_t *v, size_t n,
    struct buf *b);

#endif /* !ANALYZER_TRIGGERS_PROMPTTEXT_H_ */
