#ifndef ANALYZER_DIFF_DELTA_H_
#define ANALYZER_DIFF_DELTA_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/cast.h"

struct tensor;

/*
 * D = B - cast(A), in single precision, made on the fly: it is never stored.
 * Both tensors have the same number of elements and their bytes at hand.
 */
struct delta {
	const struct tensor *a, *b;
	enum cast cast;		/* what A is rounded to first */
};

/*
 * Whoever asks keeps to multiples of this: it is a multiple of every block
 * of every element type and of every cast_unit.
 */
#define DELTA_UNIT 256

/*
 * delta_block: elements [at, at + n) of A (after the cast), of B and of D;
 * each output may be NULL.  ${at} is a multiple of DELTA_UNIT; n is one too
 * unless at + n is the tensor's end.  ${scratch} has room for 2 n floats.
 */
void delta_block(const struct delta *d, uint64_t at, size_t n, float *a,
    float *b, float *diff, float *scratch);

#endif /* !ANALYZER_DIFF_DELTA_H_ */
