#include <inttypes.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/case_body.h"
#include "custody/case_log.h"
#include "custody/case_summary.h"
#include "custody/ledger.h"

struct case_log {
	struct case_log_exhibit *ex;
	size_t count, cap;
};

/* What the walk over the ledger carries from event to event. */
struct walk {
	int (*fn)(void *ctx, const struct case_log_event *ev);
	void *ctx;
	struct case_log *log;
	struct buf summary;
	char id[CASE_BAG_MAX]; /* the case, from the genesis event */
	struct err *e;
};

const char *
case_log_state_name(enum case_log_state s)
{
	switch (s) {
	case CASE_LOG_BEGUN:
		return "begun, not sealed";
	case CASE_LOG_SEALED:
		return "sealed";
	case CASE_LOG_STREAMED:
		return "sealed, streamed, not re-read";
	case CASE_LOG_INCIDENT:
		return "incident";
	}
	BUG("state %d", (int)s);
}

static int
odd(uint64_t seq, const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "event %" PRIu64 " of the ledger: %s",
	    seq, what);
}

static struct case_log_exhibit *
find(const struct case_log *log, const char *name)
{
	size_t i;

	/* From the end: what happens, happens to the newest. */
	for (i = log->count; i > 0; i--)
		if (strcmp(log->ex[i - 1].name, name) == 0)
			return &log->ex[i - 1];
	return NULL;
}

static int
add(struct case_log *log, const char *name, struct case_log_exhibit **ret,
    struct err *e)
{
	size_t cap = log->cap == 0 ? 16 : log->cap * 2;
	struct case_log_exhibit *p;

	if (log->count == CASE_LOG_EXHIBITS)
		return err_set(e, ERR_LIMIT,
		    "the case has more than %d "
		    "exhibits",
		    CASE_LOG_EXHIBITS);
	if (log->count == log->cap) {
		if ((p = reallocarray(log->ex, cap, sizeof(*p))) == NULL)
			return err_set(e, ERR_NOMEM,
			    "cannot read the ledger: out of memory");
		log->ex = p;
		log->cap = cap;
	}
	p = &log->ex[log->count++];
	memset(p, 0, sizeof(*p));
	memcpy(p->name, name, strlen(name) + 1);
	*ret = p;
	return 0;
}

static int
note_begin(struct case_log *log, const struct case_log_event *ev, struct err *e)
{
	struct case_log_exhibit *x = NULL;
	int r;

	if (find(log, ev->exhibit) != NULL)
		return odd(ev->seq,
		    "it takes an exhibit number for the "
		    "second time",
		    e);
	if ((r = add(log, ev->exhibit, &x, e)) < 0)
		return r;
	BUG_ON(x == NULL);
	x->state = CASE_LOG_BEGUN;
	x->begin_seq = ev->seq;
	return 0;
}

/* It was cut and is gone on with: begun again, not sealed yet. */
static int
note_resume(struct case_log *log, const struct case_log_event *ev,
    struct err *e)
{
	struct case_log_exhibit *x = find(log, ev->exhibit);

	if (x == NULL || x->begin_seq == 0 || x->has_seal)
		return odd(ev->seq, "it resumes what was not begun, or is "
		    "sealed", e);
	x->state = CASE_LOG_BEGUN;
	x->end_seq = 0;
	return 0;
}

/* A seal or an incident; neither needs an acquire that we know of. */
static int
note_end(struct case_log *log, const struct case_log_event *ev, bool sealed,
    struct err *e)
{
	struct case_log_exhibit *x = find(log, ev->exhibit);
	int r;

	if (x == NULL && (r = add(log, ev->exhibit, &x, e)) < 0)
		return r;
	BUG_ON(x == NULL);
	x->end_seq = ev->seq;
	x->state = CASE_LOG_INCIDENT;
	if (!sealed)
		return 0;
	x->state = case_summary_streamed(ev->body) ? CASE_LOG_STREAMED
						   : CASE_LOG_SEALED;
	x->has_seal =
	    case_body_hash(ev->body, "data.bundle_sha256", x->bundle_sha256) &&
	    case_body_u64(ev->body, "data.size", &x->size);
	return 0;
}

static int
note(struct case_log *log, const struct case_log_event *ev, struct err *e)
{
	const char *phase = case_body_str(ev->body, "data.phase");

	if (ev->exhibit == NULL)
		return 0;
	if (strcmp(ev->kind, "acquire") == 0 && phase != NULL &&
	    strcmp(phase, "begin") == 0)
		return note_begin(log, ev, e);
	if (strcmp(ev->kind, "acquire") == 0 && phase != NULL &&
	    strcmp(phase, "resume") == 0)
		return note_resume(log, ev, e);
	if (strcmp(ev->kind, "seal") == 0)
		return note_end(log, ev, true, e);
	if (strcmp(ev->kind, "incident") == 0)
		return note_end(log, ev, false, e);
	return 0;
}

/* The common fields, and that they are this event's of this case. */
static int
common(struct walk *w, const struct case_body *body, uint64_t row,
    struct case_log_event *ev, struct err *e)
{
	const struct case_pair *x = case_body_find(body, "exhibit");
	const char *id = case_body_str(body, "case");
	uint64_t v;

	ev->body = body;
	ev->kind = case_body_str(body, "kind");
	ev->exhibit = case_body_str(body, "exhibit");
	ev->utc = case_body_str(body, "time.utc");
	ev->actor = case_body_str(body, "actor.name");
	if (!case_body_u64(body, "v", &v) || v != 1)
		return odd(row, "its version is not 1", e);
	if (!case_body_u64(body, "seq", &ev->seq) || ev->seq != row)
		return odd(row, "its body has another number", e);
	if (id == NULL || ev->kind == NULL || ev->utc == NULL ||
	    ev->actor == NULL || x == NULL ||
	    (x->type != JSON_NULL && ev->exhibit == NULL))
		return odd(row, "a common field is missing", e);
	if (strlen(id) >= sizeof(w->id) ||
	    (ev->exhibit != NULL && strlen(ev->exhibit) >= CASE_BAG_MAX))
		return odd(row, "a name is too long", e);
	if ((row == 1) != (strcmp(ev->kind, "genesis") == 0))
		return odd(row, "genesis is the first event and no other", e);
	if (row == 1)
		memcpy(w->id, id, strlen(id) + 1);
	if (strcmp(w->id, id) != 0)
		return odd(row, "it belongs to another case", e);
	return 0;
}

static int
on_event(void *ctx, uint64_t seq, const char *text, size_t n)
{
	struct walk *w = ctx;
	struct case_log_event ev;
	struct case_body body;
	struct err inner = ERR_INIT;
	int r;

	if ((r = case_body_read(&body, text, n, &inner)) < 0) {
		if (r == ERR_NOMEM)
			return err_set(w->e, ERR_NOMEM, "%s", inner.msg);
		return odd(seq, inner.msg, w->e);
	}
	memset(&ev, 0, sizeof(ev));
	if ((r = common(w, &body, seq, &ev, w->e)) < 0 ||
	    (r = note(w->log, &ev, w->e)) < 0 || w->fn == NULL)
		goto out;
	buf_clear(&w->summary);
	case_summary(&w->summary, ev.kind, &body);
	if ((r = buf_failed(&w->summary)) < 0) {
		r = err_set(w->e, (enum err_code)r,
		    "cannot read the ledger: out of memory");
		goto out;
	}
	ev.summary = buf_str(&w->summary);
	r = w->fn(w->ctx, &ev);
out:
	case_body_release(&body);
	return r;
}

int
case_log_read(struct ledger *l,
    int (*fn)(void *ctx, const struct case_log_event *ev), void *ctx,
    struct case_log **ret, struct err *e)
{
	struct walk w;
	int r;

	memset(&w, 0, sizeof(w));
	buf_init(&w.summary, 64 * KIB);
	w.fn = fn;
	w.ctx = ctx;
	w.e = e;
	if ((w.log = calloc(1, sizeof(*w.log))) == NULL) {
		r = err_set(e, ERR_NOMEM,
		    "cannot read the ledger: out of memory");
		goto out;
	}
	if ((r = ledger_each(l, on_event, &w, e)) != 0)
		goto out;
	if (ret != NULL) {
		*ret = w.log;
		w.log = NULL;
	}
out:
	case_log_free(w.log);
	buf_release(&w.summary);
	return r;
}

void
case_log_free(struct case_log *log)
{
	if (log == NULL)
		return;
	free(log->ex);
	free(log);
}

size_t
case_log_count(const struct case_log *log)
{
	return log->count;
}

const struct case_log_exhibit *
case_log_exhibit(const struct case_log *log, size_t i)
{
	BUG_ON(i >= log->count);
	return &log->ex[i];
}

const struct case_log_exhibit *
case_log_find(const struct case_log *log, const char *name)
{
	return find(log, name);
}
