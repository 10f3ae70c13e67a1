#ifndef FORMATS_LOGS_PENDING_H_
#define FORMATS_LOGS_PENDING_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Records that wait for their other half, by a key: a ring of bytes of fixed
 * size, oldest first out, and a table of slots.  Holds packed bytes and knows
 * nothing about them.
 */
struct pending {
	uint8_t *ring;
	size_t cap, head, tail;	/* oldest, next free */
	uint32_t *slot;		/* place of a record + 1, in PENDING_UNIT */
	size_t slots;
	uint64_t count;		/* alive */
	uint64_t all;		/* entries, dead ones too */
};

struct pending_record {
	const uint8_t *key, *p;	/* into the ring: until the next call */
	size_t key_n, n;
	uint8_t half;		/* the caller's */
};

/* pending_init: false when ${a} has no room. */
bool pending_init(struct pending *t, size_t cap, size_t records,
    struct arena *a);
/*
 * pending_take: the record with this key, which is in the table no longer
 * (its bytes stay until the next pending_put); false: there is none.
 */
bool pending_take(struct pending *t, const uint8_t *key, size_t key_n,
    struct pending_record *ret);
/* pending_oldest: takes the oldest; false: there is none. */
bool pending_oldest(struct pending *t, struct pending_record *ret);
/*
 * pending_put: false when there is no room: take the oldest and try again.
 * What cannot fit an empty table must not be given.
 */
bool pending_put(struct pending *t, const struct pending_record *r);

#endif /* !FORMATS_LOGS_PENDING_H_ */
