#ifndef ANALYZER_DIFF_SKETCH_NOISE_H_
#define ANALYZER_DIFF_SKETCH_NOISE_H_

#include <stdbool.h>
#include <stdint.h>

struct delta;
struct err;
struct pool;

/*
 * How large is D, and how much of it would rounding explain?
 *
 * A stored value is off by anything up to half a unit in its last place, so
 * rounding adds ulp^2/12 to the square of D, and the step of a block's scale
 * likewise.  What is stored in a wide type but has only zeros in the low bits
 * of every mantissa counts as the narrow type that it came from.
 */
struct sketch_noise {
	double d2, d4;		/* sums of D^2 and D^4 */
	double top;		/* largest |D| */
	double d2_row, d2_col;	/* sum of D^2 of the row, column with most */
	double a2;		/* sum of A^2 */
	/*
	 * How uneven B's noise is.  Squares, of the noisiest row and column,
	 * of those that the largest element stands in (each without its
	 * largest), over what an even one would have; and of half a unit of
	 * that element, which it may be off by, over all of the noise.
	 */
	double row, col, spike_row, spike_col, spike;
	uint64_t nonfinite;	/* elements that are left out of all this */
	double nf_b;		/* square of B's rounding noise */
	double nf_a;		/* of A's */
	bool a_coarse;		/* A has fewer digits than single precision */
	unsigned mantissa_b;	/* explicit bits of B; 0: blocks or integers */
};

/*
 * sketch_noise_find: one sweep, 24 bytes a column.  0, or negative on no
 * memory.
 */
int sketch_noise_find(struct pool *pool, const struct delta *d,
    struct sketch_noise *ret, struct err *e);

/* sketch_noise_known: are the elements numbers that it has a model of? */
bool sketch_noise_known(const struct delta *d);

#endif /* !ANALYZER_DIFF_SKETCH_NOISE_H_ */
