#include <stdatomic.h>
#include <string.h>

#include "analyzer/diff/elem_wide.h"
#include "analyzer/diff/vec4.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/*
 * Each function does as many whole vectors as there are and says how far it
 * came; the rest is done by the next narrower one.
 */

/* --- eight lanes -------------------------------------------------------- */

enum choice { UNKNOWN, PORTABLE, WIDE };

static _Atomic int choice = UNKNOWN;

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,f16c")))

static bool
machine_is_wide(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx2") &&
	    __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

static TARGET size_t
wide_bf16(const uint8_t *p, size_t n, float *dst)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		__m256i x = _mm256_cvtepu16_epi32(_mm_loadu_si128(
		    (const __m128i_u *)(p + 2 * i)));

		_mm256_storeu_ps(dst + i,
		    _mm256_castsi256_ps(_mm256_slli_epi32(x, 16)));
	}
	return i;
}

static TARGET size_t
wide_f16(const uint8_t *p, size_t n, float *dst)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8)
		_mm256_storeu_ps(dst + i, _mm256_cvtph_ps(_mm_loadu_si128(
		    (const __m128i_u *)(p + 2 * i))));
	return i;
}
#else
static bool
machine_is_wide(void)
{
	return false;
}

static size_t
wide_bf16(const uint8_t *p, size_t n, float *dst)
{
	(void)p;
	(void)n;
	(void)dst;
	return 0;
}

static size_t
wide_f16(const uint8_t *p, size_t n, float *dst)
{
	return wide_bf16(p, n, dst);
}
#endif

bool
elem_wide_select(bool portable)
{
	bool wide = !portable && machine_is_wide();

	/* Asked once: the instruction is slow in a virtual machine. */
	atomic_store(&choice, wide ? WIDE : PORTABLE);
	return wide;
}

static bool
is_wide(void)
{
	int c = atomic_load_explicit(&choice, memory_order_relaxed);

	return c == UNKNOWN ? elem_wide_select(false) : c == WIDE;
}

/* --- four lanes --------------------------------------------------------- */

/* Even and odd elements of eight, in order again. */
static void
put(float *dst, vec4 even, vec4 odd)
{
	vec4 low = {even[0], odd[0], even[1], odd[1]};
	vec4 high = {even[2], odd[2], even[3], odd[3]};

	memcpy(dst, &low, sizeof(low));
	memcpy(dst + 4, &high, sizeof(high));
}

static void
eight_bf16(const uint8_t *p, float *dst)
{
	vec4u x = vec4_bits(p);

	put(dst, (vec4)(x << 16), (vec4)(x & 0xffff0000U));
}

static void
eight_f16(const uint8_t *p, float *dst)
{
	vec4u x = vec4_bits(p);

	put(dst, vec4_f16(x & 0xffffU), vec4_f16(x >> 16));
}

static void
rest(void (*eight)(const uint8_t *p, float *dst), const uint8_t *p, size_t n,
    float *dst)
{
	uint8_t room[16] = {0};
	float out[8];

	if (n == 0)
		return;
	memcpy(room, p, 2 * n);
	eight(room, out);
	memcpy(dst, out, n * sizeof(*dst));
}

void
elem_wide_bf16(const uint8_t *p, size_t n, float *dst)
{
	size_t i = is_wide() ? wide_bf16(p, n, dst) : 0;

	for (; n - i >= 8; i += 8)
		eight_bf16(p + 2 * i, dst + i);
	rest(eight_bf16, p + 2 * i, n - i, dst + i);
}

void
elem_wide_f16(const uint8_t *p, size_t n, float *dst)
{
	size_t i = is_wide() ? wide_f16(p, n, dst) : 0;

	for (; n - i >= 8; i += 8)
		eight_f16(p + 2 * i, dst + i);
	rest(eight_f16, p + 2 * i, n - i, dst + i);
}
