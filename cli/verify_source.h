#ifndef CLI_VERIFY_SOURCE_H_
#define CLI_VERIFY_SOURCE_H_

struct buf;
struct err;
struct rows;

/*
 * verify_source: the slices of a bundle against the source at ${path}: a
 * fenced process digests the source, derives each slice again and compares
 * (analyzer/intake/slice_check.h).  Statements named "source" are appended,
 * and in words a conclusion.  Returns 0, 3 when a slice does not agree, 2
 * when none could be compared; or negative.
 */
int verify_source(const char *bundle, int bundle_fd, const char *path,
    struct rows *rows, int quiet, struct buf *b, struct err *e);

#endif /* !CLI_VERIFY_SOURCE_H_ */
