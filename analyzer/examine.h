#ifndef ANALYZER_EXAMINE_H_
#define ANALYZER_EXAMINE_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/worker.h"

struct attempt;
struct bytesrc;
struct err;
struct ev_member;
struct wire;

/*
 * Examine one object, inside the worker: bids, parse, rules, nested objects.
 */
struct examine {
	const struct worker_job *job;
	struct wire *wire;
	uint32_t next_index;	/* of the next object */
	bool fault;		/* our side failed: the worker exits non-zero */
	uint32_t asks;		/* for siblings */
	uint64_t carved;	/* bytes sent for --carve */
	uint64_t room;		/* what nested objects may still have */
	unsigned dormant;	/* objects around this one that nothing loads */
};

/*
 * examine_room: does a member of ${size} fit in what nested objects may still
 * have?  It is taken off, with its own cost: a million empty ones are not
 * free.  One that does not fit takes half of what is left: it may have been
 * decompressed that far.
 */
#define EXAMINE_COST 1024

static inline bool
examine_room(struct examine *x, uint64_t size)
{
	bool fits = x->room >= EXAMINE_COST && size <= x->room - EXAMINE_COST;

	x->room -= fits ? size + EXAMINE_COST : x->room / 2;
	return fits;
}

/*
 * examine_object: tell the parent everything about the object; ${parent} is
 * WIRE_NONE for the worker's own.  ${name} and flags as in ev_member.
 * Negative when our side failed or the parent is gone.
 */
int examine_object(struct examine *x, const struct ev_member *m,
    uint32_t parent, unsigned depth, struct err *e);

/*
 * examine_program: tell the calls of an object that was parsed, as the job
 * wants them, by parsing it once more for calls alone.
 */
int examine_program(struct examine *x, const struct attempt *at,
    const struct bytesrc *src, uint32_t index, unsigned depth,
    struct err *e);

#endif /* !ANALYZER_EXAMINE_H_ */
