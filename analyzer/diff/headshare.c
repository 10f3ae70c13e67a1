#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/headshare.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * A task is a band of rows: it adds up what each head has there, and bands
 * are added in order.
 */
#define BLOCK ((size_t)4096)	/* a multiple of DELTA_UNIT */
#define BANDS ((size_t)64)

struct work {
	const struct delta *d;
	uint32_t heads;
	int columns;
	uint64_t blocks;	/* of the whole tensor */
	double *sum;		/* BANDS x heads */
	float *room;		/* for each thread: 3 BLOCK */
};

uint32_t
headshare_heads(const struct headshare_config *c, const struct tensor *t,
    int *columns)
{
	static const struct {
		const char *name;
		int kv, columns;
	} table[] = {{".attn_q.weight", 0, 0}, {".attn_k.weight", 1, 0},
	    {".attn_v.weight", 1, 0}, {".attn_output.weight", 0, 1}};
	char name[512];
	size_t n = rename_canonical(t->name, t->name_len, name,
	    sizeof(name)), len;
	uint32_t heads = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		len = strlen(table[i].name);
		if (n <= len || memcmp(name + n - len, table[i].name, len) !=
		    0)
			continue;
		heads = table[i].kv && c->kv_heads > 0 ? c->kv_heads :
		    c->heads;
		*columns = table[i].columns;
	}
	if (heads < 2 || heads > HEADSHARE_MAX || t->rank != 2 ||
	    (*columns ? t->cols : t->rows) % heads != 0)
		return 0;
	return heads;
}

static void
band(void *ctx, size_t i, unsigned thread)
{
	const struct work *w = ctx;
	const struct tensor *t = w->d->b;
	float *diff = w->room + thread * 3 * BLOCK, *scratch = diff + BLOCK;
	uint64_t from = w->blocks * i / BANDS, to = w->blocks * (i + 1) /
	    BANDS;
	uint64_t each = (w->columns ? t->cols : t->rows) / w->heads;
	double *sum = w->sum + i * w->heads;

	for (uint64_t k = from; k < to; k++) {
		uint64_t at = k * BLOCK;
		size_t n = t->n - at < BLOCK ? (size_t)(t->n - at) : BLOCK;

		delta_block(w->d, at, n, NULL, NULL, diff, scratch);
		for (size_t j = 0; j < n; j++) {
			uint64_t place = w->columns ? (at + j) % t->cols :
			    (at + j) / t->cols;

			if (isfinite(diff[j]))
				sum[place / each] += (double)diff[j] *
				    (double)diff[j];
		}
	}
}

int
headshare_find(struct pool *pool, const struct delta *d, uint32_t heads,
    int columns, double *share, struct err *e)
{
	struct work w = {.d = d, .heads = heads, .columns = columns,
	    .blocks = (d->b->n + BLOCK - 1) / BLOCK};
	double all = 0;
	int r = 0;

	w.sum = calloc(BANDS * heads, sizeof(*w.sum));
	w.room = calloc(pool_threads(pool), 3 * BLOCK * sizeof(*w.room));
	if (w.sum == NULL || w.room == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	pool_run(pool, band, &w, BANDS);
	for (uint32_t h = 0; h < heads; h++) {
		share[h] = 0;
		for (size_t i = 0; i < BANDS; i++)
			share[h] += w.sum[i * heads + h];
		all += share[h];
	}
	for (uint32_t h = 0; h < heads && all > 0; h++)
		share[h] /= all;
out:
	free(w.sum);
	free(w.room);
	return r;
}
