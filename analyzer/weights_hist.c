#include <string.h>

#include "analyzer/weights_hist.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/*
 * Two elements of 32 bits, or four of 16, come with one load.  An increment
 * depends on the one before when both hit one cell; the processor forwards
 * it, and tables for even and odd elements gained nothing [bench].
 */
static uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static inline void
one_f32(uint32_t x, uint16_t *o, uint16_t *low, uint16_t *second)
{
	o[(x >> 20) & 2047]++;
	low[x & 255]++;
	second[(x >> 8) & 255]++;
}

void
weights_hist_f32(const uint8_t *p, size_t n, struct weights_octaves *o,
    struct weights_lane *low, struct weights_lane *second)
{
	size_t i = 0;

	for (; n - i >= 2; i += 2) {
		uint64_t v = load64(p + 4 * i);

		one_f32((uint32_t)v, o->n, low->n, second->n);
		one_f32((uint32_t)(v >> 32), o->n, low->n, second->n);
	}
	if (i < n)
		one_f32(load32(p + 4 * i), o->n, low->n, second->n);
}

void
weights_hist_bf16(const uint8_t *p, size_t n, struct weights_octaves *o)
{
	uint16_t *cell = o->n;
	size_t i = 0;

	for (; n - i >= 4; i += 4) {
		uint64_t v = load64(p + 2 * i);

		cell[(v >> 4) & 2047]++;
		cell[(v >> 20) & 2047]++;
		cell[(v >> 36) & 2047]++;
		cell[(v >> 52) & 2047]++;
	}
	for (; i < n; i++)
		cell[((p[2 * i] | (unsigned)p[2 * i + 1] << 8) >> 4) & 2047]++;
}

static inline void
one_f16(uint64_t x, uint64_t *sum)
{
	sum[(x >> 8) & 255] += (UINT64_C(1) << 32) + (x & 255);
}

void
weights_hist_f16(const uint8_t *p, size_t n, struct weights_cells *c,
    struct weights_lane *low)
{
	size_t i = 0;

	for (; low == NULL && n - i >= 4; i += 4) {
		uint64_t v = load64(p + 2 * i);

		for (unsigned k = 0; k < 4; k++, v >>= 16)
			one_f16(v, c->sum);
	}
	for (; n - i >= 4; i += 4) {
		uint64_t v = load64(p + 2 * i);

		for (unsigned k = 0; k < 4; k++, v >>= 16) {
			one_f16(v, c->sum);
			low->n[v & 255]++;
		}
	}
	for (; i < n; i++) {
		one_f16(p[2 * i] | (unsigned)p[2 * i + 1] << 8, c->sum);
		if (low != NULL)
			low->n[p[2 * i]]++;
	}
}

void
weights_row_scalar(const uint16_t row[WEIGHTS_FIELDS], uint32_t *sum,
    uint32_t *squares)
{
	uint32_t s = 0, q = 0;

	for (unsigned j = 0; j < WEIGHTS_FIELDS; j++) {
		s += row[j];
		q += (uint32_t)row[j] * row[j];
	}
	*sum = s;
	*squares = q;
}

#if defined(__x86_64__)
/* Counts are below 2^15, so the signed products of SSE2 are right. */
static uint32_t
sum_lanes(__m128i v)
{
	v = _mm_add_epi32(v, _mm_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2)));
	v = _mm_add_epi32(v, _mm_shuffle_epi32(v, _MM_SHUFFLE(2, 3, 0, 1)));
	return (uint32_t)_mm_cvtsi128_si32(v);
}
#endif

void
weights_row(const uint16_t row[WEIGHTS_FIELDS], uint32_t *sum,
    uint32_t *squares)
{
#if defined(__x86_64__)
	const __m128i ones = _mm_set1_epi16(1);
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)row);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(row + 8));
	__m128i any = _mm_or_si128(a, b);

	*sum = *squares = 0;
	if (_mm_movemask_epi8(_mm_cmpeq_epi16(any, _mm_setzero_si128())) ==
	    0xffff)
		return;
	*sum = sum_lanes(_mm_add_epi32(_mm_madd_epi16(a, ones),
	    _mm_madd_epi16(b, ones)));
	*squares = sum_lanes(_mm_add_epi32(_mm_madd_epi16(a, a),
	    _mm_madd_epi16(b, b)));
#else
	weights_row_scalar(row, sum, squares);
#endif
}
