#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"

/*
 * Row 9: quantisers whose codes depend on a search, or on an importance
 * matrix.  Nobody can compute them again, but whatever the search did, each
 * code is the nearest one on some grid, so that one factor for the whole run
 * must explain all of its codes at once:
 *
 *	(c - 1/2) f <= (A - base) / step <= (c + 1/2) f
 *
 * These are intervals for f; they must meet near 1.  Codes at the ends of a
 * grid may stand for more (searches cut off the largest).  How near to 1:
 * K-quants make codes with the scale that they store, others with one that is
 * rounded to fp16 afterwards, or fitted to the codes by least squares
 * (ggml-quants.c make_qx_quants), which moves it by a few hundredths.
 *
 * This is sharper than half a step and some slack for each element alone: an
 * update of a hundredth of a step breaks it in a third of the runs, and no
 * more than 0.1 % may be broken.
 *
 * A run are elements with one step: 32, or 16 in K-quants.
 */
#define EXACT 1e-4		/* of a step, for arithmetic */
#define CUT_OFF 2.0		/* steps beyond the end of a grid */
#define LEAST_SHARE 0.999
#define TINY (128 * 0x1p-25)	/* what fp16 scales cannot say */

struct grid {
	double step, base;
	int low, high;			/* codes */
};

static float
half_at(const uint8_t *p)
{
	return elem_from_f16((uint16_t)(p[0] | p[1] << 8));
}

static struct grid
grid(float step, float base, int low, int high)
{
	return (struct grid){(double)step, (double)base, low, high};
}

/* The 32 values at ${sub} of the block at p. */
static struct grid
simple(enum elem t, const uint8_t *p, unsigned sub)
{
	float d = half_at(p);

	(void)sub;
	if (t == ELEM_Q4_0)
		return grid(d, 0, -8, 7);
	if (t == ELEM_Q5_0)
		return grid(d, 0, -16, 15);
	if (t == ELEM_Q8_0)
		return grid(d, 0, -128, 127);
	return grid(d, half_at(p + 2), 0, t == ELEM_Q4_1 ? 15 : 31);
}

static struct grid
q2_k(enum elem t, const uint8_t *p, unsigned sub)
{
	(void)t;
	return grid(half_at(p + 80) * (float)(p[sub] & 15),
	    -half_at(p + 82) * (float)(p[sub] >> 4), 0, 3);
}

static struct grid
q3_k(enum elem t, const uint8_t *p, unsigned sub)
{
	const uint8_t *s = p + 96;
	int low = sub < 8 ? s[sub] & 15 : s[sub - 8] >> 4;
	int high = s[8 + sub % 4] >> (2 * (sub / 4)) & 3;

	(void)t;
	return grid(half_at(p + 108) * (float)((low | high << 4) - 32), 0, -4,
	    3);
}

/* Eight 6-bit scales and minima in twelve bytes (get_scale_min_k4). */
static struct grid
q45_k(enum elem t, const uint8_t *p, unsigned sub)
{
	const uint8_t *q = p + 4;
	int s, m;

	if (sub < 4) {
		s = q[sub] & 63;
		m = q[sub + 4] & 63;
	} else {
		s = (q[sub + 4] & 15) | q[sub - 4] >> 6 << 4;
		m = q[sub + 4] >> 4 | q[sub] >> 6 << 4;
	}
	return grid(half_at(p) * (float)s, -half_at(p + 2) * (float)m, 0,
	    t == ELEM_Q4_K ? 15 : 31);
}

static struct grid
q6_k(enum elem t, const uint8_t *p, unsigned sub)
{
	(void)t;
	return grid(half_at(p + 208) * (float)(int8_t)p[192 + sub], 0, -32,
	    31);
}

static const struct {
	struct grid (*grid)(enum elem t, const uint8_t *p, unsigned sub);
	unsigned run;			/* elements with one step */
	double scale, base;		/* how far each may be off */
} grids[ELEM_COUNT] = {
    [ELEM_Q4_0] = {simple, 32, 0.07, 0}, [ELEM_Q4_1] = {simple, 32, 0.07, 0.1},
    [ELEM_Q5_0] = {simple, 32, 0.07, 0}, [ELEM_Q5_1] = {simple, 32, 0.07, 0.1},
    [ELEM_Q8_0] = {simple, 32, 0x1p-10, 0}, [ELEM_Q2_K] = {q2_k, 16, 0, 0},
    [ELEM_Q3_K] = {q3_k, 16, 0, 0}, [ELEM_Q4_K] = {q45_k, 32, 0, 0},
    [ELEM_Q5_K] = {q45_k, 32, 0, 0}, [ELEM_Q6_K] = {q6_k, 16, 0, 0}};

struct sweep {
	const struct tensor *a, *b;
	_Atomic uint64_t off;		/* runs that are not consistent */
	uint64_t may;			/* so many may be */
};

/* x <= edge * f, or the other way round: one end of the interval for f. */
static void
bound(double x, double edge, bool above, double *low, double *high)
{
	if ((edge > 0) == above)
		*low = fmax(*low, x / edge);
	else
		*high = fmin(*high, x / edge);
}

static bool
near(enum elem t, const struct grid *g, const float *a, const float *b)
{
	const double slack = grids[t].base;
	double low = 1 - grids[t].scale - EXACT;
	double high = 1 + grids[t].scale + EXACT;

	for (unsigned i = 0; i < grids[t].run; i++) {
		double x = ((double)a[i] - g->base) / g->step;
		double c = rint(((double)b[i] - g->base) / g->step);

		if (g->step == 0) {
			if (!(fabs((double)a[i] - (double)b[i]) <= TINY))
				return false;
			continue;
		}
		if (!(fabs(x - c) <= CUT_OFF))
			return false;
		if (c < g->high)
			bound(x - slack, c + 0.5 + EXACT, true, &low, &high);
		if (c > g->low)
			bound(x + slack, c - 0.5 - EXACT, false, &low, &high);
		if (low > high)
			return false;
	}
	return true;
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	const struct elem_info *x = elem_info(s->b->elem);
	const unsigned run = grids[s->b->elem].run;
	uint64_t at = (uint64_t)i * RELATION_TASK, end = at + RELATION_TASK;
	float a[256], b[256];

	(void)thread;
	if (end > s->b->n)
		end = s->b->n;
	for (; at < end && atomic_load(&s->off) <= s->may; at += x->block) {
		const uint8_t *p = s->b->p + at / x->block * x->bytes;

		relation_load(s->a, at, x->block, a);
		elem_load(s->b->elem, p, x->block, b);
		for (unsigned k = 0; k < x->block / run; k++) {
			struct grid g = grids[s->b->elem].grid(s->b->elem, p,
			    k);

			if (!near(s->b->elem, &g, a + k * run, b + k *
			    run))
				(void)atomic_fetch_add(&s->off, 1);
		}
	}
}

double
relation_consistent(struct pool *pool, const struct tensor *a,
    const struct tensor *b)
{
	struct sweep s = {.a = a, .b = b};
	uint64_t runs, off;

	if (grids[b->elem].grid == NULL || b->n == 0 ||
	    elem_info(a->elem)->kind != ELEM_FLOAT)
		return 0;
	runs = b->n / grids[b->elem].run;
	s.may = (uint64_t)((1 - LEAST_SHARE) * (double)runs);
	pool_run(pool, task, &s, relation_tasks(b->n));
	off = atomic_load(&s.off);
	return off <= s.may ? 1 - (double)off / (double)runs : 0;
}
