#ifndef ANALYZER_TRAFFIC_PIXELPOOL_H_
#define ANALYZER_TRAFFIC_PIXELPOOL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The latest whole images, to compare a pair of them pixel by pixel: one
 * block of memory that is written round and round, so that what is kept is
 * what came last, of all callers.  Of an image above LIMIT_TRAFFIC_IMAGE its
 * middle columns and bands of 16 rows are kept, evenly spread: inside a band
 * neighbours are neighbours.
 */
struct pixelpool;

struct pixelpool_pair {
	double touched;		/* share of pixels that differ */
	double energy;		/* sum of squares, mean taken away */
	double lag_x, lag_y;	/* autocorrelation at one pixel */
	uint64_t cells;		/* of 8 x 8, those with a pixel that differs */
};

struct pixelpool *pixelpool_new(size_t bytes);	/* NULL: out of memory */
void pixelpool_free(struct pixelpool *p);

/* pixelpool_put: a key for pixelpool_compare, never 0. */
uint64_t pixelpool_put(struct pixelpool *p, const uint8_t *pixels,
    uint32_t width, uint32_t height, uint32_t channels);
/* pixelpool_compare: false when one is gone, or their shapes differ. */
bool pixelpool_compare(const struct pixelpool *p, uint64_t a, uint64_t b,
    struct pixelpool_pair *ret);

#endif /* !ANALYZER_TRAFFIC_PIXELPOOL_H_ */
