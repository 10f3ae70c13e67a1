#ifndef ANALYZER_DIFF_SKETCH_EXACT_H_
#define ANALYZER_DIFF_SKETCH_EXACT_H_

#include <stdbool.h>
#include <stdint.h>

struct err;
struct sketch;
struct sketch_ask;

/*
 * All singular values of a matrix with a short side, from the Gram matrix of
 * that side in double precision: one sweep, exact, and for a model of many
 * small matrices far cheaper than a sketch.
 */
bool sketch_exact_fits(uint64_t m, uint64_t n);

/* sketch_exact_find: sketch_find where that fits; ask->q is not used. */
int sketch_exact_find(const struct sketch_ask *ask, struct sketch *ret,
    struct err *e);

#endif /* !ANALYZER_DIFF_SKETCH_EXACT_H_ */
