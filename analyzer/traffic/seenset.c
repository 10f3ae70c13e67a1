#include <stdlib.h>

#include "analyzer/traffic/seenset.h"
#include "base/limits.h"

struct seenset {
	uint32_t *mark;		/* 0: empty */
	uint64_t slots, used, dropped;
};

struct seenset *
seenset_new(uint64_t expected)
{
	struct seenset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->slots = 1024;
	while (s->slots < LIMIT_TRAFFIC_SEEN && s->slots / 2 < expected)
		s->slots *= 2;
	if ((s->mark = calloc(s->slots, sizeof(*s->mark))) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void
seenset_free(struct seenset *s)
{
	if (s == NULL)
		return;
	free(s->mark);
	free(s);
}

bool
seenset_again(struct seenset *s, uint64_t hash)
{
	uint64_t at = hash & (s->slots - 1);
	uint32_t mark = (uint32_t)(hash >> 32);

	if (mark == 0)
		mark = 1;
	for (; s->mark[at] != 0; at = (at + 1) & (s->slots - 1))
		if (s->mark[at] == mark)
			return true;
	if (s->used >= s->slots / 4 * 3) {
		s->dropped++;
		return false;
	}
	s->mark[at] = mark;
	s->used++;
	return false;
}

uint64_t
seenset_dropped(const struct seenset *s)
{
	return s->dropped;
}
