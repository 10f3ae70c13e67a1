#ifndef ANALYZER_WEIGHTS_HIST_H_
#define ANALYZER_WEIGHTS_HIST_H_

#include <stddef.h>
#include <stdint.h>

/*
 * Histograms of elements: the inner loops of the deep pass.
 *
 * An octave field is the exponent's lowest bit and the three highest of the
 * mantissa; its row is the exponent without that bit.  Both stand side by
 * side in an element (F32: bits 20 to 30, BF16: bits 4 to 14), the sign is
 * left out.
 */
#define WEIGHTS_WINDOW 4096	/* elements: the unit of every test */
#define WEIGHTS_PART 1024	/* and its quarter, for octave fields */
#define WEIGHTS_ROWS 128
#define WEIGHTS_FIELDS 16

struct weights_octaves {
	uint16_t n[WEIGHTS_ROWS * WEIGHTS_FIELDS];
};

struct weights_lane {
	uint16_t n[256];
};

/* A float16's high byte is a cell; what stands in its low byte is summed. */
struct weights_cells {
	uint64_t sum[256];	/* n << 32 | sum of low bytes */
};

/*
 * Each adds the n elements at p, at most WEIGHTS_WINDOW in all between two
 * times that the histogram is cleared.
 */
void weights_hist_f32(const uint8_t *p, size_t n, struct weights_octaves *o,
    struct weights_lane *low, struct weights_lane *second);
void weights_hist_bf16(const uint8_t *p, size_t n,
    struct weights_octaves *o);
/* low may be NULL. */
void weights_hist_f16(const uint8_t *p, size_t n, struct weights_cells *c,
    struct weights_lane *low);

/*
 * weights_row: sum and sum of squares of one row.  The second is the same
 * without SIMD.
 */
void weights_row(const uint16_t row[WEIGHTS_FIELDS], uint32_t *sum,
    uint32_t *squares);
void weights_row_scalar(const uint16_t row[WEIGHTS_FIELDS], uint32_t *sum,
    uint32_t *squares);

#endif /* !ANALYZER_WEIGHTS_HIST_H_ */
