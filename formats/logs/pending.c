#include <string.h>

#include "base/arena.h"
#include "base/bug.h"
#include "formats/logs/pending.h"

/*
 * Method.  The ring holds entries one behind the other, each a multiple of
 * UNIT; an entry never wraps: what is left at the end is a filler.  Slots are
 * open addressing over a fixed table at most half full; of a dead entry the
 * slot goes back to 0 by shifting those behind it (Knuth 6.4 R), so that no
 * marks gather.
 */
#define UNIT 16

struct entry {
	uint32_t size;		/* of the whole, with this */
	uint32_t n;
	uint32_t key_n;
	uint32_t hash : 24;
	uint32_t half : 7;
	uint32_t alive : 1;
};
_Static_assert(sizeof(struct entry) == UNIT, "an entry's head is one unit");

static uint32_t
hash(const uint8_t *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h >> 32 ^ h) & 0xffffff;
}

bool
pending_init(struct pending *t, size_t cap, size_t records, struct arena *a)
{
	size_t slots = 64;

	while (slots < records * 2)
		slots *= 2;
	*t = (struct pending){.cap = cap - cap % UNIT, .slots = slots};
	return (t->ring = arena_alloc(a, cap)) != NULL &&
	    (t->slot = arena_array(a, slots, sizeof(*t->slot))) != NULL;
}

static struct entry
entry_at(const struct pending *t, size_t place)
{
	struct entry x;

	memcpy(&x, t->ring + place, sizeof(x));
	return x;
}

static size_t
home(const struct pending *t, size_t place)
{
	return entry_at(t, place).hash & (t->slots - 1);
}

/* The slot of an entry is freed; later ones of its chain move up. */
static void
forget(struct pending *t, size_t i)
{
	size_t j = i, want;

	for (;;) {
		t->slot[i] = 0;
		do {
			j = (j + 1) & (t->slots - 1);
			if (t->slot[j] == 0)
				return;
			want = home(t, (size_t)(t->slot[j] - 1) * UNIT);
			/* Stays when its home lies between i and j. */
		} while (i <= j ? (i < want && want <= j) :
		    (i < want || want <= j));
		t->slot[i] = t->slot[j];
		i = j;
	}
}

static void
give(const struct pending *t, size_t place, struct pending_record *ret)
{
	const struct entry x = entry_at(t, place);

	*ret = (struct pending_record){.key = t->ring + place + UNIT,
	    .key_n = x.key_n, .p = t->ring + place + UNIT + x.key_n,
	    .n = x.n, .half = (uint8_t)x.half};
}

static void
kill(struct pending *t, size_t slot)
{
	const size_t place = (size_t)(t->slot[slot] - 1) * UNIT;
	struct entry x = entry_at(t, place);

	forget(t, slot);
	x.alive = 0;
	memcpy(t->ring + place, &x, sizeof(x));
	t->count--;
}

bool
pending_take(struct pending *t, const uint8_t *key, size_t key_n,
    struct pending_record *ret)
{
	const uint32_t h = hash(key, key_n);
	size_t i = h & (t->slots - 1);

	for (; t->slot[i] != 0; i = (i + 1) & (t->slots - 1)) {
		const size_t place = (size_t)(t->slot[i] - 1) * UNIT;
		const struct entry x = entry_at(t, place);

		if (x.hash != h || x.key_n != key_n ||
		    memcmp(t->ring + place + UNIT, key, key_n) != 0)
			continue;
		give(t, place, ret);
		kill(t, i);
		return true;
	}
	return false;
}

static void
drop_oldest(struct pending *t)
{
	const struct entry x = entry_at(t, t->head);

	t->head += x.size;
	if (t->head >= t->cap)
		t->head = 0;
	t->all--;
	if (t->all == 0)
		t->head = t->tail = 0;
}

bool
pending_oldest(struct pending *t, struct pending_record *ret)
{
	while (t->all > 0) {
		const size_t place = t->head;
		const struct entry x = entry_at(t, place);
		size_t i = x.hash & (t->slots - 1);

		if (x.alive) {
			while (t->slot[i] != place / UNIT + 1)
				i = (i + 1) & (t->slots - 1);
			give(t, place, ret);
			kill(t, i);
			drop_oldest(t);
			return true;
		}
		drop_oldest(t);
	}
	return false;
}

static void
put_entry(struct pending *t, size_t size, const struct pending_record *r,
    bool alive)
{
	struct entry x = {.size = (uint32_t)size, .alive = alive};
	size_t i;

	if (alive) {
		x.n = (uint32_t)r->n;
		x.key_n = (uint32_t)r->key_n;
		x.hash = hash(r->key, r->key_n) & 0xffffff;
		x.half = r->half & 0x7fU;
		memcpy(t->ring + t->tail + UNIT, r->key, r->key_n);
		memcpy(t->ring + t->tail + UNIT + r->key_n, r->p, r->n);
		for (i = x.hash & (t->slots - 1); t->slot[i] != 0;)
			i = (i + 1) & (t->slots - 1);
		t->slot[i] = (uint32_t)(t->tail / UNIT + 1);
		t->count++;
	}
	memcpy(t->ring + t->tail, &x, sizeof(x));
	t->all++;
	t->tail += size;
	if (t->tail >= t->cap)
		t->tail = 0;
}

bool
pending_put(struct pending *t, const struct pending_record *r)
{
	const size_t size = (UNIT + r->key_n + r->n + UNIT - 1) / UNIT * UNIT;

	BUG_ON(size > t->cap / 2);
	while (t->all > 0 && !entry_at(t, t->head).alive)
		drop_oldest(t);
	if (t->count >= t->slots / 2)
		return false;
	if (t->all > 0 && t->tail == t->head)
		return false;
	if (t->tail >= t->head && size > t->cap - t->tail) {
		/* A filler to the end; then from the beginning. */
		if (t->all > 0 && t->head == 0)
			return false;
		put_entry(t, t->cap - t->tail, r, false);
	}
	if (t->tail < t->head && size > t->head - t->tail)
		return false;
	put_entry(t, size, r, true);
	return true;
}
