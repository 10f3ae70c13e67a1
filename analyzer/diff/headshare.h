#ifndef ANALYZER_DIFF_HEADSHARE_H_
#define ANALYZER_DIFF_HEADSHARE_H_

#include <stdint.h>

struct delta;
struct err;
struct pool;
struct tensor;

/*
 * Which attention heads carry a change: the share of D^2 that falls on each.
 * The heads of q, k and v are ranges of rows, those of the output projection
 * ranges of columns.
 */
#define HEADSHARE_MAX 512

/* What config.json says; 0: not said. */
struct headshare_config {
	uint32_t heads, kv_heads;
};

/*
 * headshare_heads: how many heads ${t} has by its name, and whether they are
 * columns; 0: none, or rows and columns do not divide into so many.
 */
uint32_t headshare_heads(const struct headshare_config *c,
    const struct tensor *t, int *columns);

/* headshare_find: share[i], adding up to 1 (or all 0), i < heads. */
int headshare_find(struct pool *pool, const struct delta *d, uint32_t heads,
    int columns, double *share, struct err *e);

#endif /* !ANALYZER_DIFF_HEADSHARE_H_ */
