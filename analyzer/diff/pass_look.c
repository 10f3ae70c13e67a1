#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pass_block.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * The second look: what needs every element by itself.
 *
 * The tensor is cut into bands of whole blocks, at most BANDS of them and
 * fewer where there are many columns, since each band sums columns for
 * itself; cuts depend on the shape alone and bands are added in order, so
 * that any number of threads gives the same figures.  A row that two bands
 * share is added from what each has of it.
 *
 * A row or column that changed only where D is 0 or no number (the sign of a
 * zero, a NaN) gets the smallest number there is: it counts as changed, and
 * vanishes beside any other square (the least is 2^-298).
 */
#define BANDS 64
#define BAND_LEAST 65536

struct band {
	double d1, d4;
	uint64_t sign_flips, new_zeros, lost_zeros, zeros_b, max_ulp;
	uint64_t ulp[PASS_ULP_BINS];
	double head, tail;	/* of rows shared with the bands beside it */
	double grid[PASS_GRID][PASS_GRID];
};

struct look {
	const struct delta *d;
	uint64_t rows, cols, cut;
	size_t nbands;
	unsigned grid_rows, grid_cols;
	double *row;		/* rows; NULL: too many */
	double *col;		/* nbands times cols; NULL: too many */
	struct band *band;
};

/* --- distance ----------------------------------------------------------- */

/* Integers that have a sign; all others count from 0. */
static const bool has_sign[ELEM_COUNT] = {[ELEM_I64] = true,
    [ELEM_I32] = true, [ELEM_I16] = true, [ELEM_I8] = true};

/* Sign and magnitude, as floats are stored: -0 is 0. */
static uint64_t
float_distance(uint64_t x, uint64_t y, unsigned bits)
{
	uint64_t sign = UINT64_C(1) << (bits - 1);
	uint64_t a = x & (sign - 1), b = y & (sign - 1);

	if (((x ^ y) & sign) != 0)
		return a + b;
	return a > b ? a - b : b - a;
}

/* Two's complement is ordered once the sign is turned over. */
static uint64_t
int_distance(uint64_t x, uint64_t y, enum elem t)
{
	uint64_t sign = has_sign[t] ?
	    UINT64_C(1) << (8 * elem_info(t)->bytes - 1) : 0;

	x ^= sign;
	y ^= sign;
	return x > y ? x - y : y - x;
}

/* Of element ${i}, the k-th of the block in ${w}. */
static uint64_t
distance(const struct pass_block *w, uint64_t i, size_t k)
{
	const struct tensor *a = w->d->a, *b = w->d->b;
	const struct elem_info *x = elem_info(a->elem);
	uint64_t u, v;

	if (!w->raw || a->elem == ELEM_F32)
		return float_distance(floatbits_of(w->a[k]),
		    floatbits_of(w->b[k]), 32);
	u = elem_bits(a->elem, a->p, i);
	v = elem_bits(b->elem, b->p, i);
	return x->kind == ELEM_FLOAT ? float_distance(u, v, 8 * x->bytes) :
	    int_distance(u, v, a->elem);
}

static unsigned
bin_of(uint64_t distance)
{
	unsigned k = distance == 0 ? 0 :
	    64U - (unsigned)__builtin_clzll(distance);

	return k < PASS_ULP_BINS ? k : PASS_ULP_BINS - 1;
}

/* --- one band ----------------------------------------------------------- */

/* D^2 of one element. */
static double
add_element(struct band *s, const struct pass_block *w, uint64_t i, size_t k)
{
	float a = w->a[k], b = w->b[k];
	uint64_t far = distance(w, i, k);
	double d = (double)b - (double)a, square;

	s->ulp[bin_of(far)]++;
	if (far > s->max_ulp)
		s->max_ulp = far;
	s->zeros_b += b == 0.0F;
	s->new_zeros += b == 0.0F && a != 0.0F;
	s->lost_zeros += a == 0.0F && b != 0.0F;
	s->sign_flips += (a < 0.0F && b > 0.0F) || (a > 0.0F && b < 0.0F);
	if (!isfinite(d))
		d = 0;
	square = d * d;
	s->d1 += d;
	s->d4 += square * square;
	if (d == 0.0 && (far != 0 || floatbits_of(a) != floatbits_of(b)))
		return DBL_TRUE_MIN;
	return square;
}

/* Elements of one row and one column of the grid. */
struct run {
	uint64_t at;		/* the first element's index */
	size_t k, n;		/* ... in the block, and how many */
	double *col;		/* its column's sum; NULL */
};

static double
add_run(struct band *s, const struct pass_block *w, const struct run *r)
{
	double sum = 0, square;

	for (size_t i = 0; i < r->n; i++) {
		square = add_element(s, w, r->at + i, r->k + i);
		sum += square;
		if (r->col != NULL)
			r->col[i] += square;
	}
	return sum;
}

/* Where the cell of the grid that holds ${i} ends, of ${n} in ${cells}. */
static uint64_t
cell_end(uint64_t i, uint64_t n, unsigned cells, unsigned *cell)
{
	/* n < 2^58: a tensor's bytes are mapped. */
	*cell = (unsigned)(i * cells / n);
	return (n * (*cell + 1) + cells - 1) / cells;
}

static void
add_to_row(const struct look *l, size_t number, uint64_t at, double sum)
{
	uint64_t lo = number * l->cut, row = at / l->cols;
	uint64_t begin = row * l->cols, hi = l->d->b->n - lo < l->cut ?
	    l->d->b->n : lo + l->cut;
	struct band *s = &l->band[number];

	if (begin < lo)
		s->head += sum;
	else if (hi - begin < l->cols)
		s->tail += sum;
	else if (l->row != NULL)
		l->row[row] += sum;
}

static void
add_block(const struct look *l, size_t number, const struct pass_block *w,
    const uint64_t at_n[2])
{
	struct band *s = &l->band[number];
	double *col = l->col == NULL ? NULL : l->col + number * l->cols, sum;
	uint64_t at = at_n[0], end = at_n[0] + at_n[1], c, stop;
	unsigned i, j;

	for (; at < end; at += stop - c) {
		c = at % l->cols;
		(void)cell_end(at / l->cols, l->rows, l->grid_rows, &i);
		stop = cell_end(c, l->cols, l->grid_cols, &j);
		if (stop - c > end - at)
			stop = c + (end - at);
		sum = add_run(s, w, &(struct run){at, (size_t)(at - at_n[0]),
		    (size_t)(stop - c), col == NULL ? NULL : col + c});
		s->grid[i][j] += sum;
		add_to_row(l, number, at, sum);
	}
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	const struct look *l = ctx;
	uint64_t lo = i * l->cut, n = l->d->b->n;
	uint64_t hi = n - lo < l->cut ? n : lo + l->cut, len;
	struct pass_block w;

	(void)thread;
	pass_block_init(&w, l->d, pass_portable());
	for (uint64_t at = lo; at < hi; at += len) {
		len = hi - at < PASS_BLOCK ? hi - at : PASS_BLOCK;
		pass_block_load(&w, at, (size_t)len);
		add_block(l, i, &w, (const uint64_t[2]){at, len});
	}
}

/* --- all of them -------------------------------------------------------- */

static void
join(const struct look *l, struct pass_detail *ret)
{
	for (size_t k = 0; k < l->nbands; k++) {
		const struct band *s = &l->band[k];

		ret->d1 += s->d1;
		ret->d4 += s->d4;
		ret->sign_flips += s->sign_flips;
		ret->new_zeros += s->new_zeros;
		ret->lost_zeros += s->lost_zeros;
		ret->zeros_b += s->zeros_b;
		if (s->max_ulp > ret->max_ulp)
			ret->max_ulp = s->max_ulp;
		for (unsigned i = 0; i < PASS_ULP_BINS; i++)
			ret->ulp[i] += s->ulp[i];
		for (unsigned i = 0; i < PASS_GRID * PASS_GRID; i++)
			ret->grid[i / PASS_GRID][i % PASS_GRID] +=
			    s->grid[i / PASS_GRID][i % PASS_GRID];
	}
}

static void
join_rows(const struct look *l)
{
	uint64_t n = l->d->b->n, lo, hi;

	for (size_t k = 0; l->row != NULL && k < l->nbands; k++) {
		lo = k * l->cut;
		hi = n - lo < l->cut ? n : lo + l->cut;
		l->row[lo / l->cols] += l->band[k].head;
		if (hi % l->cols != 0)
			l->row[hi / l->cols] += l->band[k].tail;
	}
}

static void
join_cols(const struct look *l)
{
	for (size_t k = 1; l->col != NULL && k < l->nbands; k++)
		for (uint64_t c = 0; c < l->cols; c++)
			l->col[c] += l->col[k * l->cols + c];
}

/* --- which lines carry it ----------------------------------------------- */

#define BEST 8

static int
largest_first(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* How many changed; the strongest, and among equal ones the first. */
static uint64_t
find_best(const double *v, uint64_t n, uint64_t best[BEST], unsigned *nbest)
{
	uint64_t changed = 0;
	unsigned k;

	for (uint64_t i = 0; i < n; i++) {
		changed += v[i] > 0;
		if (!(v[i] > 0) ||
		    (*nbest == BEST && v[i] <= v[best[BEST - 1]]))
			continue;
		k = *nbest < BEST ? (*nbest)++ : BEST - 1;
		for (; k > 0 && v[i] > v[best[k - 1]]; k--)
			best[k] = best[k - 1];
		best[k] = i;
	}
	return changed;
}

/* Shares of the strongest 1 % and 10 %, at least one; ${v} gets sorted. */
static void
find_shares(double *v, uint64_t n, double *top_1, double *top_10)
{
	double sum = 0, upto_1 = 0, upto_10 = 0;

	qsort(v, (size_t)n, sizeof(*v), largest_first);
	for (uint64_t i = 0; i < n; i++) {
		sum += v[i];
		upto_1 = i == (n + 99) / 100 - 1 ? sum : upto_1;
		upto_10 = i == (n + 9) / 10 - 1 ? sum : upto_10;
	}
	*top_1 = sum > 0 ? upto_1 / sum : 0;
	*top_10 = sum > 0 ? upto_10 / sum : 0;
}

static void
find_lines(const struct look *l, struct pass_detail *ret)
{
	if (l->row != NULL) {
		ret->rows_changed = find_best(l->row, l->rows,
		    ret->best_rows, &ret->nbest_rows);
		find_shares(l->row, l->rows, &ret->top_rows_1,
		    &ret->top_rows_10);
	}
	if (l->col != NULL) {
		ret->cols_changed = find_best(l->col, l->cols,
		    ret->best_cols, &ret->nbest_cols);
		find_shares(l->col, l->cols, &ret->top_cols_1,
		    &ret->top_cols_10);
	}
}

/* --- setting up --------------------------------------------------------- */

static void
cut(struct look *l)
{
	uint64_t n = l->d->b->n, bands = n / BAND_LEAST, blocks;

	if (bands > BANDS)
		bands = BANDS;
	if (l->cols <= PASS_LOOK_MAX && bands > PASS_LOOK_MAX / l->cols)
		bands = PASS_LOOK_MAX / l->cols;
	if (bands == 0)
		bands = 1;
	blocks = (n + PASS_BLOCK - 1) / PASS_BLOCK;
	l->cut = (blocks + bands - 1) / bands * PASS_BLOCK;
	l->nbands = (size_t)((n + l->cut - 1) / l->cut);
}

static bool
make_room(struct look *l)
{
	l->band = calloc(l->nbands, sizeof(*l->band));
	if (l->rows <= PASS_LOOK_MAX)
		l->row = calloc((size_t)l->rows, sizeof(*l->row));
	if (l->cols <= PASS_LOOK_MAX)
		l->col = calloc(l->nbands * (size_t)l->cols,
		    sizeof(*l->col));
	return l->band != NULL &&
	    (l->row != NULL || l->rows > PASS_LOOK_MAX) &&
	    (l->col != NULL || l->cols > PASS_LOOK_MAX);
}

int
pass_look(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct pass_detail *ret, struct err *e)
{
	struct look l = {.d = d, .rows = d->b->rows, .cols = d->b->cols};
	struct pass_detail x = {0};
	int r = 0;

	if (sums->n == 0)
		goto done;
	l.grid_rows = l.rows < PASS_GRID ? (unsigned)l.rows : PASS_GRID;
	l.grid_cols = l.cols < PASS_GRID ? (unsigned)l.cols : PASS_GRID;
	cut(&l);
	if (!make_room(&l)) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	pool_run(pool, task, &l, l.nbands);
	join(&l, &x);
	join_rows(&l);
	join_cols(&l);
	x.grid_rows = l.grid_rows;
	x.grid_cols = l.grid_cols;
	find_lines(&l, &x);
done:
	*ret = x;
out:
	free(l.band);
	free(l.row);
	free(l.col);
	return r;
}
