#ifndef ANALYZER_DIFF_SKETCH_KERNEL_H_
#define ANALYZER_DIFF_SKETCH_KERNEL_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * The inner loops of a sketch, for AVX2 with FMA and portable: the same
 * algorithm, equal up to the rounding of single sums.
 */

/*
 * C += A X: ${rows} rows and ${width} columns (a multiple of 8) of C, sums
 * over ${depth}.  Element (i, l) of A is a[i * ri + l * rl], so A may stand
 * either way; rows of X and C are ldx and ldc apart.
 */
struct sketch_mul {
	const float *a;
	size_t ri, rl;
	const float *x;
	size_t ldx;
	float *c;
	size_t ldc;
	size_t rows, depth, width;
};

struct sketch_kernels {
	void (*mul)(const struct sketch_mul *m);
	/* gram: g += Y^T Y, its upper triangle, of ${rows} rows of ${y}, each
	 * of ${q} floats (a multiple of 4). */
	void (*gram)(const float *y, size_t rows, size_t q, double *g);
	/* apply: each row of ${y} times the upper triangle ${r}, q x q. */
	void (*apply)(float *y, size_t rows, size_t q, const double *r);
};

/* The best that this machine runs, or the portable ones. */
const struct sketch_kernels *sketch_kernels(bool portable);

/* Columns that gram and apply take at most. */
#define SKETCH_WIDTH_MAX 272

#endif /* !ANALYZER_DIFF_SKETCH_KERNEL_H_ */
