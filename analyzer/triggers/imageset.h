#ifndef ANALYZER_TRIGGERS_IMAGESET_H_
#define ANALYZER_TRIGGERS_IMAGESET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/detect.h"

/*
 * Triggers in a data set of images of one size with labels.  Three methods,
 * which execute no model and need no clean data:
 *
 *	image-block	the same block of 1 to 5 pixels a side in many images
 *			of one label, at one place or anywhere
 *	image-residue	what some images of a class share beyond the class, in
 *			the plane without low frequencies and in that of the
 *			lowest bits, found in one half and tried on the other
 *	image-cluster	images of a class that fall into two groups, which is
 *			activation clustering (Chen et al. 2018) on pixels
 *
 * A candidate names the label that it points to, shows its pattern as a
 * picture (evidence "picture", a PNG in base64), and lists its records.  What
 * the methods cannot see has detector rows of its own, not applied.
 *
 * Images are kept as they are up to LIMIT_IMAGES_BYTES; past it an even
 * sample, the same for the same records.  Of images of more than 64 pixels a
 * side their four corners and a grid of means are kept, and the rest is not
 * looked at, which is told.  The size of most images is
 * settled by the first; a grey image among coloured ones is taken as
 * coloured; images of other sizes are counted and left out.
 */
struct imageset;

/* An image: rows of pixels, ${channels} (1, 3) bytes each, no padding. */
struct imageset_image {
	uint32_t width, height, channels;
	const uint8_t *p;	/* width * height * channels bytes */
	bool lossy;		/* it was decoded from JPEG or the like */
};

/* imageset_new: ${d} is borrowed until imageset_free.  NULL: no memory. */
struct imageset *imageset_new(const struct detect *d);
/*
 * imageset_add: label[0..m) is raw bytes; ${row} is the record's number,
 * ascending.  0, or negative when our side failed.
 */
int imageset_add(struct imageset *t, uint64_t row,
    const struct imageset_image *im, const void *label, size_t m);
/* imageset_end: tell what was found.  Once. */
int imageset_end(struct imageset *t);
void imageset_free(struct imageset *t);	/* NULL does nothing */

#endif /* !ANALYZER_TRIGGERS_IMAGESET_H_ */
