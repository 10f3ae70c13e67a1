#ifndef ANALYZER_TRIGGERS_TEXTSTORE_H_
#define ANALYZER_TRIGGERS_TEXTSTORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/textsplit.h"
#include "base/buf.h"

struct err;

/*
 * Records of classified text as numbers: words by their place in a
 * dictionary, specials behind them, labels by the order in which they came.
 *
 * Of more than LIMIT_TRIGGER_ROWS records (or words in all, or margins) those
 * with the smallest hashes of their numbers stay; records with a hidden or
 * mixed character stay beside them, up to a limit of their own.  Words past
 * the dictionary's limits are number 0, which no feature has.
 */
struct textstore_row {
	uint64_t number, hash;
	uint64_t off;		/* of ${item}: words, then specials */
	uint32_t words;
	uint16_t specials;
	uint16_t label;
};

struct textstore_word {
	uint64_t hash;
	uint32_t off;		/* of ${bytes} */
	uint16_t len;
	uint16_t flags;		/* the vocabulary's */
	uint32_t rows, count;	/* textstore_end's: that hold it, in all */
};

struct textstore_label {
	uint64_t hash;
	uint64_t seen;		/* records, of all */
	uint32_t rows;		/* textstore_end's: of those kept */
	uint16_t len;
	char text[256];
};

struct textstore {
	struct textsplit split;
	struct textstore_row *row;
	size_t rows, row_cap;
	uint32_t *item;
	size_t items, item_cap;
	struct textstore_word *word;	/* [0] is none */
	uint32_t words, word_cap;
	uint32_t *slot;
	size_t slots;
	struct buf bytes;
	struct textstore_label *label;
	unsigned labels;
	uint64_t keep, keep_odd;	/* hashes below them are kept */
	/* Records: given, without a label or words, with cut texts. */
	uint64_t seen, unlabelled, empty, cut;
	uint64_t lost;			/* words that became number 0 */
	bool crowded;			/* more labels than classes: gave up */
	struct err *e;
};

int textstore_init(struct textstore *s, struct err *e);
void textstore_release(struct textstore *s);
int textstore_add(struct textstore *s, uint64_t number, const void *text,
    size_t n, const void *label, size_t m);
/* textstore_end: sample for good, and count words and labels. */
int textstore_end(struct textstore *s);
uint64_t textstore_mix(uint64_t v);

/* Words of a row; its specials follow them. */
static inline const uint32_t *
textstore_items(const struct textstore *s, size_t row)
{
	return s->item + s->row[row].off;
}

#endif /* !ANALYZER_TRIGGERS_TEXTSTORE_H_ */
