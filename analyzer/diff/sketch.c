#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch.h"
#include "analyzer/diff/sketch_exact.h"
#include "analyzer/diff/sketch_kernel.h"
#include "analyzer/diff/sketch_panel.h"
#include "analyzer/diff/smallsvd.h"
#include "analyzer/diff/tensor.h"
#include "base/ckd.h"
#include "base/err.h"

/*
 * Randomised range finder with power iterations (Halko, Martinsson and Tropp,
 * Finding Structure with Randomness, 2011, algorithm 4.4; backdoor_models.md,
 * Diff specification, 3.2):
 *
 *	Z = Omega; Y = D Z				n x q, m x q
 *	twice: Y = orthonormal(Y); Z = D^T Y; Y = D Z
 *	Y = orthonormal(Y); Z = D^T Y; s = svd(Z)
 *
 * D is read by panels of rows.  In Y = D Z a task has some of a panel's rows,
 * in Z += D^T Y some of its columns, over all panels in order: no sum depends
 * on who did it.
 *
 * Omega is a function of the position, made of whole numbers alone, so that
 * it is the same on every machine: the number of ones among 64 hashed bits,
 * centred, which is Gaussian to its fourth moment but for 3 %; any
 * independent entries of that kind will do (ibid., 11.5).
 *
 * orthonormal() is Cholesky QR twice, in double precision.  Columns that
 * depend on others (D of lower rank than q) become 0, and their singular
 * values with them.
 */
#define ROUNDS 2
/* Rows and columns of D that a task takes at a time. */
#define DEPTH 256
#define COLUMNS 64
/* Sums over rows of Y or Z are made in so many parts, added in order. */
#define PARTS 8
/* Below this share of |D|^2 the rest is summed element by element. */
#define CANCELS 1e-3

struct work {
	const struct sketch_ask *ask;
	const struct sketch_kernels *kern;
	struct pool *pool;
	struct sketch_panel panel;
	uint64_t m, n;
	unsigned q;
	float *y, *z;		/* m x q, n x q */
	double *gram;		/* PARTS x q x q; the sum comes first */
	double *room;		/* of smallsvd, and PARTS partial sums */
	float *pack;		/* a task's columns: 2 * DEPTH x COLUMNS */
	/* What tasks work on. */
	const float *rows;	/* the panel */
	uint64_t row;		/* its first row */
	size_t nrows, each;	/* its rows; those of a task */
	float *tall;		/* what is orthonormalised: len x q */
	uint64_t len;
	double *rest;		/* by columns, the rest's squares */
};

static uint64_t
hash(uint64_t x)
{
	/* SplitMix64 (Steele, Lea and Flood, 2014). */
	x = (x + 1) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void
omega_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	uint64_t from = i * DEPTH * w->q, to = from + (uint64_t)DEPTH * w->q;

	(void)thread;
	for (uint64_t k = from; k < to && k < w->n * w->q; k++)
		w->z[k] = 0.25F * (float)(__builtin_popcountll(hash(k)) - 32);
}

/* Some rows of the panel: Y = D Z. */
static void
right_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	size_t from = i * w->each, left = w->nrows - from;
	struct sketch_mul m = {.ri = (size_t)w->n, .rl = 1, .ldx = w->q,
	    .ldc = w->q, .width = w->q};

	(void)thread;
	m.rows = left < w->each ? left : w->each;
	m.c = w->y + (w->row + from) * w->q;
	memset(m.c, 0, m.rows * w->q * sizeof(*m.c));
	for (uint64_t j = 0; j < w->n; j += DEPTH) {
		m.depth = w->n - j < DEPTH ? (size_t)(w->n - j) : DEPTH;
		m.a = w->rows + from * (size_t)w->n + j;
		m.x = w->z + j * w->q;
		w->kern->mul(&m);
	}
}

/*
 * Some columns of the panel, copied first: rows that are a power of two apart
 * would all fall into the same few lines of the cache.
 */
static void
pack_columns(const struct work *w, size_t row, size_t nrows, uint64_t col,
    size_t ncols, float *to)
{
	for (size_t r = 0; r < nrows; r++) {
		const float *from = w->rows + (row + r) * (size_t)w->n + col;

		memcpy(to + r * COLUMNS, from, ncols * sizeof(*to));
	}
}

/* Z += D^T Y */
static void
left_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	uint64_t col = (uint64_t)i * COLUMNS;
	float *pack = w->pack + (size_t)2 * DEPTH * COLUMNS * thread;
	struct sketch_mul m = {.a = pack, .ri = 1, .rl = COLUMNS,
	    .ldx = w->q, .ldc = w->q, .width = w->q};

	m.rows = w->n - col < COLUMNS ? (size_t)(w->n - col) : COLUMNS;
	m.c = w->z + col * w->q;
	for (size_t r = 0; r < w->nrows; r += DEPTH) {
		m.depth = w->nrows - r < DEPTH ? w->nrows - r : DEPTH;
		m.x = w->y + (w->row + r) * w->q;
		pack_columns(w, r, m.depth, col, m.rows, pack);
		w->kern->mul(&m);
	}
}

/* The squares of D - Y Z^T in some columns of the panel. */
static void
rest_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	uint64_t col = (uint64_t)i * COLUMNS;
	size_t ncols = w->n - col < COLUMNS ? (size_t)(w->n - col) : COLUMNS;
	float *zt = w->pack + (size_t)2 * DEPTH * COLUMNS * thread;
	float c[4 * COLUMNS];
	struct sketch_mul m = {.ri = w->q, .rl = 1, .x = zt,
	    .ldx = COLUMNS, .c = c, .ldc = COLUMNS, .depth = w->q,
	    .width = COLUMNS};

	/* 2 * DEPTH rows of room: SKETCH_MAX fits. */
	memset(zt, 0, (size_t)w->q * COLUMNS * sizeof(*zt));
	for (size_t j = 0; j < ncols; j++)
		for (size_t k = 0; k < w->q; k++)
			zt[k * COLUMNS + j] = w->z[(col + j) * w->q + k];
	for (size_t r = 0; r < w->nrows; r += m.rows) {
		m.rows = w->nrows - r < 4 ? w->nrows - r : 4;
		m.a = w->y + (w->row + r) * w->q;
		memset(c, 0, sizeof(c));
		w->kern->mul(&m);
		for (size_t k = 0; k < m.rows * COLUMNS; k++) {
			const float *d = w->rows + (r + k / COLUMNS) *
			    (size_t)w->n + col;
			double x;

			if (k % COLUMNS >= ncols)
				continue;
			x = (double)(d[k % COLUMNS] - c[k]);
			w->rest[i] += x * x;
		}
	}
}

static void
sweep(struct work *w, void (*task)(void *ctx, size_t i, unsigned thread),
    bool by_columns)
{
	for (w->row = 0; w->row < w->m; w->row += w->nrows) {
		size_t tasks = (size_t)((w->n + COLUMNS - 1) / COLUMNS);

		w->rows = sketch_panel_load(&w->panel, w->row, &w->nrows);
		/* Rows of a task: a multiple of the kernel's tile. */
		w->each = (w->nrows / 8 + 3) & ~(size_t)3;
		w->each = w->each < 4 ? 4 : w->each > 64 ? 64 : w->each;
		if (!by_columns)
			tasks = (w->nrows + w->each - 1) / w->each;
		pool_run(w->pool, task, w, tasks);
	}
}

static void
transposed(struct work *w)
{
	memset(w->z, 0, (size_t)w->n * w->q * sizeof(*w->z));
	sweep(w, left_task, true);
}

/* Part i of PARTS of the rows of w->tall. */
static float *
part_of(const struct work *w, size_t i, size_t *rows)
{
	uint64_t from = w->len * i / PARTS, to = w->len * (i + 1) / PARTS;

	*rows = (size_t)(to - from);
	return w->tall + from * w->q;
}

static void
gram_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	size_t rows, qq = (size_t)w->q * w->q;
	const float *p = part_of(w, i, &rows);

	(void)thread;
	memset(w->gram + i * qq, 0, qq * sizeof(*w->gram));
	w->kern->gram(p, rows, w->q, w->gram + i * qq);
}

static void
apply_task(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	size_t rows;
	float *p = part_of(w, i, &rows);

	(void)thread;
	w->kern->apply(p, rows, w->q, w->gram);
}

/* w->gram = T^T T */
static void
gram_of(struct work *w, float *tall, uint64_t len)
{
	size_t qq = (size_t)w->q * w->q;

	w->tall = tall;
	w->len = len;
	pool_run(w->pool, gram_task, w, PARTS);
	for (size_t i = 1; i < PARTS; i++)
		for (size_t k = 0; k < qq; k++)
			w->gram[k] += w->gram[i * qq + k];
}

static void
orthonormal(struct work *w)
{
	for (unsigned twice = 0; twice < 2; twice++) {
		gram_of(w, w->y, w->m);
		(void)smallsvd_whiten(w->gram, w->q, w->room);
		pool_run(w->pool, apply_task, w, PARTS);
	}
}

static double
rest_of(struct work *w)
{
	size_t blocks = (size_t)((w->n + COLUMNS - 1) / COLUMNS);
	double sum = 0;

	memset(w->rest, 0, blocks * sizeof(*w->rest));
	sweep(w, rest_task, true);
	for (size_t i = 0; i < blocks; i++)
		sum += w->rest[i];
	return sum;
}

uint64_t
sketch_room(uint64_t m, uint64_t n, unsigned q)
{
	uint64_t both, r;

	if (!ckd_add64(&both, m, n) || !ckd_mul64(&r, both, (uint64_t)q * 4))
		return UINT64_MAX;
	return r;
}

static int
work_init(struct work *w, const struct sketch_ask *ask, struct err *e)
{
	size_t q = ask->q, blocks;

	memset(w, 0, sizeof(*w));
	w->ask = ask;
	w->kern = sketch_kernels(ask->portable);
	w->pool = ask->pool;
	w->m = ask->d->b->rows;
	w->n = ask->d->b->cols;
	w->q = ask->q;
	blocks = (size_t)((w->n + COLUMNS - 1) / COLUMNS);
	w->y = malloc((size_t)w->m * q * sizeof(*w->y));
	w->z = malloc((size_t)w->n * q * sizeof(*w->z));
	w->gram = malloc(PARTS * q * q * sizeof(*w->gram));
	w->room = malloc(SMALLSVD_ROOM(q) * sizeof(*w->room));
	w->rest = malloc(blocks * sizeof(*w->rest));
	w->pack = malloc((size_t)2 * DEPTH * COLUMNS *
	    pool_threads(ask->pool) * sizeof(*w->pack));
	if (w->y == NULL || w->z == NULL || w->gram == NULL ||
	    w->room == NULL || w->rest == NULL || w->pack == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return sketch_panel_init(&w->panel, ask->pool, ask->d, ask->top, e);
}

static void
work_release(struct work *w)
{
	free(w->y);
	free(w->z);
	free(w->gram);
	free(w->room);
	free(w->rest);
	free(w->pack);
	sketch_panel_release(&w->panel);
}

/* Y orthonormal, Z = D^T Y, and the eigenvalues of Z^T Z in ret->s. */
static void
find_range(struct work *w, double *vec, struct sketch *ret)
{
	uint64_t side = w->m < w->n ? w->m : w->n;
	double scale = (double)w->panel.scale, sum = 0;

	pool_run(w->pool, omega_task, w, (size_t)((w->n + DEPTH - 1) / DEPTH));
	sweep(w, right_task, false);
	for (unsigned i = 0; i < ROUNDS; i++) {
		orthonormal(w);
		transposed(w);
		sweep(w, right_task, false);
	}
	orthonormal(w);
	transposed(w);
	gram_of(w, w->z, w->n);
	if (!smallsvd_eigen(w->gram, w->q, ret->s, vec, w->room))
		return;
	ret->q = side < w->q ? (unsigned)side : w->q;
	ret->exact = side <= w->q;
	for (unsigned k = 0; k < ret->q; k++) {
		double v = ret->s[k] > 0 ? ret->s[k] : 0;

		sum += v;
		ret->s[k] = sqrt(v) / scale;
	}
	ret->resid2 = ret->exact ? 0 :
	    fmax(w->ask->d2 - sum / scale / scale, 0);
	if (!ret->exact && ret->resid2 < CANCELS * w->ask->d2)
		ret->resid2 = rest_of(w) / scale / scale;
}

/*
 * Row k of ${vec} combines the columns of ${t} (len x q) into component k:
 * of length 1, or 0 if there is none.
 */
static void
combine(const float *t, uint64_t len, unsigned q, const double *vec, float *to)
{
	double sum = 0;

	for (uint64_t i = 0; i < len; i++) {
		double v = 0;

		for (unsigned k = 0; k < q; k++)
			v += (double)t[i * q + k] * vec[k];
		to[i] = (float)v;
		sum += v * v;
	}
	sum = sum > 0 ? 1.0 / sqrt(sum) : 0.0;
	for (uint64_t i = 0; i < len; i++)
		to[i] = (float)((double)to[i] * sum);
}

int
sketch_vectors(const struct sketch_ask *ask, unsigned count,
    struct sketch *ret, struct err *e)
{
	double *vec = NULL;
	struct sketch s = {0};
	struct work w;
	int r;

	if ((r = work_init(&w, ask, e)) < 0)
		goto out;
	s.u = calloc((size_t)w.m * count, sizeof(*s.u));
	s.v = calloc((size_t)w.n * count, sizeof(*s.v));
	vec = malloc((size_t)w.q * w.q * sizeof(*vec));
	if (s.u == NULL || s.v == NULL || vec == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	find_range(&w, vec, &s);
	s.vectors = count < s.q ? count : s.q;
	for (size_t k = 0; k < s.vectors; k++) {
		combine(w.y, w.m, w.q, vec + k * w.q, s.u + k * w.m);
		combine(w.z, w.n, w.q, vec + k * w.q, s.v + k * w.n);
	}
	*ret = s;
	memset(&s, 0, sizeof(s));
out:
	sketch_release(&s);
	free(vec);
	work_release(&w);
	return r;
}

int
sketch_find(const struct sketch_ask *ask, struct sketch *ret, struct err *e)
{
	struct sketch s = {0};
	struct work w;
	int r;

	if (sketch_exact_fits(ask->d->b->rows, ask->d->b->cols))
		return sketch_exact_find(ask, ret, e);
	if ((r = work_init(&w, ask, e)) == 0) {
		find_range(&w, NULL, &s);
		*ret = s;
	}
	work_release(&w);
	return r;
}

void
sketch_release(struct sketch *s)
{
	free(s->u);
	free(s->v);
	s->u = s->v = NULL;
}
