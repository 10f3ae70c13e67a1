#ifndef ANALYZER_WEIGHTS_LANES_H_
#define ANALYZER_WEIGHTS_LANES_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/weights_flag.h"
#include "analyzer/weights_hist.h"

/*
 * The lane tests: payloads in the lowest bytes, which an honest tensor fills
 * with noise (float32: the lowest two, float16: the lowest).
 *
 * Plain: a window's bytes are not noise while the rest of the tensor's are:
 * text, programs, poorly compressed data.  Only odd bytes count: subtraction,
 * folding and grids leave trailing zeros in honest weights, never a
 * preference among odd bytes.
 *
 * Gap: where honest weights do carry such trailing zeros, a window without
 * them has been overwritten.
 */
#define WEIGHTS_LANE_SUSPECTS 128
#define WEIGHTS_Z_BINS 320	/* a quarter each, from -16 */

/* How a statistic of windows is spread, and those that stand out. */
struct weights_spread {
	uint32_t n[WEIGHTS_Z_BINS];
	uint64_t windows;
	uint64_t index[WEIGHTS_LANE_SUSPECTS];
	float z[WEIGHTS_LANE_SUSPECTS];
	uint64_t suspects;	/* may be more than are kept */
};

struct weights_lanes {
	struct weights_lane lane[2];
	unsigned lanes;		/* that the type has */
	uint64_t windows;	/* so far */
	struct weights_spread odd[2];	/* chi-square of odd bytes */
	struct weights_spread zeros;	/* excess of four trailing zeros */
};

void weights_lanes_begin(struct weights_lanes *l, enum weights_class cls);

/*
 * Behind each WEIGHTS_WINDOW elements in l->lane[], of which ${zeros} are
 * zero.
 */
void weights_lanes_window(struct weights_lanes *l, uint64_t zeros);

int weights_lanes_end(struct weights_lanes *l, const struct weights_at *at,
    struct err *e);

/*
 * Are the weights of a window, read again, mostly different ones, and the
 * bytes of lane k the same whatever the bit above them?
 */
int weights_lanes_varied(const struct weights_at *at, uint64_t index,
    unsigned k, bool *ret, struct err *e);

/* The median over windows; 0 when there are none. */
double weights_spread_median(const struct weights_spread *s);

/* weights_lane_odd: the statistic of one lane, or -99 when too few count. */
double weights_lane_odd(const struct weights_lane *l);

#endif /* !ANALYZER_WEIGHTS_LANES_H_ */
