#ifndef ANALYZER_DIFF_POOL_H_
#define ANALYZER_DIFF_POOL_H_

#include <stddef.h>

struct err;

/*
 * Threads of one worker process.  They are started before the fence is
 * entered (seccomp allows no new ones) and wait without spinning.
 *
 * Whoever uses it cuts work into tasks whose results do not depend on who
 * does them, and adds these up in order of the task's number: the same
 * evidence gives the same figures on any number of cores.
 */
struct pool;

/* pool_new: ${threads} in all, the caller's included; 0: one a core. */
struct pool *pool_new(unsigned threads, struct err *e);
void pool_free(struct pool *p);	/* NULL does nothing */
unsigned pool_threads(const struct pool *p);	/* 1 for NULL */

/*
 * pool_run: task(ctx, i, thread) for each i below ${n}, in no order, and
 * returns when all are done; thread is below pool_threads, for scratch
 * memory.  NULL runs them here, one after the other.  Not reentrant.
 */
void pool_run(struct pool *p, void (*task)(void *ctx, size_t i,
    unsigned thread), void *ctx, size_t n);

#endif /* !ANALYZER_DIFF_POOL_H_ */
