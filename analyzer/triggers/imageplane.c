#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/imageplane.h"
#include "base/err.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Squares of HP that a sum of 32 bits holds: 2^32 / 2295^2 is 815. */
#define PENDING 800
#define ROW (((VIEW_SIDE + 2) * 3 + PLANE_LANES) / PLANE_LANES * PLANE_LANES)

/* The compiler's own vectors, as analyzer/diff/vec4.h has them. */
typedef int16_t lanes __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(8)));
typedef int16_t half __attribute__((vector_size(8)));
typedef int32_t words __attribute__((vector_size(16)));
#define HALF (PLANE_LANES / 2)

static inline lanes
load(const int16_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void
store(int16_t *p, lanes v)
{
	memcpy(p, &v, sizeof(v));
}

static inline words
load_words(const void *p)
{
	words v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Half as many, of 32 bits. */
static inline words
load_wide(const int16_t *p)
{
	half v;

	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, words);
}

static void
widen(const uint8_t *p, size_t n, int16_t *out)
{
	size_t i = 0;

	for (; i + PLANE_LANES <= n; i += PLANE_LANES) {
		bytes b;

		memcpy(&b, p + i, sizeof(b));
		store(out + i, __builtin_convertvector(b, lanes));
	}
	for (; i < n; i++)
		out[i] = p[i];
}

/* A row's sums of three neighbours, the edge repeated. */
static void
three(const uint8_t *p, size_t n, uint32_t ch, int16_t *x, int16_t *sum)
{
	widen(p, n, x + ch);
	memcpy(x, x + ch, ch * sizeof(*x));
	memcpy(x + ch + n, x + n, ch * sizeof(*x));
	for (size_t i = 0; i < n; i += PLANE_LANES)
		store(sum + i, load(x + i) + load(x + i + ch) +
		    load(x + i + 2 * ch));
}

static void
take_hp(const uint8_t *p, uint32_t w, uint32_t h, uint32_t ch, int16_t *out)
{
	int16_t x[3][ROW + PLANE_LANES] = {{0}}, sum[3][ROW] = {{0}};
	size_t n = (size_t)w * ch;

	three(p, n, ch, x[0], sum[0]);
	for (uint32_t y = 0; y < h; y++) {
		uint32_t up = y > 0 ? (y - 1) % 3 : 0;
		uint32_t down = y + 1 < h ? (y + 1) % 3 : y % 3;
		const int16_t *a = sum[up], *b = sum[y % 3], *c = sum[down];
		int16_t v[ROW];

		if (y + 1 < h)
			three(p + (y + 1) * n, n, ch, x[down], sum[down]);
		for (size_t i = 0; i < n; i += PLANE_LANES)
			store(v + i, 9 * load(x[y % 3] + ch + i) -
			    load(a + i) - load(b + i) - load(c + i));
		memcpy(out + y * n, v, n * sizeof(*v));
	}
}

void
plane_take(enum plane_kind kind, const uint8_t *p, uint32_t w, uint32_t h,
    uint32_t ch, int16_t *out)
{
	size_t n = (size_t)w * h * ch;

	if (kind == PLANE_HP) {
		take_hp(p, w, h, ch, out);
	} else {
		for (size_t i = 0; i < n; i++)
			out[i] = kind == PLANE_LOW && (p[i] == 0 ||
			    p[i] == 255) ? 0 : (int16_t)((p[i] & 1) * 2 - 1);
	}
	for (size_t i = n; i < plane_stride(n); i++)
		out[i] = 0;
}

int
plane_sums_init(struct plane_sums *s, size_t stride)
{
	memset(s, 0, sizeof(*s));
	s->stride = stride;
	s->square = calloc(stride, sizeof(*s->square));
	s->sum = calloc(stride, sizeof(*s->sum));
	s->part = calloc(2 * stride, sizeof(*s->part));
	return s->square == NULL || s->sum == NULL || s->part == NULL ?
	    ERR_NOMEM : 0;
}

void
plane_sums_release(struct plane_sums *s)
{
	free(s->square);
	free(s->sum);
	free(s->part);
	memset(s, 0, sizeof(*s));
}

void
plane_sums_flush(struct plane_sums *s)
{
	for (size_t i = 0; i < s->stride; i++) {
		s->square[i] += s->part[i];
		s->sum[i] += (int32_t)s->part[s->stride + i];
	}
	memset(s->part, 0, 2 * s->stride * sizeof(*s->part));
	s->pending = 0;
}

void
plane_sums_add(struct plane_sums *s, const int16_t *x)
{
	uint32_t *q = s->part, *p = s->part + s->stride;

	for (size_t i = 0; i < s->stride; i += HALF) {
		words v = load_wide(x + i);
		words a = load_words(q + i) + v * v;
		words b = load_words(p + i) + v;

		memcpy(q + i, &a, sizeof(a));
		memcpy(p + i, &b, sizeof(b));
	}
	if (++s->pending == PENDING)
		plane_sums_flush(s);
}

void
plane_sums_join(struct plane_sums *s, struct plane_sums *o)
{
	plane_sums_flush(s);
	plane_sums_flush(o);
	for (size_t i = 0; i < s->stride; i++) {
		s->square[i] += o->square[i];
		s->sum[i] += o->sum[i];
	}
}

void
plane_standardise(int16_t *x, const float *scale, const float *shift, size_t n)
{
	size_t i = 0;

#if defined(__SSE2__)
	const __m128i top = _mm_set1_epi16(PLANE_Z_MOST);
	const __m128i low = _mm_set1_epi16(-PLANE_Z_MOST);
	const __m128 huge = _mm_set1_ps(30000), least = _mm_set1_ps(-30000);

	for (; i < n; i += PLANE_LANES) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)(x + i));
		__m128i sign = _mm_srai_epi16(v, 15);
		__m128 a = _mm_cvtepi32_ps(_mm_unpacklo_epi16(v, sign));
		__m128 b = _mm_cvtepi32_ps(_mm_unpackhi_epi16(v, sign));

		a = _mm_sub_ps(_mm_mul_ps(a, _mm_loadu_ps(scale + i)),
		    _mm_loadu_ps(shift + i));
		b = _mm_sub_ps(_mm_mul_ps(b, _mm_loadu_ps(scale + i + 4)),
		    _mm_loadu_ps(shift + i + 4));
		a = _mm_max_ps(_mm_min_ps(a, huge), least);
		b = _mm_max_ps(_mm_min_ps(b, huge), least);
		v = _mm_packs_epi32(_mm_cvtps_epi32(a), _mm_cvtps_epi32(b));
		v = _mm_max_epi16(_mm_min_epi16(v, top), low);
		_mm_storeu_si128((__m128i_u *)(x + i), v);
	}
#endif
	for (; i < n; i++) {
		float v = (float)x[i] * scale[i] - shift[i];

		v = v > PLANE_Z_MOST ? PLANE_Z_MOST :
		    v < -PLANE_Z_MOST ? -PLANE_Z_MOST : v;
		x[i] = (int16_t)lrintf(v);
	}
}

/* One vector at a time, or so many side by side that x is loaded once. */
#if defined(__SSE2__)
static inline __attribute__((always_inline)) void
dots(const int16_t *x, const int16_t *v, size_t n, unsigned k, int32_t *out)
{
	__m128i sum[PLANE_TOGETHER];

	for (unsigned j = 0; j < k; j++)
		sum[j] = _mm_setzero_si128();
	for (size_t i = 0; i < n; i += PLANE_LANES) {
		__m128i a = _mm_loadu_si128((const __m128i_u *)(x + i));

		for (unsigned j = 0; j < k; j++)
			sum[j] = _mm_add_epi32(sum[j], _mm_madd_epi16(a,
			    _mm_loadu_si128((const __m128i_u *)(v + j * n +
			    i))));
	}
	for (unsigned j = 0; j < k; j++) {
		__m128i s = sum[j];

		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		out[j] = _mm_cvtsi128_si32(s);
	}
}
#else
static void
dots(const int16_t *x, const int16_t *v, size_t n, unsigned k, int32_t *out)
{
	for (unsigned j = 0; j < k; j++) {
		int64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += (int32_t)x[i] * v[j * n + i];
		out[j] = (int32_t)sum;
	}
}
#endif

void
plane_dots(const int16_t *x, const int16_t *v, size_t n, unsigned k,
    int32_t *out)
{
	if (k == 1)
		dots(x, v, n, 1, out);
	else if (k == PLANE_TOGETHER)
		dots(x, v, n, PLANE_TOGETHER, out);
	else
		for (unsigned j = 0; j < k; j++)
			dots(x, v + j * n, n, 1, out + j);
}

void
plane_add(int32_t *acc, const int16_t *x, size_t n)
{
	for (size_t i = 0; i < n; i += HALF) {
		words a = load_words(acc + i) + load_wide(x + i);

		memcpy(acc + i, &a, sizeof(a));
	}
}

void
plane_axpy(int32_t *acc, const int16_t *x, const int16_t *y, const int16_t *c,
    const int16_t *d, size_t n, unsigned k)
{
#if defined(__SSE2__)
	for (size_t i = 0; i < n; i += PLANE_LANES) {
		__m128i a = _mm_loadu_si128((const __m128i_u *)(x + i));
		__m128i b = _mm_loadu_si128((const __m128i_u *)(y + i));
		__m128i lo = _mm_unpacklo_epi16(a, b);
		__m128i hi = _mm_unpackhi_epi16(a, b);

		for (unsigned j = 0; j < k; j++) {
			__m128i_u *to = (__m128i_u *)(acc + j * n + i);
			__m128i f = _mm_set1_epi32((int32_t)((uint16_t)c[j] |
			    (uint32_t)(uint16_t)d[j] << 16));

			_mm_storeu_si128(to, _mm_add_epi32(
			    _mm_loadu_si128(to), _mm_madd_epi16(lo, f)));
			_mm_storeu_si128(to + 1, _mm_add_epi32(
			    _mm_loadu_si128(to + 1), _mm_madd_epi16(hi, f)));
		}
	}
#else
	for (unsigned j = 0; j < k; j++)
		for (size_t i = 0; i < n; i++)
			acc[j * n + i] += (int32_t)x[i] * c[j] +
			    (int32_t)y[i] * d[j];
#endif
}

double
plane_quantise(const float *w, size_t n, int most, int16_t *q)
{
	double sum = 0, top = 0, scale;

	for (size_t i = 0; i < n; i++) {
		double v = fabs((double)w[i]);

		sum += v;
		top = v > top ? v : top;
	}
	if (!(top > 0)) {
		memset(q, 0, n * sizeof(*q));
		return 0;
	}
	/* Rounding adds half to each; half of 31 bits is left for that. */
	scale = 1.0e9 / most / sum;
	if (scale * top > 32000)
		scale = 32000 / top;
	for (size_t i = 0; i < n; i++)
		q[i] = (int16_t)lrint(w[i] * scale);
	return scale;
}
