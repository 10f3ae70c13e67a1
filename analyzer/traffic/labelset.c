#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/trafhash.h"
#include "base/limits.h"

#define SLOTS ((size_t)LIMIT_TRAFFIC_LABELS * 2)

struct label {
	uint64_t hash, answers[2];
	char name[LABELSET_NAME];
	size_t len;
};

struct labelset {
	struct label *label;	/* grows; [0] is "other" */
	uint32_t count, cap;
	uint16_t slot[SLOTS];
};

struct labelset *
labelset_new(void)
{
	struct labelset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cap = 16;
	if ((s->label = calloc(s->cap, sizeof(*s->label))) == NULL) {
		free(s);
		return NULL;
	}
	s->count = 1;
	memcpy(s->label[0].name, "other", 5);
	s->label[0].len = 5;
	return s;
}

void
labelset_free(struct labelset *s)
{
	if (s == NULL)
		return;
	free(s->label);
	free(s);
}

static void
set_name(struct label *l, const struct answer *a, struct row_text name)
{
	int n;

	if (name.p != NULL) {
		l->len = name.n < LABELSET_NAME ? name.n : LABELSET_NAME;
		memcpy(l->name, name.p, l->len);
		return;
	}
	n = snprintf(l->name, sizeof(l->name), "%u", a->place);
	l->len = n > 0 ? (size_t)n : 0;
}

uint32_t
labelset_of(struct labelset *s, const struct answer *a, struct row_text name)
{
	size_t at = (size_t)trafhash_mix(a->label) & (SLOTS - 1);

	for (; s->slot[at] != 0; at = (at + 1) & (SLOTS - 1))
		if (s->label[s->slot[at]].hash == a->label)
			return s->slot[at];
	if (s->count == LIMIT_TRAFFIC_LABELS)
		return 0;
	if (s->count == s->cap) {
		struct label *l = realloc(s->label,
		    2 * (size_t)s->cap * sizeof(*l));

		if (l == NULL)
			return 0;
		s->label = l;
		s->cap *= 2;
	}
	memset(&s->label[s->count], 0, sizeof(s->label[0]));
	s->label[s->count].hash = a->label;
	set_name(&s->label[s->count], a, name);
	s->slot[at] = (uint16_t)s->count;
	return s->count++;
}

void
labelset_count(struct labelset *s, uint32_t label, unsigned window)
{
	s->label[label].answers[window]++;
}

uint32_t
labelset_find(const struct labelset *s, struct row_text name)
{
	for (uint32_t i = 1; i < s->count; i++)
		if (s->label[i].len == name.n && name.n > 0 &&
		    memcmp(s->label[i].name, name.p, name.n) == 0)
			return i;
	return 0;
}

uint32_t
labelset_labels(const struct labelset *s)
{
	return s->count;
}

uint64_t
labelset_answers(const struct labelset *s, uint32_t label, unsigned window)
{
	return s->label[label].answers[window];
}

uint64_t
labelset_in_all(const struct labelset *s, uint32_t label)
{
	return s->label[label].answers[0] + s->label[label].answers[1];
}

struct row_text
labelset_name(const struct labelset *s, uint32_t label)
{
	return (struct row_text){s->label[label].name, s->label[label].len};
}
