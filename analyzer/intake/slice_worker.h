#ifndef ANALYZER_INTAKE_SLICE_WORKER_H_
#define ANALYZER_INTAKE_SLICE_WORKER_H_

#include <stddef.h>

struct err;

/*
 * The worker that finds the records of a slice (custody/slicewire.h), and
 * with slicewire_go.check set checks the slices of a bundle against their
 * source (slice_check.h).  It enters the fence before its first byte of
 * either.
 */
int slice_worker_main(void *arg, int out_fd);

/*
 * slice_spec: before anything is read: does the specification make sense?
 * ERR_ARG says where it does not.  ${each} is called with the name of each
 * file of ids, in order; may be NULL.
 */
int slice_spec(const char *spec, int (*each)(void *ctx, const char *name,
    struct err *e), void *ctx, struct err *e);

#endif /* !ANALYZER_INTAKE_SLICE_WORKER_H_ */
