#ifndef ANALYZER_DIFF_SKETCH_UNIT_H_
#define ANALYZER_DIFF_SKETCH_UNIT_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/elem.h"

struct tensor;

/*
 * Units in the last place: how far apart the values are that a type, or a
 * block, can hold near a value.
 */
#define SKETCH_UNIT_EXPONENTS 256	/* of single precision, biased */
#define SKETCH_UNIT_SINGLE 23		/* its explicit bits */

/* The exponent below which a type's values are no longer normal. */
int sketch_unit_least(enum elem t);

/*
 * sketch_unit_steps: the step of each of ${n} elements of blocks from ${at},
 * whose values are ${v}, into ${unit}.
 */
void sketch_unit_steps(const struct tensor *t, uint64_t at, size_t n,
    const float *v, float *unit);

/*
 * sketch_unit_noise: the square of the noise of a side, of which so many
 * elements have each exponent and ${ored} is the OR of their bits; of blocks
 * ${steps} is the sum of their squared steps.  *mantissa: explicit bits of
 * the narrowest type that holds what is there; 0: blocks or integers.
 */
double sketch_unit_noise(const struct tensor *t, const uint64_t *exponents,
    uint32_t ored, double steps, unsigned *mantissa);

#endif /* !ANALYZER_DIFF_SKETCH_UNIT_H_ */
