#ifndef ANALYZER_DIFF_CALLORDER_H_
#define ANALYZER_DIFF_CALLORDER_H_

#include <stddef.h>
#include <stdint.h>

struct arena;
struct calltable;
struct callgroup;
struct err;

/*
 * Calls that both files make in the same pickle, and whose order changed: the
 * fewest that have to be moved for both orders to be one (what is not in a
 * longest increasing sequence).  Places count from 0 among the calls that
 * both have.
 */
struct callmoved {
	const struct callgroup *old, *new;
	uint32_t from, to;
};

/* callorder: *ret has *n entries, in the order of OLD.  0, or ERR_NOMEM. */
int callorder(const struct calltable *old, const struct calltable *new,
    struct arena *a, struct callmoved **ret, size_t *n, struct err *e);

#endif /* !ANALYZER_DIFF_CALLORDER_H_ */
