#ifndef ANALYZER_TRIGGERS_DATARUN_H_
#define ANALYZER_TRIGGERS_DATARUN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/datafields.h"
#include "analyzer/triggers/detect.h"

struct rows_file;

/*
 * One data set through the detector that fits it.  Runs inside the fence.
 */
struct datarun_set {
	const struct rows_file *file;
	size_t files;
	/*
	 * Labels that lie in a file of their own, record for record (.npy
	 * beside .npy); NULL: in the data set itself.
	 */
	const struct rows_file *labels;
	const char *path;	/* as rows of results name it */
	uint64_t bytes;
	const char *format;	/* of formats/rows/readers.def; NULL: by bids */
	bool asked;		/* a person named this very data set */
};

/*
 * datarun: read ${set} and tell what there is to tell: an input row, what
 * could not be read as findings, and the detector's rows, whose evidence gets
 * "source", the path.  ${fields} is what a person gave.  1: a detector looked
 * at it; 0: it is no data set, or none that a detector can work on, which is
 * said where ${set} was asked for.
 */
int datarun(const struct datarun_set *set, const struct data_fields *fields,
    const struct detect *d);

#endif /* !ANALYZER_TRIGGERS_DATARUN_H_ */
