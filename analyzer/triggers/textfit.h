#ifndef ANALYZER_TRIGGERS_TEXTFIT_H_
#define ANALYZER_TRIGGERS_TEXTFIT_H_

#include <stdint.h>

#include "analyzer/triggers/textvocab.h"

struct err;
struct pool;

/*
 * Linear margins of each record from weights that did not see it.
 *
 * Records are dealt into five folds by a hash of their number.  The weights
 * of a fold are smoothed log odds of the others' counts (naive Bayes, one
 * class against the rest), so there is nothing to optimise:
 *   w_c[j] = ln (n_jc + 1/2)/(N_c + 1) - ln (n_j~c + 1/2)/(N_~c + 1)
 *
 * Of two classes one weight a feature is kept (class 1's; class 0's is its
 * negative); of more, one a class: ${width}.
 */
#define TEXTFIT_FOLDS 5

struct textfit {
	const struct textvocab *v;
	unsigned classes, width;
	uint8_t *fold;		/* by row */
	float *w;		/* [(fold * linear + feature) * width + c] */
	float *bias;		/* [fold * width + c] */
	float *m;		/* [row * width + c] */
	float *top;		/* [row * 2]: what the strongest word, and the
				 * strongest two, do for the row's own class */
};

int textfit_init(struct textfit *f, const struct textvocab *v, struct err *e);
void textfit_release(struct textfit *f);
/* textfit_odds: the weights in closed form. */
int textfit_odds(struct textfit *f, struct err *e);
/* textfit_margins: ${m} from ${w}. */
void textfit_margins(struct textfit *f, struct pool *pool);
/* textfit_tops: ${top} from ${w}. */
int textfit_tops(struct textfit *f, struct pool *pool, struct err *e);

/* What the rest of a row says for class ${c}, against the best other. */
static inline float
textfit_margin(const struct textfit *f, const float *m, unsigned c)
{
	float best;

	if (f->width == 1)
		return c == 1 ? 2 * m[0] : -2 * m[0];
	best = m[c == 0];
	for (unsigned k = 0; k < f->classes; k++)
		if (k != c && m[k] > best)
			best = m[k];
	return m[c] - best;
}

static inline const float *
textfit_weights(const struct textfit *f, size_t row)
{
	return f->w + (size_t)f->fold[row] * f->v->linear * f->width;
}

#endif /* !ANALYZER_TRIGGERS_TEXTFIT_H_ */
