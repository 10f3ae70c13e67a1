#ifndef CLI_SLICES_H_
#define CLI_SLICES_H_

#include <stddef.h>

struct collect_options;
struct err;
struct slicer;

/*
 * Slices of training data (collector/slice.h), and what reads them.
 *
 * slices_check: before anything is read: does each specification make sense?
 * ERR_ARG says where it does not.  slices_start: files of ids are read and a
 * worker is started for each slice, so before a key is loaded; *ret is NULL
 * when there are none.
 */
int slices_check(const struct collect_options *o, struct err *e);
int slices_start(const struct collect_options *o, struct slicer **ret,
    struct err *e);

#endif /* !CLI_SLICES_H_ */
