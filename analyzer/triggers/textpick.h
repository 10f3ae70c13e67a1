#ifndef ANALYZER_TRIGGERS_TEXTPICK_H_
#define ANALYZER_TRIGGERS_TEXTPICK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/textvocab.h"

struct err;

/*
 * Features that go with one label more often than chance: what is looked at.
 *
 * The label of a feature is the one with the largest z; ${lp} is -log10 of
 * the binomial tail of its rows with that label, at most TEXTPICK_LP.  Kept
 * are the TEXTPICK_MAX with the largest lp that are in at most a quarter of
 * the rows and have more than 60 % of them in one class, and all specials.
 *
 * ${post} are the rows that hold it, ascending; of more than TEXTPICK_POSTS
 * every ${stride}th.
 */
#define TEXTPICK_MAX 2500
#define TEXTPICK_SPECIALS 500
#define TEXTPICK_POSTS 4096
#define TEXTPICK_LP 300.0
#define TEXTPICK_CLOSURE 48	/* words that are cut together */

struct textpick_candidate {
	uint32_t feature;
	uint16_t label;
	bool literal, special, negation;
	uint32_t rows, own;	/* that hold it; of these with the label */
	double lp;
	uint32_t *post;
	uint32_t posts, stride;
	/* textcut.h */
	uint32_t closure[TEXTPICK_CLOSURE];	/* ascending */
	uint32_t words;
	float rest;		/* share of a row that the closure is not */
	/* textplace.h */
	double inside, edge;	/* the insertion statistics */
	double alike;		/* textalike.h */
	double contrary;	/* how far its rows go over, 1: wholly */
	/* textscore.h */
	double own_ratio[2], cut_ratio[2];	/* by pass */
	double conflict, insertion, hidden;
	double score;
};

struct textpick {
	const struct textvocab *v;
	struct textpick_candidate *c;
	size_t n;
	uint64_t left_out;	/* that passed, and were not among the first */
	double usual;		/* textplace.h: of words that go with none */
	uint32_t *posts;
};

int textpick_run(struct textpick *p, const struct textvocab *v,
    struct err *e);
void textpick_release(struct textpick *p);
/* -log10 P[Bin(n, p) >= k], 0 < p < 1; ln_fact[i] = ln i!, i <= n. */
double textpick_tail(uint32_t n, uint32_t k, double p,
    const double *ln_fact);

#endif /* !ANALYZER_TRIGGERS_TEXTPICK_H_ */
