#include <math.h>
#include <stdlib.h>

#include "analyzer/traffic/vectorscale.h"
#include "base/err.h"

#define LONGEST 4096
#define LEVELS 16.0

struct scale {
	size_t n;
	uint64_t seen;
	double *mean, *square;	/* running (Welford) */
};

struct vectorscale {
	struct scale scale[VECTORSCALE_LENGTHS];
	unsigned count;
};

struct vectorscale *
vectorscale_new(void)
{
	return calloc(1, sizeof(struct vectorscale));
}

void
vectorscale_free(struct vectorscale *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->count; i++) {
		free(s->scale[i].mean);
		free(s->scale[i].square);
	}
	free(s);
}

static struct scale *
scale_of(struct vectorscale *s, size_t n)
{
	struct scale *c;

	for (unsigned i = 0; i < s->count; i++)
		if (s->scale[i].n == n)
			return &s->scale[i];
	if (s->count == VECTORSCALE_LENGTHS)
		return NULL;
	c = &s->scale[s->count];
	c->mean = calloc(n, sizeof(double));
	c->square = calloc(n, sizeof(double));
	if (c->mean == NULL || c->square == NULL) {
		free(c->mean);
		free(c->square);
		c->mean = c->square = NULL;
		return NULL;
	}
	c->n = n;
	s->count++;
	return c;
}

static void
learn(struct scale *c, const double *v)
{
	c->seen++;
	for (size_t i = 0; i < c->n; i++) {
		double d = v[i] - c->mean[i];

		c->mean[i] += d / (double)c->seen;
		c->square[i] += d * (v[i] - c->mean[i]);
	}
}

static double
level(const struct scale *c, const double *v, size_t i)
{
	double sd = sqrt(c->square[i] / (double)c->seen);
	double z = sd > 0 ? (v[i] - c->mean[i]) / sd : 0;
	double g = 128 + LEVELS * z;

	return !(g > 0) ? 0 : g > 255 ? 255 : g;
}

int
vectorscale_thumb(struct vectorscale *s, const double *v, size_t n,
    struct thumb *ret)
{
	struct scale *c;

	if (n == 0 || n > LONGEST)
		return 1;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]) || fabs(v[i]) > 1e150)
			return 1;
	if ((c = scale_of(s, n)) == NULL)
		return 1;
	if (c->seen < VECTORSCALE_LEARN)
		learn(c, v);
	for (size_t to = 0; to < THUMB; to++) {
		double sum = 0;
		size_t many = 0;

		for (size_t i = to % n; i < n; i += THUMB, many++)
			sum += level(c, v, i);
		ret->exact[to] = (float)(sum / (double)many);
		ret->v[to] = (uint8_t)(ret->exact[to] + 0.5f);
	}
	ret->variation = 0;
	return 0;
}
