#ifndef FORMATS_PIXELS_H_
#define FORMATS_PIXELS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * An image that is held in memory, decoded to 8-bit pixels.
 *
 *	PNG	by libpng (pixels_png.c), every depth and colour type
 *	JPEG	by libjpeg-turbo (pixels_jpeg.c), baseline and progressive
 *	BMP	8, 24 and 32 bits, not compressed
 *	PNM	binary PGM and PPM (P5, P6)
 *
 * What comes out is one channel (grey) or three (red, green, blue), rows from
 * the top, nothing between them.  Depths below 8 are stretched, of 16 bits
 * the high 8 are taken, a palette is applied, transparency is dropped (the
 * colour below it stands), CMYK becomes RGB.  Of an animation the first
 * picture counts; colour profiles are not applied: these are the values that
 * the loaders of data sets give.
 *
 * Before anything is allocated the stated size is compared with the limits of
 * limits.h (LIMIT_PIXELS_*); memory of the libraries is bounded, and so are
 * the scans of a progressive JPEG.  An image that breaks them, or is
 * malformed, is told and never decoded in part.
 */
struct pixels {
	uint32_t width, height, channels;	/* 1 or 3 */
	const uint8_t *p;	/* width * height * channels bytes, in space */
	const char *format;	/* "png", "jpeg", "bmp", "pnm"; our own */
	bool lossy;		/* neighbouring values were mixed: JPEG */
	bool cut;		/* 16 bits, or transparency: not all is here */
	bool damaged;		/* decoded, but the decoder complained */
};

/* pixels_init: of a buf that fits the largest image; buf_release frees it. */
void pixels_init(struct buf *space);

/*
 * pixels_decode: decode img[0..n) into ${space}, which is emptied first; *ret
 * points into it, until the next call.  0; 1 when there is no picture to be
 * had, and *why, our own constant, says why; negative when our side failed.
 * *ret is written only with 0.
 */
int pixels_decode(const uint8_t *img, size_t n, struct buf *space,
    struct pixels *ret, const char **why, struct err *e);

/* pixels_bid: do the first bytes look like one of the formats above? */
bool pixels_bid(const uint8_t *img, size_t n);

#endif /* !FORMATS_PIXELS_H_ */
