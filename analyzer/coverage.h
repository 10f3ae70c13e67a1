#ifndef ANALYZER_COVERAGE_H_
#define ANALYZER_COVERAGE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "formats/format.h"

struct arena;

/*
 * Which bytes of an object its parser explained.
 *
 * Ranges are taken in any order; each kind is kept merged with its
 * neighbour, which makes one range of most objects.  Past LIMIT_COVER_RANGES
 * of them ${full} is set and nothing more is kept: the object's map is not
 * whole then, and nobody may call its bytes unexplained.
 */
struct coverage_range {
	uint64_t off, end;
};

struct coverage_list {
	struct coverage_range *v;
	size_t n, cap;
};

struct coverage {
	struct arena *arena;
	struct coverage_list explained, padding, told_of;
	bool told;		/* at least one range */
	bool full;
};

void coverage_init(struct coverage *c, struct arena *a);
void coverage_add(struct coverage *c, uint64_t off, uint64_t len,
    enum cover kind);

/*
 * coverage_tell: the parser told an anomaly of its own about bytes that it
 * cannot explain; they are not explained, whatever else is said of them, and
 * need no second finding.
 */
void coverage_tell(struct coverage *c, uint64_t off, uint64_t len);

/*
 * coverage_walk(c, size, fn, ctx): the ranges that tile [0, size), in order;
 * told wins over explained, and that over padding.  Stops at the first negative of ${fn} and
 * returns it.  Sorts what it walks: call it once everything was added.
 */
enum coverage_kind {
	COVERAGE_EXPLAINED,
	COVERAGE_PADDING,
	COVERAGE_UNEXPLAINED,
	COVERAGE_TOLD,		/* counted as unexplained */
	COVERAGE_KINDS = COVERAGE_TOLD
};

/* What became of an object's bytes, for its row. */
struct coverage_sum {
	uint64_t bytes[COVERAGE_KINDS];
	uint64_t ranges[COVERAGE_KINDS];
	/* The first ranges that are not explained, in order. */
	struct coverage_bare {
		uint64_t off, len;
		bool padding;
	} bare[LIMIT_COVER_LISTED];
	unsigned nbare;
};

void coverage_count(struct coverage_sum *s, enum coverage_kind kind,
    uint64_t off, uint64_t len);
/* coverage_sum_ok: do the numbers agree with each other and with size? */
bool coverage_sum_ok(const struct coverage_sum *s, uint64_t size);

int coverage_walk(struct coverage *c, uint64_t size,
    int (*fn)(void *ctx, enum coverage_kind kind, uint64_t off,
    uint64_t len), void *ctx);

#endif /* !ANALYZER_COVERAGE_H_ */
