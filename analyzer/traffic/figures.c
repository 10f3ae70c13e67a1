#include <math.h>
#include <stdlib.h>

#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/trafhash.h"

void
figures_sample_add(struct figures_sample *s, double v)
{
	uint64_t at = s->seen++;

	if (!isfinite(v))
		v = 0;
	if (at >= FIGURES_SAMPLE)
		at = trafhash_mix(at) % s->seen;
	if (at < FIGURES_SAMPLE)
		s->v[at] = (float)v;
}

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void
figures_sort(float *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), by_value);
}

double
figures_quantile(const float *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	if (i + 1 >= n)
		return (double)sorted[n - 1];
	return (double)sorted[i] +
	    (at - (double)i) * ((double)sorted[i + 1] - (double)sorted[i]);
}

double
figures_median(float *v, size_t n)
{
	if (n == 0)
		return (double)NAN;
	figures_sort(v, n);
	return figures_quantile(v, n, 0.5);
}

double
figures_mad(float *v, size_t n, double centre)
{
	for (size_t i = 0; i < n; i++)
		v[i] = fabsf(v[i] - (float)centre);
	return figures_median(v, n);
}

struct ranked {
	float v;
	uint32_t order;
};

static int
by_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->v != y->v)
		return x->v < y->v ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

#define SPEARMAN_MAX 512

double
figures_spearman(const float *v, size_t n)
{
	struct ranked r[SPEARMAN_MAX];
	double mean = ((double)n - 1) / 2, xy = 0, xx = 0, yy = 0;

	if (n < 3 || n > SPEARMAN_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){v[i], (uint32_t)i};
	qsort(r, n, sizeof(r[0]), by_ranked);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i; j < n && r[j].v <= r[i].v; j++)
			continue;
		for (size_t k = i; k < j; k++) {
			double y = ((double)i + (double)j - 1) / 2 - mean;
			double x = (double)r[k].order - mean;

			xy += x * y;
			xx += x * x;
			yy += y * y;
		}
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

/* How many of the sorted values are below x, or up to it. */
static size_t
below(const float *v, size_t n, float x, int including)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid] < x || (including && v[mid] <= x))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

double
figures_ks(const float *a, size_t na, const float *b, size_t nb,
    const float *without, size_t nwithout)
{
	double most = 0, others = (double)nb - (double)nwithout;

	if (na == 0 || others <= 0)
		return 0;
	/* One side is a step at a's values, the other grows: there it is. */
	for (size_t i = 0; i < na; i++)
		for (int side = 0; side < 2; side++) {
			double fa, fb, d;

			fa = (double)below(a, na, a[i], side) / (double)na;
			fb = ((double)below(b, nb, a[i], side) -
			    (double)below(without, nwithout, a[i], side)) /
			    others;
			d = fabs(fa - fb);
			if (d > most)
				most = d;
		}
	return most;
}

double
figures_ks_p(double d, double na, double nb)
{
	double n = sqrt(na * nb / (na + nb));
	double t = (n + 0.12 + 0.11 / n) * d, p = 0, sign = 1;

	for (int k = 1; k <= 100; k++, sign = -sign) {
		double term = exp(-2 * t * t * k * k);

		p += 2 * sign * term;
		if (term < 1e-18)
			return p < 0 ? 0 : p > 1 ? 1 : p;
	}
	return 1;
}

double
figures_binomial(uint64_t n, uint64_t k, double p)
{
	double top, sum = 0, lp, lq, dn = (double)n;

	if (k == 0 || p >= 1)
		return 0;
	if (p <= 0 || k > n)
		return 300;
	if ((double)k <= dn * p)
		return 0;
	lp = log(p);
	lq = log1p(-p);
	top = lgamma(dn + 1) - lgamma((double)k + 1) -
	    lgamma(dn - (double)k + 1) + (double)k * lp +
	    (double)(n - k) * lq;
	/* Terms fall from the mean on: each is the last times a ratio. */
	for (double term = 1, i = (double)k; term > 1e-12 && i <= dn; i++) {
		sum += term;
		term *= (dn - i) / (i + 1) * p / (1 - p);
	}
	top = -(top + log(sum)) / log(10);
	return top > 300 ? 300 : top < 0 ? 0 : top;
}
