#include <math.h>
#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "analyzer/traffic/thumb.h"

#define SIDE 8
#define NEAR_SAD 576

uint64_t
thumb_sad(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t sum = 0;
	size_t i = 0;

#ifdef __SSE2__
	__m128i acc = _mm_setzero_si128();

	for (; n - i >= 16; i += 16)
		acc = _mm_add_epi64(acc, _mm_sad_epu8(
		    _mm_loadu_si128((const void *)(a + i)),
		    _mm_loadu_si128((const void *)(b + i))));
	sum = (uint64_t)_mm_cvtsi128_si64(acc) +
	    (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(acc, 8));
#endif
	for (; i < n; i++)
		sum += (uint64_t)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
	return sum;
}

uint32_t
thumb_square(const uint8_t *a, const uint8_t *b)
{
#ifdef __SSE2__
	__m128i acc = _mm_setzero_si128(), zero = acc;
	uint32_t lane[4];

	for (size_t i = 0; i < THUMB; i += 16) {
		__m128i x = _mm_loadu_si128((const void *)(a + i));
		__m128i y = _mm_loadu_si128((const void *)(b + i));
		__m128i d = _mm_or_si128(_mm_subs_epu8(x, y),
		    _mm_subs_epu8(y, x));
		__m128i lo = _mm_unpacklo_epi8(d, zero);
		__m128i hi = _mm_unpackhi_epi8(d, zero);

		acc = _mm_add_epi32(acc, _mm_add_epi32(
		    _mm_madd_epi16(lo, lo), _mm_madd_epi16(hi, hi)));
	}
	_mm_storeu_si128((void *)lane, acc);
	return lane[0] + lane[1] + lane[2] + lane[3];
#else
	uint32_t sum = 0;

	for (size_t i = 0; i < THUMB; i++) {
		int d = a[i] - b[i];

		sum += (uint32_t)(d * d);
	}
	return sum;
#endif
}

unsigned
thumb_same(const uint8_t *a, const uint8_t *b, uint8_t levels)
{
	unsigned n = 0;

	for (unsigned i = 0; i < THUMB; i++)
		n += (a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]) <= levels;
	return n;
}

/* Of a thumbnail, or more than NEAR_SAD as soon as it is. */
static uint32_t
short_sad(const uint8_t *a, const uint8_t *b)
{
	uint32_t s = (uint32_t)thumb_sad(a, b, 64);

	return s > NEAR_SAD ? s :
	    s + (uint32_t)thumb_sad(a + 64, b + 64, THUMB - 64);
}

size_t
thumb_nearest(const uint8_t *ring, size_t n, size_t next, const uint8_t *q,
    uint32_t *square)
{
	uint32_t best = THUMB_NEAR_SQUARE;
	size_t found = n;

	for (size_t i = 0, at = next; i < n; i++) {
		uint32_t s, d;

		at = at == 0 ? n - 1 : at - 1;
		s = short_sad(ring + at * THUMB, q);
		if (s > NEAR_SAD || s * s >= best * THUMB)
			continue;
		d = thumb_square(ring + at * THUMB, q);
		if (d < best) {
			best = d;
			found = at;
		}
	}
	*square = best;
	return found;
}

/* Sums of one row of pixels for its eight blocks. */
static void
row_sums(const uint8_t *row, const uint32_t *edge, uint32_t width,
    uint32_t channels, uint32_t sums[SIDE][3])
{
	for (unsigned b = 0; b < SIDE; b++) {
		uint32_t x = edge[b], end = edge[b + 1], s[3] = {0, 0, 0};

		if (x == end && x > 0 && x == width)
			x--;
		if (x == end)
			end++;
		for (const uint8_t *p = row + (size_t)x * channels; x < end;
		    x++, p += channels) {
			s[0] += p[0];
			if (channels >= 3) {
				s[1] += p[1];
				s[2] += p[2];
			}
		}
		for (unsigned c = 0; c < 3; c++)
			sums[b][c] += channels >= 3 ? s[c] : s[0];
	}
}

static uint32_t
span(const uint32_t *edge, unsigned b)
{
	return edge[b + 1] > edge[b] ? edge[b + 1] - edge[b] : 1;
}

static void
blocks(const uint8_t *p, uint32_t width, uint32_t height, uint32_t channels,
    struct thumb *ret)
{
	size_t stride = (size_t)width * channels;
	uint32_t ex[SIDE + 1], ey[SIDE + 1];

	for (unsigned i = 0; i <= SIDE; i++) {
		ex[i] = (uint32_t)((uint64_t)width * i / SIDE);
		ey[i] = (uint32_t)((uint64_t)height * i / SIDE);
	}
	for (unsigned by = 0; by < SIDE; by++) {
		double sum[SIDE][3] = {{0}};
		uint32_t rows = span(ey, by);

		for (uint32_t y = 0; y < rows; y++) {
			uint32_t sums[SIDE][3] = {{0}};
			uint32_t at = ey[by] + y < height ? ey[by] + y :
			    height - 1;

			row_sums(p + at * stride, ex, width, channels, sums);
			for (unsigned b = 0; b < SIDE; b++)
				for (unsigned c = 0; c < 3; c++)
					sum[b][c] += sums[b][c];
		}
		for (unsigned b = 0; b < SIDE; b++)
			for (unsigned c = 0; c < 3; c++) {
				size_t to = (by * SIDE + b) * 3 + c;
				double m = sum[b][c] /
				    ((double)rows * span(ex, b));

				ret->exact[to] = (float)m;
				ret->v[to] = (uint8_t)(m + 0.5);
			}
	}
}

void
thumb_pixels(const uint8_t *p, uint32_t width, uint32_t height,
    uint32_t channels, struct thumb *ret)
{
	size_t stride = (size_t)width * channels, across;
	uint64_t dx = 0, dy = 0;

	blocks(p, width, height, channels, ret);
	across = stride - channels;
	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *row = p + y * stride;

		dx += thumb_sad(row, row + channels, across);
		if (y + 1 < height)
			dy += thumb_sad(row, row + stride, stride);
	}
	ret->variation = 0;
	if (width > 1)
		ret->variation += (double)dx / ((double)across * height);
	if (height > 1)
		ret->variation += (double)dy /
		    ((double)stride * (height - 1));
}

#define BLACK 12.0f
#define WHITE 235.0f
#define FEW 16			/* blocks of a channel: then all are taken */

static bool
shows_light(float a, float b)
{
	return a > BLACK && a < WHITE && b > BLACK && b < WHITE;
}

/* Sum of squares that are left of one channel, over *n blocks. */
static double
left_of(const float *a, const float *b, bool all, unsigned *n)
{
	double sa = 0, sb = 0, aa = 0, ab = 0, bb = 0, k = 0, slope;

	for (unsigned i = 0; i < THUMB; i += 3) {
		double x = (double)a[i], y = (double)b[i];

		if (!all && !shows_light(a[i], b[i]))
			continue;
		sa += x;
		sb += y;
		aa += x * x;
		ab += x * y;
		bb += y * y;
		k++;
	}
	*n = (unsigned)k;
	if (k == 0)
		return 0;
	aa -= sa * sa / k;
	ab -= sa * sb / k;
	bb -= sb * sb / k;
	slope = aa > 0 ? ab / aa : 0;
	bb -= slope * ab;
	return bb > 0 ? bb : 0;
}

double
thumb_apart(const float *a, const float *b)
{
	double sum = 0, blocks = 0;

	for (unsigned c = 0; c < 3; c++) {
		unsigned n;
		double left = left_of(a + c, b + c, false, &n);

		if (n < FEW)
			left = left_of(a + c, b + c, true, &n);
		sum += left;
		blocks += n;
	}
	return sqrt(sum / blocks);
}
