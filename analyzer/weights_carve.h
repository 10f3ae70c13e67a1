#ifndef ANALYZER_WEIGHTS_CARVE_H_
#define ANALYZER_WEIGHTS_CARVE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/weights_magic.h"
#include "analyzer/weights_stream.h"

/*
 * The carver: beginnings of files in every stream of a tensor.
 *
 * A stream that is XORed with one byte is searched in two forms, raw and
 * lane0.  What is found is copied out, up to LIMIT_WEIGHTS_CARVE bytes of it.
 * Bounds: WEIGHTS_CARVES of one tensor, and so many looks that no crafted
 * tensor costs more than a few times an honest one; beyond that *cut is set.
 */
#define WEIGHTS_CARVES 16
/* Elements before a block that are shown again: longer than any pair. */
#define WEIGHTS_CARRY 64

struct weights_carve;

struct weights_carved {
	const struct weights_view *view;
	uint64_t first;		/* byte of the stream */
	const struct weights_found *found;
	const uint8_t *p;
	size_t n;
	bool whole;		/* its structure ends there */
};

struct weights_carve *weights_carve_new(struct err *e);
void weights_carve_free(struct weights_carve *c);

/* weights_carve_begin: a tensor; ${at} must live until its last block. */
void weights_carve_begin(struct weights_carve *c, const struct weights_at *at,
    int (*carved)(void *ctx, const struct weights_carved *x), void *ctx);

/*
 * weights_carve_block: ${n} elements at p, of which ${first} is the number of
 * the first (a multiple of 8).  Unless it is the ${last} one, the next block
 * begins with the last WEIGHTS_CARRY elements of this one.
 */
int weights_carve_block(struct weights_carve *c, const uint8_t *p, size_t n,
    uint64_t first, bool last, struct err *e);

/* weights_carve_cut: was a bound reached in this tensor? */
bool weights_carve_cut(const struct weights_carve *c);

#endif /* !ANALYZER_WEIGHTS_CARVE_H_ */
