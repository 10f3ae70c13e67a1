#ifndef ANALYZER_SIBLING_H_
#define ANALYZER_SIBLING_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;
struct wire;

/*
 * Files beside an object.
 *
 * A worker opens nothing.  It names the file in an ASK frame; the parent
 * opens it beneath the root of the scan (or finds the member of the same
 * bundle) and passes the descriptor through a socket pair of that worker's.
 * One question is open at a time, and the parent never waits for a worker.
 */

/* sibling_pair: fd[0] is the parent's end, fd[1] the worker's. */
int sibling_pair(int fd[2], struct err *e);

/*
 * sibling_ask(fd, w, name, n, ret, e): the worker's side; an enum sibling
 * (formats/format.h), or negative when the parent is gone.
 */
int sibling_ask(int fd, struct wire *w, const char *name, size_t n,
    struct bytesrc **ret, struct err *e);

/*
 * sibling_answer(sock, status, fd, off, len): the parent's side; bytes
 * [off, off+len) of ${fd} on SIBLING_OPEN, no descriptor otherwise.
 * Negative when the worker does not take it.
 */
int sibling_answer(int sock, int status, int fd, uint64_t off, uint64_t len);

/*
 * sibling_path(folder, name, n, dst, cap): folder + "/" + name without ".",
 * ".." and empty parts.  False when it leads above the beginning, is absolute
 * or empty, holds a NUL, or does not fit.  ${folder} is "" or "a/b".
 */
bool sibling_path(const char *folder, const void *name, size_t n, char *dst,
    size_t cap);

#endif /* !ANALYZER_SIBLING_H_ */
