#ifndef ANALYZER_DIFF_SPILL_H_
#define ANALYZER_DIFF_SPILL_H_

#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;

/*
 * An unlinked file that the parent made: what lies compressed in an archive,
 * or across strides in a storage, is written there once, so that everything
 * that is compared can be mapped.  Append only, LIMIT_DIFF_SPOOL at most.
 */
struct spill;

struct spill *spill_new(int fd, struct err *e);	/* fd -1: it holds nothing */
void spill_free(struct spill *s);

/*
 * spill_put: append n bytes; *off is where they begin (a multiple of 64).
 * 1 when they do not fit or there is no file, and nothing was written.
 */
int spill_put(struct spill *s, const void *p, size_t n, uint64_t *off,
    struct err *e);
/* spill_more: append to what was put last. */
int spill_more(struct spill *s, const void *p, size_t n, struct err *e);
/* spill_copy: all of a source. */
int spill_copy(struct spill *s, const struct bytesrc *src, uint64_t *off,
    struct err *e);
int spill_file(const struct spill *s);
uint64_t spill_size(const struct spill *s);

#endif /* !ANALYZER_DIFF_SPILL_H_ */
