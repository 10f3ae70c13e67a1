#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/* Rows of one task, so that tasks do not depend on the number of threads. */
#define TASK_ROWS 256

static bool
rows_apart(const struct tensor *t)
{
	return t->p != NULL && t->rank >= 2 && t->rows > 0 && t->cols > 0 &&
	    t->rows < ROWDELTA_NONE && t->cols <= ROWDELTA_COLS &&
	    t->cols % elem_info(t->elem)->block == 0;
}

bool
rowdelta_init(struct rowdelta *r, const struct delta *d, const uint32_t *map,
    uint64_t nmap)
{
	if (!rows_apart(d->a) || !rows_apart(d->b) ||
	    d->a->cols != d->b->cols)
		return false;
	*r = (struct rowdelta){.d = d, .map = map, .nmap = nmap,
	    .rows = d->b->rows, .cols = d->b->cols};
	return true;
}

uint32_t
rowdelta_old(const struct rowdelta *r, uint64_t row)
{
	uint64_t old = row;

	if (r->map != NULL)
		old = row < r->nmap ? r->map[row] : ROWDELTA_NONE;
	return old < r->d->a->rows ? (uint32_t)old : ROWDELTA_NONE;
}

/* One row as a tensor of its own. */
static struct tensor
row_of(const struct tensor *t, uint64_t row)
{
	const struct elem_info *x = elem_info(t->elem);
	struct tensor ret = *t;

	ret.p = t->p + row * t->cols / x->block * x->bytes;
	ret.n = ret.cols = t->cols;
	ret.rows = 1;
	ret.len = t->cols / x->block * x->bytes;
	return ret;
}

bool
rowdelta_load(const struct rowdelta *r, uint64_t row, float *diff,
    float *scratch, struct rowdelta_note *note)
{
	uint32_t old = rowdelta_old(r, row);
	size_t n = (size_t)r->cols;
	float *a = scratch, *b = scratch + n;
	struct tensor one, two;
	struct delta d = {&one, &two, r->d->cast};

	memset(note, 0, sizeof(*note));
	memset(diff, 0, n * sizeof(*diff));
	if (old == ROWDELTA_NONE)
		return false;
	one = row_of(r->d->a, old);
	two = row_of(r->d->b, row);
	delta_block(&d, 0, n, a, b, diff, scratch + 2 * n);
	for (size_t i = 0; i < n; i++) {
		bool same = memcmp(&a[i], &b[i], sizeof(a[i])) == 0;

		note->changed += !same && !(a[i] == b[i]);
		if (isfinite(a[i]))
			note->a2 += (double)a[i] * (double)a[i];
		if (isfinite(diff[i])) {
			note->d2 += (double)diff[i] * (double)diff[i];
			continue;
		}
		diff[i] = 0;
		note->wild = note->wild || !same;
	}
	return true;
}

struct norms {
	const struct rowdelta *r;
	double *delta;
	float *room;		/* 5 cols for each thread */
};

static void
norms_task(void *ctx, size_t i, unsigned thread)
{
	struct norms *s = ctx;
	float *diff = s->room + (size_t)thread * 5 * (size_t)s->r->cols;
	uint64_t row = (uint64_t)i * TASK_ROWS, end = row + TASK_ROWS;
	struct rowdelta_note note;

	for (; row < end && row < s->r->rows; row++) {
		(void)rowdelta_load(s->r, row, diff, diff + s->r->cols,
		    &note);
		s->delta[row] = note.wild ? HUGE_VAL : sqrt(note.d2);
	}
}

int
rowdelta_norms(struct pool *pool, const struct rowdelta *r, double *delta,
    struct err *e)
{
	struct norms s = {r, delta, NULL};

	s.room = calloc((size_t)pool_threads(pool) * 5 * (size_t)r->cols,
	    sizeof(*s.room));
	if (s.room == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, norms_task, &s,
	    (size_t)((r->rows + TASK_ROWS - 1) / TASK_ROWS));
	free(s.room);
	return 0;
}
