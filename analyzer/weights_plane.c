#include <string.h>

#include "analyzer/weights_plane.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void
weights_plane_low_scalar(const uint8_t *p, unsigned width, size_t n,
    uint8_t *low)
{
	for (size_t i = 0; i < n; i++)
		low[i] = p[i * width];
}

size_t
weights_plane_pack_scalar(unsigned bits, const uint8_t *low, size_t n,
    uint8_t *dst)
{
	const unsigned per = 8 / bits, mask = (1u << bits) - 1;
	size_t out = n / per;

	for (size_t i = 0; i < out; i++) {
		unsigned v = 0;

		for (unsigned k = 0; k < per; k++)
			v |= (low[i * per + k] & mask) << (k * bits);
		dst[i] = (uint8_t)v;
	}
	return out;
}

uint8_t
weights_plane_turn(unsigned bits, uint8_t b)
{
	unsigned v = 0, mask = (1u << bits) - 1;

	for (unsigned k = 0; k < 8; k += bits)
		v |= ((unsigned)b >> k & mask) << (8 - bits - k);
	return (uint8_t)v;
}

void
weights_plane_differ(const uint8_t *p, size_t n, uint8_t *dst)
{
	uint64_t a, b;
	size_t i = 0;

	for (; i + 9 <= n; i += 8) {
		memcpy(&a, p + i, 8);
		memcpy(&b, p + i + 1, 8);
		a ^= b;
		memcpy(dst + i, &a, 8);
	}
	for (; i + 1 < n; i++)
		dst[i] = p[i] ^ p[i + 1];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static __m256i
load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

__attribute__((target("avx2"))) static void
store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

/* Packing works in halves of the register: put the pieces in order after. */
__attribute__((target("avx2"))) static void
low4(const uint8_t *p, size_t n, uint8_t *low)
{
	const __m256i mask = _mm256_set1_epi32(255);
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i a = _mm256_and_si256(load(p + 4 * i), mask);
		__m256i b = _mm256_and_si256(load(p + 4 * i + 32), mask);
		__m256i c = _mm256_and_si256(load(p + 4 * i + 64), mask);
		__m256i d = _mm256_and_si256(load(p + 4 * i + 96), mask);

		a = _mm256_packus_epi16(_mm256_packus_epi32(a, b),
		    _mm256_packus_epi32(c, d));
		store(low + i, _mm256_permutevar8x32_epi32(a, order));
	}
	weights_plane_low_scalar(p + 4 * i, 4, n - i, low + i);
}

__attribute__((target("avx2"))) static void
low2(const uint8_t *p, size_t n, uint8_t *low)
{
	const __m256i mask = _mm256_set1_epi16(255);
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i a = _mm256_and_si256(load(p + 2 * i), mask);
		__m256i b = _mm256_and_si256(load(p + 2 * i + 32), mask);

		store(low + i, _mm256_permute4x64_epi64(
		    _mm256_packus_epi16(a, b), _MM_SHUFFLE(3, 1, 2, 0)));
	}
	weights_plane_low_scalar(p + 2 * i, 2, n - i, low + i);
}

__attribute__((target("avx2"))) static size_t
pack1(const uint8_t *low, size_t n, uint8_t *dst)
{
	uint32_t bits;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		bits = (uint32_t)_mm256_movemask_epi8(
		    _mm256_slli_epi16(load(low + i), 7));
		memcpy(dst + i / 8, &bits, 4);
	}
	return i;
}

__attribute__((target("avx2"))) static size_t
pack2(const uint8_t *low, size_t n, uint8_t *dst)
{
	const __m256i mask = _mm256_set1_epi8(3);
	const __m256i pairs = _mm256_set1_epi16(0x0401);	/* 1, 4 */
	const __m256i fours = _mm256_set1_epi32(0x00100001);	/* 1, 16 */
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i v = _mm256_madd_epi16(_mm256_maddubs_epi16(
		    _mm256_and_si256(load(low + i), mask), pairs), fours);
		uint32_t a, b;

		v = _mm256_packus_epi16(_mm256_packus_epi32(v, v), v);
		a = (uint32_t)_mm256_extract_epi32(v, 0);
		b = (uint32_t)_mm256_extract_epi32(v, 4);
		memcpy(dst + i / 4, &a, 4);
		memcpy(dst + i / 4 + 4, &b, 4);
	}
	return i;
}

__attribute__((target("avx2"))) static size_t
pack4(const uint8_t *low, size_t n, uint8_t *dst)
{
	const __m256i mask = _mm256_set1_epi8(15);
	const __m256i pairs = _mm256_set1_epi16(0x1001);	/* 1, 16 */
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i v = _mm256_maddubs_epi16(
		    _mm256_and_si256(load(low + i), mask), pairs);

		v = _mm256_permute4x64_epi64(_mm256_packus_epi16(v, v),
		    _MM_SHUFFLE(3, 1, 2, 0));
		_mm_storeu_si128((__m128i *)(void *)(dst + i / 2),
		    _mm256_castsi256_si128(v));
	}
	return i;
}
#endif

void
weights_plane_low(const uint8_t *p, unsigned width, size_t n, uint8_t *low)
{
	if (width == 1) {
		memcpy(low, p, n);
		return;
	}
#if defined(__x86_64__)
	if (width <= 4 && __builtin_cpu_supports("avx2")) {
		if (width == 4)
			low4(p, n, low);
		else
			low2(p, n, low);
		return;
	}
#endif
	weights_plane_low_scalar(p, width, n, low);
}

size_t
weights_plane_pack(unsigned bits, const uint8_t *low, size_t n, uint8_t *dst)
{
	size_t done = 0;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		done = bits == 1 ? pack1(low, n, dst) : bits == 2 ?
		    pack2(low, n, dst) : pack4(low, n, dst);
#endif
	return done * bits / 8 + weights_plane_pack_scalar(bits, low + done,
	    n - done, dst + done * bits / 8);
}
