#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/callcount.h"
#include "analyzer/traffic/trafhash.h"
#include "base/err.h"
#include "base/limits.h"

#define FIRST_SLOTS 4096

struct slot {
	uint64_t caller;	/* requests 0: empty */
	uint64_t requests;
};

struct callcount {
	struct slot *slot;	/* open addressing, at most half full */
	size_t slots, used;
	/* The summary: a heap by count, and where each caller is in it. */
	struct slot *heap;
	uint32_t *place;	/* 1 + index into heap, by hash */
	size_t heaped;
	uint64_t requests, beyond;
};

#define PLACES ((size_t)LIMIT_TRAFFIC_COUNTERS * 2)

struct callcount *
callcount_new(void)
{
	struct callcount *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->slots = FIRST_SLOTS;
	if ((c->slot = calloc(c->slots, sizeof(*c->slot))) == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
callcount_free(struct callcount *c)
{
	if (c == NULL)
		return;
	free(c->slot);
	free(c->heap);
	free(c->place);
	free(c);
}

static struct slot *
slot_of(struct slot *slot, size_t slots, uint64_t caller)
{
	size_t at = (size_t)trafhash_mix(caller) & (slots - 1);

	while (slot[at].requests > 0 && slot[at].caller != caller)
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

static int
grow(struct callcount *c)
{
	size_t slots = c->slots * 2;
	struct slot *slot = calloc(slots, sizeof(*slot));

	if (slot == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->slots; i++)
		if (c->slot[i].requests > 0)
			*slot_of(slot, slots, c->slot[i].caller) = c->slot[i];
	free(c->slot);
	c->slot = slot;
	c->slots = slots;
	return 0;
}

/* Where ${caller} is noted, or the empty place where it would be. */
static size_t
place_of(const struct callcount *c, uint64_t caller)
{
	size_t at = (size_t)trafhash_mix(caller) & (PLACES - 1);

	while (c->place[at] > 0 && c->heap[c->place[at] - 1].caller != caller)
		at = (at + 1) & (PLACES - 1);
	return at;
}

/* Take a note away; those that came after it close the gap. */
static void
place_drop(struct callcount *c, uint64_t caller)
{
	size_t gap = place_of(c, caller), at = gap;

	c->place[gap] = 0;
	for (;;) {
		size_t home;

		at = (at + 1) & (PLACES - 1);
		if (c->place[at] == 0)
			return;
		home = (size_t)trafhash_mix(
		    c->heap[c->place[at] - 1].caller) & (PLACES - 1);
		if (((at - home) & (PLACES - 1)) < ((at - gap) & (PLACES - 1)))
			continue;
		c->place[gap] = c->place[at];
		c->place[at] = 0;
		gap = at;
	}
}

static void
heap_swap(struct callcount *c, size_t a, size_t b)
{
	size_t pa = place_of(c, c->heap[a].caller);
	size_t pb = place_of(c, c->heap[b].caller);
	struct slot t = c->heap[a];

	c->heap[a] = c->heap[b];
	c->heap[b] = t;
	c->place[pa] = (uint32_t)b + 1;
	c->place[pb] = (uint32_t)a + 1;
}

static void
heap_down(struct callcount *c, size_t i)
{
	for (;;) {
		size_t least = i, l = 2 * i + 1;

		for (size_t k = l; k < l + 2 && k < c->heaped; k++)
			if (c->heap[k].requests < c->heap[least].requests)
				least = k;
		if (least == i)
			return;
		heap_swap(c, i, least);
		i = least;
	}
}

static void
heap_up(struct callcount *c, size_t i)
{
	while (i > 0 &&
	    c->heap[i].requests < c->heap[(i - 1) / 2].requests) {
		heap_swap(c, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static int
save(struct callcount *c, uint64_t caller)
{
	size_t at;

	if (c->heap == NULL) {
		c->heap = calloc(LIMIT_TRAFFIC_COUNTERS, sizeof(*c->heap));
		c->place = calloc(PLACES, sizeof(*c->place));
		if (c->heap == NULL || c->place == NULL)
			return ERR_NOMEM;
	}
	c->beyond++;
	at = place_of(c, caller);
	if (c->place[at] > 0) {
		c->heap[c->place[at] - 1].requests++;
		heap_down(c, c->place[at] - 1);
		return 0;
	}
	if (c->heaped < LIMIT_TRAFFIC_COUNTERS) {
		c->heap[c->heaped] = (struct slot){caller, 1};
		c->place[at] = (uint32_t)++c->heaped;
		heap_up(c, c->heaped - 1);
		return 0;
	}
	place_drop(c, c->heap[0].caller);
	c->heap[0].caller = caller;
	c->heap[0].requests++;
	at = (size_t)trafhash_mix(caller) & (PLACES - 1);
	while (c->place[at] > 0)
		at = (at + 1) & (PLACES - 1);
	c->place[at] = 1;
	heap_down(c, 0);
	return 0;
}

int
callcount_add(struct callcount *c, uint64_t caller)
{
	struct slot *s = slot_of(c->slot, c->slots, caller);
	int r;

	if (s->requests == 0 && c->used >= LIMIT_TRAFFIC_EXACT) {
		if ((r = save(c, caller)) < 0)
			return r;
	} else if (s->requests > 0) {
		s->requests++;
	} else {
		*s = (struct slot){caller, 1};
		if (++c->used * 2 > c->slots && (r = grow(c)) < 0)
			return r;
	}
	c->requests++;
	return 0;
}

static int
busier(const void *a, const void *b)
{
	const struct callcount_pick *x = a, *y = b;

	if (x->requests != y->requests)
		return x->requests > y->requests ? -1 : 1;
	return (x->caller > y->caller) - (x->caller < y->caller);
}

/* By a hash of the caller: as good as by lot, and the same each time. */
static int
by_lot(const void *a, const void *b)
{
	const struct callcount_pick *x = a, *y = b;
	uint64_t h = trafhash_two(x->caller, 1), k = trafhash_two(y->caller, 1);

	return (h > k) - (h < k);
}

static void
gather(const struct slot *s, size_t n, uint64_t least,
    struct callcount_pick *to, size_t *count)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].requests < least || s[i].requests == 0)
			continue;
		if (to != NULL)
			to[*count] = (struct callcount_pick){s[i].caller,
			    s[i].requests};
		(*count)++;
	}
}

struct callcount_pick *
callcount_choose(const struct callcount *c, uint64_t least, size_t busiest,
    size_t others, size_t *n)
{
	struct callcount_pick *p;
	size_t count = 0;

	gather(c->slot, c->slots, least, NULL, &count);
	gather(c->heap, c->heaped, least, NULL, &count);
	if ((p = calloc(count + 1, sizeof(*p))) == NULL)
		return NULL;
	count = 0;
	gather(c->slot, c->slots, least, p, &count);
	gather(c->heap, c->heaped, least, p, &count);
	if (count > 1)
		qsort(p, count, sizeof(*p), busier);
	if (count > busiest) {
		if (count > busiest + 1)
			qsort(p + busiest, count - busiest, sizeof(*p),
			    by_lot);
		if (count > busiest + others)
			count = busiest + others;
		qsort(p + busiest, count - busiest, sizeof(*p), busier);
	}
	*n = count;
	return p;
}

void
callcount_sum(const struct callcount *c, uint64_t least,
    struct callcount_sum *ret)
{
	size_t enough = 0;

	gather(c->slot, c->slots, least, NULL, &enough);
	gather(c->heap, c->heaped, least, NULL, &enough);
	*ret = (struct callcount_sum){.callers = c->used,
	    .requests = c->requests, .enough = enough, .beyond = c->beyond,
	    .error = c->heaped == LIMIT_TRAFFIC_COUNTERS ?
	    c->heap[0].requests : 0};
}
