#ifndef BASE_BYTESRC_H_
#define BASE_BYTESRC_H_

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Positioned reads over a file, memory, or a range of another source.
 *
 * A member of a tar or a stored member of a zip is a range: no copy, no
 * extraction.  The size is fixed at creation; a file that has shrunk since
 * is ERR_TRUNC on read, never zeros.  Never mmap: a shrinking file would
 * kill the reader.
 */
struct bytesrc;

/*
 * bytesrc_fd(fd, off, len, e): bytes [off, off+len) of an open file, read by
 * pread.  The descriptor is borrowed: the caller closes it, after the
 * source.  NULL and *e on no memory.
 */
struct bytesrc *bytesrc_fd(int fd, uint64_t off, uint64_t len, struct err *e);

/*
 * bytesrc_take_fd: the same of a whole file of ${len} bytes from ${off}, and
 * the descriptor is the source's: bytesrc_free closes it.  It is closed on
 * failure too.
 */
struct bytesrc *bytesrc_take_fd(int fd, uint64_t off, uint64_t len,
    struct err *e);

/* bytesrc_mem(p, n, e): borrows p[0..n). */
struct bytesrc *bytesrc_mem(const void *p, size_t n, struct err *e);

/*
 * bytesrc_stream(fd, e): what comes out of a pipe, from offset 0.  Its size
 * is not known (BYTESRC_ENDLESS): its end shows when it is read.  Reads go
 * forward; what lies up to BYTESRC_KEPT bytes behind the furthest read can be
 * read again, further back is ERR_UNSUPPORTED, and so is a range.  Unlike
 * the others it changes when it is read: one thread.
 */
#define BYTESRC_ENDLESS ((uint64_t)INT64_MAX)
#define BYTESRC_KEPT ((size_t)16384)
struct bytesrc *bytesrc_stream(int fd, struct err *e);

/*
 * bytesrc_call(read, done, ctx, size, e): bytes that somebody makes when they
 * are asked for.  ${read} is given ranges inside [0, size) alone, and returns
 * 0 or negative; ${done}, if any, is called by bytesrc_free.  On failure too.
 */
struct bytesrc *bytesrc_call(int (*read)(void *ctx, uint64_t off, void *dst,
    size_t n, struct err *e), void (*done)(void *ctx), void *ctx,
    uint64_t size, struct err *e);

/*
 * bytesrc_range(parent, off, len, e): a window on ${parent}, which must
 * outlive it.  ERR_TRUNC when it does not lie inside.
 */
struct bytesrc *bytesrc_range(const struct bytesrc *parent, uint64_t off,
    uint64_t len, struct err *e);

void bytesrc_free(struct bytesrc *s);	/* NULL does nothing */

uint64_t bytesrc_size(const struct bytesrc *s);

/*
 * bytesrc_origin(s, off, ret): translate ${off} in ${s} to an offset in the
 * outermost file when s is a chain of ranges down to bytesrc_fd.  Returns 1
 * and *ret (absolute in that file), or 0 when the chain ends in memory.
 */
int bytesrc_origin(const struct bytesrc *s, uint64_t off, uint64_t *ret);

/* bytesrc_file(s): the descriptor that it reads, or -1: it is in memory. */
int bytesrc_file(const struct bytesrc *s);

/*
 * bytesrc_read(s, off, dst, n, e): read exactly n bytes at off.  0, or
 * ERR_TRUNC when [off, off+n) is not all there, or ERR_IO.
 */
int bytesrc_read(const struct bytesrc *s, uint64_t off, void *dst, size_t n,
    struct err *e) __attribute__((warn_unused_result));

/*
 * bytesrc_read_some(s, off, dst, n, got, e): read up to n bytes at off,
 * *got < n only at the end of the source.
 */
int bytesrc_read_some(const struct bytesrc *s, uint64_t off, void *dst,
    size_t n, size_t *got, struct err *e) __attribute__((warn_unused_result));

#endif /* !BASE_BYTESRC_H_ */
