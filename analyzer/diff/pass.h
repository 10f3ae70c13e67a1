#ifndef ANALYZER_DIFF_PASS_H_
#define ANALYZER_DIFF_PASS_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/delta.h"

struct err;
struct pool;
struct tensor;

/*
 * The first pass: one streaming read of both tensors, at the speed of memory.
 *
 * Sums are taken in single precision over blocks and added up in double.
 * Threads flush denormals to zero while they add (a product of subnormals
 * costs a hundred cycles); what "changed" means is decided on raw bits.
 * NaN and infinite values are counted and left out of every sum.  One build
 * has AVX2 and FMA kernels (pass_avx2.c) beside portable ones
 * (pass_portable.c), chosen at the first use: conclusions are the same, the
 * last digits of sums may differ.
 */
struct pass_sums {
	uint64_t n;
	double a2, b2, ab, d2;	/* sums of A^2, B^2, AB, (B-A)^2 */
	double max_abs;		/* largest |B-A| */
	/*
	 * Same type, one element a block, no cast: raw bits differ.  Else
	 * values do, after the cast (0 equals -0, and NaN equals NaN).
	 */
	uint64_t changed;
	uint64_t first, last;	/* index of the first and last of them, or 0 */
	uint64_t xor_or;	/* raw bits: OR of the XOR of all; else
				 * UINT64_MAX if any value changed */
	uint64_t nonfinite_a, nonfinite_b;
	uint64_t digest_a, digest_b;	/* pass_digest of the bytes */
};

/* Sums by row, where the caller wants them: rows of the 2-D view. */
struct pass_rows {
	double *d2, *a2;	/* rows each; NULL: not wanted */
};

/*
 * pass_run: the sums of ${d}, and the digests of both tensors (taken over
 * where a tensor is digested; the caller notes them in the tensors).
 * ${rows} may be NULL.  0, or negative on no memory.  PRE: same n, both at
 * hand; rows are those of d->b.
 */
int pass_run(struct pool *pool, const struct delta *d, struct pass_sums *ret,
    const struct pass_rows *rows, struct err *e);

/*
 * pass_digest: a 64-bit digest of len bytes, for finding equal tensors: not
 * cryptographic, equality is always confirmed by comparing bytes.
 */
uint64_t pass_digest(struct pool *pool, const uint8_t *p, uint64_t len);

/*
 * pass_select: the portable kernels or the best of this machine, for tests
 * and measurements; before any other thread computes.  Returns the name of
 * those in use from now on: "avx2" or "portable".
 */
const char *pass_select(bool portable);

/* Derived measures; 0 where the denominator is. */
double pass_rel(const struct pass_sums *s);	/* |D| / |A| */
double pass_cosine(const struct pass_sums *s);

/*
 * The second look, for tensors that changed: slower, and still one read.
 * Values that are not finite are left out of sums.
 *
 * ulp[k] counts elements whose distance on the order-preserving integer map
 * of their own type is in [2^(k-1), 2^k), ulp[0] those that are equal; of
 * types that differ, after a cast, and of blocks, the distance is that of the
 * values in single precision.  The last bin takes all that is farther.
 */
#define PASS_ULP_BINS 34
/*
 * More rows than this, or columns, are not looked at one by one: the figures
 * about them are 0.  Sums of them take 8 bytes each.
 */
#define PASS_LOOK_MAX (4 * 1024 * 1024)
#define PASS_GRID 32

struct pass_detail {
	double d4;		/* sum of D^4; kurtosis is n d4 / d2^2 */
	double d1;		/* sum of D */
	uint64_t sign_flips;
	uint64_t new_zeros;	/* B = 0, A was not */
	uint64_t lost_zeros;	/* A = 0, B is not */
	uint64_t zeros_b;
	uint64_t max_ulp;
	uint64_t ulp[PASS_ULP_BINS];
	/* D^2 summed over a grid of the 2-D view, for the heat map. */
	unsigned grid_rows, grid_cols;
	double grid[PASS_GRID][PASS_GRID];
	/* Share of sum D^2 in the strongest 1 % and 10 % of rows, of columns;
	 * rows that changed at all. */
	double top_rows_1, top_rows_10, top_cols_1, top_cols_10;
	uint64_t rows_changed, cols_changed;
	uint64_t best_rows[8], best_cols[8];	/* strongest first */
	unsigned nbest_rows, nbest_cols;
};

/* 0, or negative on no memory.  PRE: as pass_run. */
int pass_look(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct pass_detail *ret, struct err *e);

#endif /* !ANALYZER_DIFF_PASS_H_ */
