#ifndef TESTS_LIB_TRAFFIC_CASE_H_
#define TESTS_LIB_TRAFFIC_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/traffic.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * A log that a test makes up, and what is told of it: one line for each row,
 *   caller NAME REQUESTS [VERDICTS] STATISTICS
 *   candidate|lead METHOD KIND 'VALUE' -> 'TARGET' EVIDENCE
 *   detector METHOD applied|rests: REASON EVIDENCE
 */
struct traffic_case {
	struct err e;
	struct rows rows;
	struct traffic_out out;
	struct traffic *t;
	struct buf told;
};

void traffic_case_start(struct traffic_case *c);
void traffic_case_stop(struct traffic_case *c);

/* traffic_case_run: both passes and the end; make() fills each record. */
typedef void (*traffic_make)(void *ctx, uint64_t i, struct traffic_record *r);
void traffic_case_run(struct traffic_case *c, uint64_t n, traffic_make make,
    void *ctx);

/* The line that begins with ${start}, or NULL; until the next call. */
const char *traffic_case_line(struct traffic_case *c, const char *start);
/* How many lines begin so. */
unsigned traffic_case_count(struct traffic_case *c, const char *start);

/* The same numbers each time (splitmix64). */
uint64_t traffic_case_random(uint64_t *state);

#endif /* !TESTS_LIB_TRAFFIC_CASE_H_ */
