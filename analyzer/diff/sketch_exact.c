#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch.h"
#include "analyzer/diff/sketch_exact.h"
#include "analyzer/diff/sketch_kernel.h"
#include "analyzer/diff/sketch_panel.h"
#include "analyzer/diff/smallsvd.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/* Elements of a wide matrix: it must be one panel, as columns are summed. */
#define WIDE_MAX 1048576
/* The long side is summed in so many parts, of at least so much each. */
#define PARTS 8
#define PART_MIN 256
/* Rows, or columns, that a task packs at a time. */
#define PACK 64

struct gram {
	struct sketch_panel panel;
	const struct sketch_kernels *kern;
	bool tall;		/* columns are the short side */
	size_t side, padded;	/* the short side, and to a multiple of 4 */
	size_t parts;
	double *g;		/* parts x padded x padded */
	double *room;
	const float *rows;	/* the panel */
	size_t nrows;
	float *pack;		/* parts x PACK x padded, padding 0 */
};

bool
sketch_exact_fits(uint64_t m, uint64_t n)
{
	if (n <= m)
		return n <= SKETCH_EXACT;
	return m <= SKETCH_EXACT && n <= WIDE_MAX / (m > 0 ? m : 1);
}

/* Slice [from, from + k) of the long side, each as one row of ${to}. */
static void
pack(const struct gram *w, size_t from, size_t k, float *to)
{
	size_t n = (size_t)w->panel.n;

	for (size_t r = 0; w->tall && r < k; r++)
		memcpy(to + r * w->padded, w->rows + (from + r) * n,
		    w->side * sizeof(*to));
	for (size_t i = 0; !w->tall && i < w->side; i++)
		for (size_t r = 0; r < k; r++)
			to[r * w->padded + i] = w->rows[i * n + from + r];
}

static void
gram_task(void *ctx, size_t i, unsigned thread)
{
	struct gram *w = ctx;
	size_t len = w->tall ? w->nrows : (size_t)w->panel.n, k;
	size_t to = len * (i + 1) / w->parts;
	float *buf = w->pack + i * PACK * w->padded;

	(void)thread;
	for (size_t from = len * i / w->parts; from < to; from += k) {
		k = to - from < PACK ? to - from : PACK;
		pack(w, from, k, buf);
		w->kern->gram(buf, k, w->padded,
		    w->g + i * w->padded * w->padded);
	}
}

static int
gram_init(struct gram *w, const struct sketch_ask *ask, struct err *e)
{
	uint64_t m = ask->d->b->rows, n = ask->d->b->cols, len;

	memset(w, 0, sizeof(*w));
	w->kern = sketch_kernels(ask->portable);
	w->tall = n <= m;
	w->side = (size_t)(w->tall ? n : m);
	w->padded = (w->side + 3) & ~(size_t)3;
	len = (w->tall ? m : n) / PART_MIN;
	w->parts = len < 1 ? 1 : len < PARTS ? (size_t)len : PARTS;
	w->g = calloc(w->parts * w->padded * w->padded, sizeof(*w->g));
	w->pack = calloc(w->parts * PACK * w->padded, sizeof(*w->pack));
	w->room = malloc(SMALLSVD_ROOM(w->padded) * sizeof(*w->room));
	if (w->g == NULL || w->pack == NULL || w->room == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return sketch_panel_init(&w->panel, ask->pool, ask->d, ask->top, e);
}

static void
values(struct gram *w, struct sketch *ret)
{
	size_t square = w->padded * w->padded;
	double scale = (double)w->panel.scale;
	struct sketch s = {.q = (unsigned)w->side, .exact = true};

	for (size_t i = 1; i < w->parts; i++)
		for (size_t k = 0; k < square; k++)
			w->g[k] += w->g[i * square + k];
	/* The padding's eigenvalues are 0, and the last. */
	if (!smallsvd_eigen(w->g, (unsigned)w->padded, s.s, NULL, w->room))
		s.q = 0;
	for (unsigned k = 0; k < s.q; k++)
		s.s[k] = s.s[k] > 0 ? sqrt(s.s[k]) / scale : 0.0;
	*ret = s;
}

int
sketch_exact_find(const struct sketch_ask *ask, struct sketch *ret,
    struct err *e)
{
	struct gram w;
	int r;

	if ((r = gram_init(&w, ask, e)) < 0)
		goto out;
	for (uint64_t row = 0; row < w.panel.m; row += w.nrows) {
		w.rows = sketch_panel_load(&w.panel, row, &w.nrows);
		pool_run(ask->pool, gram_task, &w, w.parts);
	}
	values(&w, ret);
out:
	free(w.g);
	free(w.pack);
	free(w.room);
	sketch_panel_release(&w.panel);
	return r;
}
