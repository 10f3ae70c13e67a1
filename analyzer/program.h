#ifndef ANALYZER_PROGRAM_H_
#define ANALYZER_PROGRAM_H_

#include <stdint.h>

#include "analyzer/policy.h"

struct err;
struct ev_call;
struct wire;

/*
 * The program that loading an object runs: its calls in order, with what the
 * policy thinks of each callee.  It is told for objects in which calls were
 * found to matter, or for all (program_wanted), by a second parse: a clean
 * model of a million calls pays nothing for it.
 *
 * At most ${max} calls are told; an object's row says how many there are.
 */
enum program_mode {
	PROGRAM_NONE,
	PROGRAM_JUDGED,		/* of objects with a finding from a call */
	PROGRAM_ALL,
};
#define PROGRAM_MAX_JUDGED 500
#define PROGRAM_MAX_ALL 100000

struct program {
	struct wire *w;
	uint32_t object;
	uint64_t sent, max;
};
int program_call(struct program *p, const struct ev_call *c, struct err *e);

/* "allow", "judge", "dangerous", "unknown" */
const char *program_class_name(enum policy_class c);

#endif /* !ANALYZER_PROGRAM_H_ */
