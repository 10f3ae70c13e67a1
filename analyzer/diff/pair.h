#ifndef ANALYZER_DIFF_PAIR_H_
#define ANALYZER_DIFF_PAIR_H_

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"

struct relation;
struct spectrum;
struct tensor;

/*
 * A tensor of the old model and the one of the new that it is compared with,
 * and all that became known of the two.  Either may be NULL: removed, added.
 */
enum pair_match {
	MATCH_NONE,		/* one side only */
	MATCH_NAME,		/* the same name */
	MATCH_PREFIX,		/* ... without a wrapper's prefix */
	MATCH_TABLE,		/* another framework's name for it */
	MATCH_DIGEST,		/* equal bytes under another name */
	MATCH_SIMILAR,		/* same shape, nearly the same direction */
	MATCH_PART,		/* a slice of a fused tensor */
	MATCH_TIED,		/* its twin in the same model was matched */
	MATCH_COUNT
};
const char *pair_match_name(enum pair_match m);

struct pair {
	const struct tensor *a, *b;
	enum pair_match how;
	bool transposed;	/* one of them was turned round first */
	/* The older tensor as it lies in its file, where ${a} is a copy of it
	 * in another order; or NULL. */
	const struct tensor *was;
	unsigned head;		/* rows a head that were brought into the other
				 * one's order first (headorder.h); or 0 */
	/* MATCH_PART: what the slice is of; MATCH_TIED: the twin. */
	const struct tensor *other;
	enum row_status status;
	bool measured;		/* sums hold */
	bool identical;		/* same type, same bytes, all of them measured */
	struct pass_sums sums;	/* of B - A as they are */
	struct pass_sums *cast_sums;	/* of B - cast(A), where the relation
				 * has a cast; or NULL */
	bool told;		/* a conclusion of its own explains it */
	struct relation *relation;	/* NULL: not asked */
	struct spectrum *spectrum;	/* NULL: not asked */
	struct pass_detail *detail;	/* NULL: not asked, or no room */
	double *share;		/* of each attention head in D^2; or NULL */
	uint32_t heads;
	const struct tensor *cut[2];	/* these rows alone */
	uint64_t shared;	/* rows that both have, of matrices that have
				 * different numbers of them: sums are of these */
};

struct pairs {
	struct pair *v;		/* in order of the names that are shown */
	size_t n, cap;
};

#endif /* !ANALYZER_DIFF_PAIR_H_ */
