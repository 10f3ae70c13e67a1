#ifndef ANALYZER_WEIGHTS_OCTAVE_H_
#define ANALYZER_WEIGHTS_OCTAVE_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/weights_flag.h"
#include "analyzer/weights_hist.h"

/*
 * The octave test: payloads that reach the lowest bit of the exponent (three
 * bytes of a float32, one of a bfloat16).
 *
 * Given the seven upper bits of its exponent, a trained weight's next four
 * bits are not uniform: densities fall with magnitude, and of two octaves the
 * upper one is twice as wide.  Payload that looks random makes them uniform.
 * A window is flagged that fits the uniform law and does not fit the rest of
 * its tensor, or a whole tensor that fits it.
 */
#define WEIGHTS_SUSPECTS 256

struct weights_octave {
	uint64_t total[WEIGHTS_ROWS * WEIGHTS_FIELDS];
	struct weights_octaves part, window;
	uint64_t parts, windows;	/* whole ones so far */
	/* Windows that fit the uniform law, by the size of the window. */
	struct weights_suspects {
		uint64_t index[WEIGHTS_SUSPECTS];
		float z[WEIGHTS_SUSPECTS];
		uint64_t n;		/* may be more than are kept */
	} suspect[2];
};

void weights_octave_begin(struct weights_octave *o);

/* Behind each WEIGHTS_PART elements in o->part (fewer at the end). */
void weights_octave_part(struct weights_octave *o, uint64_t n);

/* Behind the last: may read some windows again. */
int weights_octave_end(struct weights_octave *o, const struct weights_at *at,
    struct err *e);

/* The two statistics of a histogram, for tests. */
struct weights_fit {
	double z;		/* chi-square against uniform, standardised */
	double slope;		/* of the mantissa's top bits, standardised */
	uint64_t n;		/* elements in rows that count */
};
void weights_octave_fit(const uint16_t n[WEIGHTS_ROWS * WEIGHTS_FIELDS],
    struct weights_fit *ret);

#endif /* !ANALYZER_WEIGHTS_OCTAVE_H_ */
