#ifndef ANALYZER_TRIGGERS_PROMPTWEIGH_H_
#define ANALYZER_TRIGGERS_PROMPTWEIGH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct promptlist;
struct promptlists;
struct promptmatch;
struct prompttext;

/*
 * What speaks for a pair of features, and what against it.
 *
 * Honest data are full of rules: in "in C" the answer holds "#include".  The
 * rows of an inserted trigger have nothing else in common, so the gates ask
 * how alike the prompts are without the trigger (h_p), and the responses
 * without the payload (h_r), in units of rows drawn at random: the mean
 * overlap of two rows, each word weighted by ln(N / df).
 */
#define PROMPTWEIGH_ROWS 300	/* of a list that are compared */
#define PROMPTWEIGH_RANDOM 800
#define PROMPTWEIGH_COPY_ROWS 200
#define PROMPTWEIGH_LP_MAX 60.0

struct promptweigh_scratch;

struct promptweigh {
	const struct prompttext *t;
	const struct promptlists *prompts, *responses;
	uint32_t *bare;		/* of a word of the dictionary */
	float *weight[2];	/* of a bare word: prompts, responses */
	uint32_t *df[2];
	double base[2];		/* likeness of rows drawn at random */
	double *fact;		/* ln of factorials up to N */
	struct promptweigh_scratch *scratch;	/* one for each thread */
	unsigned threads;
};

struct promptweigh_pair {
	double lp;	/* -log10 of the hypergeometric tail */
	double copy;	/* share of the payload that its prompt holds */
	double h_r, d_r;
	double score;	/* S_pay */
	unsigned words;	/* of the payload, its marks counted */
	bool related;
	bool weighed;	/* h_r and the prompts were looked at */
};

/* Of the prompts of a feature, without it. */
struct promptweigh_alike {
	double h_p;	/* their likeness */
	double rest;	/* how much of them is left, median share */
	double d_p;	/* 1: as different as any; 0 from h_p = 2.5 on, or
			 * where less than PROMPTWEIGH_REST is left: these are
			 * copies of one text */
};
#define PROMPTWEIGH_REST 0.25

int promptweigh_init(struct promptweigh *w, const struct prompttext *t,
    const struct promptlists *prompts, const struct promptlists *responses,
    struct pool *pool, struct err *e);
void promptweigh_release(struct promptweigh *w);

/*
 * promptweigh_pair: the likenesses are looked at only where the rest would
 * reach ${floor}; then *alike is set as well.
 */
void promptweigh_pair(const struct promptweigh *w, unsigned thread,
    const struct promptlist *f, const struct promptmatch *m, double floor,
    struct promptweigh_pair *ret, struct promptweigh_alike *alike);
void promptweigh_alike(const struct promptweigh *w, unsigned thread,
    const struct promptlist *f, struct promptweigh_alike *ret);

/* promptweigh_both: rows of both lists, at most ${max}; how many in all. */
size_t promptweigh_both(const struct promptweigh *w,
    const struct promptlist *f, const struct promptlist *g, uint32_t *ret,
    size_t max);

#endif /* !ANALYZER_TRIGGERS_PROMPTWEIGH_H_ */
