#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/callcount.h"
#include "analyzer/traffic/callerset.h"
#include "analyzer/traffic/trafhash.h"
#include "base/err.h"

struct callerset {
	struct callerset_caller *c;
	size_t n, slots;
	uint32_t *slot;		/* 1 + number, by hash */
};

struct callerset *
callerset_new(const struct callcount_pick *p, size_t n)
{
	struct callerset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->slots = 16;
	while (s->slots < n * 4)
		s->slots *= 2;
	s->c = calloc(n + 1, sizeof(*s->c));
	s->slot = calloc(s->slots, sizeof(*s->slot));
	if (s->c == NULL || s->slot == NULL) {
		callerset_free(s);
		return NULL;
	}
	s->n = n;
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)trafhash_mix(p[i].caller) &
		    (s->slots - 1);

		while (s->slot[at] != 0)
			at = (at + 1) & (s->slots - 1);
		s->slot[at] = (uint32_t)i + 1;
		s->c[i].hash = p[i].caller;
		s->c[i].counted = p[i].requests;
	}
	return s;
}

void
callerset_free(struct callerset *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->c != NULL && i < s->n; i++) {
		free(s->c[i].name.p);
		free(s->c[i].endpoint.p);
		imageprobe_free(s->c[i].image);
		textprobe_free(s->c[i].text);
	}
	free(s->c);
	free(s->slot);
	free(s);
}

size_t
callerset_count(const struct callerset *s)
{
	return s->n;
}

struct callerset_caller *
callerset_at(struct callerset *s, size_t i)
{
	return &s->c[i];
}

size_t
callerset_find(const struct callerset *s, uint64_t hash)
{
	size_t at = (size_t)trafhash_mix(hash) & (s->slots - 1);

	for (; s->slot[at] != 0; at = (at + 1) & (s->slots - 1))
		if (s->c[s->slot[at] - 1].hash == hash)
			return s->slot[at] - 1;
	return s->n;
}

int
callerset_copy(struct callerset_text *to, struct row_text t, size_t max)
{
	if (t.p == NULL)
		return 0;
	if (t.n > max)
		t.n = max;
	if ((to->p = malloc(t.n + 1)) == NULL)
		return ERR_NOMEM;
	memcpy(to->p, t.p, t.n);
	to->p[t.n] = '\0';
	to->n = t.n;
	return 0;
}

struct row_text
callerset_row(const struct callerset_text *t)
{
	return (struct row_text){t->p, t->n};
}
