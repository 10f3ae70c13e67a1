#ifndef ANALYZER_TRIGGERS_JOIN_H_
#define ANALYZER_TRIGGERS_JOIN_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

struct arena;
struct err;

/*
 * Candidates of several detectors over several pieces of evidence as one
 * list.  Two from different evidence agree when they name the same thing: the
 * same text, or one the other's words; letters' case, blanks at the ends and
 * the marks that tokenizers put before words do not count.
 *
 * Those that agree are one candidate: the strongest of them, whose evidence
 * then lists all under "supported_by"; the others follow as leads with their
 * own figures and "joined_into", its rank.  Ranks: candidates that more kinds
 * of evidence support first, then by score over threshold (evidence
 * "threshold"; 1 where a detector has none), then in the order they came.
 */
#define JOIN_COMPARED 4096	/* rows; those behind them join nothing */

enum join_origin { JOIN_DATA, JOIN_PAIR, JOIN_TRAFFIC, JOIN_ORIGINS };
const char *join_origin_name(enum join_origin o);

struct join {
	struct arena *arena;
	struct join_item *v;
	size_t n, cap;
};

/* join_add: copies; ERR_NOMEM when the arena is full. */
int join_add(struct join *j, const struct row_candidate *c,
    enum join_origin origin, struct err *e);

/*
 * join_tell: the list, then the leads, in order.  ${tell} gets each row once;
 * negative ends it.
 */
struct join_told {
	const struct row_candidate *c;
	enum join_origin origin;	/* its own */
	/* Of a candidate: whose it is, one bit each; of a lead 0. */
	unsigned origins;
};
int join_tell(struct join *j, int (*tell)(void *ctx,
    const struct join_told *t), void *ctx, struct err *e);

/*
 * join_watch: candidates (no leads) whose value is a text, as they were
 * added: what to look for in traffic.
 */
int join_watch(const struct join *j, int (*each)(void *ctx,
    const struct row_candidate *c), void *ctx);

#endif /* !ANALYZER_TRIGGERS_JOIN_H_ */
