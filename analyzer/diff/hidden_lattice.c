#include <math.h>
#include <stdlib.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/hidden_parts.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"

/*
 * Spread spectrum (MaleficNet, arXiv 2403.03593) adds plus or minus gamma for
 * each bit of a chunk, so the difference stands on equal steps however the
 * chips look.  The sorted differences of a sample fall into levels: a few
 * wide gaps between them, none within.
 *
 * Differences stand on steps by nature where the type is coarse: those of
 * bfloat16 are multiples of the last place.  So a step must be eight times
 * the largest last place in the sample, which is measured on the bits in use
 * (half-precision values may be stored as singles), and A must not stand on
 * the same steps (quantised weights, trained on).  What remains innocent is
 * an optimiser that takes only signs, at a constant rate.
 */
#define SAMPLE 8192
#define LEAST 4096
#define LEVELS_LEAST 5
#define LEVELS_MOST 512
#define LEVEL_LEAST 8		/* of the sample on one */
#define JUMP 4.0		/* narrowest gap between, to widest within */
#define ULPS 8
#define OFF 0.05		/* of a step, root mean square */
#define UNIFORM 0.28867513	/* ... of what is spread evenly */

static int
by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

struct sample {
	size_t n, moved;
	double d[SAMPLE], a[SAMPLE], gap[SAMPLE];
	double ulp;		/* the largest last place */
};

static bool
take(const struct delta *d, struct sample *s)
{
	uint32_t used = 0;
	float a, b;
	double largest = 0;
	int e;

	for (size_t i = 0; i < SAMPLE; i++) {
		uint64_t at = i < d->a->n ? (uint64_t)((double)i *
		    ((double)d->a->n / SAMPLE)) : 0;

		relation_pair_load(d, at, 1, &a, &b);
		if (!isfinite(a) || !isfinite(b))
			return false;
		used |= floatbits_of(a) | floatbits_of(b);
		largest = fmax(largest, fmax(fabs((double)a),
		    fabs((double)b)));
		s->a[i] = (double)a;
		s->d[i] = (double)b - (double)a;
		s->moved += a != b;
	}
	s->n = SAMPLE;
	if (used == 0)
		return false;
	(void)frexp(largest, &e);
	s->ulp = ldexp(1, e - 24 + __builtin_ctz(used));
	qsort(s->d, s->n, sizeof(s->d[0]), by_value);
	return s->moved > SAMPLE / 2;
}

/* How many levels: where the sorted gaps fall most steeply; 0: nowhere. */
static size_t
count_levels(struct sample *s, double *between)
{
	size_t best = 0;
	double most = JUMP;

	for (size_t i = 0; i + 1 < s->n; i++)
		s->gap[i] = s->d[i] - s->d[i + 1];	/* largest first */
	qsort(s->gap, s->n - 1, sizeof(s->gap[0]), by_value);
	for (size_t k = LEVELS_LEAST - 1; k <= LEVELS_MOST; k++) {
		double wide = -s->gap[k - 1];
		/* What stands on one level differs by roundings. */
		double next = fmax(-s->gap[k], s->ulp);

		if (wide > most * next) {
			most = wide / next;
			best = k + 1;
			*between = (wide + next) / 2;
		}
	}
	return best;
}

/* Least squares of d on the number of its level. */
static void
fit(const struct sample *s, double between, double step, double *slope,
    double *off)
{
	double k = 0, n = (double)s->n, sk = 0, sd = 0, kk = 0, kd = 0,
	    dd = 0, var;

	for (size_t i = 0; i < s->n; i++) {
		double d = s->d[i] - s->d[0];

		if (i > 0 && s->d[i] - s->d[i - 1] > between)
			k += rint((s->d[i] - s->d[i - 1]) / step);
		sk += k;
		sd += d;
		kk += k * k;
		kd += k * d;
		dd += d * d;
	}
	var = kk - sk * sk / n;
	*slope = var > 0 ? (kd - sk * sd / n) / var : 0;
	*off = sqrt(fmax(0, (dd - sd * sd / n - *slope * (kd - sk * sd / n)) /
	    n));
}

/*
 * Levels that eight of the sample stand on.  One step of Adam puts nearly all
 * on two, and what is in between on any number of lonely ones.
 */
static size_t
peopled(const struct sample *s, double between)
{
	size_t levels = 0, here = 1;

	for (size_t i = 1; i <= s->n; i++) {
		if (i < s->n && s->d[i] - s->d[i - 1] <= between) {
			here++;
			continue;
		}
		levels += here >= LEVEL_LEAST;
		here = 1;
	}
	return levels;
}

/* Does A stand on these steps itself? */
static bool
was_there(const struct sample *s, double step)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < s->n; i++) {
		re += cos(2 * M_PI * (s->a[i] / step));
		im += sin(2 * M_PI * (s->a[i] / step));
	}
	return sqrt(re * re + im * im) > 0.5 * (double)s->n;
}

int
hidden_lattice(const struct delta *d, struct hidden *h, struct err *e)
{
	struct sample *s;
	double between = 0, step, slope, off;
	size_t levels;

	if (d->a->n < LEAST || cast_unit(d->cast) > 1 ||
	    elem_info(d->a->elem)->kind != ELEM_FLOAT ||
	    elem_info(d->b->elem)->kind != ELEM_FLOAT)
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (!take(d, s) || (levels = count_levels(s, &between)) == 0 ||
	    peopled(s, between) < LEVELS_LEAST ||
	    2 * peopled(s, between) < levels)
		goto out;
	/* The narrowest gap between levels is one step, nearly. */
	step = INFINITY;
	for (size_t i = 0; i + 1 < s->n; i++)
		if (s->d[i + 1] - s->d[i] > between)
			step = fmin(step, s->d[i + 1] - s->d[i]);
	fit(s, between, step, &slope, &off);
	if (!(slope > 0) || off > OFF * slope || slope < ULPS * s->ulp ||
	    was_there(s, slope))
		goto out;
	h->kind = HIDDEN_LATTICE;
	h->spacing = slope;
	h->contrast = 1 - off / (UNIFORM * slope);
out:
	free(s);
	return 0;
}
