#include <string.h>

#include "analyzer/diff/closeness.h"
#include "analyzer/diff/editread.h"
#include "analyzer/diff/hand.h"
#include "analyzer/diff/match.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/spill.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tellinput.h"
#include "analyzer/diff/tellpair.h"
#include "analyzer/diff/tokenrows.h"
#include "analyzer/diff/work.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/digest.h"

/* Exit codes of the worker; the parent says what they mean. */
enum { WORKER_OK = 0, WORKER_FAILED = 1, WORKER_NO_FENCE = 2,
	WORKER_SHRANK = 3 };

static int
enter(const struct work *w, int out_fd, struct sandbox_status *st)
{
	struct sandbox_policy p = {.out_fd = {out_fd, w->job->spool_fd},
	    .max_data = LIMIT_DIFF_DATA, .max_cpu = w->job->seconds,
	    .threads = true, .write_files = w->job->spool_fd >= 0};

	memset(st, 0, sizeof(*st));
	return w->job->fence ? sandbox_enter(&p, st, NULL) : 0;
}

static int
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	return diff_wire_progress(ctx, done, total);
}

static int
on_carve(void *ctx, const void *p, size_t n)
{
	return diff_wire_carve(ctx, p, n);
}

static int
load(struct work *w)
{
	int r = 0;

	for (unsigned s = 0; s < 2 && r >= 0; s++)
		if ((w->side[s] = table_new((enum row_side)s, w->spill,
		    w->rows, &w->e)) == NULL ||
		    (r = table_load(w->side[s], &w->job->side[s],
		    &w->e)) < 0 ||
		    (r = tellinput_rows(w->side[s], w->rows, w->job->sha256,
		    &w->e)) < 0)
			return r < 0 ? r : ERR_NOMEM;
	return diff_wire_flush(&w->wire);
}

/* Nothing found must not look like nothing changed. */
static int
say_empty(struct work *w, unsigned side)
{
	const struct finding f = {.id = FINDING_DIFF_NO_MODEL,
	    .severity = finding_info(FINDING_DIFF_NO_MODEL)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	if (w->side[side]->n > 0)
		return 0;
	return w->rows->finding(w->rows->ctx, (enum row_side)side,
	    (struct row_text){"", 0}, &f);
}

static int
compare(struct work *w)
{
	struct match m = {.side = {w->side[0], w->side[1]},
	    .pool = w->pool, .arena = w->arena, .rows = w->rows,
	    .out = &w->pairs, .e = &w->e};
	int r;

	w->compare = (struct compare){.pool = w->pool, .arena = w->arena,
	    .side = {w->side[0], w->side[1]}, .pairs = &w->pairs,
	    .progress = on_progress, .ctx = &w->wire,
	    .total = w->side[0]->bytes + w->side[1]->bytes, .e = &w->e};
	w->tokens = (struct tokentest){.c = &w->compare,
	    .side = {w->side[0], w->side[1]},
	    .tokenizer = &w->job->tokenizer, .rows = w->rows,
	    .arena = w->arena, .e = &w->e};
	if ((r = say_empty(w, ROW_OLD)) < 0 ||
	    (r = say_empty(w, ROW_NEW)) < 0 ||
	    (r = tokentest_load(&w->tokens)) < 0 ||
	    (r = match_tables(&m)) < 0)
		return r;
	w->tired = m.tired;
	return compare_relations(&w->compare);
}

static int
tell_tensors(struct work *w)
{
	struct tellpair t = {.side = {w->side[0], w->side[1]},
	    .pool = w->pool, .rows = w->rows, .sha256 = w->job->sha256,
	    .e = &w->e};
	int r = 0;

	for (size_t i = 0; i < w->pairs.n && r >= 0; i++)
		r = tellpair_row(&t, &w->pairs.v[i]);
	return r;
}

static int
judge(struct work *w, struct hand *h)
{
	int r;

	if ((r = hand_exact(h)) < 0 ||
	    (r = tokentest_embeddings(&w->tokens)) < 0 ||
	    (r = compare_spectra(&w->compare)) < 0 ||
	    (r = hand_structure(h)) < 0 ||
	    (r = work_adapter(w, &h->model)) < 0 ||
	    (r = work_edits(w, &h->model)) < 0 ||
	    (r = tokentest_heads(&w->tokens)) < 0)
		return r;
	return work_around(w);
}

static int
run_full(struct work *w)
{
	struct hand h = {.c = &w->compare,
	    .side = {w->side[0], w->side[1]}, .rows = w->rows,
	    .carve = w->job->carve ? on_carve : NULL,
	    .carve_ctx = &w->wire, .e = &w->e};
	int r;

	if ((r = compare(w)) >= 0 && (r = judge(w, &h)) >= 0)
		r = tell_tensors(w);
	hand_release(&h);
	return r;
}

static int
run_triggers(struct work *w)
{
	struct rows rows = *w->rows;
	int r;

	if (w->job->side[ROW_OLD].n == 0)
		return tokenrows_lack(TOKENROWS_NO_BASE, &rows);
	if ((r = compare(w)) < 0 ||
	    (r = tokentest_embeddings(&w->tokens)) < 0 ||
	    (r = tokentest_heads(&w->tokens)) < 0)
		return r;
	return editread_none(w->rows, "diff reads edits: it compares every "
	    "matrix");
}

static int
run_closeness(struct work *w)
{
	int r = compare(w);

	return r < 0 ? r : closeness_row(&w->compare, w->side, w->rows);
}

static int
run(struct work *w)
{
	static int (*const modes[])(struct work *) = {
	    [DIFF_FULL] = run_full, [DIFF_TRIGGERS] = run_triggers,
	    [DIFF_CLOSENESS] = run_closeness};
	int r;

	if ((w->arena = arena_new(LIMIT_DIFF_ARENA)) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	if ((w->spill = spill_new(w->job->spool_fd, &w->e)) == NULL)
		return ERR_NOMEM;
	if ((r = load(w)) < 0 || (r = modes[w->job->mode](w)) < 0 ||
	    (r = work_left_out(w)) < 0)
		return r;
	return diff_wire_done(&w->wire, w->side[0]->bytes +
	    w->side[1]->bytes);
}

static void
release(struct work *w)
{
	match_release(&w->pairs);
	table_free(w->side[0]);
	table_free(w->side[1]);
	table_free(w->adapter);
	buf_release(&w->word);
	spill_free(w->spill);
	arena_free(w->arena);
	pool_free(w->pool);
	diff_wire_release(&w->wire);
}

/* Of a mode only the rows that its command prints leave the worker. */
static const unsigned muted[] = {[DIFF_FULL] = 0,
    [DIFF_TRIGGERS] = ROWS_TENSOR | ROWS_CONCLUSION | ROWS_CHANGE,
    [DIFF_CLOSENESS] = ~(unsigned)ROWS_VERSION};

int
diff_worker_main(void *arg, int out_fd)
{
	static struct work w;
	struct sandbox_status st;
	struct rows rows;
	int r;

	memset(&w, 0, sizeof(w));
	w.job = arg;
	diff_wire_init(&w.wire, out_fd, &w.e);
	/* Threads first: the fence allows no new ones. */
	if ((w.pool = pool_new(w.job->threads, &w.e)) == NULL ||
	    digest_start(&w.e) < 0)
		return WORKER_FAILED;
	if (enter(&w, out_fd, &st) < 0)
		return WORKER_NO_FENCE;
	rows = diff_wire_rows(&w.wire);
	rows_mute(&rows, muted[w.job->mode]);
	alarm_init(&w.alarm, &rows);
	w.rows = &w.alarm.rows;
	if ((r = diff_wire_status(&w.wire, &st)) >= 0)
		r = run(&w);
	release(&w);
	if (r < 0 && w.e.code == ERR_TRUNC)
		return WORKER_SHRANK;
	return r >= 0 ? WORKER_OK : WORKER_FAILED;
}
