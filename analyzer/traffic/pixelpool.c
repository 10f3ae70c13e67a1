#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "analyzer/traffic/pixelpool.h"
#include "base/limits.h"

#define BAND 16
#define COLUMNS 1024

struct picture {
	uint32_t width, height, channels;	/* as it came */
	uint32_t columns, bands, rows;		/* kept; rows of one band */
};

struct pixelpool {
	uint8_t *p;
	size_t bytes;
	uint64_t written;	/* bytes, gaps at the end of a round included */
	int16_t *diff;		/* of two images */
};

struct pixelpool *
pixelpool_new(size_t bytes)
{
	struct pixelpool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->bytes = bytes;
	p->p = malloc(bytes);
	p->diff = malloc(LIMIT_TRAFFIC_IMAGE * sizeof(*p->diff));
	if (p->p == NULL || p->diff == NULL) {
		pixelpool_free(p);
		return NULL;
	}
	return p;
}

void
pixelpool_free(struct pixelpool *p)
{
	if (p == NULL)
		return;
	free(p->p);
	free(p->diff);
	free(p);
}

static void
plan(struct picture *k)
{
	size_t rows;

	k->columns = k->width < COLUMNS ? k->width : COLUMNS;
	rows = LIMIT_TRAFFIC_IMAGE / ((size_t)k->columns * k->channels);
	k->bands = 1;
	k->rows = k->height;
	if (k->height > rows) {
		k->bands = (uint32_t)(rows / BAND);
		k->rows = BAND;
	}
}

uint64_t
pixelpool_put(struct pixelpool *p, const uint8_t *pixels, uint32_t width,
    uint32_t height, uint32_t channels)
{
	struct picture k = {.width = width, .height = height,
	    .channels = channels};
	size_t line, need, at = (size_t)(p->written % p->bytes);
	uint8_t *to;

	plan(&k);
	line = (size_t)k.columns * channels;
	need = sizeof(k) + line * k.rows * k.bands;
	if (p->bytes - at < need) {
		p->written += p->bytes - at;
		at = 0;
	}
	to = p->p + at;
	memcpy(to, &k, sizeof(k));
	to += sizeof(k);
	for (uint32_t b = 0; b < k.bands; b++) {
		uint64_t y = k.bands == 1 ? 0 :
		    (uint64_t)(height - BAND) * b / (k.bands - 1);
		const uint8_t *from = pixels + ((size_t)y * width +
		    (width - k.columns) / 2) * channels;

		for (uint32_t i = 0; i < k.rows; i++, to += line)
			memcpy(to, from + (size_t)i * width * channels, line);
	}
	p->written += need;
	return p->written - need + 1;
}

static const uint8_t *
find(const struct pixelpool *p, uint64_t key, struct picture *k)
{
	const uint8_t *at;

	if (key == 0 || key - 1 + p->bytes < p->written)
		return NULL;
	at = p->p + (key - 1) % p->bytes;
	memcpy(k, at, sizeof(*k));
	return at + sizeof(*k);
}

static int64_t
dot(const int16_t *a, const int16_t *b, size_t n)
{
	int64_t sum = 0;
	size_t i = 0;

#ifdef __SSE2__
	while (n - i >= 8) {
		__m128i acc = _mm_setzero_si128();
		int32_t lane[4];
		size_t end = n - i > 4096 ? i + 4096 : n;

		/* 255 * 255 * 2 * 512 is below 2^31. */
		for (; end - i >= 8; i += 8)
			acc = _mm_add_epi32(acc, _mm_madd_epi16(
			    _mm_loadu_si128((const void *)(a + i)),
			    _mm_loadu_si128((const void *)(b + i))));
		_mm_storeu_si128((void *)lane, acc);
		sum += (int64_t)lane[0] + lane[1] + lane[2] + lane[3];
	}
#endif
	for (; i < n; i++)
		sum += (int64_t)a[i] * b[i];
	return sum;
}

static int64_t
total(const int16_t *a, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i];
	return sum;
}

/* Autocovariance of the difference one step away, the mean taken away. */
struct lag {
	double sum;
	uint64_t n;
};

static void
lag_add(struct lag *l, const int16_t *a, const int16_t *b, size_t n,
    double mean)
{
	l->sum += (double)dot(a, b, n) -
	    mean * (double)(total(a, n) + total(b, n)) +
	    mean * mean * (double)n;
	l->n += n;
}

static uint64_t
differences(const uint8_t *a, const uint8_t *b, const struct picture *k,
    int16_t *d, uint64_t *cells)
{
	size_t n = 0, c = k->channels;
	uint32_t rows = k->rows * k->bands;
	uint64_t touched = 0;

	*cells = 0;
	for (uint32_t y = 0; y < rows; y++)
		for (uint32_t x = 0; x < k->columns; x++) {
			int any = 0;

			for (size_t i = 0; i < c; i++, n++) {
				d[n] = (int16_t)(a[n] - b[n]);
				any |= d[n];
			}
			if (any == 0)
				continue;
			touched++;
			*cells |= (uint64_t)1 << ((uint64_t)y * 8 / rows * 8 +
			    (uint64_t)x * 8 / k->columns);
		}
	return touched;
}

bool
pixelpool_compare(const struct pixelpool *p, uint64_t a, uint64_t b,
    struct pixelpool_pair *ret)
{
	struct picture k, l;
	const uint8_t *pa = find(p, a, &k), *pb = find(p, b, &l);
	size_t line, n, rows;
	struct lag x = {0, 0}, y = {0, 0};
	double mean, power;

	if (pa == NULL || pb == NULL || memcmp(&k, &l, sizeof(k)) != 0)
		return false;
	rows = (size_t)k.rows * k.bands;
	line = (size_t)k.columns * k.channels;
	n = line * rows;
	ret->touched = (double)differences(pa, pb, &k, p->diff, &ret->cells) /
	    ((double)rows * k.columns);
	mean = (double)total(p->diff, n) / (double)n;
	ret->energy = (double)dot(p->diff, p->diff, n) -
	    mean * mean * (double)n;
	for (size_t i = 0; i < rows; i++) {
		const int16_t *d = p->diff + i * line;

		lag_add(&x, d, d + k.channels, line - k.channels, mean);
		if ((i + 1) % k.rows != 0)
			lag_add(&y, d, d + line, line, mean);
	}
	power = ret->energy / (double)n;
	ret->lag_x = x.n > 0 && power > 0 ? x.sum / (double)x.n / power : 0;
	ret->lag_y = y.n > 0 && power > 0 ? y.sum / (double)y.n / power : 0;
	return true;
}
