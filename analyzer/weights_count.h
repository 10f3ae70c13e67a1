#ifndef ANALYZER_WEIGHTS_COUNT_H_
#define ANALYZER_WEIGHTS_COUNT_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/weights_type.h"

/*
 * What can be counted of elements one by one: zeros of both signs, denormals,
 * NaNs and those with a payload that no arithmetic makes, and how many have
 * their lowest bits clear, which tells the precision that they once had.
 *
 *	class   bits of the mantissa that are clear      F32   F64
 *	0       was bfloat16                              16    45
 *	1       was float16                               13    42
 *	2       was float32 (F64); 16 bits of mantissa     8    29
 *	3                                                  4     8
 *
 * Types of 16 bits and less have no such classes: clear is not counted.
 */
#define WEIGHTS_CLASSES 4

struct weights_count {
	uint64_t n;
	uint64_t zero;		/* of either sign */
	uint64_t negative_zero;
	uint64_t denormal;
	uint64_t nan;		/* and of those: */
	uint64_t nan_payload;	/* more than the quiet bit is set */
	uint64_t clear[WEIGHTS_CLASSES];	/* and not zero */
};

extern const unsigned weights_count_bits[2][WEIGHTS_CLASSES]; /* F32, F64 */

/*
 * weights_count: add the n elements at p, whose type must be a float.  The
 * second is the same without SIMD.
 */
void weights_count(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c);
void weights_count_scalar(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c);

#endif /* !ANALYZER_WEIGHTS_COUNT_H_ */
