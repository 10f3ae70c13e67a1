#include <stdbool.h>
#include <string.h>

#include "analyzer/diff/pass_kernel.h"

/*
 * The kernels of pass_portable.c with eight lanes, fused multiply-add and
 * the conversion of binary16 in hardware.  This file is built for the same
 * machine as all others; what these functions need is asked at run time.
 */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline TARGET __attribute__((always_inline))
#define STEP 16
typedef __m256 lanes;

struct sums {
	__m256 a2, b2, ab, d2;
};

/*
 * What needs no second set.  With it, sixteen registers hold all that lives
 * from step to step; one more would go through memory, and a step would
 * take as long as that.
 */
struct rest {
	__m256 max;
	__m256i same;		/* counts of equal elements */
	__m256i bits;		/* that differ */
};

INLINE __m256i
bits_at(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i_u *)p);
}

/* Half ${k} of the vectors that a step takes from one side. */
INLINE __m256
half(enum pass_type t, const uint8_t *p, unsigned k)
{
	__m256i x;

	if (t == PASS_F32)
		return _mm256_castsi256_ps(bits_at(p + 32 * (size_t)k));
	if (t == PASS_F16)
		return _mm256_cvtph_ps(_mm_loadu_si128(
		    (const __m128i_u *)(p + 16 * (size_t)k)));
	x = bits_at(p);
	x = k == 0 ? _mm256_slli_epi32(x, 16) :
	    _mm256_and_si256(x, _mm256_set1_epi32((int)0xffff0000U));
	return _mm256_castsi256_ps(x);
}

INLINE void
add(struct sums *s, struct rest *r, __m256 a, __m256 b)
{
	__m256 d = _mm256_sub_ps(b, a);

	s->a2 = _mm256_fmadd_ps(a, a, s->a2);
	s->b2 = _mm256_fmadd_ps(b, b, s->b2);
	s->ab = _mm256_fmadd_ps(a, b, s->ab);
	s->d2 = _mm256_fmadd_ps(d, d, s->d2);
	r->max = _mm256_max_ps(r->max,
	    _mm256_andnot_ps(_mm256_set1_ps(-0.0F), d));
}

/* 32 bytes of each side. */
INLINE void
compare(enum pass_type t, struct rest *r, const uint8_t *a, const uint8_t *b)
{
	__m256i x = bits_at(a), y = bits_at(b);

	r->bits = _mm256_or_si256(r->bits, _mm256_xor_si256(x, y));
	if (t == PASS_F32)
		r->same = _mm256_sub_epi32(r->same, _mm256_cmpeq_epi32(x, y));
	else
		r->same = _mm256_sub_epi16(r->same, _mm256_cmpeq_epi16(x, y));
}

INLINE float
total(__m256 x, __m256 y)
{
	__m128 v;

	x = _mm256_add_ps(x, y);
	v = _mm_add_ps(_mm256_castps256_ps128(x),
	    _mm256_extractf128_ps(x, 1));
	v = _mm_add_ps(v, _mm_movehl_ps(v, v));
	return _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)));
}

INLINE float
largest(__m256 x)
{
	__m128 v = _mm_max_ps(_mm256_castps256_ps128(x),
	    _mm256_extractf128_ps(x, 1));

	v = _mm_max_ps(v, _mm_movehl_ps(v, v));
	return _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)));
}

INLINE void
finish(enum pass_type t, size_t n, const struct sums s[2],
    const struct rest *r, struct pass_part *ret)
{
	uint32_t same[8], bits[8], equal = 0, all = 0;

	_mm256_storeu_si256((__m256i_u *)same, r->same);
	_mm256_storeu_si256((__m256i_u *)bits, r->bits);
	for (unsigned i = 0; i < 8; i++) {
		equal += t == PASS_F32 ? same[i] :
		    (same[i] & 0xffffU) + (same[i] >> 16);
		all |= t == PASS_F32 ? bits[i] :
		    (bits[i] & 0xffffU) | bits[i] >> 16;
	}
	ret->a2 = total(s[0].a2, s[1].a2);
	ret->b2 = total(s[0].b2, s[1].b2);
	ret->ab = total(s[0].ab, s[1].ab);
	ret->d2 = total(s[0].d2, s[1].d2);
	ret->max_abs = largest(r->max);
	ret->changed = (uint32_t)n - equal;
	ret->xor_or = all;
}

INLINE lanes
square_plus(lanes x, lanes y)
{
	return _mm256_fmadd_ps(x, x, y);
}

#include "analyzer/diff/pass_loops.def"

static bool
usable(void)
{
	unsigned a, b, c, d;

	/* The first two ask the operating system as well. */
	return __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("fma") &&
	    __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

const struct pass_kernels *
pass_avx2(void)
{
	static const struct pass_kernels k = {"avx2", KERNELS};

	return usable() ? &k : NULL;
}
#else
const struct pass_kernels *
pass_avx2(void)
{
	return NULL;
}
#endif
