#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch_noise.h"
#include "analyzer/diff/sketch_panel.h"
#include "analyzer/diff/sketch_unit.h"
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
#define COLUMNS 256	/* of a task that adds by column */

struct tally {
	uint64_t b[SKETCH_UNIT_EXPONENTS], a[SKETCH_UNIT_EXPONENTS];
	uint32_t or_a, or_b;
	uint64_t nonfinite;
};

struct piece {
	double d2, d4, a2, top;
	double step_a;		/* sum of A's blocks' steps squared */
};

/* Squares of units along a row or column, the largest of them, and of D. */
struct line {
	double sum, top, d2;
};

/* Rows, or columns, each without its largest element. */
struct noisy {
	double top;		/* the largest element of all */
	double beside;		/* the noisiest of those that have it */
	double most;		/* the noisiest of all */
	double d2;		/* the largest sum of D^2, of all elements */
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
	 * [from, to): the unit of each of these in B, and D.
	 */
	uint64_t from, to, row;
	size_t nrows;
	float *unit, *diff;
	float unit_of[SKETCH_UNIT_EXPONENTS];
	struct line *row_line;	/* of this panel */
	struct line *col_line;	/* of all */
	struct piece sum;
	double all;		/* squares of units of all elements */
	struct noisy by_row, by_col;
};

/*
 * Elements [from, to) of values of A, B and D that stand one behind the
 * other, and the units of B.
 */
static void
count(const struct sweep *w, struct tally *t, struct piece *s, const float *v,
    size_t n, float *unit)
{
	const float *a = v, *b = v + w->room, *d = b + w->room;
	float *diff = w->diff + (unit - w->unit);

	for (size_t i = 0; i < n; i++) {
		uint32_t ub = floatbits_of(b[i]) & 0x7fffffffU;
		uint32_t ud = floatbits_of(d[i]) & 0x7fffffffU;
		uint32_t ua = floatbits_of(a[i]) & 0x7fffffffU;
		double sq = (double)d[i] * (double)d[i];

		unit[i] = diff[i] = 0.0F;
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
		diff[i] = d[i];
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
		sketch_unit_steps(b, at, n, v + w->room, unit);
	if (elem_info(a->elem)->kind == ELEM_BLOCKS) {
		sketch_unit_steps(a, at, n, v, steps);
		for (size_t k = lo; k < hi; k++)
			s.step_a += (double)steps[k] * (double)steps[k];
	}
	w->piece[i] = s;
}

static void
line_add(struct line *l, float unit, float diff)
{
	double u = (double)unit * (double)unit;

	l->sum += u;
	l->top = u > l->top ? u : l->top;
	l->d2 += (double)diff * (double)diff;
}

/* Where row ${r} of the panel begins in unit and diff. */
static size_t
row_at(const struct sweep *w, size_t r)
{
	return (size_t)((w->row + r) * w->d->b->cols - w->from);
}

static void
row_task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *w = ctx;
	size_t n = (size_t)w->d->b->cols;
	size_t at = row_at(w, i);
	struct line l = {0};

	(void)thread;
	for (size_t j = at; j < at + n; j++)
		line_add(&l, w->unit[j], w->diff[j]);
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
		const float *u = w->unit + row_at(w, r);
		const float *x = w->diff + row_at(w, r);

		for (size_t j = from; j < to; j++)
			line_add(&w->col_line[j], u[j], x[j]);
	}
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
	for (size_t i = 0; i < SKETCH_UNIT_EXPONENTS; i++) {
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
	to->d2 = fmax(to->d2, l->d2);
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

	for (uint64_t j = 0; j < w->d->b->cols; j++)
		noisy_add(&w->by_col, &w->col_line[j]);
	ret->d2_row = w->by_row.d2;
	ret->d2_col = w->by_col.d2;
	if (!(w->all > 0))
		return;
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
	ret->nf_b = sketch_unit_noise(w->d->b, all->b, all->or_b, w->all,
	    &ret->mantissa_b);
	ret->nf_a = sketch_unit_noise(a, all->a, all->or_a, s->step_a, &bits_a);
	/* Doubles are rounded to single precision when they are read. */
	ret->a_coarse = bits_a < SKETCH_UNIT_SINGLE || a->elem == ELEM_F64 ||
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
	for (int k = 0; k < SKETCH_UNIT_EXPONENTS; k++) {
		int least = sketch_unit_least(t->elem), x = k > 0 ? k - 127 : -126;

		w->unit_of[k] = elem_info(t->elem)->kind != ELEM_FLOAT ||
		    k == SKETCH_UNIT_EXPONENTS - 1 ? 1.0F :
		    ldexpf(1.0F, x > least ? x : least);
	}
	w->tally = calloc(threads, sizeof(*w->tally));
	w->piece = calloc(panel / PIECE + 1, sizeof(*w->piece));
	w->scratch = malloc(5 * w->room * threads * sizeof(float));
	w->unit = malloc(panel * sizeof(*w->unit));
	w->diff = malloc(panel * sizeof(*w->diff));
	w->row_line = malloc(w->nrows * sizeof(*w->row_line));
	w->col_line = calloc((size_t)t->cols, sizeof(*w->col_line));
	if (w->tally == NULL || w->piece == NULL || w->scratch == NULL ||
	    w->unit == NULL || w->diff == NULL || w->row_line == NULL ||
	    w->col_line == NULL)
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
	free(w.diff);
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
