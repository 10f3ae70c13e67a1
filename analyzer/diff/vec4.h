#ifndef ANALYZER_DIFF_VEC4_H_
#define ANALYZER_DIFF_VEC4_H_

#include <stdint.h>
#include <string.h>

/*
 * Four lanes of single precision, in the compiler's own vectors: SSE2 or NEON
 * without a word of assembly.  What the optimiser does by itself depends on
 * its version and on -O; this does not.
 */
typedef float vec4 __attribute__((vector_size(16)));
typedef uint32_t vec4u __attribute__((vector_size(16)));
typedef int32_t vec4i __attribute__((vector_size(16)));
typedef uint16_t vec8h __attribute__((vector_size(16)));

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are little-endian, and this reads them as they are"
#endif

static inline vec4u
vec4_bits(const uint8_t *p)
{
	vec4u v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Lanes of ${no} where the mask is 0, of ${yes} where it is all ones. */
static inline vec4u
vec4_pick(vec4i mask, vec4u yes, vec4u no)
{
	return ((vec4u)mask & yes) | (~(vec4u)mask & no);
}

/*
 * Four binary16, each in the low half of a lane, as single precision: the
 * exponent's bias is exchanged, infinity and NaN moved to the top, and a
 * subnormal made one of 2^-14 from which that is taken away again: no
 * subnormal of single precision occurs, so that flushing them changes
 * nothing (F. Giesen, half_to_float_fast5).
 */
static inline vec4
vec4_f16(vec4u h)
{
	vec4u m = (h & 0x7fffU) << 13, e = m & 0x0f800000U;
	vec4u v = m + 0x38000000U;
	vec4 small = (vec4)(v + 0x800000U) - 0x1p-14F;

	v = vec4_pick(e == 0x0f800000U, v + 0x38000000U, v);
	v = vec4_pick(e == 0, (vec4u)small, v);
	return (vec4)(v | (h & 0x8000U) << 16);
}

#endif /* !ANALYZER_DIFF_VEC4_H_ */
