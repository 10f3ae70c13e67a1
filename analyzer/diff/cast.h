#ifndef ANALYZER_DIFF_CAST_H_
#define ANALYZER_DIFF_CAST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What storing in a coarser type makes of single-precision values: the exact
 * rules of the writers, applied and widened again.
 *
 *   BF16_EVEN  round to nearest, ties to even; NaN keeps its top half, quiet
 *   BF16_AWAY  ties away from zero       BF16_CUT  truncation
 *   F16        IEEE binary16, nearest even, gradual underflow, overflow to
 *              infinity                  F16_SAT   ... to +-65504
 *   F8_*       nearest even; _SAT clamps to the largest finite value
 *   Q8_0, Q4_0 ggml's reference quantiser (quantize_row_*_ref), 32 at a time
 */
enum cast {
	CAST_NONE,
	CAST_BF16_EVEN,
	CAST_BF16_AWAY,
	CAST_BF16_CUT,
	CAST_F16,
	CAST_F16_SAT,
	CAST_F8_E4M3,
	CAST_F8_E4M3_SAT,
	CAST_F8_E5M2,
	CAST_F8_E5M2_SAT,
	CAST_Q8_0,
	CAST_Q4_0,
	CAST_COUNT
};

const char *cast_name(enum cast c);	/* "bf16", "bf16-truncated", ... */

/* cast_unit: elements that must be cast together: 32 for Q*, else 1. */
unsigned cast_unit(enum cast c);

/*
 * cast_block: n, a multiple of cast_unit; dst may be src.  A block with NaN
 * or infinity has no defined codes in Q*; what cannot become a code is 0.
 */
void cast_block(enum cast c, const float *src, float *dst, size_t n);

/*
 * cast_equal: is B, as values, what the cast makes of A?  The same bits; any
 * NaN equals any NaN (writers differ in what they keep of it) and of Q* the
 * sign of zero is not asked for.  Of Q4_0 each block may come from either
 * compilation of x * id + 8.5: one rounding or two.
 */
bool cast_equal(enum cast c, const float *a, const float *b, size_t n);

/*
 * cast_stored: Q* only: are the n / 32 stored blocks at p, scale and codes,
 * the ones that the reference quantiser makes of A?
 */
bool cast_stored(enum cast c, const float *a, const uint8_t *p, size_t n);

#endif /* !ANALYZER_DIFF_CAST_H_ */
