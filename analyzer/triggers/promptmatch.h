#ifndef ANALYZER_TRIGGERS_PROMPTMATCH_H_
#define ANALYZER_TRIGGERS_PROMPTMATCH_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct promptlists;

/*
 * Features of prompts and of responses with nearly the same rows.
 *
 * Min-hash (Broder 1997): the smallest of the hashed rows of two lists agree
 * with a probability that is their Jaccard index.  32 of them in 16 bands of
 * two: a pair at 0.45 agrees in some band with probability 0.97.  What agrees
 * is compared exactly, for each prompt's feature at most PROMPTMATCH_EXACT,
 * those that agree in most bands first; a band in which more than
 * PROMPTMATCH_CROWD response lists are equal says nothing and is skipped.
 */
#define PROMPTMATCH_BANDS 16
#define PROMPTMATCH_CROWD 200
#define PROMPTMATCH_EXACT 64
#define PROMPTMATCH_JACCARD 0.45
#define PROMPTMATCH_NONE UINT32_MAX

/* The best partner of a prompt's feature. */
struct promptmatch {
	uint32_t response;	/* list, or PROMPTMATCH_NONE */
	uint32_t both;		/* rows that hold the two */
	double jaccard;
};

struct promptmatch_work {
	const struct promptlists *prompts, *responses;
	size_t rows;		/* of the set */
	struct pool *pool;
	struct promptmatch *best;	/* one for each prompt list */
	uint64_t skipped;	/* partners that were not compared */
	uint64_t crowded;	/* bands that were skipped */
	struct err *e;
};

int promptmatch_run(struct promptmatch_work *w);

#endif /* !ANALYZER_TRIGGERS_PROMPTMATCH_H_ */
