#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"

/*
 * Row 10: symmetric grids of 8-bit integers, as floats again or as the codes
 * themselves.
 *
 * Of floats, the step is B's own largest element over its code: 127, or 128
 * where the largest is negative and the writer divided by 127.5.  Each
 * element must stand on the grid as exactly as its type can say, and within
 * half a step of A.  Of codes, the step comes from A: its largest element
 * over 127, 127.5 or 128.
 *
 * A grid needs enough elements that none stands on it by chance.
 */
#define LEAST 256
#define LEAST_COLUMNS 16
#define OFF_GRID 1e-3
#define HALF_STEP 0.51

static const double divisors[] = {127, 127.5, 128};
#define DIVISORS 3

/* Bits of alive: by rows, then by the tensor, each with all divisors. */
#define BY_ROWS ((1U << DIVISORS) - 1)
#define BY_TENSOR (BY_ROWS << DIVISORS)

struct grid {
	const struct tensor *a, *b;
	bool codes;
	double loose;		/* of a code, what its type cannot say */
	double largest;		/* of the tensor */
	uint64_t rows;		/* of a task */
	atomic_uint alive;
	_Atomic uint64_t half[2 * DIVISORS], even[2 * DIVISORS];
};

static double
largest(const struct tensor *t, uint64_t at, uint64_t n)
{
	float x[RELATION_BLOCK];
	double max = 0;
	size_t m;

	for (uint64_t i = 0; i < n; i += m) {
		m = n - i < RELATION_BLOCK ? (size_t)(n - i) : RELATION_BLOCK;
		relation_load(t, at + i, m, x);
		for (size_t k = 0; k < m; k++)
			max = fmax(max, fabs((double)x[k]));
	}
	return max;
}

static bool
stands(const struct grid *g, double step, double a, double b)
{
	double q = b / step, code = rint(q);

	if (g->codes)
		return fabs(a / step - b) <= HALF_STEP || (fabs(b) >= 127 &&
		    fabs(a / step) <= 128 && fabs(a / step - b) <= 1);
	return fabs(q - code) < OFF_GRID + fabs(q) * g->loose &&
	    fabs(code) <= 128 && fabs(b - a) <= HALF_STEP * step;
}

/* One run of elements against one step. */
static bool
on_grid(struct grid *g, unsigned way, double step, const float *a,
    const float *b, size_t n)
{
	uint64_t half = 0, even = 0;

	for (size_t i = 0; i < n; i++) {
		double x = (double)a[i] / step, code;

		if (!stands(g, step, (double)a[i], (double)b[i]))
			return false;
		if (fabs(x - trunc(x)) != 0.5)
			continue;
		code = g->codes ? (double)b[i] : rint((double)b[i] / step);
		half++;
		even += fmod(code, 2) == 0;
	}
	atomic_fetch_add(&g->half[way], half);
	atomic_fetch_add(&g->even[way], even);
	return true;
}

static void
row(struct grid *g, uint64_t at)
{
	const uint64_t cols = g->a->cols;
	unsigned alive = atomic_load(&g->alive);
	float a[RELATION_BLOCK], b[RELATION_BLOCK];
	double top = (alive & BY_ROWS) != 0 ?
	    largest(g->codes ? g->a : g->b, at, cols) : 0;
	size_t n;

	for (uint64_t j = 0; j < cols && alive != 0; j += n) {
		n = cols - j < RELATION_BLOCK ? (size_t)(cols - j) :
		    RELATION_BLOCK;
		relation_load(g->a, at + j, n, a);
		relation_load(g->b, at + j, n, b);
		for (unsigned k = 0; k < 2 * DIVISORS; k++) {
			double step = (k < DIVISORS ? top : g->largest) /
			    divisors[k % DIVISORS];

			/* A row of zeros says nothing: both are, or not. */
			if (step == 0)
				step = 1e-300;
			if ((alive & 1U << k) != 0 && (!isfinite(step) ||
			    !on_grid(g, k, step, a, b, n)))
				(void)atomic_fetch_and(&g->alive, ~(1U << k));
		}
		alive = atomic_load(&g->alive);
	}
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct grid *g = ctx;
	uint64_t r = i * g->rows, end = r + g->rows;

	(void)thread;
	for (; r < g->a->rows && r < end && atomic_load(&g->alive) != 0; r++)
		row(g, r * g->a->cols);
}

static int
by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/*
 * Has B so few magnitudes that one step, or one 8-bit type, may make them?
 * A look at its beginning.
 */
static bool
few_magnitudes(const struct tensor *t, unsigned most)
{
	float x[RELATION_BLOCK];
	uint32_t u[RELATION_BLOCK];
	size_t n = t->n < RELATION_BLOCK ? (size_t)t->n : RELATION_BLOCK;
	unsigned distinct = n > 0;

	relation_load(t, 0, n, x);
	for (size_t i = 0; i < n; i++)
		u[i] = floatbits_of(fabsf(x[i]));
	qsort(u, n, sizeof(u[0]), by_value);
	for (size_t i = 1; i < n; i++)
		distinct += u[i] != u[i - 1];
	return distinct <= most;
}

static void
tell(struct grid *g, unsigned way, struct relation_scale *ret)
{
	double top = way < DIVISORS ? largest(g->codes ? g->a : g->b, 0,
	    g->a->n) : g->largest;
	uint64_t half = atomic_load(&g->half[way]);

	ret->divisor = divisors[way % DIVISORS];
	ret->factor = top / ret->divisor;
	ret->at_half = half;
	ret->half_even = half > 0 && atomic_load(&g->even[way]) == half;
}

static uint64_t
int8_grids(struct pool *pool, const struct tensor *a, const struct tensor *b,
    struct relation_scale *ret)
{
	const unsigned mantissa = elem_info(b->elem)->mantissa;
	struct grid g = {.a = a, .b = b, .codes = b->elem == ELEM_I8};
	unsigned alive = BY_ROWS, best = 0;
	uint64_t set = 0;

	if (a->cols < LEAST_COLUMNS || (!g.codes && mantissa < 7))
		return 0;
	g.loose = ldexp(2, -(int)(mantissa < 23 ? mantissa : 23) - 1);
	if (g.codes || few_magnitudes(b, 129)) {
		g.largest = largest(g.codes ? a : b, 0, a->n);
		alive |= BY_TENSOR;
	}
	atomic_store(&g.alive, alive);
	g.rows = a->cols < RELATION_TASK ? RELATION_TASK / a->cols : 1;
	row(&g, 0);
	for (unsigned k = 0; k < 2 * DIVISORS; k++) {
		atomic_store(&g.half[k], 0);
		atomic_store(&g.even[k], 0);
	}
	if (atomic_load(&g.alive) == 0)
		return 0;
	pool_run(pool, task, &g, (size_t)(a->rows / g.rows +
	    (a->rows % g.rows != 0)));
	if ((alive = atomic_load(&g.alive)) == 0)
		return 0;
	if ((alive & BY_ROWS) != 0)
		set |= RELATION_BIT(RELATION_INT8_ROWS);
	if ((alive & BY_TENSOR) != 0)
		set |= RELATION_BIT(RELATION_INT8_TENSOR);
	/* One scale explains more than many. */
	best = (unsigned)__builtin_ctz((alive & BY_TENSOR) != 0 ?
	    alive & BY_TENSOR : alive);
	tell(&g, best, ret);
	return set;
}

/*
 * 8-bit floats with one scale, amax / largest code.  Writers divide, or
 * multiply by either reciprocal: each is tried.
 */
struct eight {
	const struct tensor *a, *b;
	enum cast cast;
	float scale, by;	/* A is divided by, or multiplied */
	bool divide, stored;
	atomic_bool refuted;
};

static void
eight_task(void *ctx, size_t i, unsigned thread)
{
	struct eight *s = ctx;
	struct relation_run r = relation_run(i, s->a->n);
	float a[RELATION_BLOCK], b[RELATION_BLOCK];

	(void)thread;
	while (!atomic_load(&s->refuted) && relation_next(&r)) {
		relation_load(s->a, r.at, r.n, a);
		relation_load(s->b, r.at, r.n, b);
		for (size_t k = 0; k < r.n; k++)
			a[k] = s->divide ? a[k] / s->by : a[k] * s->by;
		cast_block(s->cast, a, a, r.n);
		for (size_t k = 0; k < r.n && !s->stored; k++)
			a[k] *= s->scale;
		if (!cast_equal(CAST_NONE, a, b, r.n))
			atomic_store(&s->refuted, true);
	}
}

static bool
eight_holds(struct pool *pool, struct eight *s, float amax, float most)
{
	const float by[] = {amax / most, 1.0F / (amax / most), most / amax};

	s->scale = amax / most;
	for (unsigned k = 0; k < 3; k++) {
		s->by = by[k];
		s->divide = k == 0;
		atomic_store(&s->refuted, false);
		pool_run(pool, eight_task, s, relation_tasks(s->a->n));
		if (!atomic_load(&s->refuted))
			return true;
	}
	return false;
}

static uint64_t
eight_scaled(struct pool *pool, const struct tensor *a,
    const struct tensor *b, struct relation_scale *ret)
{
	static const struct {
		enum relation_id id;
		enum cast cast;
		enum elem elem;
		float most;
	} types[] = {{RELATION_F8_E4M3_SCALED, CAST_F8_E4M3_SAT,
	    ELEM_F8_E4M3, 448}, {RELATION_F8_E5M2_SCALED, CAST_F8_E5M2_SAT,
	    ELEM_F8_E5M2, 57344}};
	float amax;

	if (elem_info(b->elem)->mantissa < 23 && b->elem != ELEM_F8_E4M3 &&
	    b->elem != ELEM_F8_E5M2)
		return 0;
	if (!few_magnitudes(b, 128) || (amax = (float)largest(a, 0, a->n)) ==
	    0 || !isfinite(amax))
		return 0;
	for (unsigned k = 0; k < 2; k++) {
		struct eight s = {.a = a, .b = b, .cast = types[k].cast,
		    .stored = b->elem == types[k].elem};

		if (!s.stored && elem_info(b->elem)->mantissa < 23)
			continue;
		if (!eight_holds(pool, &s, amax, types[k].most))
			continue;
		ret->factor = (double)s.scale;
		return RELATION_BIT(types[k].id);
	}
	return 0;
}

uint64_t
relation_grids(struct pool *pool, const struct tensor *a,
    const struct tensor *b, struct relation_scale *ret)
{
	uint64_t set;

	if (a->n < LEAST || elem_info(a->elem)->kind != ELEM_FLOAT ||
	    (elem_info(b->elem)->kind != ELEM_FLOAT && b->elem != ELEM_I8))
		return 0;
	if ((set = eight_scaled(pool, a, b, ret)) != 0)
		return set;
	return int8_grids(pool, a, b, ret);
}
