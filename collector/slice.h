#ifndef COLLECTOR_SLICE_H_
#define COLLECTOR_SLICE_H_

#include <stddef.h>

#include "collector/dataset.h"

struct err;

/*
 * Slices of data sets: of a source with a slice (collect.h) only the records
 * that its specification takes go into the bundle.
 *
 * The source is read whole for its digest.  Which records they are is found
 * by a worker that was started before keys were loaded, has entered the
 * fence, and is given the files to read; what it names is checked, copied
 * from the source as it stands and digested here.  The collector knows
 * neither formats nor specifications: cli hands the worker's entry down, and
 * a program without it takes no slices.
 */
struct slicer;

int slicer_new(int (*main)(void *arg, int out_fd), struct slicer **ret,
    struct err *e);
/*
 * slicer_add: start the worker of source number ${source}; the contents of
 * its files of ids become the slicer's, on failure too.
 */
int slicer_add(struct slicer *s, size_t source, struct dataset_ids *ids,
    size_t nids, struct err *e);
void slicer_free(struct slicer *s);	/* NULL does nothing; ends workers */

#endif /* !COLLECTOR_SLICE_H_ */
