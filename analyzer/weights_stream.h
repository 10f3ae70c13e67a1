#ifndef ANALYZER_WEIGHTS_STREAM_H_
#define ANALYZER_WEIGHTS_STREAM_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/weights_flag.h"

/*
 * The ways in which a payload is laid into a tensor, each a stream of bytes
 * that a carver can read.
 *
 * Lanes: some bytes of every element, in an order.  "raw" takes them all.
 * Planes: the lowest 1, 2 or 4 bits of every element; the first element of a
 * byte gives its lowest bits or its highest.  A plane may begin at any
 * element, so each has as many alignments as elements make a byte.
 */
#define WEIGHTS_LANES_MAX 8

struct weights_stream {
	const char *name;
	uint8_t bits;		/* of each element: 8 n for lanes */
	uint8_t n;		/* lanes: how many; 0: a plane */
	uint8_t order[WEIGHTS_LANES_MAX];
	bool high_first;	/* planes */
};

/*
 * weights_streams_lanes: the lane streams of elements of this width; the
 * first is raw.  weights_streams_lane0: the one of the lowest bytes.
 * weights_stream_plane: a plane by its bits (1, 2, 4) and order.
 */
const struct weights_stream *weights_streams_lanes(unsigned width,
    unsigned *n);
const struct weights_stream *weights_streams_lane0(unsigned width);
const struct weights_stream *weights_stream_plane(unsigned bits,
    bool high_first);

/* Somewhere in a stream: a plane's alignment, and a key that it is XORed by. */
struct weights_view {
	const struct weights_at *at;
	const struct weights_stream *s;
	unsigned align;		/* elements before the first byte */
	uint8_t key;
};

/* Bytes in all, and the element that holds the first bit of byte ${i}. */
uint64_t weights_view_size(const struct weights_view *v);
uint64_t weights_view_element(const struct weights_view *v, uint64_t i);

/*
 * weights_view_read: bytes [from, from + n) into dst; *got < n at the end.
 * Uses at->block.
 */
int weights_view_read(const struct weights_view *v, uint64_t from,
    uint8_t *dst, size_t n, size_t *got, struct err *e);

#endif /* !ANALYZER_WEIGHTS_STREAM_H_ */
