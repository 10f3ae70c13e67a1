#ifndef BASE_FSIO_H_
#define BASE_FSIO_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * Files, the careful way: close-on-exec, no link followed where it matters,
 * short writes continued, EINTR retried, publication that never replaces.
 */

/* fsio_write_all: all n bytes or ERR_IO. */
int fsio_write_all(int fd, const void *p, size_t n, struct err *e);

/*
 * fsio_read_file(dirfd, path, max, b, e): a whole regular file into ${b};
 * ERR_LIMIT when larger than ${max}.  Follows no link in the last component.
 */
int fsio_read_file(int dirfd, const char *path, size_t max, struct buf *b,
    struct err *e);

/*
 * fsio_create(dirfd, path, mode, e): O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC
 * for writing; ERR_EXISTS when anything is there.  Returns the descriptor.
 */
int fsio_create(int dirfd, const char *path, unsigned mode, struct err *e);

/* fsio_write_new: create, write, fsync, close; removed again on failure. */
int fsio_write_new(int dirfd, const char *path, unsigned mode, const void *p,
    size_t n, struct err *e);

/*
 * fsio_publish(dirfd, tmp, final, how, e): give a finished, fsynced file its
 * name.  renameat2(RENAME_NOREPLACE), or linkat + unlinkat where the kernel
 * or the file system lacks it (*how says "renameat2" or "linkat"; may be
 * NULL), then fsync of the directory.  ERR_EXISTS when ${final} is taken;
 * ${tmp} is left then.
 */
int fsio_publish(int dirfd, const char *tmp, const char *final,
    const char **how, struct err *e);

/* fsio_replace: like publish, but replaces a result file. */
int fsio_replace(int dirfd, const char *tmp, const char *final,
    struct err *e);

/*
 * fsio_open_beneath(dirfd, path, e): a regular file below ${dirfd}, for
 * reading, its access time left alone where the kernel lets us.  No link is
 * followed anywhere on the way and nothing leads out (openat2; without it
 * component by component, and then ".." is refused).  ERR_NOTFOUND: no such
 * file.  ERR_DENIED: a link, no regular file, outside, or not readable.
 * Returns the descriptor.
 */
int fsio_open_beneath(int dirfd, const char *path, struct err *e);

/*
 * fsio_spool(e): a file without a name for reading and writing, in TMPDIR or
 * /var/tmp: what does not fit in memory, gone when it is closed.
 */
int fsio_spool(struct err *e);

/*
 * fsio_parent(path, dir, cap, base): split "a/b/c" to "a/b" and "c" ("." when
 * there is no slash).  *base points into path.  ERR_ARG for "", "/", ".."
 */
int fsio_parent(const char *path, char *dir, size_t cap, const char **base,
    struct err *e);

#endif /* !BASE_FSIO_H_ */
