#ifndef ANALYZER_DIFF_PASS_BLOCK_H_
#define ANALYZER_DIFF_PASS_BLOCK_H_

#include <stdbool.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pass_kernel.h"

/*
 * One block of the first pass: loads it where the kernels cannot read what
 * is stored, calls them, and makes again with care what they cannot do:
 * values that are not finite are counted and left out, sums whose products
 * over- or underflow single precision are made in double.
 *
 * One a task; about 100 KiB, without an initial value but what
 * pass_block_init sets.
 */
struct pass_block {
	const struct delta *d;
	const struct pass_kernel *kernel;
	unsigned width;		/* bytes of an element the kernel reads */
	bool direct;		/* it reads what is stored */
	bool raw;		/* changed means raw bits */
	float a[PASS_BLOCK], b[PASS_BLOCK];
	struct pass_row row[PASS_BLOCK];
};

/*
 * Sums by row of a range of elements.  Whole rows are set in place; what the
 * range has of a row that began before it, or goes on after it, is added to
 * ${head} and ${tail}: the caller adds these up in order.
 */
struct pass_range {
	uint64_t lo, hi, cols;
	const struct pass_rows *rows;	/* NULL: none wanted */
	struct pass_part_row {
		double d2, a2;
	} head, tail;
};

void pass_block_init(struct pass_block *w, const struct delta *d,
    const struct pass_kernels *k);

/*
 * pass_block_load: their values into w->a and w->b, as they are compared:
 * where raw bits do not decide, there is one zero and one NaN.
 */
void pass_block_load(struct pass_block *w, uint64_t at, size_t n);

/*
 * pass_block_add: elements [at, at + n), n <= PASS_BLOCK, with ${at} and
 * ${n} as delta_block wants them.
 */
void pass_block_add(struct pass_block *w, uint64_t at, size_t n,
    struct pass_sums *s, struct pass_range *range);

#endif /* !ANALYZER_DIFF_PASS_BLOCK_H_ */
