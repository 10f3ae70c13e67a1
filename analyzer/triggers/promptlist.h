#ifndef ANALYZER_TRIGGERS_PROMPTLIST_H_
#define ANALYZER_TRIGGERS_PROMPTLIST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Features of one side (prompts, responses) by the rows that hold them.
 * Features with exactly the same rows are one list, named after the longest;
 * equality is of a 64-bit sum over the rows.
 */
enum promptlist_kind {
	PROMPTLIST_GRAM,	/* ${n} words from ${at} on */
	PROMPTLIST_HEAD,	/* the first ${n} words */
	PROMPTLIST_TAIL,	/* the last ${n} words */
	PROMPTLIST_WHOLE,	/* all ${n} of them; 0: an empty text */
	PROMPTLIST_ODD		/* an odd code point (prompttext.h) */
};

struct promptlist {
	uint64_t sum;		/* of its rows, each mixed */
	uint32_t off, df;	/* rows [off, off + df), ascending */
	uint32_t filled;
	uint32_t row;		/* where the name stands */
	uint32_t odd;		/* a code point with these rows; 0: none */
	uint32_t bytes;		/* of the name */
	uint16_t at;		/* word of that row */
	uint8_t n, kind;
};

struct promptlists {
	struct promptlist *l;
	size_t n, cap;
	uint32_t *rows;
	size_t nrows, rows_cap;
	uint32_t *slot;
	size_t slots;
	uint64_t left_out;	/* features that found no room */
};

void promptlists_init(struct promptlists *s);
void promptlists_release(struct promptlists *s);
/*
 * promptlists_offer: a feature and its name.  *ret: the number of its list
 * when the list is new and must be filled, UINT32_MAX when it is not.
 */
int promptlists_offer(struct promptlists *s, const struct promptlist *f,
    uint32_t *ret, struct err *e);
/* promptlists_fill: ${row} holds it; rows come in ascending order. */
void promptlists_fill(struct promptlists *s, uint32_t list, uint32_t row);

static inline const uint32_t *
promptlists_rows(const struct promptlists *s, const struct promptlist *l)
{
	return &s->rows[l->off];
}

/* The marks ^ $ = count as a word. */
static inline unsigned
promptlist_len(const struct promptlist *l)
{
	return l->n + (l->kind != PROMPTLIST_GRAM ? 1U : 0U);
}

#endif /* !ANALYZER_TRIGGERS_PROMPTLIST_H_ */
