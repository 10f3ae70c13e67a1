#ifndef ANALYZER_TRAFFIC_THUMB_H_
#define ANALYZER_TRAFFIC_THUMB_H_

#include <stddef.h>
#include <stdint.h>

/*
 * Thumbnails: the means of 8 x 8 blocks of an image in three channels, and
 * how near two of them are.
 *
 * A distance is the root of the mean square over the 192 numbers; below
 * THUMB_NEAR grey levels two images are neighbours.  By Cauchy and Schwarz
 * the sum of absolute differences of such a pair is at most 576, which one
 * instruction for 16 bytes finds out: the exact square is for those alone.
 */
#define THUMB 192
#define THUMB_NEAR 3.0
#define THUMB_NEAR_SQUARE 1728	/* 192 * 9 */

struct thumb {
	uint8_t v[THUMB];	/* rounded */
	float exact[THUMB];
	double variation;	/* mean |dx| + mean |dy| of the whole image */
};

/* thumb_pixels: of rows of pixels; width, height > 0, channels 1, 3 or 4. */
void thumb_pixels(const uint8_t *p, uint32_t width, uint32_t height,
    uint32_t channels, struct thumb *ret);

/* thumb_sad: sum of |a - b| over n bytes. */
uint64_t thumb_sad(const uint8_t *a, const uint8_t *b, size_t n);
uint32_t thumb_square(const uint8_t *a, const uint8_t *b);

/*
 * thumb_nearest: the place in ring[0..n) with the smallest square below
 * THUMB_NEAR_SQUARE, the newest of equals; the newest is before ${next}, the
 * oldest at it.  n when there is none.
 */
size_t thumb_nearest(const uint8_t *ring, size_t n, size_t next,
    const uint8_t *q, uint32_t *square);

/* thumb_same: how many of the numbers are within ${levels}. */
unsigned thumb_same(const uint8_t *a, const uint8_t *b, uint8_t levels);

/*
 * thumb_apart: root mean square of what is left of ${b} when each channel is
 * explained by ${a} times a factor plus a constant: a lamp, a shutter and a
 * white balance cancel out.  Blocks that are nearly black or white in either
 * take no part, as light does not show in them.
 */
double thumb_apart(const float *a, const float *b);

#endif /* !ANALYZER_TRAFFIC_THUMB_H_ */
