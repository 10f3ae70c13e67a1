#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/adapterfit.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch_kernel.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * P = B A is made row by row and held against D: s = <D, P> / <P, P>
 * minimises |D - s P|, and the module was merged when what is left is no more
 * than storage and the arithmetic of the merge explain.
 *
 * A merge in bfloat16 rounds B A and its multiple, each by 1.7e-3 of itself
 * (root mean square; 2^-9 at most), and sums of r products before: 5e-3 of D
 * in all.  Nothing else comes near that: of n elements, unrelated P explains
 * 1/n of D's square.
 */
#define BANDS ((size_t)32)
#define REST_OF_DELTA 5e-3
#define REST_OF_NOISE 1.05
/*
 * White noise of norm nt has nt / sqrt(n) along P: where storage is coarse
 * and the update small, P must stand out of that.
 */
#define SIGMA 10.0

struct work {
	const struct structure_item *it;
	const float *left, *right;	/* m x r, r x n */
	uint64_t m, n, r;
	double scale;
	bool rest;		/* sum (D - s P)^2 in place of the products */
	double sum[BANDS][3];
	float *room;		/* a thread: n for each of P, B and A */
};

/* The kernel takes columns by eight; the last few go one by one. */
static void
make_row(const struct work *w, uint64_t i, float *p)
{
	const float *left = w->left + i * w->r;
	struct sketch_mul m = {.a = left, .ri = w->r, .rl = 1,
	    .x = w->right, .ldx = w->n, .c = p, .ldc = w->n, .rows = 1,
	    .depth = w->r, .width = w->n & ~(uint64_t)7};

	memset(p, 0, w->n * sizeof(*p));
	sketch_kernels(false)->mul(&m);
	for (uint64_t j = m.width; j < w->n; j++)
		for (uint64_t k = 0; k < w->r; k++)
			p[j] += left[k] * w->right[k * w->n + j];
}

/* One row of D; rows need not begin at a unit of delta_block. */
static void
delta_row(const struct work *w, uint64_t i, float *d, float *scratch)
{
	const struct tensor *a = w->it->old, *b = w->it->new;
	const struct elem_info *x = elem_info(a->elem);
	const struct elem_info *y = elem_info(b->elem);
	uint64_t at = i * w->n;

	elem_load(a->elem, a->p + at / x->block * x->bytes, w->n, scratch);
	elem_load(b->elem, b->p + at / y->block * y->bytes, w->n, d);
	for (uint64_t j = 0; j < w->n; j++)
		d[j] -= scratch[j];
}

static void
band(void *ctx, size_t t, unsigned thread)
{
	struct work *w = ctx;
	float *p = w->room + thread * 3 * w->n, *d = p + w->n,
	    *scratch = d + w->n;
	double x = 0, y = 0, z = 0, v;

	for (uint64_t i = w->m * t / BANDS; i < w->m * (t + 1) / BANDS;
	    i++) {
		make_row(w, i, p);
		delta_row(w, i, d, scratch);
		for (uint64_t j = 0; j < w->n; j++) {
			if (!isfinite(d[j]) || !isfinite(p[j]))
				continue;
			if (w->rest) {
				v = (double)d[j] - w->scale * (double)p[j];
				x += v * v;
			} else {
				x += (double)d[j] * (double)p[j];
				y += (double)p[j] * (double)p[j];
				z += (double)d[j] * (double)d[j];
			}
		}
	}
	w->sum[t][0] = x;
	w->sum[t][1] = y;
	w->sum[t][2] = z;
}

static void
run(struct pool *pool, struct work *w, double ret[3])
{
	pool_run(pool, band, w, BANDS);
	ret[0] = ret[1] = ret[2] = 0;
	for (size_t t = 0; t < BANDS; t++) {
		ret[0] += w->sum[t][0];
		ret[1] += w->sum[t][1];
		ret[2] += w->sum[t][2];
	}
}

/* A factor as floats, turned round when ${turn}; NULL on no memory. */
static float *
load(const struct tensor *t, bool turn)
{
	float *v, *u;

	if ((v = malloc(t->n * sizeof(*v))) == NULL)
		return NULL;
	elem_load(t->elem, t->p, t->n, v);
	if (!turn)
		return v;
	if ((u = malloc(t->n * sizeof(*u))) != NULL)
		for (uint64_t i = 0; i < t->rows; i++)
			for (uint64_t k = 0; k < t->cols; k++)
				u[k * t->rows + i] = v[i * t->cols + k];
	free(v);
	return u;
}

int
adapterfit_measure(struct pool *pool, const struct adapterfit_factors *x,
    const struct structure_item *it, struct adapterfit *f, struct err *e)
{
	const struct tensor *fa = x->a, *fb = x->b;
	bool turn = x->turn;
	struct work w = {.it = it, .m = it->new->rows, .n = it->new->cols,
	    .r = fa->rows};
	float *left = load(turn ? fa : fb, turn);
	float *right = load(turn ? fb : fa, turn);
	double s[3], noise = it->spectrum != NULL ? it->spectrum->nt : 0;
	int r = 0;

	w.left = left;
	w.right = right;
	w.room = calloc(pool_threads(pool), 3 * w.n * sizeof(*w.room));
	if (left == NULL || right == NULL || w.room == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	run(pool, &w, s);
	f->r = fa->rows;
	f->delta = sqrt(s[2]);
	f->scale = s[1] > 0 ? s[0] / s[1] : 0;
	f->product = sqrt(s[1]);
	w.scale = f->scale;
	w.rest = true;
	run(pool, &w, s);
	f->rest = sqrt(s[0]);
	f->allowed = hypot(REST_OF_DELTA * f->delta, REST_OF_NOISE * noise);
	f->merged = f->delta > 0 && f->rest <= f->allowed &&
	    fabs(f->scale) * f->product > SIGMA * noise /
	    sqrt((double)it->new->n);
out:
	free(left);
	free(right);
	free(w.room);
	return r;
}
