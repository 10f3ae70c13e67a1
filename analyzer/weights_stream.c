#include <stdbool.h>
#include <string.h>

#include "analyzer/weights_stream.h"
#include "base/bug.h"
#include "base/err.h"

#define LANES(name, n, ...) {name, 8 * (n), n, {__VA_ARGS__}, false}

static const struct weights_stream lanes1[] = {LANES("raw", 1, 0)};
static const struct weights_stream lanes2[] = {
    LANES("raw", 2, 0, 1), LANES("swapped", 2, 1, 0),
    LANES("lane0", 1, 0), LANES("lane1", 1, 1)};
static const struct weights_stream lanes4[] = {
    LANES("raw", 4, 0, 1, 2, 3), LANES("swapped", 4, 3, 2, 1, 0),
    LANES("lane0", 1, 0), LANES("lane1", 1, 1), LANES("lane2", 1, 2),
    LANES("lane3", 1, 3), LANES("low2", 2, 0, 1),
    LANES("low2-swapped", 2, 1, 0), LANES("low3", 3, 0, 1, 2),
    LANES("low3-swapped", 3, 2, 1, 0)};
static const struct weights_stream lanes8[] = {
    LANES("raw", 8, 0, 1, 2, 3, 4, 5, 6, 7),
    LANES("swapped", 8, 7, 6, 5, 4, 3, 2, 1, 0),
    LANES("lane0", 1, 0), LANES("lane1", 1, 1), LANES("lane2", 1, 2),
    LANES("lane3", 1, 3), LANES("lane4", 1, 4), LANES("lane5", 1, 5),
    LANES("lane6", 1, 6), LANES("lane7", 1, 7),
    LANES("low2", 2, 0, 1), LANES("low2-swapped", 2, 1, 0),
    LANES("low3", 3, 0, 1, 2), LANES("low3-swapped", 3, 2, 1, 0),
    LANES("low4", 4, 0, 1, 2, 3), LANES("low4-swapped", 4, 3, 2, 1, 0),
    LANES("low6", 6, 0, 1, 2, 3, 4, 5),
    LANES("low6-swapped", 6, 5, 4, 3, 2, 1, 0)};
#define COUNT(a) (unsigned)(sizeof(a) / sizeof((a)[0]))

static const struct weights_stream planes[] = {
    {"bit0", 1, 0, {0}, false}, {"bit0-high-first", 1, 0, {0}, true},
    {"bits2", 2, 0, {0}, false}, {"bits2-high-first", 2, 0, {0}, true},
    {"bits4", 4, 0, {0}, false}, {"bits4-high-first", 4, 0, {0}, true}};

const struct weights_stream *
weights_streams_lanes(unsigned width, unsigned *n)
{
	switch (width) {
	case 1:
		*n = COUNT(lanes1);
		return lanes1;
	case 2:
		*n = COUNT(lanes2);
		return lanes2;
	case 4:
		*n = COUNT(lanes4);
		return lanes4;
	case 8:
		*n = COUNT(lanes8);
		return lanes8;
	default:
		BUG("no element is %u bytes wide", width);
	}
}

const struct weights_stream *
weights_streams_lane0(unsigned width)
{
	unsigned n, i = 0;
	const struct weights_stream *s = weights_streams_lanes(width, &n);

	while (s[i].n > 1 || s[i].order[0] != 0)
		i++;
	BUG_ON(i >= n);
	return &s[i];
}

const struct weights_stream *
weights_stream_plane(unsigned bits, bool high_first)
{
	for (size_t i = 0; i < COUNT(planes); i++)
		if (planes[i].bits == bits &&
		    planes[i].high_first == high_first)
			return &planes[i];
	BUG("no plane of %u bits", bits);
}

uint64_t
weights_view_size(const struct weights_view *v)
{
	if (v->s->n > 0)
		return v->at->n * v->s->n;
	if (v->at->n < v->align)
		return 0;
	return (v->at->n - v->align) / (8 / v->s->bits);
}

uint64_t
weights_view_element(const struct weights_view *v, uint64_t i)
{
	return v->s->n > 0 ? i / v->s->n : v->align + i * (8 / v->s->bits);
}

/* A plane's byte from the elements whose lowest bytes stand ${w} apart. */
static uint8_t
plane_byte(const struct weights_stream *s, const uint8_t *p, unsigned w)
{
	const unsigned per = 8 / s->bits, mask = (1u << s->bits) - 1;
	unsigned v = 0, place;

	for (unsigned k = 0; k < per; k++) {
		place = s->high_first ? per - 1 - k : k;
		v |= (p[(size_t)k * w] & mask) << (place * s->bits);
	}
	return (uint8_t)v;
}

/* From the elements in the block, of which ${first} is the first. */
static size_t
gather(const struct weights_view *v, uint64_t first, uint64_t count,
    uint64_t from, uint8_t *dst, size_t n)
{
	const struct weights_stream *s = v->s;
	const unsigned w = v->at->type->width;
	uint64_t have, x;
	size_t i = 0;

	if (s->n > 0) {
		have = count * s->n - (from - first * s->n);
		for (; i < n && i < have; i++) {
			x = from + i;
			dst[i] = v->at->block[(x / s->n - first) * w +
			    s->order[x % s->n]] ^ v->key;
		}
		return i;
	}
	have = count / (8 / s->bits);
	for (; i < n && i < have; i++)
		dst[i] = plane_byte(s, v->at->block + i * w *
		    (8 / s->bits), w) ^ v->key;
	return i;
}

int
weights_view_read(const struct weights_view *v, uint64_t from, uint8_t *dst,
    size_t n, size_t *got, struct err *e)
{
	uint64_t size = weights_view_size(v), first, count;
	size_t part;
	int r;

	*got = 0;
	while (from < size && n > 0) {
		first = weights_view_element(v, from);
		count = v->s->n > 0 ? (n + v->s->n) / v->s->n + 1 :
		    (uint64_t)n * (8 / v->s->bits);
		if ((r = weights_read(v->at, first, count, &count, e)) < 0)
			return r;
		part = n < size - from ? n : (size_t)(size - from);
		if ((part = gather(v, first, count, from, dst, part)) == 0)
			break;
		from += part;
		dst += part;
		n -= part;
		*got += part;
	}
	return 0;
}
