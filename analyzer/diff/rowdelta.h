#ifndef ANALYZER_DIFF_ROWDELTA_H_
#define ANALYZER_DIFF_ROWDELTA_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delta;
struct err;
struct pool;

/*
 * Rows of D one at a time, each against the older row of the same token:
 * ${map} says which that is, where ids moved.  Rows without an older partner
 * have no D.
 *
 * Values that are not finite, in D, become 0 in what is loaded; where the two
 * sides differ there, the row is ${wild}.
 */
#define ROWDELTA_NONE UINT32_MAX
#define ROWDELTA_COLS 65536	/* longer rows are no embedding's */

struct rowdelta {
	const struct delta *d;
	const uint32_t *map;	/* older row of each new one; NULL: the same */
	uint64_t nmap;		/* rows beyond have no partner */
	uint64_t rows, cols;	/* of NEW */
};

/*
 * rowdelta_init: false where rows cannot be told apart: other lengths, too
 * long, 2^32 of them, bytes not at hand, or rows that begin within a block.
 */
bool rowdelta_init(struct rowdelta *r, const struct delta *d,
    const uint32_t *map, uint64_t nmap);

/* rowdelta_old: the older row's number, or ROWDELTA_NONE. */
uint32_t rowdelta_old(const struct rowdelta *r, uint64_t row);

/*
 * rowdelta_load: D of one row into ${diff}, cols floats; ${scratch} has room
 * for 4 cols floats: then A (after the cast) and B, cols each, stand first in
 * it.  False: it has no partner, diff is zeros, scratch is as it was.
 */
struct rowdelta_note {
	bool wild;
	uint64_t changed;	/* elements whose values differ */
	double d2, a2;		/* sums of squares, finite ones */
};
bool rowdelta_load(const struct rowdelta *r, uint64_t row, float *diff,
    float *scratch, struct rowdelta_note *note);

/*
 * rowdelta_norms: delta[row] for all rows: |D|, infinite for wild rows, 0
 * without a partner.  0, or negative on no memory.
 */
int rowdelta_norms(struct pool *pool, const struct rowdelta *r, double *delta,
    struct err *e);

#endif /* !ANALYZER_DIFF_ROWDELTA_H_ */
