#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch_panel.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/* Floats: a panel stays in the third cache; a wide one has rows to share. */
#define PANEL 1048576
#define PANEL_WIDE 4194304
#define WIDE_ROWS 32
/* Floats of a task that loads: its two operands stay in the second cache. */
#define PIECE 16384

size_t
sketch_panel_rows(uint64_t m, uint64_t n)
{
	uint64_t rows = PANEL / n, wide = PANEL_WIDE / n;

	if (rows < WIDE_ROWS)
		rows = wide < WIDE_ROWS ? wide : WIDE_ROWS;
	rows = rows > 0 ? rows : 1;
	return (size_t)(rows < m ? rows : m);
}

int
sketch_panel_init(struct sketch_panel *p, struct pool *pool,
    const struct delta *d, double top, struct err *e)
{
	int exponent = 0;
	size_t room, piece;

	*p = (struct sketch_panel){.pool = pool, .d = d, .m = d->b->rows,
	    .n = d->b->cols, .scale = 1.0F, .scrub = true};
	p->rows = sketch_panel_rows(p->m, p->n);
	if (top > 0 && (top < 0x1p-30 || top > 0x1p20)) {
		(void)frexp(top, &exponent);
		/* 2^127 is the largest power there is. */
		p->scale = ldexpf(1.0F, exponent < -126 ? 126 : -exponent);
	}
	room = p->rows * (size_t)p->n + (size_t)2 * DELTA_UNIT;
	p->buf = malloc(room * sizeof(*p->buf));
	/* A small matrix is one piece: then little is enough. */
	piece = room < PIECE ? room : PIECE;
	p->scratch = malloc(2 * piece * pool_threads(pool) *
	    sizeof(*p->scratch));
	if (p->buf == NULL || p->scratch == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

void
sketch_panel_release(struct sketch_panel *p)
{
	free(p->buf);
	free(p->scratch);
	p->buf = p->scratch = NULL;
}

static void
load_task(void *ctx, size_t i, unsigned thread)
{
	struct sketch_panel *p = ctx;
	uint64_t at = p->from + i * PIECE, left = p->to - at;
	size_t n = left < PIECE ? (size_t)left : PIECE;
	float *dst = p->buf + i * PIECE;

	/* Scratch of a single piece is short: it is done here, by thread 0. */
	delta_block(p->d, at, n, NULL, NULL, dst,
	    p->scratch + (size_t)2 * PIECE * thread);
	for (size_t k = 0; p->scrub && k < n; k++)
		if (!isfinite(dst[k]))
			dst[k] = 0.0F;
	for (size_t k = 0; p->scale != 1.0F && k < n; k++)
		dst[k] *= p->scale;
}

const float *
sketch_panel_load(struct sketch_panel *p, uint64_t row, size_t *rows)
{
	uint64_t left = p->m - row, end;
	size_t n = left < p->rows ? (size_t)left : p->rows;

	p->from = row * p->n / DELTA_UNIT * DELTA_UNIT;
	end = (row + n) * p->n;
	p->to = (end + DELTA_UNIT - 1) / DELTA_UNIT * DELTA_UNIT;
	if (p->to > p->d->b->n)
		p->to = p->d->b->n;
	pool_run(p->pool, load_task, p,
	    (size_t)((p->to - p->from + PIECE - 1) / PIECE));
	*rows = n;
	return p->buf + (row * p->n - p->from);
}
