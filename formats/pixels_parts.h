#ifndef FORMATS_PIXELS_PARTS_H_
#define FORMATS_PIXELS_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "formats/pixels.h"

/*
 * What the decoders of pixels.h share.  Each returns as pixels_decode does.
 */
struct pixels_job {
	struct cursor c;	/* the whole file */
	struct buf *space;
	struct pixels im;	/* what is known so far */
	uint8_t *out;		/* after pixels_room: where pixels go */
	const char *why;
	struct err *e;
};

int pixels_png(struct pixels_job *j);
int pixels_jpeg(struct pixels_job *j);

/*
 * pixels_room: is the size within limits, and if so make room for it, all
 * zero: 0, 1 (why is set), negative.
 */
int pixels_room(struct pixels_job *j, uint64_t width, uint64_t height,
    unsigned channels);

/* pixels_no: note why, and return 1. */
int pixels_no(struct pixels_job *j, const char *why);

#endif /* !FORMATS_PIXELS_PARTS_H_ */
