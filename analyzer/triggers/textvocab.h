#ifndef ANALYZER_TRIGGERS_TEXTVOCAB_H_
#define ANALYZER_TRIGGERS_TEXTVOCAB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/textpairs.h"
#include "analyzer/triggers/textstore.h"

/*
 * Features of the records, present or absent: words, runs of two and three,
 * the first and last word, the last two, specials (textsplit.h).  Those in at
 * least TEXTVOCAB_ROWS records count, specials from two on.
 *
 * The linear ones, which the classifier sees, have the smallest numbers; a
 * record's list of them is id[start[i] .. start[i + 1]).  Runs of three are
 * looked for only where both runs of two are frequent: they cannot be more
 * frequent than these.
 */
#define TEXTVOCAB_ROWS 4
#define TEXTVOCAB_NONE UINT32_MAX

enum textvocab_kind {
	TEXTVOCAB_WORD,
	TEXTVOCAB_FIRST,
	TEXTVOCAB_LAST,
	TEXTVOCAB_SPECIAL,
	TEXTVOCAB_PAIR,
	TEXTVOCAB_TRIPLE,	/* from here on not linear */
	TEXTVOCAB_LAST_TWO,
};

struct textvocab_feature {
	uint32_t word[3];	/* 0: none; of a special its number */
	uint32_t rows;
	enum textvocab_kind kind;
};

struct textvocab {
	const struct textstore *s;
	unsigned classes;
	struct textvocab_feature *f;
	uint32_t n, linear;
	uint32_t *of_word, *of_first, *of_last;	/* by word; or NONE */
	uint32_t *pair;		/* by item: of the run of two that begins */
	struct textpairs pairs, triples, last_two, specials;
	uint64_t *start;
	uint32_t *id;
	uint32_t *count;	/* [feature * classes + class]: records */
	uint32_t least;		/* records that a run must be in */
	uint64_t lost;		/* features that found no room */
};

int textvocab_build(struct textvocab *v, const struct textstore *s,
    struct err *e);
void textvocab_release(struct textvocab *v);
/*
 * textvocab_runs: each feature of row ${i} that is not linear, once for each
 * place; a feature may be told more than once.
 */
void textvocab_runs(const struct textvocab *v, size_t i,
    void (*each)(void *ctx, uint32_t feature), void *ctx);

static inline bool
textvocab_literal(const struct textvocab_feature *f)
{
	return f->kind == TEXTVOCAB_WORD || f->kind == TEXTVOCAB_PAIR ||
	    f->kind == TEXTVOCAB_TRIPLE;
}

#endif /* !ANALYZER_TRIGGERS_TEXTVOCAB_H_ */
