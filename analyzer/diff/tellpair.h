#ifndef ANALYZER_DIFF_TELLPAIR_H_
#define ANALYZER_DIFF_TELLPAIR_H_

#include <stdbool.h>

struct err;
struct pair;
struct pool;
struct rows;
struct table;

/*
 * A pair as the row of a tensor: docs/DIFF.md has the keys.  Digests of
 * tensors that were not measured are taken here; SHA-256 on demand.
 */
struct tellpair {
	const struct table *side[2];
	struct pool *pool;
	const struct rows *rows;
	bool sha256;
	struct err *e;
};

int tellpair_row(const struct tellpair *t, const struct pair *p);

#endif /* !ANALYZER_DIFF_TELLPAIR_H_ */
