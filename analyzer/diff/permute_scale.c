#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/permute_parts.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Row 15.  A line (a row, or a column) multiplied by a positive constant
 * keeps its direction.  Four projections of the direction on fixed signs are
 * as good as a digest, and unlike one do not fall apart where a rounding goes
 * the other way: lines are sorted by the first projection, and the nearest by
 * all four is taken.  Every element is then compared with scale times A's.
 *
 * What may be off: one rounding of the product, and that of the scale.
 */
#define SIGNS 4
#define LEAST_LENGTH 8
#define LEAST_MATCHED 0.9
#define ELSEWHERE UINT32_MAX

struct line {
	double norm;		/* squared, until it is finished */
	float f[SIGNS];
	uint32_t at;
};

struct lines {
	const struct tensor *t;
	bool columns;
	uint32_t n;
	uint64_t length;
	struct line *v;
};

struct fit {
	struct lines a, b;
	double exact;		/* relative, of an element */
	double tiny;		/* what binary16 cannot say of small ones */
	float *scale;
	uint32_t *to;
	_Atomic uint32_t wrong, told;
};

/* Four signs of an element's place in its line. */
static unsigned
signs(uint64_t place)
{
	uint64_t x = (place + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return (unsigned)(x >> 60);
}

#define STRIPE 256		/* columns of one task */

struct sums {
	double norm, f[SIGNS];
};

static void
add(struct sums *s, double x, uint64_t place)
{
	unsigned sign = signs(place);

	s->norm += x * x;
	for (unsigned k = 0; k < SIGNS; k++)
		s->f[k] += (sign >> k & 1) != 0 ? x : -x;
}

static void
finish(struct line *l, const struct sums *s, uint32_t at)
{
	l->norm = sqrt(s->norm);
	l->at = at;
	for (unsigned k = 0; k < SIGNS; k++)
		l->f[k] = l->norm > 0 && isfinite(l->norm) ?
		    (float)(s->f[k] / l->norm) : 0;
}

/*
 * A block of rows against the same block of signs, in eight lanes, so that
 * the compiler makes vectors of it.  The norm becomes the scale and is summed
 * in double; projections are only compared.
 */
#define LANES 8

static void
add_block(struct sums *s, const float *x, float sign[SIGNS][RELATION_BLOCK])
{
	float f[SIGNS][LANES] = {{0}};
	double norm[LANES] = {0};

	for (size_t i = 0; i < RELATION_BLOCK; i += LANES) {
		for (unsigned l = 0; l < LANES; l++)
			norm[l] += (double)x[i + l] * (double)x[i + l];
		for (unsigned k = 0; k < SIGNS; k++)
			for (unsigned l = 0; l < LANES; l++)
				f[k][l] += x[i + l] * sign[k][i + l];
	}
	for (unsigned l = 0; l < LANES; l++) {
		s->norm += norm[l];
		for (unsigned k = 0; k < SIGNS; k++)
			s->f[k] += (double)f[k][l];
	}
}

static void
rows_task(const struct lines *s, uint32_t first)
{
	uint32_t m = s->n - first < STRIPE ? s->n - first : STRIPE;
	struct sums sums[STRIPE] = {{0}};
	float x[RELATION_BLOCK], sign[SIGNS][RELATION_BLOCK];
	size_t n;

	for (uint64_t j = 0; j < s->length; j += n) {
		n = s->length - j < RELATION_BLOCK ? (size_t)(s->length - j) :
		    RELATION_BLOCK;
		for (size_t i = 0; i < RELATION_BLOCK; i++)
			for (unsigned k = 0, v = signs(j + i); k < SIGNS; k++)
				sign[k][i] = (v >> k & 1) != 0 ? 1 : -1;
		for (uint32_t r = 0; r < m; r++) {
			relation_load(s->t, (first + r) * s->length + j, n,
			    x);
			memset(x + n, 0, (RELATION_BLOCK - n) * sizeof(*x));
			add_block(&sums[r], x, sign);
		}
	}
	for (uint32_t r = 0; r < m; r++)
		finish(&s->v[first + r], &sums[r], first + r);
}

/* A stripe of columns, from top to bottom: the order of sums is fixed. */
static void
stripe_task(const struct lines *s, uint32_t first)
{
	uint32_t m = s->n - first < STRIPE ? s->n - first : STRIPE;
	struct sums sums[STRIPE] = {{0}};
	float x[STRIPE];

	for (uint64_t r = 0; r < s->length; r++) {
		relation_load(s->t, r * s->n + first, m, x);
		for (uint32_t j = 0; j < m; j++)
			add(&sums[j], (double)x[j], r);
	}
	for (uint32_t j = 0; j < m; j++)
		finish(&s->v[first + j], &sums[j], first + j);
}

static void
line_task(void *ctx, size_t i, unsigned thread)
{
	const struct lines *s = ctx;

	(void)thread;
	if (s->columns)
		stripe_task(s, (uint32_t)i * STRIPE);
	else
		rows_task(s, (uint32_t)i * STRIPE);
}

static int
by_projection(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	if (a->f[0] != b->f[0])
		return a->f[0] < b->f[0] ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static double
apart(const struct line *a, const struct line *b)
{
	double d = 0;

	for (unsigned k = 0; k < SIGNS; k++)
		d = fmax(d, fabs((double)a->f[k] - (double)b->f[k]));
	return d;
}

/* The nearest of the sorted, unused lines of A, or ELSEWHERE. */
#define WINDOW 4096
static uint32_t
nearest(const struct line *v, uint32_t n, const struct line *x, double off,
    const uint8_t *used)
{
	uint32_t low = 0, high = n, best = ELSEWHERE;
	double least = off;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if ((double)v[mid].f[0] < (double)x->f[0] - off)
			low = mid + 1;
		else
			high = mid;
	}
	for (uint32_t i = low; i < n && i < low + WINDOW && (double)v[i].f[0]
	    <= (double)x->f[0] + off; i++)
		if (!used[v[i].at] && apart(&v[i], x) < least) {
			least = apart(&v[i], x);
			best = v[i].at;
		}
	return best;
}

/* to[] for lines that have a direction; how many have one and found it. */
static int
match(struct fit *f, double off, uint32_t *found, uint32_t *all)
{
	const uint32_t n = f->a.n;
	struct line *sorted = malloc(n * sizeof(*sorted));
	uint8_t *used = calloc(n, 1);
	int r = ERR_NOMEM;

	if (sorted == NULL || used == NULL)
		goto out;
	*found = *all = 0;
	for (uint32_t i = 0; i < n; i++) {
		bool stays = apart(&f->a.v[i], &f->b.v[i]) < off;

		f->to[i] = stays ? i : ELSEWHERE;
		used[i] = stays;
	}
	memcpy(sorted, f->a.v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_projection);
	for (uint32_t i = 0; i < n; i++) {
		if (f->b.v[i].norm == 0)
			continue;
		++*all;
		if (f->to[i] == ELSEWHERE)
			f->to[i] = nearest(sorted, n, &f->b.v[i], off, used);
		if (f->to[i] == ELSEWHERE)
			continue;
		used[f->to[i]] = 1;
		++*found;
	}
	r = 0;
out:
	free(sorted);
	free(used);
	return r;
}

/* Is the line, element by element, what the scale makes of A's? */
static bool
line_fits(const struct fit *f, uint32_t i)
{
	const struct lines *a = &f->a, *b = &f->b;
	const double s = (double)f->scale[i];
	float x[RELATION_BLOCK], y[RELATION_BLOCK];
	uint64_t step = b->columns ? b->n : 1;
	size_t n;

	for (uint64_t j = 0; j < b->length; j += n) {
		n = b->columns ? 1 : b->length - j < RELATION_BLOCK ?
		    (size_t)(b->length - j) : RELATION_BLOCK;
		relation_load(a->t, b->columns ? j * step + f->to[i] :
		    f->to[i] * a->length + j, n, x);
		relation_load(b->t, b->columns ? j * step + i :
		    i * b->length + j, n, y);
		for (size_t k = 0; k < n; k++)
			if (!(fabs((double)y[k] - s * (double)x[k]) <=
			    f->exact * fabs(s * (double)x[k]) + f->tiny))
				return false;
	}
	return true;
}

static void
fit_task(void *ctx, size_t i, unsigned thread)
{
	struct fit *f = ctx;
	uint32_t r = (uint32_t)i * STRIPE, end = r + STRIPE;

	(void)thread;
	for (; r < f->b.n && r < end; r++) {
		f->scale[r] = 1;
		if (f->to[r] == ELSEWHERE || f->b.v[r].norm == 0)
			continue;
		f->scale[r] = (float)(f->b.v[r].norm /
		    f->a.v[f->to[r]].norm);
		if (!line_fits(f, r)) {
			f->to[r] = ELSEWHERE;
			f->scale[r] = 1;
			(void)atomic_fetch_add(&f->wrong, 1);
		} else if (f->to[r] != r || fabs((double)f->scale[r] - 1) >
		    16 * f->exact) {
			(void)atomic_fetch_add(&f->told, 1);
		}
	}
}

static size_t
stripes(uint32_t n)
{
	return n / STRIPE + (n % STRIPE != 0);
}

/* 1, 0, or no memory: all of one axis. */
static int
axis(struct pool *pool, struct fit *f, struct arena *arena,
    struct permute_axis *ret, uint32_t kernel)
{
	uint32_t found, all;
	int r;

	pool_run(pool, line_task, &f->a, stripes(f->a.n));
	pool_run(pool, line_task, &f->b, stripes(f->b.n));
	/* Projections of unit vectors on signs are about 1. */
	if ((r = match(f, 4 * f->exact + 4e-6, &found, &all)) < 0)
		return r;
	if (all == 0 || (double)found < LEAST_MATCHED * (double)all)
		return 0;
	pool_run(pool, fit_task, f, stripes(f->b.n));
	/* What is in place and not scaled is no relation of this kind. */
	if (atomic_load(&f->told) < 2 || (double)(found -
	    atomic_load(&f->wrong)) < LEAST_MATCHED * (double)all)
		return 0;
	r = permute_axis_make(ret, f->to, f->scale, f->b.n, kernel, arena);
	return r < 0 ? r : 1;
}

static int
try_axis(struct pool *pool, const struct tensor *a, const struct tensor *b,
    bool columns, struct arena *arena, struct permute *ret)
{
	const uint64_t n = columns ? a->cols : a->rows;
	const unsigned m = elem_info(b->elem)->mantissa;
	struct fit f = {.a = {a, columns, (uint32_t)n, a->n / n, NULL},
	    .b = {b, columns, (uint32_t)n, a->n / n, NULL},
	    .exact = ldexp(3, -(int)(m < 23 ? m : 23) - 1),
	    .tiny = m == 10 ? 0x1p-24 : 0x1p-126};
	int r = ERR_NOMEM;

	/* Coarse types agree by chance: longer lines are asked of them. */
	if (n > PERMUTE_SCALED || n < 2 || f.a.length < (m < 23 ? 64 :
	    LEAST_LENGTH))
		return 0;
	f.a.v = calloc(n, sizeof(*f.a.v));
	f.b.v = calloc(n, sizeof(*f.b.v));
	f.scale = calloc(n, sizeof(*f.scale));
	f.to = calloc(n, sizeof(*f.to));
	if (f.a.v != NULL && f.b.v != NULL && f.scale != NULL && f.to != NULL)
		r = axis(pool, &f, arena, columns ? &ret->cols : &ret->rows,
		    columns ? permute_kernel(b) : 1);
	free(f.a.v);
	free(f.b.v);
	free(f.scale);
	free(f.to);
	return r;
}

int
permute_find_scaled(struct pool *pool, const struct tensor *a,
    const struct tensor *b, struct arena *arena, struct permute *ret,
    struct err *e)
{
	struct permute p;
	int r;

	if (a->n == 0 || a->rows != b->rows || a->cols != b->cols ||
	    elem_info(a->elem)->kind != ELEM_FLOAT ||
	    elem_info(b->elem)->kind != ELEM_FLOAT)
		return 0;
	memset(&p, 0, sizeof(p));
	p.rows.n = (uint32_t)a->rows;
	p.cols.n = (uint32_t)a->cols;
	r = try_axis(pool, a, b, false, arena, &p);
	if (r == 0)
		r = try_axis(pool, a, b, true, arena, &p);
	if (r < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (r > 0)
		*ret = p;
	return r;
}
