#include <math.h>
#include <string.h>

#include "analyzer/weights_tilt.h"
#include "base/err.h"

/*
 * Cell m (seven bits: five of exponent, two of mantissa) has the width
 * 2^max(m >> 2, 1), and its density d is n / width.  With the neighbours'
 * densities the slope across the cell, relative to its own density, is
 *
 *	s = width * (d[m + 1] - d[m - 1]) / (distance of centres * d[m])
 *
 * but no more than twice the slope to either neighbour, and none when those
 * point to two sides (the limiter that van Leer gave to hydrodynamics): where
 * the density has an edge, as in weights that stayed near a uniform beginning,
 * one side is steep and the cell itself is flat.
 *
 * u = (low byte - 127.5) / 256 then has the mean s / 12 and the variance
 * 1 / 12.  T = sum(s u) / sqrt(sum(s^2) / 12); honest weights give about
 * sqrt(sum(s^2) / 12), less what is only the noise of the counts.
 *
 * Noise in the low bytes gives a T near 0.  Far below that is a density that
 * no slope from cell to cell describes (tables of sines, grids of a quantiser),
 * not a payload.  And noise fills a cell: where the weights have hardly more
 * values than a grid has steps, nobody wrote noise into them.
 */
#define CELL_LEAST 32
#define EXPECTED 6.0
#define SHARE 0.35		/* of the expected value: below */
#define VALUE 3.2
#define LOWEST (-4.0)		/* noise is above, but for one in 30,000 */
#define FILLED 0.8		/* of the values that noise would show */
#define WINDOW_EXPECTED 7.0
#define WINDOW_SHARE 0.3
#define WINDOW_VALUE 2.6
#define WINDOW 8192
#define WIDE 4			/* the larger window: so many of them */

void
weights_tilt_begin(struct weights_tilt *t)
{
	memset(t, 0, sizeof(*t));
}

void
weights_tilt_window(struct weights_tilt *t)
{
	for (unsigned c = 0; c < 256; c++) {
		t->n[c] += t->cells.sum[c] >> 32;
		t->sum[c] += t->cells.sum[c] & UINT32_MAX;
	}
	memset(&t->cells, 0, sizeof(t->cells));
}

static double
width(unsigned m)
{
	return ldexp(1, m < 8 ? 1 : (int)(m >> 2));
}

/* The slope of cell m of one sign; *noise is the variance of the estimate. */
static double
slope(const uint64_t *n, unsigned m, double *noise)
{
	double w = width(m), a = width(m - 1), b = width(m + 1);
	double own = (double)n[m] / w;
	double below = (double)n[m - 1] / a, above = (double)n[m + 1] / b;
	double k = w / ((w + (a + b) / 2) * own);
	double left = 4 * w / ((w + a) * own) * (own - below);
	double right = 4 * w / ((w + b) * own) * (above - own);
	double s = k * (above - below);

	*noise = k * k * (above / b + below / a);
	if (left * right <= 0)
		return *noise = 0;
	if (fabs(left) < fabs(s))
		s = left;
	if (fabs(right) < fabs(s))
		s = right;
	return s < -1.5 ? -1.5 : s > 1.5 ? 1.5 : s;
}

void
weights_tilt_statistic(struct weights_tilt *t, double *value,
    double *expected)
{
	double power = 0, honest = 0, sum = 0;

	memset(t->slope, 0, sizeof(t->slope));
	/* Denormals and the largest exponents are left out. */
	for (unsigned c = 0; c < 256; c++) {
		unsigned m = c & 127;
		const uint64_t *n = t->n + (c & 128);
		double noise, s;

		if (m < 5 || m > 122 || n[m] < CELL_LEAST ||
		    n[m - 1] < CELL_LEAST || n[m + 1] < CELL_LEAST)
			continue;
		s = slope(n, m, &noise);
		t->slope[c] = s;
		power += s * s * (double)n[m] / 12;
		honest += (s * s - noise) * (double)n[m] / 12;
		sum += s * ((double)t->sum[c] - 127.5 * (double)n[m]) / 256;
	}
	*value = power > 0 ? sum / sqrt(power) : 0;
	*expected = honest > 0 ? honest / sqrt(power) : 0;
}

/* Of a window's cells, with the tensor's slopes. */
static void
add_cells(const struct weights_tilt *t, const struct weights_cells *c,
    double *sum, double *power)
{
	for (unsigned i = 0; i < 256; i++) {
		double n = (double)(c->sum[i] >> 32);
		double s = t->slope[i];

		*power += s * s * n / 12;
		*sum += s * ((double)(c->sum[i] & UINT32_MAX) - 127.5 * n) /
		    256;
	}
}

struct place {
	double sum, power;	/* of the window that grows */
	uint64_t first, size;
};

static void
judge(struct place *p, double share, struct weights_flag *f)
{
	double expected = sqrt(p->power) * share;
	double value = p->power > 0 ? p->sum / sqrt(p->power) : 0;

	if (expected < WINDOW_EXPECTED || value >= WINDOW_SHARE * expected ||
	    value >= WINDOW_VALUE || value <= LOWEST)
		return;
	if (f->windows++ == 0 || value < f->statistic[0].value) {
		f->statistics = 0;
		weights_statistic(f, "tilt", value, '<', WINDOW_VALUE);
		weights_statistic(f, "expected", expected, '>',
		    WINDOW_EXPECTED);
	}
	if (f->count == 0)
		f->first = p->first;
	f->count = p->first + p->size - f->first;
}

/* ${share} is how much of the slopes is not noise of their estimate. */
static int
windows(struct weights_tilt *t, const struct weights_at *at, double share,
    struct weights_flag *f, struct err *e)
{
	struct place one = {0}, wide = {0};
	uint64_t got;
	int r;

	for (uint64_t i = 0; i + WINDOW <= at->n; i += WINDOW) {
		if ((r = weights_read(at, i, WINDOW, &got, e)) < 0)
			return r;
		memset(&t->cells, 0, sizeof(t->cells));
		weights_hist_f16(at->block, (size_t)got, &t->cells, NULL);
		one = (struct place){0, 0, i, WINDOW};
		add_cells(t, &t->cells, &one.sum, &one.power);
		if (i / WINDOW % WIDE == 0)
			wide = (struct place){0, 0, i, 0};
		wide.sum += one.sum;
		wide.power += one.power;
		wide.size += WINDOW;
		judge(&one, share, f);
		if (wide.size == WIDE * WINDOW)
			judge(&wide, share, f);
	}
	return 0;
}

/* Flag it, if there are as many values as noise in the low bytes makes. */
static int
flag_filled(const struct weights_tilt *t, const struct weights_at *at,
    const struct weights_flag *f, struct err *e)
{
	static uint8_t seen[1 << 16];
	double expected = 0, distinct = 0;
	uint64_t got;
	int r;

	memset(seen, 0, sizeof(seen));
	for (uint64_t i = 0; i < at->n; i += WINDOW) {
		if ((r = weights_read(at, i, at->n - i < WINDOW ? at->n - i :
		    WINDOW, &got, e)) < 0)
			return r;
		for (uint64_t k = 0; k < got; k++)
			seen[at->block[2 * k] | at->block[2 * k + 1] << 8] = 1;
	}
	for (unsigned c = 0; c < 256; c++) {
		if (t->slope[c] >= 0 && t->slope[c] <= 0)
			continue;	/* it has no part in the test */
		expected += 256 * (1 - exp(-(double)t->n[c] / 256));
		for (unsigned b = 0; b < 256; b++)
			distinct += seen[c << 8 | b];
	}
	return distinct >= FILLED * expected ? at->flag(at->ctx, at, f) : 0;
}

int
weights_tilt_end(struct weights_tilt *t, const struct weights_at *at,
    struct err *e)
{
	struct weights_flag f = {.id = FINDING_WGT_TILT,
	    .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_STRONG,
	    .test = "low bytes of the whole tensor lack their slope",
	    .stream = "lowest byte", .count = at->n};
	double value, expected, n = 0, part;
	int r;

	weights_tilt_statistic(t, &value, &expected);
	if (expected >= EXPECTED && value < SHARE * expected &&
	    value < VALUE) {
		if (value <= LOWEST)
			return 0;
		weights_statistic(&f, "tilt", value, '<', VALUE);
		weights_statistic(&f, "expected", expected, '>', EXPECTED);
		return flag_filled(t, at, &f, e);
	}
	for (unsigned c = 0; c < 256; c++)
		n += (double)t->n[c];
	/* Could the largest window say anything at all? */
	part = n > WIDE * WINDOW ? sqrt(WIDE * WINDOW / n) : 1;
	if (n < 2 * WINDOW || expected * part < WINDOW_EXPECTED * 0.8)
		return 0;
	f.severity = SEVERITY_MEDIUM;
	f.test = "low bytes of a window lack the tensor's slope";
	f.count = 0;
	part = 0;
	for (unsigned c = 0; c < 256; c++)
		part += t->slope[c] * t->slope[c] * (double)t->n[c] / 12;
	if ((r = windows(t, at, part > 0 ? expected / sqrt(part) : 0, &f,
	    e)) < 0)
		return r;
	return f.windows > 0 ? flag_filled(t, at, &f, e) : 0;
}
