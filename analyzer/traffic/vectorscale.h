#ifndef ANALYZER_TRAFFIC_VECTORSCALE_H_
#define ANALYZER_TRAFFIC_VECTORSCALE_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/thumb.h"

/*
 * Vectors as thumbnails: each number in units of its standard deviation in
 * the log, 16 grey levels each, so that vectors are near when they differ by
 * less than 3/16 of one in the root mean square.  Fewer than 192 numbers are
 * repeated; of more, each place takes the mean of what falls on it.
 *
 * Mean and deviation are learned from the first VECTORSCALE_LEARN vectors of
 * each length while they come; of the first ones the scale is rough.
 */
#define VECTORSCALE_LEARN 1000
#define VECTORSCALE_LENGTHS 8	/* different ones that are learned */

struct vectorscale;

struct vectorscale *vectorscale_new(void);	/* NULL: out of memory */
void vectorscale_free(struct vectorscale *s);
/* vectorscale_thumb: 0; 1 when it cannot be compared (length, NaN). */
int vectorscale_thumb(struct vectorscale *s, const double *v, size_t n,
    struct thumb *ret);

#endif /* !ANALYZER_TRAFFIC_VECTORSCALE_H_ */
