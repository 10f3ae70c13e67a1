#ifndef ANALYZER_DIFF_PERMUTE_H_
#define ANALYZER_DIFF_PERMUTE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/cast.h"

struct arena;
struct err;
struct pool;
struct tensor;

/*
 * Rows or columns that stand in another order, each perhaps multiplied by a
 * positive constant: B[i][j] = scale[i] * A[to[i]][j], and so for columns.
 */
#define PERMUTE_ROWS (1U << 22)		/* more are not looked at */
#define PERMUTE_COLUMNS (1U << 20)
#define PERMUTE_SCALED (1U << 19)

struct permute_axis {
	uint32_t n;
	const uint32_t *to;	/* NULL: in place */
	const float *scale;	/* NULL: all 1 */
	uint32_t cycles;	/* without fixed points */
	uint32_t moved;
	uint64_t digest;	/* equal for equal orders */
	uint32_t head;		/* rows a head: the GGUF converter's order */
	uint32_t unit;		/* columns that move as one: a kernel's */
	uint32_t matched;	/* with scale: rows that fit to 1 ulp or so */
};

struct permute {
	struct permute_axis rows, cols;
};

/*
 * permute_find: an order of rows and of columns that makes cast(A) B, bit by
 * bit.  1 and *ret, its vectors in ${arena}; 0; negative on no memory.
 */
int permute_find(struct pool *pool, const struct tensor *a,
    const struct tensor *b, enum cast cast, struct arena *arena,
    struct permute *ret, struct err *e);

/*
 * permute_find_scaled: rows, or else columns, multiplied by positive
 * constants and perhaps in another order; nine tenths must fit, so that an
 * edit of a few does not hide the order of the rest.  What does not has UINT32_MAX in ${to}.
 */
int permute_find_scaled(struct pool *pool, const struct tensor *a,
    const struct tensor *b, struct arena *arena, struct permute *ret,
    struct err *e);

/*
 * permute_fits: does a vector (a bias, a gain) follow this order, and its
 * scale when ${scaled}?
 */
bool permute_fits(const struct tensor *a, const struct tensor *b,
    const struct permute_axis *x, bool scaled);

/* permute_same: the same order, and scales whose product is 1 (inverse). */
bool permute_same(const struct permute_axis *x, const struct permute_axis *y,
    bool inverse);

#endif /* !ANALYZER_DIFF_PERMUTE_H_ */
