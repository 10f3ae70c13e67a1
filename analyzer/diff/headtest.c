#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/headtest.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "base/bug.h"
#include "base/err.h"

/*
 * Method (diff specification, section 7): six statistics of each row of the
 * newer head, three of its change, and of each the class that lies farthest
 * from the median.  Iglewicz and Hoaglin (1993) for the robust z, with their
 * mean absolute deviation where the MAD is zero; Dixon (1950) for the ratio.
 */
#define QUANTILE 0.95

const char *
headtest_stat_name(enum headtest_stat s)
{
	static const char *const names[] = {"row mean", "row norm",
	    "row maximum", "positive part", "95 % quantile", "bias",
	    "row change", "mean of row change", "bias change"};

	BUG_ON(s >= HEADTEST_STATS);
	return names[s];
}

struct table {
	double v[HEADTEST_STATS][HEADTEST_CLASSES];
	double tmp[HEADTEST_CLASSES];
};

static int
upward(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(const double *sorted, size_t n)
{
	return n % 2 ? sorted[n / 2]
	    : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* How far is "one sigma" around ${med}?  0: everybody is there. */
static double
spread(const double *v, size_t n, double med, double *tmp)
{
	double mad, mean = 0;

	for (size_t i = 0; i < n; i++) {
		tmp[i] = fabs(v[i] - med);
		mean += tmp[i] / (double)n;
	}
	qsort(tmp, n, sizeof(*tmp), upward);
	mad = median(tmp, n);
	return mad > 0 ? 1.4826 * mad : 1.2533 * mean;
}

static void
score(const double *v, size_t n, double *tmp, struct headtest_score *s)
{
	double med, sigma, range, gap;

	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return;
	memcpy(tmp, v, n * sizeof(*v));
	qsort(tmp, n, sizeof(*tmp), upward);
	med = median(tmp, n);
	for (size_t i = 1; i < n; i++)
		if (fabs(v[i] - med) > fabs(v[s->row] - med))
			s->row = (uint32_t)i;
	s->there = true;
	s->value = v[s->row];
	range = tmp[n - 1] - tmp[0];
	gap = s->value > med ? tmp[n - 1] - tmp[n - 2] : tmp[1] - tmp[0];
	s->dixon = range > 0 ? gap / range : 0;
	sigma = spread(v, n, med, tmp);
	s->z = sigma > 0 ? fabs(s->value - med) / sigma : 0;
}

static int
upward_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

/* Sorts ${x}, which has no NaN.  Linear between neighbours. */
static double
quantile(float *x, size_t n)
{
	double at = QUANTILE * (double)(n - 1);
	size_t i = (size_t)at;

	qsort(x, n, sizeof(*x), upward_float);
	if (i + 1 >= n)
		return (double)x[n - 1];
	return (double)x[i] + (at - (double)i) *
	    ((double)x[i + 1] - (double)x[i]);
}

/* ${b}, ${diff}: one row; b is sorted here. */
static void
row_stats(struct table *t, size_t row, float *b, const float *diff, size_t n)
{
	double sum = 0, norm = 0, pos = 0, max = -HUGE_VAL, dsum = 0, x;

	for (size_t k = 0; k < n; k++) {
		if (!isfinite(b[k]))
			b[k] = 0;
		x = (double)b[k];
		sum += x;
		norm += x * x;
		pos += x > 0 ? x : 0;
		max = x > max ? x : max;
		dsum += (double)diff[k];
	}
	t->v[HEADTEST_MEAN][row] = sum / (double)n;
	t->v[HEADTEST_NORM][row] = sqrt(norm);
	t->v[HEADTEST_MAX][row] = max;
	t->v[HEADTEST_POSITIVE][row] = pos;
	t->v[HEADTEST_MEAN_MOVED][row] = dsum / (double)n;
	t->v[HEADTEST_Q95][row] = quantile(b, n);
}

static int
load_rows(const struct rowdelta *r, struct table *t, struct headtest *h,
    struct err *e)
{
	size_t n = (size_t)r->cols;
	float *room = calloc(5 * n, sizeof(*room));
	struct rowdelta_note note;

	if (room == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < r->rows; i++) {
		(void)rowdelta_load(r, i, room, room + n, &note);
		t->v[HEADTEST_MOVED][i] = note.wild ? HUGE_VAL
		    : sqrt(note.d2);
		h->moved += note.changed > 0;
		row_stats(t, i, room + 2 * n, room, n);
	}
	free(room);
	return 0;
}

/* A bias has as many elements as the head has rows: at most a thousand. */
static bool
load_bias(const struct delta *d, uint64_t classes, struct table *t)
{
	float a[HEADTEST_CLASSES], b[HEADTEST_CLASSES];
	bool pair = d->a != NULL && d->a->p != NULL && d->a->n == classes;
	struct delta self = {d->b, d->b, CAST_NONE};

	delta_block(pair ? d : &self, 0, (size_t)classes, a, b, NULL, NULL);
	for (size_t i = 0; i < classes; i++) {
		t->v[HEADTEST_BIAS][i] = (double)b[i];
		t->v[HEADTEST_BIAS_MOVED][i] = (double)b[i] - (double)a[i];
	}
	return pair;
}

static void
choose(struct headtest *h)
{
	unsigned from = h->pair ? HEADTEST_MOVED : HEADTEST_MEAN;
	unsigned to = h->pair ? HEADTEST_STATS : HEADTEST_MOVED;

	h->best = (enum headtest_stat)from;
	for (unsigned i = from; i < to; i++)
		if (h->stat[i].there && h->stat[i].z > h->stat[h->best].z)
			h->best = (enum headtest_stat)i;
	h->named = h->classes > 2 && h->stat[h->best].z > 0;
}

int
headtest_run(const struct delta *d, const struct delta *bias,
    struct headtest *ret, struct err *e)
{
	struct delta self = {d->b, d->b, CAST_NONE};
	struct headtest h = {.head = d->b};
	bool both = false;
	struct rowdelta r;
	struct table *t;
	int rc;

	h.pair = d->a != NULL && rowdelta_init(&r, d, NULL, 0) &&
	    d->a->rows == d->b->rows;
	*ret = h;
	if ((!h.pair && !rowdelta_init(&r, &self, NULL, 0)) || r.rows < 2 ||
	    r.rows > HEADTEST_CLASSES)
		return 0;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((rc = load_rows(&r, t, &h, e)) < 0)
		goto out;
	h.classes = r.rows;
	for (unsigned i = 0; i < HEADTEST_STATS; i++)
		if (i != HEADTEST_BIAS && i != HEADTEST_BIAS_MOVED &&
		    (h.pair || i < HEADTEST_MOVED))
			score(t->v[i], (size_t)r.rows, t->tmp, &h.stat[i]);
	if (bias != NULL && bias->b != NULL && bias->b->p != NULL &&
	    bias->b->n == r.rows) {
		both = load_bias(bias, r.rows, t);
		score(t->v[HEADTEST_BIAS], (size_t)r.rows, t->tmp,
		    &h.stat[HEADTEST_BIAS]);
	}
	if (both && h.pair)
		score(t->v[HEADTEST_BIAS_MOVED], (size_t)r.rows, t->tmp,
		    &h.stat[HEADTEST_BIAS_MOVED]);
	choose(&h);
	*ret = h;
out:
	free(t);
	return rc;
}
