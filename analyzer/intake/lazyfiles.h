#ifndef ANALYZER_INTAKE_LAZYFILES_H_
#define ANALYZER_INTAKE_LAZYFILES_H_

#include <stdint.h>

struct arena;
struct bytesrc;
struct err;

/*
 * Files that a fenced worker reads and its parent holds: each is asked for
 * when its first byte is read, and LAZYFILES_OPEN are held open at once, so
 * that a data set may have more files than a process has descriptors.
 */
#define LAZYFILES_OPEN 16

struct lazyfiles;

/*
 * lazyfiles_new: ${ask} gets a descriptor, which is the callee's gift, or is
 * negative.  NULL: the arena is full.
 */
struct lazyfiles *lazyfiles_new(struct arena *a, int (*ask)(void *ctx,
    uint32_t file, int *fd, struct err *e), void *ctx);
/*
 * lazyfiles_src: a source of file ${number}, of ${size} bytes; the caller
 * frees it, before the lazyfiles.
 */
struct bytesrc *lazyfiles_src(struct lazyfiles *l, uint32_t number,
    uint64_t size, struct err *e);
/* lazyfiles_close: the descriptors at hand.  NULL does nothing. */
void lazyfiles_close(struct lazyfiles *l);

#endif /* !ANALYZER_INTAKE_LAZYFILES_H_ */
