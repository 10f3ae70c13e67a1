#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pixels.h"
#include "formats/pngwrite.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * Every decoder of pixels.  What is decoded keeps the limits, is the same the
 * second time, and comes back when it is written as a PNG; what is not has a
 * reason.
 */
static void
law(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "fuzz_pixels: %s\n", what);
	abort();
}

static void
write_back(const struct pixels *im, size_t size)
{
	const char *why = NULL;
	struct pixels again;
	struct buf png, space;

	if (im->width > PNGWRITE_SIDE || im->height > PNGWRITE_SIDE)
		return;
	buf_init(&png, 2 * size + 4096);
	pixels_init(&space);
	pngwrite(&png, im->p, im->width, im->height, im->channels);
	law(buf_failed(&png) == 0, "a PNG grows beyond its size");
	law(pixels_decode(png.p, png.len, &space, &again, &why, NULL) == 0 &&
	    again.width == im->width && again.height == im->height &&
	    again.channels == im->channels && !again.lossy &&
	    !again.damaged && memcmp(again.p, im->p, size) == 0,
	    "a PNG that was written does not come back");
	buf_release(&png);
	buf_release(&space);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e = ERR_INIT;
	const char *why = NULL;
	struct pixels im, second;
	struct buf one, two;
	size_t size;
	int r;

	pixels_init(&one);
	pixels_init(&two);
	r = pixels_decode(p, n, &one, &im, &why, &e);
	law(r == 0 || (r == 1 && why != NULL) || r == ERR_NOMEM,
	    "no reason is given");
	if (r == 0) {
		law(im.width > 0 && im.height > 0 &&
		    im.width <= LIMIT_PIXELS_SIDE &&
		    im.height <= LIMIT_PIXELS_SIDE &&
		    (uint64_t)im.width * im.height <= LIMIT_PIXELS &&
		    (im.channels == 1 || im.channels == 3),
		    "the size is over a limit");
		size = (size_t)im.width * im.height * im.channels;
		law(one.len == size, "the size is not that of the pixels");
		if (size < MIB) {
			law(pixels_decode(p, n, &two, &second, &why, &e) == 0 &&
			    two.len == size &&
			    memcmp(one.p, two.p, size) == 0,
			    "the second time gives other pixels");
			write_back(&im, size);
		}
	}
	buf_release(&one);
	buf_release(&two);
	return 0;
}
