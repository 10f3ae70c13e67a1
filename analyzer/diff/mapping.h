#ifndef ANALYZER_DIFF_MAPPING_H_
#define ANALYZER_DIFF_MAPPING_H_

#include <stdint.h>

struct err;

/*
 * A whole file, mapped read only.
 *
 * Of all processes only the worker of a comparison may use this, after it
 * has entered the fence: a file that shrinks while it is mapped ends the
 * process that touches what is gone (SIGBUS), and the worker's parent makes
 * that a finding.  Nothing that can write evidence maps it.
 *
 * Mapped pages belong to the page cache: the kernel takes them back at will,
 * and they count against RLIMIT_AS but not against RLIMIT_DATA.
 */
struct mapping {
	const uint8_t *p;	/* never NULL after mapping_init */
	uint64_t n;
};

#define MAPPING_INIT {NULL, 0}

/*
 * mapping_init(ret, fd, n, e): the first ${n} bytes of ${fd}, whose position
 * moves and which may be closed afterwards.  An empty file is mapped without
 * the kernel.  0, or negative: what cannot be mapped, such as a pipe; a file
 * shorter than ${n}; no room.
 */
int mapping_init(struct mapping *ret, int fd, uint64_t n, struct err *e);
void mapping_release(struct mapping *m);	/* twice does nothing */

#endif /* !ANALYZER_DIFF_MAPPING_H_ */
