#ifndef ANALYZER_TRAFFIC_CALLCOUNT_H_
#define ANALYZER_TRAFFIC_CALLCOUNT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many requests each caller made: exact for the first
 * LIMIT_TRAFFIC_EXACT callers, beyond them the Space-Saving summary of
 * Metwally, Agrawal and El Abbadi (2005), whose counts are too high by at
 * most the smallest of its counters and which holds every caller that is
 * above that.  Callers are told apart by a hash of 64 bits.
 */
struct callcount;

struct callcount_pick {
	uint64_t caller;	/* its hash */
	uint64_t requests;	/* at most so many */
};

struct callcount_sum {
	uint64_t callers;	/* different ones; of those counted exactly */
	uint64_t requests;
	uint64_t enough;	/* callers with at least ${least} requests */
	uint64_t beyond;	/* requests that only the summary saw */
	uint64_t error;		/* of the summary's counts */
};

struct callcount *callcount_new(void);	/* NULL: out of memory */
void callcount_free(struct callcount *c);
int callcount_add(struct callcount *c, uint64_t caller);

/*
 * callcount_choose: the ${busiest} callers with the most requests and ${others}
 * chosen evenly from the rest, all with at least ${least}, busiest first; *n
 * of them, to be freed.  NULL: out of memory.
 */
struct callcount_pick *callcount_choose(const struct callcount *c,
    uint64_t least, size_t busiest, size_t others, size_t *n);
void callcount_sum(const struct callcount *c, uint64_t least,
    struct callcount_sum *ret);

#endif /* !ANALYZER_TRAFFIC_CALLCOUNT_H_ */
