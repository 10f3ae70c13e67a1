#include <string.h>

#include "analyzer/apilog/apilog_parts.h"
#include "analyzer/rules.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/text.h"

/*
 * From the gate to the sink: "N:path" becomes a path as results show it, and
 * things are counted.  Rows that no log has break the protocol.
 */
static const char *
shown(struct apilog *a, struct row_text path)
{
	const char *colon = path.n > 0 ? memchr(path.p, ':', path.n) : NULL;
	struct buf *b = &a->path;
	uint64_t at = 0;
	size_t n;

	buf_clear(b);
	if (colon == NULL) {
		/* Of the log as a whole. */
		sides_path(b, &a->side[0], "", 0);
		return buf_str(b);
	}
	n = (size_t)(colon - path.p);
	if (!text_u64(path.p, n, 10, a->nside - 1, &at))
		return NULL;
	sides_path(b, &a->side[at], colon + 1, path.n - n - 1);
	return buf_str(b);
}

static int
emit(struct apilog *a, const struct result_diff *r)
{
	return sink_diff(a->sink, r, a->e);
}

/* Within another command: its rows. */
static const struct rows *
to(const struct apilog *a)
{
	return a->o->within->rows;
}

static int
on_input(void *ctx, const struct row_input *r)
{
	struct apilog *a = ctx;
	struct diff_sums *d = &a->sum->sums;
	const struct result_diff row = {.type = DIFF_ROW_INPUT,
	    .path = shown(a, r->path), .row.input = r};

	if (row.path == NULL || !r->has_records || !r->is_log)
		return ERR_FORMAT;
	if (a->o->within != NULL) {
		struct row_input whole = *r;

		whole.path = (struct row_text){row.path, strlen(row.path)};
		return to(a)->input(to(a)->ctx, &whole);
	}
	d->inputs++;
	d->records += r->records;
	d->undated += r->undated;
	d->outside += r->outside;
	return emit(a, &row);
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct apilog *a = ctx;
	const struct result_diff row = {.type = DIFF_ROW_CANDIDATE,
	    .row.candidate = r};

	if (a->o->within != NULL)
		return to(a)->candidate(to(a)->ctx, r);
	a->sum->sums.candidates += !r->lead;
	a->sum->sums.leads += r->lead;
	return emit(a, &row);
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	struct apilog *a = ctx;
	const struct result_diff row = {.type = DIFF_ROW_CALLER,
	    .row.caller = r};

	if (a->o->within != NULL)
		return 0;
	a->sum->sums.callers++;
	a->sum->sums.flagged += r->nverdicts > 0;
	return emit(a, &row);
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct apilog *a = ctx;
	const struct result_diff row = {.type = DIFF_ROW_DETECTOR,
	    .row.detector = r};
	int res;

	if (a->o->within != NULL)
		return to(a)->detector(to(a)->ctx, r);
	if ((res = tally_detector(&a->tally, r)) < 0)
		return res;
	return emit(a, &row);
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct apilog *a = ctx;
	const char *text = shown(a, path);

	(void)side;
	return text != NULL ? apilog_rows_finding(a, text, f) : ERR_FORMAT;
}

int
apilog_rows_finding(struct apilog *a, const char *path,
    const struct finding *f)
{
	if (a->o->within != NULL)
		return to(a)->finding(to(a)->ctx, ROW_NEW,
		    (struct row_text){path, strlen(path)}, f);
	return tally_finding(&a->tally, path, f);
}

int
apilog_rows_say(struct apilog *a, const char *path, enum finding_id id,
    const char *key, const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, key, text, strlen(text));
	return apilog_rows_finding(a, path, &f);
}

int
apilog_rows_skip(struct apilog *a, const char *what, const char *why)
{
	if (a->o->within != NULL)
		return a->o->within->skip(a->o->within->ctx, what, why);
	return tally_skip(&a->tally, what, why);
}

static int
on_skip(void *ctx, const char *what, const char *why)
{
	return apilog_rows_skip(ctx, what, why);
}

static int
no_carve(void *ctx, const struct wire_carve *w)
{
	(void)ctx;
	(void)w;
	return ERR_FORMAT;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct apilog *a = ctx;

	if (a->o->progress != NULL)
		a->o->progress(a->o->progress_ctx, done, total,
		    a->side[0].given);
}

void
apilog_rows_events(struct apilog *a, struct session_events *ret)
{
	struct rows rows = {.input = on_input, .candidate = on_candidate,
	    .detector = on_detector, .caller = on_caller,
	    .finding = on_finding, .ctx = a};

	rows_refuse(&rows, ROWS_TENSOR | ROWS_CONCLUSION | ROWS_CHANGE |
	    ROWS_VERSION);
	*ret = (struct session_events){rows, on_skip, no_carve, on_progress,
	    NULL, a};
}
