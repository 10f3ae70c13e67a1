#ifndef CLI_BUNDLE_OPEN_H_
#define CLI_BUNDLE_OPEN_H_

#include <stdbool.h>

#include "analyzer/bundle_index.h"

/*
 * Open a bundle to look inside it: the file is opened, then the sandbox is
 * entered in this process, then the index is read.  After this the process
 * can only read the bundle and write to ${out_fd} and standard error.
 */
struct bundle_open {
	int fd;
	struct bytesrc *src;
	struct arena *arena;
	struct bundle_index index;
};

/*
 * ${out_fd}: where results go; ${seen}: see bundle_index_load.  Negative:
 * cannot be looked into.
 */
int bundle_open(struct bundle_open *b, const char *path, int out_fd,
    const struct bundle_seen *seen, struct err *e);
void bundle_open_release(struct bundle_open *b);

#endif /* !CLI_BUNDLE_OPEN_H_ */
