#ifndef ANALYZER_DIFF_ELEM_WIDE_H_
#define ANALYZER_DIFF_ELEM_WIDE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 16-bit floats made single precision, many at once: most models are stored
 * so, and everything but the first pass reads them through here.  Exact, in
 * eight lanes or in four: the two differ in nothing but that hardware makes
 * a signalling NaN of binary16 a quiet one.
 */
void elem_wide_bf16(const uint8_t *p, size_t n, float *dst);
void elem_wide_f16(const uint8_t *p, size_t n, float *dst);

/* elem_wide_select: for tests; whether the wide ones are in use from now. */
bool elem_wide_select(bool portable);

#endif /* !ANALYZER_DIFF_ELEM_WIDE_H_ */
