#ifndef ANALYZER_APILOG_APILOG_SPOOL_H_
#define ANALYZER_APILOG_APILOG_SPOOL_H_

#include <stdint.h>

struct err;
struct traffic_record;

/*
 * Records on their way from the order of the files to the order of time.
 *
 * They go to a file without a name as packed bytes, a batch of
 * LIMIT_APILOG_BATCH at a time, each batch in order of time.  Batches that
 * follow each other in time are one run: a log in order is one, and read back
 * from its beginning to its end; several files are a few, which are merged.
 * Memory is a batch, twice, the blocks that are read back, and a few words for
 * each run, however many records there are.
 *
 * A record without a time has its place behind the one before it.  Of equal
 * times the record that came first comes first.
 */
struct apilog_spool;

/*
 * apilog_spool_new: ${fd} is an empty file, borrowed, and grows to at most
 * LIMIT_APILOG_SPOOL.  NULL and *e when memory is out.
 */
struct apilog_spool *apilog_spool_new(int fd, struct err *e);
void apilog_spool_free(struct apilog_spool *s);	/* NULL does nothing */

/*
 * apilog_spool_put: 1 when the record is not kept because the file would be
 * too large (nothing behind it is, then), 0, or negative.
 */
int apilog_spool_put(struct apilog_spool *s, const struct traffic_record *r,
    struct err *e);
/* apilog_spool_end: no more of them; now apilog_spool_next. */
int apilog_spool_end(struct apilog_spool *s, struct err *e);
/*
 * apilog_spool_next: the next record in time, valid until the call after it.
 * 1, 0 at the end, negative.
 */
int apilog_spool_next(struct apilog_spool *s, struct traffic_record *ret,
    struct err *e);
uint64_t apilog_spool_count(const struct apilog_spool *s);
/* apilog_spool_runs: how many runs there are, for tests. */
uint64_t apilog_spool_runs(const struct apilog_spool *s);

#endif /* !ANALYZER_APILOG_APILOG_SPOOL_H_ */
