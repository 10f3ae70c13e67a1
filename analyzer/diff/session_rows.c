#include <string.h>

#include "analyzer/diff/session_parts.h"
#include "analyzer/sink.h"
#include "analyzer/wire.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/*
 * From the gate to the sink: paths are put before what the worker calls them,
 * things are counted, and payloads are written.
 */
static const char *
shown(struct session *s, enum row_side side, struct row_text path)
{
	struct buf *b = &s->path[side];

	buf_clear(b);
	if (s->origin != JOIN_PAIR) {
		text_put_literal(b, path.p != NULL ? path.p : "", path.n);
		return buf_str(b);
	}
	sides_path(b, &s->side[side], path.p != NULL ? path.p : "", path.n);
	return buf_str(b);
}

int
session_emit(struct session *s, const struct result_diff *r)
{
	/* A payload is followed by the finding that tells of it. */
	if (s->carve.fd >= 0)
		return ERR_FORMAT;
	return sink_diff(s->sink, r, s->e);
}

static int
on_input(void *ctx, const struct row_input *r)
{
	struct session *s = ctx;
	const struct result_diff d = {.type = DIFF_ROW_INPUT,
	    .path = shown(s, r->side, r->path), .row.input = r};

	s->sum->sums.inputs++;
	s->within = s->within || (s->now != NULL && r->path.n >
	    strlen(s->now));
	s->sum->base.incomplete += !r->complete;
	return session_emit(s, &d);
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	struct session *s = ctx;
	struct result_diff d = {.type = DIFF_ROW_TENSOR, .row.tensor = r};

	for (unsigned k = 0; k < ROW_SIDES; k++)
		if (r->half[k].there)
			d.half[k] = shown(s, (enum row_side)k,
			    r->half[k].path);
	s->sum->sums.tensors[r->status]++;
	return session_emit(s, &d);
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct session *s = ctx;
	const struct result_diff d = {.type = DIFF_ROW_CONCLUSION,
	    .row.conclusion = r};

	s->sum->sums.conclusions[r->kind]++;
	return session_emit(s, &d);
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct session *s = ctx;
	const struct result_diff d = {.type = DIFF_ROW_CANDIDATE,
	    .row.candidate = r};

	if (s->joining)
		return join_add(&s->join, r, s->origin, s->e);
	s->sum->sums.candidates += !r->lead;
	s->sum->sums.leads += r->lead;
	return session_emit(s, &d);
}

static int
on_change(void *ctx, const struct row_change *r)
{
	struct session *s = ctx;
	const struct result_diff d = {.type = DIFF_ROW_CHANGE,
	    .path = shown(s, r->what == CHANGE_REMOVED ? ROW_OLD : ROW_NEW,
	    r->path), .row.change = r};

	s->sum->sums.changes[r->area]++;
	return session_emit(s, &d);
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct session *s = ctx;
	const struct result_diff d = {.type = DIFF_ROW_DETECTOR,
	    .row.detector = r};
	int res;

	/* That it was read is no detector's word. */
	s->about[s->origin].applied += r->applied &&
	    strcmp(r->method, "data-set") != 0;
	if ((res = tally_detector(&s->tally, r)) < 0)
		return res;
	return session_emit(s, &d);
}

/* The file that the worker was sending is whole: give it its name. */
static int
end_carve(struct session *s, const char *path, const struct finding *f)
{
	struct result_carved c = {.path = path, .off = f->off};
	char name[CARVE_NAME];
	int r;

	c.len = s->carve.len;
	if ((r = carve_end(&s->carve, s->o->carve_dir, c.sha256, s->e)) < 0)
		return r;
	carve_name(name, c.sha256);
	c.file = name;
	return sink_carved(s->sink, &c, s->e);
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct session *s = ctx;
	bool whole = s->carve.fd >= 0;
	int r;

	if (whole && f->id != FINDING_DIFF_PAYLOAD)
		return ERR_FORMAT;
	/* Of a candidate that is still to be joined: told with it. */
	if (s->joining && (f->id == FINDING_TRIG_CANDIDATE ||
	    f->id == FINDING_LOGS_TRIGGER))
		return 0;
	if ((r = session_finding(s, side, path, f)) < 0)
		return r;
	return whole ? end_carve(s, buf_str(&s->path[side]), f) : 0;
}

int
session_finding(struct session *s, enum row_side side, struct row_text path,
    const struct finding *f)
{
	return session_finding_at(s, shown(s, side, path), f);
}

int
session_finding_at(struct session *s, const char *path,
    const struct finding *f)
{
	return tally_finding(&s->tally, path, f);
}

int
session_say(struct session *s, const char *path, enum finding_id id,
    const char *key, const char *text)
{
	return tally_say(&s->tally, path, id, key, text);
}

int
session_skip(struct session *s, const char *what, const char *why)
{
	return tally_skip(&s->tally, what, why);
}

static int
on_skip(void *ctx, const char *what, const char *why)
{
	return session_skip(ctx, what, why);
}

static int
on_carve(void *ctx, const struct wire_carve *w)
{
	struct session *s = ctx;

	if (!s->o->carve || w->n > LIMIT_CARVE - s->carved)
		return ERR_FORMAT;
	s->carved += w->n;
	return carve_put(&s->carve, s->o->carve_dir, w, s->e);
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct session *s = ctx;

	if (s->o->progress != NULL)
		s->o->progress(s->o->progress_ctx, done, total,
		    s->now != NULL ? s->now : s->side[ROW_NEW].given);
}

void
session_events(struct session *s, struct session_events *ret)
{
	struct rows rows = {.input = on_input, .tensor = on_tensor,
	    .conclusion = on_conclusion, .candidate = on_candidate,
	    .change = on_change, .detector = on_detector,
	    .finding = on_finding, .ctx = s};

	/*
	 * Versions are told by session_lineage.c, from workers of their own;
	 * callers are of another worker (analyzer/apilog).
	 */
	rows_refuse(&rows, ROWS_VERSION | ROWS_CALLER);
	*ret = (struct session_events){rows, on_skip, on_carve, on_progress,
	    NULL, s};
}
