#include <math.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/textdens.h"
#include "analyzer/triggers/textfit.h"
#include "base/err.h"

#define FINE 4096
#define TAPS 12			/* on each side */
#define SIGMA 3.0
#define FLOOR 0.25		/* rows that each bin has anyway */

struct densing {
	const struct textfit *f;
	const float *m;
	struct textdens *ret;
	float *d;		/* by thread and row: margins */
};

static uint32_t
bin_of(float x, float low, float scale, uint32_t bins)
{
	float b = (x - low) * scale;

	if (!(b > 0))
		return 0;
	return b >= (float)(bins - 1) ? bins - 1 : (uint32_t)b;
}

/*
 * The value below which ${rank} of d[0..n) lie: by two histograms, the second
 * of the bin that the first one found.  Exact to a part in 16 million of the
 * range, whatever the order of the values.
 */
static float
quantile(const float *d, size_t n, size_t rank)
{
	float low = d[0], high = d[0];

	for (size_t i = 1; i < n; i++) {
		low = d[i] < low ? d[i] : low;
		high = d[i] > high ? d[i] : high;
	}
	for (int round = 0; round < 2 && high > low; round++) {
		uint32_t hist[FINE] = {0}, b = 0;
		float width = (high - low) / FINE;
		size_t below = 0;

		for (size_t i = 0; i < n; i++)
			if (d[i] >= low && d[i] <= high)
				hist[bin_of(d[i], low, 1 / width, FINE)]++;
		while (b < FINE - 1 && below + hist[b] <= rank)
			below += hist[b++];
		low += width * (float)b;
		high = low + width;
		rank -= below;
	}
	return low;
}

/* Smoothed by a Gaussian, with a floor, as log10 of a density. */
static void
smooth(const double *hist, double *out)
{
	double kernel[2 * TAPS + 1], norm = 0, all = 0;

	for (int t = -TAPS; t <= TAPS; t++) {
		kernel[t + TAPS] = exp(-0.5 * t * t / (SIGMA * SIGMA));
		norm += kernel[t + TAPS];
	}
	for (int b = 0; b < TEXTDENS_BINS; b++) {
		double x = 0;

		for (int t = -TAPS; t <= TAPS; t++)
			if (b + t >= 0 && b + t < TEXTDENS_BINS)
				x += hist[b + t] * kernel[t + TAPS];
		out[b] = x / norm + FLOOR;
		all += out[b];
	}
	for (int b = 0; b < TEXTDENS_BINS; b++)
		out[b] = log10(out[b] / all);
}

static void
one_class(void *ctx, size_t c, unsigned thread)
{
	const struct densing *t = ctx;
	const struct textfit *f = t->f;
	const struct textstore *s = f->v->s;
	size_t n = s->rows;
	float *d = t->d + thread * n, high;
	double hist[4][TEXTDENS_BINS] = {{0}}, g[4][TEXTDENS_BINS];
	double apart = 0;
	struct textdens *r = &t->ret[c];

	for (size_t i = 0; i < n; i++)
		d[i] = textfit_margin(f, t->m + i * f->width, (unsigned)c);
	r->low = quantile(d, n, n / 1000);
	high = quantile(d, n, n - 1 - n / 1000);
	r->scale = high > r->low ? TEXTDENS_BINS / (high - r->low) : 0;
	for (size_t i = 0; i < n; i++) {
		if (s->row[i].label != c) {
			hist[0][textdens_bin(r, d[i])]++;
			continue;
		}
		hist[1][textdens_bin(r, d[i])]++;
		hist[2][textdens_bin(r, d[i] - f->top[i * 2])]++;
		hist[3][textdens_bin(r, d[i] - f->top[i * 2 + 1])]++;
	}
	for (int k = 0; k < 4; k++)
		smooth(hist[k], g[k]);
	for (int b = 0; b < TEXTDENS_BINS; b++) {
		r->own[b] = (float)(g[0][b] - g[1][b]);
		r->cut[0][b] = (float)(g[0][b] - g[2][b]);
		r->cut[1][b] = (float)(g[0][b] - g[3][b]);
		apart += (g[0][b] - g[1][b]) * pow(10, g[0][b]);
	}
	r->apart = (float)apart;
}

int
textdens_build(const struct textfit *f, const float *m, struct pool *pool,
    struct textdens *ret, struct err *e)
{
	struct densing t = {f, m, ret, NULL};

	t.d = calloc(pool_threads(pool) * f->v->s->rows, sizeof(*t.d));
	if (t.d == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, one_class, &t, f->classes);
	free(t.d);
	return 0;
}
