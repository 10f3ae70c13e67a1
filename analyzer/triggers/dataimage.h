#ifndef ANALYZER_TRIGGERS_DATAIMAGE_H_
#define ANALYZER_TRIGGERS_DATAIMAGE_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/triggers/imageset.h"
#include "base/buf.h"

struct err;
struct rows_array;

/*
 * Pixels of 8 bits out of what data sets hold: arrays of any number type, or
 * files of images.
 *
 * Of an array the axis of 1, 3 or 4 elements is the channels, last or first;
 * two axes are grey; one axis is a square of one or, as CIFAR has it, three
 * planes.  Reals between 0 and 1 are stretched to 255, and so are those with a
 * sign, from -1; what is wider is rounded and cut.  The range is that of the
 * first ${DATAIMAGE_RANGE} records, seen by dataimage_survey.
 */
#define DATAIMAGE_RANGE 64

struct dataimage {
	double low, high;	/* of the records surveyed */
	uint64_t surveyed;
	bool lossy;		/* of the last one */
	struct buf pixels;
	struct imageset_image image;	/* the last one; into ${pixels} */
};

void dataimage_init(struct dataimage *d);
void dataimage_release(struct dataimage *d);

void dataimage_survey(struct dataimage *d, const struct rows_array *a);
/*
 * dataimage_array, dataimage_file: 1 and d->image, 0 when it is no image
 * that can be read (*why says so), or negative.
 */
int dataimage_array(struct dataimage *d, const struct rows_array *a,
    const char **why, struct err *e);
int dataimage_file(struct dataimage *d, const uint8_t *p, size_t n,
    const char **why, struct err *e);

#endif /* !ANALYZER_TRIGGERS_DATAIMAGE_H_ */
