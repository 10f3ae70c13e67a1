#ifndef ANALYZER_TRIGGERS_IMAGESET_H_
#define ANALYZER_TRIGGERS_IMAGESET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/detect.h"

/*
 * Triggers in a data set of images of one size with labels.
 */
struct imageset;

/* An image: rows of pixels, ${channels} (1, 3) bytes each, no padding. */
struct imageset_image {
	uint32_t width, height, channels;
	const uint8_t *p;	/* width * height * channels bytes */
	bool lossy;		/* it was decoded from JPEG or the like */
};

/* As in textset.h; an image of another size than the first is counted. */
struct imageset *imageset_new(const struct detect *d);
int imageset_add(struct imageset *t, uint64_t row,
    const struct imageset_image *im, const void *label, size_t m);
int imageset_end(struct imageset *t);
void imageset_free(struct imageset *t);

#endif /* !ANALYZER_TRIGGERS_IMAGESET_H_ */
