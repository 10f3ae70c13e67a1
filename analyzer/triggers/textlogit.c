#include <math.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textlogit.h"
#include "base/err.h"

#define COST 0.3
#define PASSES 10
#define LEAST 2
/* Visits of one weight: of a row, some 15 microseconds; of all, seconds. */
#define ROW_STEPS 12000.0
#define STEPS 2000000000.0
#define INNER 20

struct logit {
	struct textfit *f;
	unsigned passes;
	double *alpha;		/* by thread and row */
	float *w;		/* by thread and feature, and the bias */
};

/*
 * The dual variable of one row: the zero of
 *   q (z - a) + y w.x + ln(z / (C - z)),  0 < z < C
 * by Newton steps that stay inside.
 */
static double
newton(double q, double a, double ywx)
{
	double z = a;

	for (int i = 0; i < INNER; i++) {
		double g = q * (z - a) + ywx + log(z / (COST - z));
		double to = z - g / (q + COST / (z * (COST - z)));

		if (fabs(g) < 1e-4)
			break;
		if (to <= 0)
			to = z * 0.1;
		else if (to >= COST)
			to = COST - (COST - z) * 0.1;
		z = to;
	}
	return z;
}

static void
descend(const struct textfit *f, size_t i, double y, double *alpha, float *w)
{
	const uint32_t *id = f->v->id + f->v->start[i];
	size_t n = f->v->start[i + 1] - f->v->start[i];
	float *bias = w + f->v->linear;
	double sum = (double)*bias, z;
	float step;

	for (size_t j = 0; j < n; j++)
		sum += (double)w[id[j]];
	z = newton((double)n + 1, *alpha, y * sum);
	step = (float)(y * (z - *alpha));
	*alpha = z;
	for (size_t j = 0; j < n; j++)
		w[id[j]] += step;
	*bias += step;
}

/* One fold and class. */
static void
fit(void *ctx, size_t task, unsigned thread)
{
	const struct logit *t = ctx;
	struct textfit *f = t->f;
	const struct textstore *s = f->v->s;
	unsigned fold = (unsigned)task / f->width;
	unsigned c = (unsigned)task % f->width;
	unsigned label = f->width == 1 ? 1 : c;
	size_t linear = f->v->linear;
	double *alpha = t->alpha + thread * s->rows;
	float *w = t->w + thread * (linear + 1);
	float *to = f->w + (size_t)fold * linear * f->width + c;

	memset(w, 0, (linear + 1) * sizeof(*w));
	for (size_t i = 0; i < s->rows; i++) {
		alpha[i] = COST * 0.001;
		if (f->fold[i] == fold)
			continue;
		/* the weights that the first alphas make */
		for (uint64_t j = f->v->start[i]; j < f->v->start[i + 1]; j++)
			w[f->v->id[j]] += (float)(s->row[i].label == label ?
			    alpha[i] : -alpha[i]);
		w[linear] += (float)(s->row[i].label == label ? alpha[i] :
		    -alpha[i]);
	}
	for (unsigned pass = 0; pass < t->passes; pass++)
		for (size_t k = 0; k < s->rows; k++) {
			/* back and forth: no order of the labels is favoured */
			size_t i = pass % 2 == 0 ? k : s->rows - 1 - k;

			if (f->fold[i] != fold)
				descend(f, i, s->row[i].label == label ? 1 :
				    -1, &alpha[i], w);
		}
	for (size_t j = 0; j < linear; j++)
		to[j * f->width] = w[j];
	f->bias[fold * f->width + c] = w[linear];
}

int
textlogit_fit(struct textfit *f, struct pool *pool, bool *done,
    struct err *e)
{
	struct logit t = {.f = f};
	size_t rows = f->v->s->rows, threads = pool_threads(pool);
	double steps = 2.0 * TEXTFIT_FOLDS * f->width *
	    ((double)f->v->start[rows] + 1), passes;
	int r = 0;

	*done = false;
	if (steps * LEAST > STEPS ||
	    steps * LEAST / 3 > ROW_STEPS * (double)rows)
		return 0;
	passes = fmin(STEPS, ROW_STEPS * (double)rows) / steps;
	t.passes = passes > PASSES ? PASSES : passes < LEAST ? LEAST :
	    (unsigned)passes;
	t.alpha = calloc(threads * rows + 1, sizeof(*t.alpha));
	t.w = calloc(threads * (f->v->linear + (size_t)1), sizeof(*t.w));
	if (t.alpha == NULL || t.w == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
	} else {
		pool_run(pool, fit, &t, TEXTFIT_FOLDS * (size_t)f->width);
		*done = true;
	}
	free(t.alpha);
	free(t.w);
	return r;
}
