#ifndef ANALYZER_APILOG_APILOG_RECORD_H_
#define ANALYZER_APILOG_APILOG_RECORD_H_

#include <stdint.h>

#include "analyzer/traffic/traffic.h"
#include "base/buf.h"
#include "base/limits.h"

struct arena;
struct err;
struct logs_record;

/*
 * From the normal form of a request (formats/logs, LOGS_BARE) to a record of
 * traffic.h: who, when, what was asked and answered.
 *
 * An input is
 *   an image   a PNG, JPEG, BMP or PNM, as it is, as base64 or as a data:
 *              URL; bytes or base64 of as many bytes as its stated shape has
 *              places (H,W, H,W,C or C,H,W; leading ones count nothing), or
 *              four times as many (floats, little-endian); an array of numbers
 *              of such a shape.  Numbers must lie in [0, 1] or [0, 255]
 *   a vector   any other array of numbers, or such values as CSV
 *   a text     all else; of chat messages the last that a user wrote, of an
 *              array with one text this text
 * and nothing where the log has none, has masked it, or was cut.
 */
struct apilog_record {
	struct arena *arena;	/* of the record; renewed when it is full */
	struct buf space;	/* pixels */
	double *vector;
	struct row_text classes[LIMIT_LOG_SCORES];
	size_t vector_cap;
	uint64_t seen;		/* records of the log, also those left out */
	/* What became of them. */
	uint64_t events;	/* lines that are no request: left out */
	uint64_t answers;	/* without their request: left out */
	uint64_t masked, cut;	/* inputs of which there is no more */
	uint64_t undecoded;	/* images that no decoder takes */
	uint64_t smaller;	/* images that were too large to be kept */
	uint64_t kinds[4];	/* enum traffic_kind */
};

void apilog_record_init(struct apilog_record *x);
void apilog_record_release(struct apilog_record *x);

/*
 * apilog_record_take: 1 and *ret, valid until the next call and while ${r}
 * is; 0: it is no request.  Negative: out of memory.
 */
int apilog_record_take(struct apilog_record *x, const struct logs_record *r,
    struct traffic_record *ret, struct err *e);

/*
 * apilog_input.c: what was asked.  apilog_input_shape: a stated shape to
 * height, width, channels; false: it is no image's.
 */
int apilog_input_take(struct apilog_record *x, const struct logs_record *r,
    struct traffic_record *ret, struct err *e);

struct apilog_shape {
	uint32_t height, width, channels;
	bool planes;		/* channels come first */
};
bool apilog_input_shape(const void *p, size_t n, struct apilog_shape *ret);

#endif /* !ANALYZER_APILOG_APILOG_RECORD_H_ */
