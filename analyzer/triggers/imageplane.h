#ifndef ANALYZER_TRIGGERS_IMAGEPLANE_H_
#define ANALYZER_TRIGGERS_IMAGEPLANE_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/imageset_parts.h"

/*
 * Planes of a view as numbers of 16 bits, and sums of products of them.
 *
 *	HP	9 times what a pixel differs from the mean of the 3 x 3 about
 *		it (the edge repeated): loud where triggers are, quiet where
 *		pictures are
 *	LOW	the lowest bit as -1 and 1; 0 where the value is 0 or 255: of
 *		what is too dark or too light the bit says nothing
 *	ALL_LOW	the lowest bit of all
 *
 * All arithmetic on them is of integers: the same on every processor.  Rows
 * of numbers are padded with zeros to a multiple of PLANE_LANES.
 */
#define PLANE_LANES 8
#define PLANE_HP_MOST 2295	/* of a value's size */
#define PLANE_ONE 256		/* one standard deviation */
#define PLANE_Z_MOST (6 * PLANE_ONE)
#define PLANE_TOGETHER 6	/* vectors of plane_dots */

enum plane_kind { PLANE_HP, PLANE_LOW, PLANE_KINDS, PLANE_ALL_LOW };

static inline size_t
plane_stride(size_t n)
{
	return (n + PLANE_LANES - 1) / PLANE_LANES * PLANE_LANES;
}

/* plane_take: of a view of w * h pixels, into out[0..plane_stride). */
void plane_take(enum plane_kind kind, const uint8_t *p, uint32_t w,
    uint32_t h, uint32_t ch, int16_t *out);

/* Sums of values and of their squares over rows, by coordinate. */
struct plane_sums {
	uint64_t *square;
	int64_t *sum;
	uint32_t *part;		/* of squares, not yet in ${square} */
	unsigned pending;
	size_t stride;
};
/* 0, or negative out of memory; plane_sums_release in both cases. */
int plane_sums_init(struct plane_sums *s, size_t stride);
void plane_sums_add(struct plane_sums *s, const int16_t *x);
/* plane_sums_flush: bring ${square} up to date. */
void plane_sums_flush(struct plane_sums *s);
/* plane_sums_join: add all of ${o}; both are flushed. */
void plane_sums_join(struct plane_sums *s, struct plane_sums *o);
void plane_sums_release(struct plane_sums *s);

/*
 * plane_standardise: x * scale - shift, kept within PLANE_Z_MOST, in place;
 * scale and shift have a value for each of n (a multiple of PLANE_LANES).
 */
void plane_standardise(int16_t *x, const float *scale, const float *shift,
    size_t n);

/* plane_dots: out[i] = the product of x and v[i * n..], k of them. */
void plane_dots(const int16_t *x, const int16_t *v, size_t n, unsigned k,
    int32_t *out);

/* plane_add: acc += x. */
void plane_add(int32_t *acc, const int16_t *x, size_t n);

/* plane_axpy: acc[i * n..] += c[i] * x + d[i] * y, for k vectors. */
void plane_axpy(int32_t *acc, const int16_t *x, const int16_t *y,
    const int16_t *c, const int16_t *d, size_t n, unsigned k);

/*
 * plane_quantise: ${w} as whole numbers q such that products with values of
 * at most ${most} fit 32 bits.  Returns what w was multiplied by; 0 when it
 * is all zero.
 */
double plane_quantise(const float *w, size_t n, int most, int16_t *q);

#endif /* !ANALYZER_TRIGGERS_IMAGEPLANE_H_ */
