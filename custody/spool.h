#ifndef CUSTODY_SPOOL_H_
#define CUSTODY_SPOOL_H_

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Bytes that are appended now and read once later: in memory up to a limit,
 * then in an unlinked temporary file ($TMPDIR, else /var/tmp, else /tmp), so
 * that their number is bounded by disk alone.
 */
struct spool;

/* spool_new(limit, e): NULL when out of memory. */
struct spool *spool_new(size_t limit, struct err *e);
/*
 * spool_in_memory: what passes the limit goes to memory that has no name
 * (memfd_create), and no file system is touched; then memory bounds it.
 */
void spool_in_memory(struct spool *s);
void spool_free(struct spool *s);	/* NULL does nothing */

int spool_put(struct spool *s, const void *p, size_t n, struct err *e);
uint64_t spool_size(const struct spool *s);

/* spool_each: give all bytes, in order, in pieces; stops when < 0. */
int spool_each(const struct spool *s,
    int (*take)(void *ctx, const void *p, size_t n, struct err *e),
    void *ctx, struct err *e);

#endif /* !CUSTODY_SPOOL_H_ */
