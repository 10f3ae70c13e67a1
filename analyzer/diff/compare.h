#ifndef ANALYZER_DIFF_COMPARE_H_
#define ANALYZER_DIFF_COMPARE_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/headshare.h"
#include "analyzer/diff/pair.h"
#include "analyzer/diff/relation.h"

struct arena;
struct err;
struct pool;
struct table;

/*
 * All pairs of two models, measured.  In this order, since each step asks
 * only what the one before left open:
 *
 *   1  the first pass over each pair: equal bytes end it here
 *   2  exact relations of each pair, then those of the model (relation.h)
 *   3  for what no relation explains: a second look, and the spectrum
 *
 * Work is in order of the files of NEW, so that a disk is read forward.
 */
struct compare {
	struct pool *pool;
	struct arena *arena;
	/* For digests, and copies of OLD's tensors in other orders. */
	struct table *side[2];
	struct pairs *pairs;
	struct headshare_config heads;	/* of NEW's configuration */
	struct relation_model model;	/* after compare_relations */
	uint64_t done, total;		/* bytes of both sides */
	bool cut;			/* memory ended before all was asked */
	int (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	struct err *e;
};

/* 1 and 2. */
int compare_relations(struct compare *c);
/* 3; pairs that ${p->told} says are explained otherwise are left out. */
int compare_spectra(struct compare *c);

/* Is it the same function of its inputs by an exact relation? */
bool compare_same(const struct pair *p);
/* Is a change explained exactly, so that no statistic is needed? */
bool compare_explained(const struct pair *p);
/* Both there, with bytes, and as many elements. */
bool compare_measurable(const struct pair *p);

#endif /* !ANALYZER_DIFF_COMPARE_H_ */
