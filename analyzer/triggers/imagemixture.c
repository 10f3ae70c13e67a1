#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/imageresidue.h"

#define ROUNDS 40
#define WEIGHT_MOST 0.6
#define NARROW 0.3		/* the upper is no narrower than this */
#define SD_LEAST 0.1		/* of values whose own spread is 1 */
#define SETTLED 1e-5
#define MAD 1.4826

struct gaussian {
	double mean, sd;
};

int
residue_by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static double
median(const double *sorted, uint32_t n)
{
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

void
residue_robust(double *v, double *sorted, uint32_t n, double least)
{
	double mid, spread;

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), residue_by_value);
	mid = median(sorted, n);
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = fabs(v[i] - mid);
	qsort(sorted, n, sizeof(*v), residue_by_value);
	spread = fmax(MAD * median(sorted, n), least);
	for (uint32_t i = 0; i < n; i++)
		v[i] = (v[i] - mid) / spread;
}

static struct gaussian
of(const double *v, uint32_t n)
{
	double sum = 0, square = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += v[i];
	sum /= n;
	for (uint32_t i = 0; i < n; i++)
		square += (v[i] - sum) * (v[i] - sum);
	return (struct gaussian){sum, fmax(sqrt(square / n), SD_LEAST)};
}

void
residue_mixture(const double *v, uint32_t n, double fraction, double *apart,
    double *weight)
{
	uint32_t m = (uint32_t)(fraction * n);
	struct gaussian a, b;
	double p, before;

	m = m < 2 ? 2 : m > n - 2 ? n - 2 : m;
	a = of(v, n - m);
	b = of(v + n - m, m);
	p = (double)m / n;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double sum = 0, s1[2] = {0}, s2[2] = {0};
		double ka = log((1 - p) / a.sd), kb;

		b.sd = b.sd < NARROW * a.sd ? NARROW * a.sd : b.sd;
		kb = log(p / b.sd);
		for (uint32_t i = 0; i < n; i++) {
			double x = (v[i] - a.mean) / a.sd;
			double y = (v[i] - b.mean) / b.sd;
			double r = 1 / (1 + exp(ka - x * x / 2 - kb +
			    y * y / 2));

			sum += r;
			s1[0] += (1 - r) * v[i];
			s1[1] += r * v[i];
			s2[0] += (1 - r) * v[i] * v[i];
			s2[1] += r * v[i] * v[i];
		}
		if (sum < 1e-6 || sum > n - 1e-6)
			break;
		a.mean = s1[0] / (n - sum);
		b.mean = s1[1] / sum;
		a.sd = fmax(sqrt(fmax(s2[0] / (n - sum) - a.mean * a.mean,
		    0)), SD_LEAST);
		b.sd = fmax(sqrt(fmax(s2[1] / sum - b.mean * b.mean, 0)),
		    SD_LEAST);
		before = p;
		p = fmin(sum / n, WEIGHT_MOST);
		if (fabs(p - before) < SETTLED)
			break;
	}
	b.sd = b.sd < NARROW * a.sd ? NARROW * a.sd : b.sd;
	*apart = (b.mean - a.mean) / sqrt((a.sd * a.sd + b.sd * b.sd) / 2);
	*weight = p;
}
