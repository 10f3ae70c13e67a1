#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/permute.h"
#include "analyzer/diff/permute_parts.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Row 14.  The digest of a row is the sum of its mixed elements, so that it
 * does not depend on the order of the columns, and the other way round: one
 * sweep over each side gives both, rows and columns may both have moved, and
 * sums may be added up by threads in any order.  Equal multisets of digests
 * propose an order; every bit is then compared.
 *
 * Rows that stand where they stood keep their places, so that equal rows (of
 * zeros, of ones) do not look like a permutation.
 */
struct digests {
	uint64_t *rows, *cols;
};

struct sweep {
	const struct delta *d;
	bool of_b;
	uint64_t rows;			/* of a task */
	_Atomic uint64_t *cols;
	uint64_t *ret;
};

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/* Elements as keys: a side's own bits where both are of one type. */
static void
keys(const struct delta *d, bool of_b, uint64_t at, size_t n, uint64_t *key)
{
	const struct tensor *t = of_b ? d->b : d->a;
	float x[RELATION_BLOCK];

	if (d->cast == CAST_NONE && d->a->elem == d->b->elem &&
	    elem_info(t->elem)->block == 1) {
		for (size_t i = 0; i < n; i++)
			key[i] = elem_bits(t->elem, t->p, at + i);
		return;
	}
	relation_load(t, at, n, x);
	if (!of_b)
		cast_block(d->cast, x, x, n);
	for (size_t i = 0; i < n; i++)
		key[i] = isnan(x[i]) ? 1 : x[i] == 0 ? 0 :
		    floatbits_of(x[i]);
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	const struct tensor *t = s->d->a;
	uint64_t key[RELATION_BLOCK], r = i * s->rows, end = r + s->rows;
	size_t n;

	(void)thread;
	for (; r < t->rows && r < end; r++)
		for (uint64_t j = 0; j < t->cols; j += n) {
			n = t->cols - j < RELATION_BLOCK ?
			    (size_t)(t->cols - j) : RELATION_BLOCK;
			keys(s->d, s->of_b, r * t->cols + j, n, key);
			for (size_t k = 0; k < n; k++) {
				uint64_t m = mix(key[k] + 1);

				s->ret[r] += m;
				(void)atomic_fetch_add_explicit(&s->cols[j +
				    k], m, memory_order_relaxed);
			}
		}
}

static uint64_t
rows_of_task(const struct tensor *t)
{
	return t->cols < RELATION_TASK ? RELATION_TASK / t->cols : 1;
}

static void
digest(struct pool *pool, struct sweep *s, bool of_b, uint64_t *rows,
    _Atomic uint64_t *cols)
{
	const struct tensor *t = s->d->a;

	s->of_b = of_b;
	s->ret = rows;
	s->cols = cols;
	s->rows = rows_of_task(t);
	pool_run(pool, task, s, (size_t)(t->rows / s->rows +
	    (t->rows % s->rows != 0)));
}

struct place {
	uint64_t digest;
	uint32_t at;
};

static int
by_digest(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

/* What does not stand where it stood, in order of the digests. */
static size_t
moved(const uint64_t *a, const uint64_t *b, size_t n, struct place *v,
    const uint64_t *from)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			v[m++] = (struct place){from[i], (uint32_t)i};
	qsort(v, m, sizeof(*v), by_digest);
	return m;
}

/* 1 and to[], 0 when the multisets differ. */
static int
pair(const uint64_t *a, const uint64_t *b, size_t n, uint32_t *to)
{
	struct place *x = calloc(n, sizeof(*x)), *y = calloc(n, sizeof(*y));
	size_t m;
	int r = ERR_NOMEM;

	if (x == NULL || y == NULL)
		goto out;
	m = moved(a, b, n, x, a);
	(void)moved(a, b, n, y, b);
	for (size_t i = 0; i < n; i++)
		to[i] = (uint32_t)i;
	r = 1;
	for (size_t i = 0; i < m && r > 0; i++) {
		if (x[i].digest != y[i].digest)
			r = 0;
		to[y[i].at] = x[i].at;
	}
out:
	free(x);
	free(y);
	return r;
}

/*
 * Before anything else: the sum of all elements' bits, which no order
 * changes and any update does.  At the speed of memory.
 */
struct total {
	const struct delta *d;
	_Atomic uint64_t a, b;
};

static void
total_task(void *ctx, size_t i, unsigned thread)
{
	struct total *s = ctx;
	struct relation_run r = relation_run(i, s->d->a->n);
	uint64_t a = 0, b = 0;
	float x[RELATION_BLOCK], y[RELATION_BLOCK];

	(void)thread;
	while (relation_next(&r)) {
		relation_pair_load(s->d, r.at, r.n, x, y);
		for (size_t k = 0; k < r.n; k++) {
			/* -0 is 0: writers of blocks differ in it. */
			a += floatbits_of(x[k] + 0.0F);
			b += floatbits_of(y[k] + 0.0F);
		}
	}
	(void)atomic_fetch_add(&s->a, a);
	(void)atomic_fetch_add(&s->b, b);
}

static bool
same_total(struct pool *pool, const struct delta *d)
{
	struct total s = {.d = d};

	pool_run(pool, total_task, &s, relation_tasks(d->a->n));
	return atomic_load(&s.a) == atomic_load(&s.b);
}

struct check {
	const struct delta *d;
	const uint32_t *rows, *cols;
	uint64_t step;
	atomic_bool refuted;
};

static bool
row_equal(const struct check *c, uint64_t i, uint64_t *x, uint64_t *y)
{
	const uint64_t cols = c->d->a->cols;
	uint64_t from = (uint64_t)c->rows[i] * cols;
	size_t n;

	for (uint64_t j = 0; j < cols; j += n) {
		n = cols - j < RELATION_BLOCK ? (size_t)(cols - j) :
		    RELATION_BLOCK;
		keys(c->d, false, from + j, n, x + j);
	}
	for (uint64_t j = 0; j < cols; j += n) {
		n = cols - j < RELATION_BLOCK ? (size_t)(cols - j) :
		    RELATION_BLOCK;
		keys(c->d, true, i * cols + j, n, y);
		for (size_t k = 0; k < n; k++)
			if (x[c->cols[j + k]] != y[k])
				return false;
	}
	return true;
}

static void
check_task(void *ctx, size_t i, unsigned thread)
{
	struct check *c = ctx;
	const struct tensor *t = c->d->a;
	uint64_t y[RELATION_BLOCK], r = i * c->step, end = r + c->step;
	uint64_t *x = malloc((size_t)t->cols * sizeof(*x));

	(void)thread;
	/* Without memory it is not confirmed, so it is not claimed. */
	if (x == NULL)
		atomic_store(&c->refuted, true);
	for (; x != NULL && r < t->rows && r < end &&
	    !atomic_load(&c->refuted); r++)
		if (!row_equal(c, r, x, y))
			atomic_store(&c->refuted, true);
	free(x);
}

static bool
confirm(struct pool *pool, const struct delta *d, const uint32_t *rows,
    const uint32_t *cols)
{
	struct check c = {.d = d, .rows = rows, .cols = cols,
	    .step = rows_of_task(d->a)};

	pool_run(pool, check_task, &c, (size_t)(d->a->rows / c.step +
	    (d->a->rows % c.step != 0)));
	return !atomic_load(&c.refuted);
}

int
permute_find(struct pool *pool, const struct tensor *a,
    const struct tensor *b, enum cast cast, struct arena *arena,
    struct permute *ret, struct err *e)
{
	const struct delta d = {a, b, cast};
	struct sweep s = {.d = &d};
	uint64_t *v = NULL, *ra, *rb;
	_Atomic uint64_t *ca, *cb;
	uint32_t *rows = NULL, *cols;
	size_t m = (size_t)a->rows, n = (size_t)a->cols;
	int r = ERR_NOMEM;

	if (a->n == 0 || a->rows > PERMUTE_ROWS || a->cols >
	    PERMUTE_COLUMNS || a->cols != b->cols || a->rows != b->rows ||
	    !permute_rows_whole(a, cast) ||
	    !permute_rows_whole(b, CAST_NONE) || !same_total(pool, &d))
		return 0;
	if ((v = calloc(2 * (m + n), sizeof(*v))) == NULL ||
	    (rows = malloc((m + n) * sizeof(*rows))) == NULL)
		goto out;
	ra = v;
	rb = ra + m;
	ca = (_Atomic uint64_t *)(rb + m);
	cb = ca + n;
	cols = rows + m;
	digest(pool, &s, false, ra, ca);
	digest(pool, &s, true, rb, cb);
	if ((r = pair(ra, rb, m, rows)) <= 0 ||
	    (r = pair(v + 2 * m, v + 2 * m + n, n, cols)) <= 0)
		goto out;
	r = 0;
	if (!confirm(pool, &d, rows, cols))
		goto out;
	memset(ret, 0, sizeof(*ret));
	if ((r = permute_axis_make(&ret->rows, rows, NULL, m, 1, arena)) < 0)
		goto out;
	r = permute_axis_make(&ret->cols, cols, NULL, n,
	    permute_kernel(a), arena);
	if (r >= 0)
		r = ret->rows.moved > 0 || ret->cols.moved > 0;
out:
	free(v);
	free(rows);
	return r < 0 ? err_set(e, ERR_NOMEM, "out of memory") : r;
}
