#include <string.h>

#include "analyzer/weights_count.h"
#include "base/bug.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

const unsigned weights_count_bits[2][WEIGHTS_CLASSES] = {
    {16, 13, 8, 4}, {45, 42, 29, 8}};

/* Sign, exponent, mantissa: where they stand in an element. */
struct layout {
	unsigned width, mantissa;
};

static struct layout
layout_of(enum weights_class cls)
{
	switch (cls) {
	case WEIGHTS_F16:
		return (struct layout){2, 10};
	case WEIGHTS_BF16:
		return (struct layout){2, 7};
	case WEIGHTS_F32:
		return (struct layout){4, 23};
	case WEIGHTS_F64:
		return (struct layout){8, 52};
	case WEIGHTS_BYTES:
		break;
	}
	BUG("bytes have no exponent");
}

static void
count_classes(const unsigned bits[WEIGHTS_CLASSES], uint64_t x,
    struct weights_count *c)
{
	for (unsigned k = 0; k < WEIGHTS_CLASSES; k++)
		c->clear[k] += (x & ((UINT64_C(1) << bits[k]) - 1)) == 0;
}

void
weights_count_scalar(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c)
{
	const struct layout l = layout_of(cls);
	const uint64_t sign = UINT64_C(1) << (8 * l.width - 1);
	const uint64_t least = UINT64_C(1) << l.mantissa;
	const uint64_t inf = (sign - 1) & ~(least - 1);

	c->n += n;
	for (size_t i = 0; i < n; i++) {
		uint64_t x = 0, a;

		for (unsigned b = 0; b < l.width; b++)
			x |= (uint64_t)p[i * l.width + b] << (8 * b);
		a = x & (sign - 1);
		if (a == 0) {
			c->zero++;
			c->negative_zero += x != 0;
			continue;
		}
		c->denormal += a < least;
		c->nan += a > inf;
		c->nan_payload += a > inf && a != (inf | (least >> 1));
		if (l.width > 2)
			count_classes(weights_count_bits[l.width == 8], x, c);
	}
}

#if defined(__x86_64__)
/*
 * The same for F32, eight elements at a time: every comparison gives -1 in a
 * lane where it holds, so subtracting counts.  A lane of 32 bits cannot
 * overflow in ${n} below 2^31.
 */
__attribute__((target("avx2"))) static uint64_t
sum_lanes(__m256i v)
{
	uint32_t x[8];
	uint64_t sum = 0;

	_mm256_storeu_si256((__m256i *)(void *)x, v);
	for (unsigned i = 0; i < 8; i++)
		sum += x[i];
	return sum;
}

__attribute__((target("avx2"))) static void
count_f32(const uint8_t *p, size_t n, struct weights_count *c)
{
	const __m256i none = _mm256_setzero_si256();
	const __m256i magnitude = _mm256_set1_epi32(INT32_MAX);
	const __m256i least = _mm256_set1_epi32(0x00800000);
	const __m256i inf = _mm256_set1_epi32(0x7f800000);
	const __m256i quiet = _mm256_set1_epi32(0x7fc00000);
	__m256i zero = none, plus = none, small = none, nan = none;
	__m256i plain = none, cl[WEIGHTS_CLASSES] = {none, none, none, none};
	size_t whole = n - n % 8;
	uint64_t zeros, cleared;

	for (size_t i = 0; i < whole; i += 8) {
		__m256i x = _mm256_loadu_si256(
		    (const __m256i *)(const void *)(p + 4 * i));
		__m256i a = _mm256_and_si256(x, magnitude);

		zero = _mm256_sub_epi32(zero, _mm256_cmpeq_epi32(a, none));
		plus = _mm256_sub_epi32(plus, _mm256_cmpeq_epi32(x, none));
		small = _mm256_sub_epi32(small, _mm256_cmpgt_epi32(least, a));
		nan = _mm256_sub_epi32(nan, _mm256_cmpgt_epi32(a, inf));
		plain = _mm256_sub_epi32(plain, _mm256_cmpeq_epi32(a, quiet));
		cl[0] = _mm256_sub_epi32(cl[0], _mm256_cmpeq_epi32(
		    _mm256_slli_epi32(x, 32 - 16), none));
		cl[1] = _mm256_sub_epi32(cl[1], _mm256_cmpeq_epi32(
		    _mm256_slli_epi32(x, 32 - 13), none));
		cl[2] = _mm256_sub_epi32(cl[2], _mm256_cmpeq_epi32(
		    _mm256_slli_epi32(x, 32 - 8), none));
		cl[3] = _mm256_sub_epi32(cl[3], _mm256_cmpeq_epi32(
		    _mm256_slli_epi32(x, 32 - 4), none));
	}
	zeros = sum_lanes(zero);
	c->n += whole;
	c->zero += zeros;
	c->negative_zero += zeros - sum_lanes(plus);
	c->denormal += sum_lanes(small) - zeros;
	c->nan += sum_lanes(nan);
	c->nan_payload += sum_lanes(nan) - sum_lanes(plain);
	for (unsigned k = 0; k < WEIGHTS_CLASSES; k++) {
		cleared = sum_lanes(cl[k]);
		c->clear[k] += cleared - zeros;
	}
	weights_count_scalar(WEIGHTS_F32, p + 4 * whole, n - whole, c);
}

__attribute__((target("avx2"))) static uint64_t
sum_halves(__m256i v)
{
	return sum_lanes(_mm256_madd_epi16(v, _mm256_set1_epi16(1)));
}

/* Sixteen elements of 16 bits at a time, at most CHUNK_16 of them. */
#define CHUNK_16 (16 * 32767)

__attribute__((target("avx2"))) static void
count_16(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c)
{
	const int lowest = 1 << layout_of(cls).mantissa;
	const __m256i none = _mm256_setzero_si256();
	const __m256i magnitude = _mm256_set1_epi16(INT16_MAX);
	const __m256i least = _mm256_set1_epi16((short)lowest);
	const __m256i inf = _mm256_set1_epi16((short)(0x8000 - lowest));
	const __m256i quiet = _mm256_set1_epi16(
	    (short)(0x8000 - lowest / 2));
	__m256i zero = none, plus = none, small = none, nan = none;
	__m256i plain = none;
	uint64_t zeros;

	for (size_t i = 0; i < n; i += 16) {
		__m256i x = _mm256_loadu_si256(
		    (const __m256i *)(const void *)(p + 2 * i));
		__m256i a = _mm256_and_si256(x, magnitude);

		zero = _mm256_sub_epi16(zero, _mm256_cmpeq_epi16(a, none));
		plus = _mm256_sub_epi16(plus, _mm256_cmpeq_epi16(x, none));
		small = _mm256_sub_epi16(small, _mm256_cmpgt_epi16(least, a));
		nan = _mm256_sub_epi16(nan, _mm256_cmpgt_epi16(a, inf));
		plain = _mm256_sub_epi16(plain, _mm256_cmpeq_epi16(a, quiet));
	}
	zeros = sum_halves(zero);
	c->n += n;
	c->zero += zeros;
	c->negative_zero += zeros - sum_halves(plus);
	c->denormal += sum_halves(small) - zeros;
	c->nan += sum_halves(nan);
	c->nan_payload += sum_halves(nan) - sum_halves(plain);
}

__attribute__((target("avx2"))) static void
count_all_16(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c)
{
	size_t part;

	for (; n >= 16; n -= part, p += 2 * part) {
		part = n < CHUNK_16 ? n - n % 16 : CHUNK_16;
		count_16(cls, p, part, c);
	}
	weights_count_scalar(cls, p, n, c);
}
#endif

void
weights_count(enum weights_class cls, const uint8_t *p, size_t n,
    struct weights_count *c)
{
#if defined(__x86_64__)
	if (cls != WEIGHTS_F64 && __builtin_cpu_supports("avx2")) {
		if (cls == WEIGHTS_F32)
			count_f32(p, n, c);
		else
			count_all_16(cls, p, n, c);
		return;
	}
#endif
	weights_count_scalar(cls, p, n, c);
}
