#ifndef ANALYZER_DIFF_PERMUTE_PARTS_H_
#define ANALYZER_DIFF_PERMUTE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/permute.h"

/*
 * What permute.c and permute_scale.c share.
 */

/* Does each row begin with a block of its own, of the type and the cast? */
bool permute_rows_whole(const struct tensor *t, enum cast cast);

/* Columns that belong to one input channel of a convolution: 1 of others. */
uint32_t permute_kernel(const struct tensor *t);

/*
 * permute_axis_make: an axis from an order of n (and scales, or NULL), copied
 * into the arena unless it moves nothing.  Where runs of ${kernel} move as
 * one, the axis is one of runs.  0, or ERR_NOMEM.
 */
int permute_axis_make(struct permute_axis *ret, const uint32_t *to,
    const float *scale, size_t n, uint32_t kernel, struct arena *arena);

#endif /* !ANALYZER_DIFF_PERMUTE_PARTS_H_ */
