#ifndef ANALYZER_WEIGHTS_TILT_H_
#define ANALYZER_WEIGHTS_TILT_H_

#include <stdint.h>

#include "analyzer/weights_flag.h"
#include "analyzer/weights_hist.h"

/*
 * The tilt test: payloads in the lowest byte of float16, where it is all
 * mantissa and nothing but a slope tells it from noise.
 *
 * A float16's high byte is a cell, a quarter of an octave.  Inside of a cell
 * the density of honest weights falls the way that its neighbours' counts
 * say, so small low bytes are more frequent.  T is that slope's matched
 * filter over all cells, in deviations: a payload has T near zero where the
 * cells' counts, which it does not change, promise much more.
 */
struct weights_tilt {
	struct weights_cells cells;	/* of the window in hand */
	uint64_t n[256], sum[256];	/* of the tensor */
	double slope[256];
};

void weights_tilt_begin(struct weights_tilt *t);

/* Behind each window in t->cells. */
void weights_tilt_window(struct weights_tilt *t);

/* Reads the tensor again when a window could say something. */
int weights_tilt_end(struct weights_tilt *t, const struct weights_at *at,
    struct err *e);

/* The statistic and what honest weights would give, for tests. */
void weights_tilt_statistic(struct weights_tilt *t, double *value,
    double *expected);

#endif /* !ANALYZER_WEIGHTS_TILT_H_ */
