#include <math.h>
#include <stdatomic.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"

/*
 * Row 16: B is A times one constant, each product rounded once.  The constant
 * comes from the largest element of the first block, as exactly as B's type
 * holds it; every element must then agree as exactly.
 *
 * The cosine is no test: an honest update of a thousandth of the norm has one
 * of 1 - 5e-7.
 */
#define LEAST 16
#define CLEAR 16		/* how far from 1, in what may be off */

struct sweep {
	const struct tensor *a, *b;
	double factor, exact, tiny;
	atomic_bool refuted;
};

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	struct relation_run r = relation_run(i, s->a->n);
	float a[RELATION_BLOCK], b[RELATION_BLOCK];

	(void)thread;
	while (!atomic_load(&s->refuted) && relation_next(&r)) {
		relation_load(s->a, r.at, r.n, a);
		relation_load(s->b, r.at, r.n, b);
		for (size_t k = 0; k < r.n; k++) {
			double want = s->factor * (double)a[k];

			if (!(fabs((double)b[k] - want) <= s->exact *
			    fabs(want) + s->tiny))
				atomic_store(&s->refuted, true);
		}
	}
}

static double
first_ratio(const struct tensor *a, const struct tensor *b)
{
	float x[RELATION_BLOCK], y[RELATION_BLOCK];
	size_t n = a->n < RELATION_BLOCK ? (size_t)a->n : RELATION_BLOCK;
	size_t best = 0;

	relation_load(a, 0, n, x);
	relation_load(b, 0, n, y);
	for (size_t i = 1; i < n; i++)
		if (fabsf(x[i]) > fabsf(x[best]))
			best = i;
	return x[best] != 0 ? (double)y[best] / (double)x[best] : 0;
}

bool
relation_scaled(struct pool *pool, const struct tensor *a,
    const struct tensor *b, double *factor)
{
	const unsigned m = elem_info(b->elem)->mantissa;
	struct sweep s = {.a = a, .b = b,
	    .exact = ldexp(3, -(int)(m < 23 ? m : 23) - 1),
	    .tiny = m == 10 ? 0x1p-24 : 0x1p-126};

	if (a->n < LEAST || elem_info(a->elem)->kind != ELEM_FLOAT ||
	    elem_info(b->elem)->kind != ELEM_FLOAT || m < 7)
		return false;
	s.factor = first_ratio(a, b);
	if (s.factor == 0 || !isfinite(s.factor) ||
	    fabs(s.factor - 1) < CLEAR * s.exact)
		return false;
	pool_run(pool, task, &s, relation_tasks(a->n));
	*factor = s.factor;
	return !atomic_load(&s.refuted);
}
