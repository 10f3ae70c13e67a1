#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/clusters.h"

void
clusters_init(struct clusters *k, uint32_t *series_left)
{
	memset(k, 0, sizeof(*k));
	k->left = series_left;
}

void
clusters_release(struct clusters *k)
{
	for (uint32_t i = 0; i < k->count; i++)
		free(k->c[i].series);
	free(k->c);
	memset(k, 0, sizeof(*k));
}

struct cluster *
clusters_of(const struct clusters *k, struct clusters_mark m)
{
	if (m.generation == 0 || m.at >= k->count ||
	    (uint16_t)k->c[m.at].generation != m.generation)
		return NULL;
	return &k->c[m.at];
}

static void
note_top(struct cluster *top, unsigned n, const struct cluster *c)
{
	unsigned i = n;

	while (i > 0 && (top[i - 1].size < c->size ||
	    (top[i - 1].size == c->size && top[i - 1].first > c->first))) {
		if (i < n)
			top[i] = top[i - 1];
		i--;
	}
	if (i < n)
		top[i] = *c;
}

bool
clusters_covers(const struct cluster *c)
{
	unsigned places = 0;

	if (c->hits < CLUSTERS_HITS || c->hubbed * 4 < c->hits)
		return false;
	for (unsigned i = 0; i < 2; i++)
		for (uint64_t b = c->positions[i]; b != 0; b &= b - 1)
			places++;
	return places >= CLUSTERS_PLACES;
}

void
clusters_covered(const struct clusters *k, uint64_t *hits, uint64_t *alike)
{
	*hits = k->gone_hits;
	*alike = k->gone_alike;
	for (uint32_t i = 0; i < k->count; i++)
		if (clusters_covers(&k->c[i])) {
			*hits += k->c[i].hits;
			*alike += k->c[i].alike;
		}
}

/* Who makes room: a small one that rested longest. */
static uint32_t
oldest(struct clusters *k)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < k->count; i++) {
		const struct cluster *a = &k->c[i], *b = &k->c[at];
		bool la = a->size >= CLUSTERS_LARGE;
		bool lb = b->size >= CLUSTERS_LARGE;

		if (la != lb ? lb : a->last < b->last)
			at = i;
	}
	if (k->c[at].size >= CLUSTERS_LARGE)
		k->dropped++;
	if (clusters_covers(&k->c[at])) {
		k->gone_hits += k->c[at].hits;
		k->gone_alike += k->c[at].alike;
	}
	note_top(k->top, CLUSTERS_TOP, &k->c[at]);
	if (k->c[at].series != NULL) {
		free(k->c[at].series);
		(*k->left)++;
	}
	return at;
}

struct cluster *
clusters_begin(struct clusters *k, uint64_t number, struct clusters_mark *m)
{
	uint32_t at, generation = 1;

	if (k->count == k->cap && k->cap < LIMIT_TRAFFIC_CLUSTERS) {
		uint32_t cap = k->cap == 0 ? 8 : k->cap * 2;
		struct cluster *c = realloc(k->c, cap * sizeof(*c));

		if (c == NULL)
			return NULL;
		k->c = c;
		k->cap = cap;
	}
	if (k->count < k->cap) {
		at = k->count++;
	} else {
		at = oldest(k);
		generation = (uint16_t)(k->c[at].generation + 1);
		generation += generation == 0;
	}
	memset(&k->c[at], 0, sizeof(k->c[at]));
	k->c[at].size = 1;
	k->c[at].generation = generation;
	k->c[at].first = k->c[at].last = number;
	*m = (struct clusters_mark){(uint16_t)at, (uint16_t)generation};
	return &k->c[at];
}

unsigned
clusters_top(const struct clusters *k, struct cluster ret[CLUSTERS_TOP])
{
	unsigned n = 0;

	memcpy(ret, k->top, sizeof(k->top));
	for (uint32_t i = 0; i < k->count; i++)
		note_top(ret, CLUSTERS_TOP, &k->c[i]);
	while (n < CLUSTERS_TOP && ret[n].size > 1)
		n++;
	return n;
}

struct clusters_series *
clusters_series_begin(struct clusters *k, struct cluster *c,
    const uint8_t *first, const struct answer_class *chosen)
{
	if (*k->left == 0 || (c->series = calloc(1, sizeof(*c->series))) ==
	    NULL)
		return NULL;
	(*k->left)--;
	c->series->stride = 1;
	c->series->chosen = *chosen;
	for (unsigned i = 0; i < THUMB; i++)
		c->series->first[i] = (float)first[i];
	return c->series;
}

void
clusters_series_add(struct clusters_series *s, const float *v,
    double probability)
{
	uint32_t at = s->seen++;

	for (unsigned i = 0; at < 40 && i < THUMB; i++) {
		s->head[0][i] += at < 8 ? v[i] : 0;
		s->head[1][i] += v[i];
	}
	if (at % s->stride != 0)
		return;
	if (s->kept == CLUSTERS_POINTS) {
		for (uint32_t i = 0; i < CLUSTERS_POINTS / 2; i++) {
			s->distance[i] = s->distance[2 * i];
			s->probability[i] = s->probability[2 * i];
		}
		s->kept = CLUSTERS_POINTS / 2;
		s->stride *= 2;
		if (at % s->stride != 0)
			return;
	}
	s->distance[s->kept] = (float)thumb_apart(s->first, v);
	s->probability[s->kept++] = isfinite(probability) ?
	    (float)probability : -1;
}
