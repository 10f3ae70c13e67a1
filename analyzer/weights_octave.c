#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/weights_octave.h"
#include "base/err.h"

/*
 * Method
 *
 * Fit.  Over the rows (upper exponents) with at least ROW_LEAST elements:
 * chi-square of the 16 fields against n/16 each, as
 * z = (chi2 - df) / sqrt(2 df).  One kind of honest tensor comes near to
 * uniform, one whose magnitudes are spread evenly over many octaves (second
 * moments of an optimiser, frequencies): there exponents are even, but the
 * mantissa's top bits fall by Benford's law.  So their slope has to vanish,
 * too: sum of (j mod 8 - 3.5), divided by its deviation under uniformity.
 * The row of the smallest exponent holds the zeros and does not count.
 *
 * Likelihood.  LLR = sum over elements of ln((1/16) / p), p the share of the
 * field in its row over the tensor without this window.  Honest windows are
 * below zero: the tensor explains them better.
 *
 * A window costs nothing more unless it fits; the totals are known at the
 * tensor's end, so those that fit are read again there, with a sample of all
 * windows for the quantile.  An attacker who spreads a payload thinly stays
 * below the first test; one who fills more than QUANTILE of the windows moves
 * the totals towards the payload, until the whole tensor fits.
 */
#define ROW_LEAST 24
#define FIT 3.5			/* a window is uniform below this */
#define FIT_WHOLE 5.0
#define SLOPE 4.0		/* absolute */
#define LLR 20.0		/* nats for the uniform law */
#define LLR_OTHERS (-15.0)	/* what honest windows are below */
#define WHOLE_LEAST 4096
#define WINDOWS_LEAST 4
#define SAMPLE 128

void
weights_octave_begin(struct weights_octave *o)
{
	memset(o, 0, sizeof(*o));
}

static double
standard(double chi2, double df)
{
	return df > 0 ? (chi2 - df) / sqrt(2 * df) : 99;
}

/* Variance of j mod 8 when uniform. */
#define FIELD_VARIANCE 5.25

void
weights_octave_fit(const uint16_t n[WEIGHTS_ROWS * WEIGHTS_FIELDS],
    struct weights_fit *ret)
{
	double chi2 = 0, moment = 0;
	unsigned df = 0;
	uint64_t all = 0;

	for (unsigned r = 1; r < WEIGHTS_ROWS; r++) {
		const uint16_t *row = n + r * WEIGHTS_FIELDS;
		uint32_t sum, squares;
		int m = 0;

		weights_row(row, &sum, &squares);
		if (sum < ROW_LEAST)
			continue;
		chi2 += 16.0 * squares / sum - sum;
		df += 15;
		for (int j = 0; j < WEIGHTS_FIELDS; j++)
			m += row[j] * (2 * (j & 7) - 7);
		moment += m / 2.0;
		all += sum;
	}
	ret->z = standard(chi2, df);
	ret->slope = all > 0 ? moment / sqrt(FIELD_VARIANCE * (double)all) :
	    99;
	ret->n = all;
}

static void
suspect(struct weights_suspects *s, uint64_t index,
    const struct weights_fit *fit, uint64_t least)
{
	if (fit->n < least || fit->z >= FIT || fabs(fit->slope) >= SLOPE)
		return;
	if (s->n < WEIGHTS_SUSPECTS) {
		s->index[s->n] = index;
		s->z[s->n] = (float)fit->z;
	}
	s->n++;
}

static void
end_window(struct weights_octave *o)
{
	struct weights_fit fit;

	weights_octave_fit(o->window.n, &fit);
	suspect(&o->suspect[1], o->windows, &fit, WEIGHTS_WINDOW / 2);
	for (unsigned i = 0; i < WEIGHTS_ROWS * WEIGHTS_FIELDS; i++)
		o->total[i] += o->window.n[i];
	memset(&o->window, 0, sizeof(o->window));
	o->windows++;
}

void
weights_octave_part(struct weights_octave *o, uint64_t n)
{
	struct weights_fit fit;

	for (unsigned i = 0; i < WEIGHTS_ROWS * WEIGHTS_FIELDS; i++)
		o->window.n[i] = (uint16_t)(o->window.n[i] + o->part.n[i]);
	if (n == WEIGHTS_PART) {
		weights_octave_fit(o->part.n, &fit);
		suspect(&o->suspect[0], o->parts, &fit, WEIGHTS_PART / 2);
		if (++o->parts % (WEIGHTS_WINDOW / WEIGHTS_PART) == 0)
			end_window(o);
	}
	memset(&o->part, 0, sizeof(o->part));
}

/* The elements behind the last whole window belong to the tensor, too. */
static void
add_rest(struct weights_octave *o)
{
	for (unsigned i = 0; i < WEIGHTS_ROWS * WEIGHTS_FIELDS; i++)
		o->total[i] += o->window.n[i];
}

/* Of the whole tensor: counts do not fit the window's type. */
static void
fit_total(const uint64_t total[WEIGHTS_ROWS * WEIGHTS_FIELDS],
    struct weights_fit *ret)
{
	double chi2 = 0, moment = 0, df = 0, all = 0;

	for (unsigned r = 1; r < WEIGHTS_ROWS; r++) {
		const uint64_t *row = total + r * WEIGHTS_FIELDS;
		double sum = 0, squares = 0;

		for (unsigned j = 0; j < WEIGHTS_FIELDS; j++) {
			sum += (double)row[j];
			squares += (double)row[j] * (double)row[j];
		}
		if (sum < ROW_LEAST)
			continue;
		chi2 += 16 * squares / sum - sum;
		df += 15;
		all += sum;
		for (int j = 0; j < WEIGHTS_FIELDS; j++)
			moment += (double)row[j] * ((j & 7) - 3.5);
	}
	ret->z = standard(chi2, df);
	ret->slope = all > 0 ? moment / sqrt(FIELD_VARIANCE * all) : 99;
	ret->n = (uint64_t)all;
}

/* For uniform fields, against the tensor without this window. */
static double
likelihood(const struct weights_octave *o, const uint16_t *n)
{
	double sum = 0;

	for (unsigned r = 1; r < WEIGHTS_ROWS; r++) {
		const uint64_t *total = o->total + r * WEIGHTS_FIELDS;
		const uint16_t *row = n + r * WEIGHTS_FIELDS;
		uint32_t mine, squares;
		double others = 0;

		weights_row(row, &mine, &squares);
		if (mine == 0)
			continue;
		for (unsigned j = 0; j < WEIGHTS_FIELDS; j++)
			others += (double)(total[j] - row[j]);
		for (unsigned j = 0; j < WEIGHTS_FIELDS; j++)
			if (row[j] > 0)
				sum += row[j] * log((others + 8) / 16 /
				    ((double)(total[j] - row[j]) + 0.5));
	}
	return sum;
}

/* Read window ${index} of ${size} elements again; *ret its likelihood. */
static int
again(struct weights_octave *o, const struct weights_at *at, uint64_t index,
    uint64_t size, double *ret, struct err *e)
{
	uint64_t got;
	int r;

	if ((r = weights_read(at, index * size, size, &got, e)) < 0)
		return r;
	memset(&o->part, 0, sizeof(o->part));
	if (at->type->cls == WEIGHTS_F32) {
		struct weights_lane a = {{0}}, b = {{0}};

		weights_hist_f32(at->block, (size_t)got, &o->part, &a, &b);
	} else {
		weights_hist_bf16(at->block, (size_t)got, &o->part);
	}
	*ret = likelihood(o, o->part.n);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median likelihood of at most SAMPLE windows, evenly spread. */
static int
sample(struct weights_octave *o, const struct weights_at *at, uint64_t size,
    uint64_t windows, double *ret, struct err *e)
{
	uint64_t n = windows < SAMPLE ? windows : SAMPLE;
	double v[SAMPLE];
	int r;

	for (uint64_t i = 0; i < n; i++)
		if ((r = again(o, at, i * (windows / n), size, &v[i],
		    e)) < 0)
			return r;
	qsort(v, (size_t)n, sizeof(*v), compare);
	*ret = v[n / 2];
	return 0;
}

/* Of one size of window: how many hold, and the best of them. */
static int
check_suspects(struct weights_octave *o, const struct weights_at *at,
    unsigned kind, struct weights_flag *f, struct err *e)
{
	const struct weights_suspects *s = &o->suspect[kind];
	uint64_t size = kind == 0 ? WEIGHTS_PART : WEIGHTS_WINDOW;
	uint64_t windows = kind == 0 ? o->parts : o->windows;
	double middle, llr, best = LLR;
	int r;

	if (s->n == 0 || windows < WINDOWS_LEAST)
		return 0;
	if ((r = sample(o, at, size, windows, &middle, e)) < 0)
		return r;
	if (middle >= LLR_OTHERS)
		return 0;
	for (uint64_t i = 0; i < s->n && i < WEIGHTS_SUSPECTS; i++) {
		if ((r = again(o, at, s->index[i], size, &llr, e)) < 0)
			return r;
		if (llr <= LLR)
			continue;
		if (f->windows++ == 0)
			f->first = s->index[i] * size;
		f->count = s->index[i] * size + size - f->first;
		if (llr <= best)
			continue;
		best = llr;
		f->statistics = 0;
		weights_statistic(f, "z", s->z[i], '<', FIT);
		weights_statistic(f, "likelihood", llr, '>', LLR);
		weights_statistic(f, "median", middle, '<', LLR_OTHERS);
	}
	return 0;
}

int
weights_octave_end(struct weights_octave *o, const struct weights_at *at,
    struct err *e)
{
	struct weights_flag f = {.id = FINDING_WGT_OCTAVE,
	    .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_STRONG,
	    .stream = at->type->cls == WEIGHTS_F32 ? "lowest 3 bytes" :
	    "lowest byte", .count = at->n};
	struct weights_fit fit;
	int r;

	add_rest(o);
	fit_total(o->total, &fit);
	if (fit.n >= WHOLE_LEAST && fit.z < FIT_WHOLE &&
	    fabs(fit.slope) < SLOPE) {
		f.test = "octave fields of the whole tensor are uniform";
		weights_statistic(&f, "z", fit.z, '<', FIT_WHOLE);
		return at->flag(at->ctx, at, &f);
	}
	f.test = "octave fields of a window are uniform, the tensor's are not";
	f.count = 0;
	for (unsigned kind = 0; kind < 2 && f.windows == 0; kind++)
		if ((r = check_suspects(o, at, kind, &f, e)) < 0)
			return r;
	return f.windows > 0 ? at->flag(at->ctx, at, &f) : 0;
}
