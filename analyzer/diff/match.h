#ifndef ANALYZER_DIFF_MATCH_H_
#define ANALYZER_DIFF_MATCH_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/pair.h"

struct arena;
struct err;
struct pool;
struct table;
struct unit;

/*
 * Which tensor of the old model is which of the new: the most certain rule
 * first, each on what the ones before left over.
 *
 *   match_names.c    the same name; without wrappers' prefixes; by the names
 *                    of other frameworks
 *   match_parts.c    slices of fused tensors (q, k, v in one); tied twins
 *   match_content.c  equal bytes; same shape and nearly the same direction
 *   match.c          models of a side to models of the other, and the order
 *
 * What no rule matches is removed or added; a model without a counterpart is
 * told as DIFF-UNMATCHED.
 */
struct match {
	struct table *side[2];
	struct pool *pool;
	struct arena *arena;
	const struct rows *rows;
	struct pairs *out;
	/* Of the two models that are being matched: what is left, by name. */
	const struct tensor **left[2];
	size_t nleft[2];
	bool tired;		/* too much was left to compare directions */
	struct err *e;
};

/*
 * match_tables: pairs of all models of both sides into m->out, which the
 * caller made and frees (match_release).  The caller set side, pool, arena,
 * rows, out and e.
 */
int match_tables(struct match *m);
void match_release(struct pairs *p);

/* match_units: of one model with another. */
int match_units(struct match *m, const struct unit *a, const struct unit *b);

/* For the files above alone. */
int match_add(struct match *m, const struct pair *p);
/* match_compact: drop what is NULL by now. */
void match_compact(struct match *m);
int match_by_name(struct match *m);
int match_by_prefix(struct match *m);
int match_by_table(struct match *m);
int match_by_digest(struct match *m);
int match_by_similarity(struct match *m);
int match_parts(struct match *m);
int match_ties(struct match *m);

#endif /* !ANALYZER_DIFF_MATCH_H_ */
