#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/pairset.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/bug.h"
#include "base/err.h"

#define FIRST_SLOTS 4096
#define LEVELS 16
#define SEVERAL 0		/* owner: more than one caller */

struct slot {
	uint64_t hash;		/* 0: empty */
	uint16_t owner;		/* caller + 1 */
	uint16_t uses;		/* by it, up to the most it can hold */
	float weight;
};

/* By the number of zeros that the hash of a pair ends in. */
struct share {
	double alone[LEVELS], all[LEVELS];
	uint64_t types[LEVELS], uses[LEVELS];	/* of those alone */
};

struct pairset {
	struct slot *slot;
	size_t slots, used;
	unsigned level;
	uint32_t callers;
	struct share *share;	/* of callers + 1 */
};

struct pairset *
pairset_new(uint32_t callers)
{
	struct pairset *p = calloc(1, sizeof(*p));

	BUG_ON(callers >= UINT16_MAX);
	if (p == NULL)
		return NULL;
	p->callers = callers;
	p->slots = FIRST_SLOTS;
	p->slot = calloc(p->slots, sizeof(*p->slot));
	p->share = calloc((size_t)callers + 1, sizeof(*p->share));
	if (p->slot == NULL || p->share == NULL) {
		pairset_free(p);
		return NULL;
	}
	return p;
}

void
pairset_free(struct pairset *p)
{
	if (p == NULL)
		return;
	free(p->slot);
	free(p->share);
	free(p);
}

static unsigned
level_of(uint64_t hash)
{
	unsigned n = 0;

	while (n < LEVELS - 1 && (hash >> n & 1) == 0)
		n++;
	return n;
}

static size_t
slot_of(const struct slot *slot, size_t slots, uint64_t hash)
{
	size_t at = (size_t)(hash >> 20) & (slots - 1);

	while (slot[at].hash != 0 && slot[at].hash != hash)
		at = (at + 1) & (slots - 1);
	return at;
}

/* Into a table of ${slots} (the old size: to make room), what may stay. */
static int
move(struct pairset *p, size_t slots)
{
	struct slot *slot = calloc(slots, sizeof(*slot));

	if (slot == NULL)
		return ERR_NOMEM;
	p->used = 0;
	for (size_t i = 0; i < p->slots; i++) {
		const struct slot *s = &p->slot[i];

		if (s->hash == 0 || level_of(s->hash) < p->level)
			continue;
		slot[slot_of(slot, slots, s->hash)] = *s;
		p->used++;
	}
	free(p->slot);
	p->slot = slot;
	p->slots = slots;
	return 0;
}

static int
make_room(struct pairset *p)
{
	int r;

	if (p->slots < LIMIT_TRAFFIC_PAIRS)
		return move(p, p->slots * 2);
	while (p->used >= p->slots / 4 * 3) {
		if (p->level == LEVELS - 1)
			return 0;
		p->level++;
		if ((r = move(p, p->slots)) < 0)
			return r;
	}
	return 0;
}

static int
add(struct pairset *p, uint32_t caller, uint64_t hash, float w)
{
	struct share *mine = &p->share[caller];
	unsigned level = level_of(hash);
	struct slot *s;
	int r;

	mine->all[level] += (double)w;
	if (level < p->level)
		return 0;
	s = &p->slot[slot_of(p->slot, p->slots, hash)];
	if (s->hash == 0) {
		if (p->used >= p->slots / 4 * 3) {
			if ((r = make_room(p)) < 0)
				return r;
			if (level < p->level)
				return 0;
			s = &p->slot[slot_of(p->slot, p->slots, hash)];
		}
		if ((caller == p->callers &&
		    p->used >= LIMIT_TRAFFIC_PAIRS / 2) ||
		    p->used >= p->slots - 1)
			return 0;
		*s = (struct slot){hash, (uint16_t)(caller + 1), 1, w};
		p->used++;
		mine->alone[level] += (double)w;
		mine->types[level]++;
		mine->uses[level]++;
	} else if (s->owner == caller + 1) {
		s->weight += w;
		mine->alone[level] += (double)w;
		mine->uses[level] += s->uses < UINT16_MAX;
		if (s->uses < UINT16_MAX)
			s->uses++;
	} else if (s->owner != SEVERAL) {
		mine = &p->share[s->owner - 1];
		mine->alone[level] -= (double)s->weight;
		mine->types[level]--;
		mine->uses[level] -= s->uses;
		s->owner = SEVERAL;
	}
	return 0;
}

int
pairset_add(struct pairset *p, uint32_t caller, const struct wordrun *w)
{
	uint64_t hash[WORDRUN_MAX];
	float weight;
	int r;

	if (w->n < 2)
		return 0;
	weight = 1 / (float)(w->n - 1);
	for (uint32_t i = 0; i + 1 < w->n; i++) {
		hash[i] = trafhash_two(w->hash[i], w->hash[i + 1]);
		hash[i] += hash[i] == 0;
		__builtin_prefetch(&p->slot[(size_t)(hash[i] >> 20) &
		    (p->slots - 1)]);
	}
	for (uint32_t i = 0; i + 1 < w->n; i++)
		if ((r = add(p, caller, hash[i], weight)) < 0)
			return r;
	return 0;
}

double
pairset_foreign(const struct pairset *p, uint32_t caller)
{
	const struct share *s = &p->share[caller];
	double alone = 0, all = 0;

	for (unsigned i = p->level; i < LEVELS; i++) {
		alone += s->alone[i];
		all += s->all[i];
	}
	return all > 0 ? (alone > 0 ? alone / all : 0) : 0;
}

double
pairset_fresh(const struct pairset *p, uint32_t caller)
{
	const struct share *s = &p->share[caller];
	uint64_t types = 0, uses = 0;

	for (unsigned i = p->level; i < LEVELS; i++) {
		types += s->types[i];
		uses += s->uses[i];
	}
	return uses > 0 ? (double)types / (double)uses : 0;
}

unsigned
pairset_level(const struct pairset *p)
{
	return p->level;
}
