#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch_noise.h"
#include "analyzer/diff/sketch_panel.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * nf^2 = sum of ulp(max(|B|,|D|))^2 / 12 (backdoor_models.md, Diff
 * specification, 3.1).  The unit in the last place depends on the exponent
 * alone, so exponents are counted, by thread: whole numbers, whose sum does
 * not depend on who counted.  Squares of D are added by piece, and pieces in
 * their order.
 *
 * Rounding noise is as uneven as the weights are.  The specification's edge
 * is that of even noise; one weight of 1.0 among weights of 0.02 is rounded
 * by so much that its error alone stands above that, as a component of rank
 * one which nobody made.  The largest singular value of uneven noise is
 * about the noise of its noisiest row plus that of its noisiest column
 * (Bandeira and van Handel, Sharp nonasymptotic bounds on the norm of random
 * matrices, 2016), so units are also added by row and by column, panel by
 * panel.
 */
#define PIECE 16384
#define EXPONENTS 256
#define COLUMNS 256	/* of a task that adds by column */
#define SINGLE 23	/* explicit bits of single precision */

struct tally {
	uint64_t b[EXPONENTS], a[EXPONENTS];
	uint32_t or_a, or_b;
	uint64_t nonfinite;
};

struct piece {
	double d2, d4, a2, top;
	double step_a;		/* sum of A's blocks' steps squared */
};

/* Squares of units along a row or column, and the largest of them. */
struct line {
	double sum, top;
};

/* Rows, or columns, each without its largest element. */
struct noisy {
	double top;		/* the largest element of all */
	double beside;		/* the noisiest of those that have it */
	double most;		/* the noisiest of all */
};

struct sweep {
	struct pool *pool;
	const struct delta *d;
	struct tally *tally;
	struct piece *piece;	/* of this panel */
	size_t room;		/* floats of the largest piece */
	float *scratch;		/* 5 * room a thread */
	/*
	 * The panel: rows [row, row + nrows), which lie within the elements
	 * [from, to), and the unit of each of these in B.
	 */
	uint64_t from, to, row;
	size_t nrows;
	float *unit;
	float unit_of[EXPONENTS];
	struct line *row_line;	/* of this panel */
	struct line *col_line;	/* of all */
	struct piece sum;
	double all;		/* squares of units of all elements */
	struct noisy by_row, by_col;
};

static uint32_t
bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static uint16_t
scale_bits(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int
by_value(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The step of ${n} values that are a whole number of steps apart: the least
 * difference.  Sixteen values on sixteen levels hardly ever skip it.
 */
static double
least_gap(const float *v, size_t n)
{
	float s[32];
	double gap = 0;

	memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), by_value);
	for (size_t i = 1; i < n; i++) {
		double g = (double)s[i] - (double)s[i - 1];

		/* Values are products, rounded: equal ones may differ. */
		if (g > 1e-5 * fabs((double)s[i]) && (gap == 0 || g < gap))
			gap = g;
	}
	return gap;
}

/* The step of each of ${n} elements of blocks, whose values are ${v}. */
static void
block_steps(const struct tensor *t, uint64_t at, size_t n, const float *v,
    float *unit)
{
	const struct elem_info *x = elem_info(t->elem);
	const uint8_t *p = t->p + at / x->block * x->bytes;
	size_t sub = x->block == 32 ? 32 : 16;
	double step;

	for (size_t i = 0; i < n; i += sub) {
		const uint8_t *q = p + i / x->block * x->bytes;

		if (x->block == 32)
			step = (double)elem_from_f16(scale_bits(q));
		else if (t->elem == ELEM_Q6_K)
			step = (double)elem_from_f16(scale_bits(q + 208)) *
			    (int8_t)q[192 + i % x->block / 16];
		else
			step = least_gap(v + i, 16);
		step = isfinite(step) ? fabs(step) : 0.0;
		for (size_t k = 0; k < sub; k++)
			unit[i + k] = (float)step;
	}
}

/*
 * Elements [from, to) of values of A, B and D that stand one behind the
 * other, and the units of B.
 */
static void
count(const struct sweep *w, struct tally *t, struct piece *s, const float *v,
    size_t n, float *unit)
{
	const float *a = v, *b = v + w->room, *d = b + w->room;

	for (size_t i = 0; i < n; i++) {
		uint32_t ub = bits(b[i]) & 0x7fffffffU;
		uint32_t ud = bits(d[i]) & 0x7fffffffU;
		uint32_t ua = bits(a[i]) & 0x7fffffffU;
		double sq = (double)d[i] * (double)d[i];

		unit[i] = 0.0F;
		if (ud >= 0x7f800000U) {
			t->nonfinite++;
			continue;
		}
		t->or_a |= ua;
		t->or_b |= ub;
		t->a[ua >> 23]++;
		ub = (ub > ud ? ub : ud) >> 23;
		t->b[ub]++;
		unit[i] = w->unit_of[ub];
		s->d2 += sq;
		s->d4 += sq * sq;
		s->a2 += (double)a[i] * (double)a[i];
		s->top = fmax(s->top, fabs((double)d[i]));
	}
}

/*
 * A piece of the panel.  Pieces keep to the units of delta_block, so the
 * first and the last also hold elements of neighbouring rows, which are not
 * counted here.
 */
static void
piece_task(void *ctx, size_t i, unsigned thread)
{
	const struct sweep *w = ctx;
	const struct tensor *a = w->d->a, *b = w->d->b;
	float *v = w->scratch + 5 * w->room * thread, *steps;
	float *unit = w->unit + i * PIECE;
	uint64_t at = w->from + (uint64_t)i * PIECE;
	uint64_t first = w->row * b->cols, end = first + w->nrows * b->cols;
	size_t n = w->to - at < PIECE ? (size_t)(w->to - at) : PIECE;
	size_t lo = at < first ? (size_t)(first - at) : 0;
	size_t hi = end < at + n ? (size_t)(end - at) : n;
	struct piece s = {0};

	steps = v + 3 * w->room;
	delta_block(w->d, at, n, v, v + w->room, v + 2 * w->room, steps);
	count(w, &w->tally[thread], &s, v + lo, hi - lo, unit + lo);
	if (elem_info(b->elem)->kind == ELEM_BLOCKS)
		block_steps(b, at, n, v + w->room, unit);
	if (elem_info(a->elem)->kind == ELEM_BLOCKS) {
		block_steps(a, at, n, v, steps);
		for (size_t k = lo; k < hi; k++)
			s.step_a += (double)steps[k] * (double)steps[k];
	}
	w->piece[i] = s;
}

static void
line_add(struct line *l, float unit)
{
	double u = (double)unit * (double)unit;

	l->sum += u;
	l->top = u > l->top ? u : l->top;
}

static const float *
first_row(const struct sweep *w)
{
	return w->unit + (w->row * w->d->b->cols - w->from);
}

static void
row_task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *w = ctx;
	size_t n = (size_t)w->d->b->cols;
	const float *u = first_row(w) + i * n;
	struct line l = {0};

	(void)thread;
	for (size_t j = 0; j < n; j++)
		line_add(&l, u[j]);
	w->row_line[i] = l;
}

static void
col_task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *w = ctx;
	size_t n = (size_t)w->d->b->cols, from = i * COLUMNS;
	size_t to = n - from < COLUMNS ? n : from + COLUMNS;

	(void)thread;
	for (size_t r = 0; r < w->nrows; r++) {
		const float *u = first_row(w) + r * n;

		for (size_t j = from; j < to; j++)
			line_add(&w->col_line[j], u[j]);
	}
}

/* The exponent below which a type's values are no longer normal. */
static int
least_exponent(enum elem t)
{
	if (t == ELEM_F8_E4M3)
		return -6;
	return t == ELEM_F16 || t == ELEM_F16_BE || t == ELEM_F8_E5M2 ? -14 :
	    -126;
}

/* Explicit bits of the mantissa that are used at all. */
static unsigned
used_bits(uint32_t ored)
{
	unsigned used = SINGLE;

	while (used > 0 && (ored & 1U) == 0) {
		ored >>= 1;
		used--;
	}
	return used;
}

/*
 * The bits of the narrowest type that holds what is there.  A tensor of ones
 * has no bits set at all: it is left as its type says.
 */
static unsigned
narrow(enum elem t, uint32_t ored, int *least)
{
	unsigned m = elem_info(t)->mantissa, used = used_bits(ored);

	m = m < SINGLE ? m : SINGLE;
	if (m == SINGLE && used > 0 && used <= 7)
		m = 7;
	else if (m == SINGLE && used > 7 && used <= 10)
		m = 10;
	*least = m == 10 ? -14 : least_exponent(t);
	return m;
}

static double
float_noise(const uint64_t *exponents, unsigned mantissa, int least)
{
	double sum = 0;

	for (int k = 0; k < EXPONENTS - 1; k++) {
		int e = k > 0 ? k - 127 : -126;

		sum += (double)exponents[k] *
		    ldexp(1.0, 2 * ((e > least ? e : least) - (int)mantissa));
	}
	return sum / 12.0;
}

/* Noise of one side; *mantissa 0 for blocks and integers. */
static double
side_noise(const struct tensor *t, const uint64_t *exponents, uint32_t ored,
    double steps, unsigned *mantissa)
{
	enum elem_kind kind = elem_info(t->elem)->kind;
	int least;

	*mantissa = 0;
	if (kind == ELEM_BLOCKS)
		return steps / 12.0;
	if (kind == ELEM_INT)
		return (double)t->n / 12.0;
	*mantissa = narrow(t->elem, ored, &least);
	return float_noise(exponents, *mantissa, least);
}

static void
piece_add(struct piece *to, const struct piece *s)
{
	to->d2 += s->d2;
	to->d4 += s->d4;
	to->a2 += s->a2;
	to->top = fmax(to->top, s->top);
	to->step_a += s->step_a;
}

static void
tally_add(struct tally *to, const struct tally *t)
{
	for (size_t i = 0; i < EXPONENTS; i++) {
		to->a[i] += t->a[i];
		to->b[i] += t->b[i];
	}
	to->or_a |= t->or_a;
	to->or_b |= t->or_b;
	to->nonfinite += t->nonfinite;
}

static void
noisy_add(struct noisy *to, const struct line *l)
{
	double rest = l->sum - l->top;

	if (l->top > to->top) {
		to->top = l->top;
		to->beside = rest;
	} else if (l->top == to->top)
		to->beside = fmax(to->beside, rest);
	to->most = fmax(to->most, rest);
}

static void
sweep_panel(struct sweep *w)
{
	uint64_t n = w->d->b->cols, end = (w->row + w->nrows) * n;
	size_t pieces;

	w->from = w->row * n / DELTA_UNIT * DELTA_UNIT;
	w->to = (end + DELTA_UNIT - 1) / DELTA_UNIT * DELTA_UNIT;
	if (w->to > w->d->b->n)
		w->to = w->d->b->n;
	pieces = (size_t)((w->to - w->from + PIECE - 1) / PIECE);
	pool_run(w->pool, piece_task, w, pieces);
	for (size_t i = 0; i < pieces; i++)
		piece_add(&w->sum, &w->piece[i]);
	pool_run(w->pool, row_task, w, w->nrows);
	for (size_t i = 0; i < w->nrows; i++) {
		noisy_add(&w->by_row, &w->row_line[i]);
		w->all += w->row_line[i].sum;
	}
	pool_run(w->pool, col_task, w, (size_t)((n + COLUMNS - 1) / COLUMNS));
}

/* How uneven: see sketch_noise.h. */
static void
excess(struct sweep *w, struct sketch_noise *ret)
{
	double m = (double)w->d->b->rows, n = (double)w->d->b->cols;

	if (!(w->all > 0))
		return;
	for (uint64_t j = 0; j < w->d->b->cols; j++)
		noisy_add(&w->by_col, &w->col_line[j]);
	ret->row = w->by_row.most * m / w->all;
	ret->col = w->by_col.most * n / w->all;
	ret->spike = 3 * w->by_row.top / w->all;
	ret->spike_row = w->by_row.beside * m / w->all;
	ret->spike_col = w->by_col.beside * n / w->all;
}

static void
add_up(struct sweep *w, struct sketch_noise *ret)
{
	struct tally *all = &w->tally[0];
	const struct piece *s = &w->sum;
	const struct tensor *a = w->d->a;
	unsigned bits_a;

	for (unsigned k = 1; k < pool_threads(w->pool); k++)
		tally_add(all, &w->tally[k]);
	*ret = (struct sketch_noise){.d2 = s->d2, .d4 = s->d4, .a2 = s->a2,
	    .top = s->top, .nonfinite = all->nonfinite};
	ret->nf_b = side_noise(w->d->b, all->b, all->or_b, w->all,
	    &ret->mantissa_b);
	ret->nf_a = side_noise(a, all->a, all->or_a, s->step_a, &bits_a);
	/* Doubles are rounded to single precision when they are read. */
	ret->a_coarse = bits_a < SINGLE || a->elem == ELEM_F64 ||
	    a->elem == ELEM_F64_BE;
	excess(w, ret);
}

static int
sweep_init(struct sweep *w, struct err *e)
{
	const struct tensor *t = w->d->b;
	unsigned threads = pool_threads(w->pool);
	size_t panel;

	w->nrows = sketch_panel_rows(t->rows, t->cols);
	panel = w->nrows * (size_t)t->cols + (size_t)2 * DELTA_UNIT;
	w->room = panel < PIECE ? panel : PIECE;
	for (int k = 0; k < EXPONENTS; k++) {
		int least = least_exponent(t->elem), x = k > 0 ? k - 127 : -126;

		w->unit_of[k] = elem_info(t->elem)->kind != ELEM_FLOAT ||
		    k == EXPONENTS - 1 ? 1.0F :
		    ldexpf(1.0F, x > least ? x : least);
	}
	w->tally = calloc(threads, sizeof(*w->tally));
	w->piece = calloc(panel / PIECE + 1, sizeof(*w->piece));
	w->scratch = malloc(5 * w->room * threads * sizeof(float));
	w->unit = malloc(panel * sizeof(*w->unit));
	w->row_line = malloc(w->nrows * sizeof(*w->row_line));
	w->col_line = calloc((size_t)t->cols, sizeof(*w->col_line));
	if (w->tally == NULL || w->piece == NULL || w->scratch == NULL ||
	    w->unit == NULL || w->row_line == NULL || w->col_line == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

int
sketch_noise_find(struct pool *pool, const struct delta *d,
    struct sketch_noise *ret, struct err *e)
{
	struct sweep w = {.pool = pool, .d = d};
	size_t most;
	int r;

	if ((r = sweep_init(&w, e)) < 0)
		goto out;
	most = w.nrows;
	for (w.row = 0; w.row < d->b->rows; w.row += w.nrows) {
		uint64_t left = d->b->rows - w.row;

		w.nrows = left < most ? (size_t)left : most;
		sweep_panel(&w);
	}
	add_up(&w, ret);
out:
	free(w.tally);
	free(w.piece);
	free(w.scratch);
	free(w.unit);
	free(w.row_line);
	free(w.col_line);
	return r;
}

static bool
known(const struct tensor *t)
{
	enum elem_kind kind = elem_info(t->elem)->kind;

	/* Longer integers are tables and indices, not weights. */
	return kind == ELEM_FLOAT || kind == ELEM_BLOCKS ||
	    t->elem == ELEM_I8 || t->elem == ELEM_U8;
}

bool
sketch_noise_known(const struct delta *d)
{
	return known(d->a) && known(d->b);
}
