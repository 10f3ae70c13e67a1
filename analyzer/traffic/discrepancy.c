#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/discrepancy.h"
#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/thumb.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"

#define BOTH (2 * DISCREPANCY_SAMPLE)

struct discrepancy {
	uint64_t seen[2];
	float point[2][DISCREPANCY_SAMPLE][DISCREPANCY_PLACES];
};

struct discrepancy *
discrepancy_new(void)
{
	return calloc(1, sizeof(struct discrepancy));
}

void
discrepancy_free(struct discrepancy *d)
{
	free(d);
}

/* A place for a further point (algorithm R), or NULL. */
static float *
place(struct discrepancy *d, unsigned side)
{
	uint64_t at = d->seen[side]++;

	if (at >= DISCREPANCY_SAMPLE)
		at = trafhash_mix(at + 77) % d->seen[side];
	return at < DISCREPANCY_SAMPLE ? d->point[side][at] : NULL;
}

void
discrepancy_words(struct discrepancy *d, unsigned side,
    const struct wordrun *w)
{
	float *v = place(d, side), square = 0;

	if (v == NULL)
		return;
	memset(v, 0, DISCREPANCY_PLACES * sizeof(*v));
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t h = trafhash_mix(w->hash[i]);

		v[h % DISCREPANCY_PLACES] += h >> 63 != 0 ? 1.0f : -1.0f;
	}
	for (unsigned i = 0; i < DISCREPANCY_PLACES; i++)
		square += v[i] * v[i];
	for (unsigned i = 0; square > 0 && i < DISCREPANCY_PLACES; i++)
		v[i] /= sqrtf(square);
}

void
discrepancy_thumb(struct discrepancy *d, unsigned side,
    const struct thumb *t)
{
	float *v = place(d, side);

	if (v != NULL)
		memcpy(v, t->exact, sizeof(t->exact));
}

size_t
discrepancy_count(const struct discrepancy *d, unsigned side)
{
	return d->seen[side] < DISCREPANCY_SAMPLE ? (size_t)d->seen[side] :
	    DISCREPANCY_SAMPLE;
}

struct kernel {
	const float *point[BOTH];
	float k[BOTH][BOTH];
	uint16_t order[BOTH];
	size_t n, m;		/* of the first side, in all */
};

static float
apart(const float *a, const float *b)
{
	float sum = 0;

	for (unsigned i = 0; i < DISCREPANCY_PLACES; i++) {
		float d = a[i] - b[i];

		sum += d * d;
	}
	return sum;
}

static int
fill(struct kernel *k)
{
	size_t n = 0, pairs = k->m * (k->m - 1) / 2;
	float *d = calloc(pairs, sizeof(*d)), width;

	if (d == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < k->m; i++)
		for (size_t j = 0; j < i; j++) {
			k->k[i][j] = apart(k->point[i], k->point[j]);
			d[n++] = k->k[i][j];
		}
	figures_sort(d, n);
	width = d[n / 2] > 0 ? d[n / 2] : 1;
	for (size_t i = 0; i < k->m; i++)
		for (size_t j = 0; j < i; j++)
			k->k[j][i] = k->k[i][j] = expf(-k->k[i][j] / width);
	free(d);
	return 0;
}

/* The unbiased square, for the sides as ${order} has them. */
static double
square_of(const struct kernel *k)
{
	double xx = 0, yy = 0, xy = 0, n = (double)k->n;
	double m = (double)(k->m - k->n);

	for (size_t i = 0; i < k->m; i++) {
		const float *row = k->k[k->order[i]];
		float a = 0, b = 0;

		for (size_t j = 0; j < k->n; j++)
			a += row[k->order[j]];
		for (size_t j = k->n; j < k->m; j++)
			b += row[k->order[j]];
		if (i < k->n) {
			xx += (double)a;
			xy += (double)b;
		} else {
			yy += (double)b;
		}
	}
	return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m);
}

int
discrepancy_test(struct discrepancy *d, double *square, double *p)
{
	struct kernel *k = calloc(1, sizeof(*k));
	unsigned above = 1;
	uint64_t seed = 0;
	int r;

	if (k == NULL)
		return ERR_NOMEM;
	k->n = discrepancy_count(d, 0);
	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; i < discrepancy_count(d, side); i++) {
			k->order[k->m] = (uint16_t)k->m;
			k->point[k->m++] = d->point[side][i];
		}
	if ((r = fill(k)) < 0)
		goto out;
	*square = square_of(k);
	for (unsigned i = 0; i < DISCREPANCY_PERMUTATIONS; i++) {
		for (size_t j = k->m - 1; j > 0; j--) {
			size_t at = trafhash_mix(++seed) % (j + 1);
			uint16_t t = k->order[j];

			k->order[j] = k->order[at];
			k->order[at] = t;
		}
		above += square_of(k) >= *square;
	}
	*p = (double)above / (DISCREPANCY_PERMUTATIONS + 1);
out:
	free(k);
	return r;
}
