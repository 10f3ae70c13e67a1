#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/session_worker.h"
#include "analyzer/wire.h"
#include "base/err.h"
#include "base/limits.h"

#define CHUNK (64 * KIB)

static size_t
side_fds(const struct job_side *s, int *dst)
{
	for (size_t i = 0; i < s->n; i++)
		dst[i] = s->v[i].fd;
	return s->n;
}

/* Every descriptor that the worker needs; free(3) it. */
static int *
fds_of(const struct diff_job *job, unsigned *n)
{
	size_t most = job->side[ROW_OLD].n + job->side[ROW_NEW].n +
	    job->adapter.n + 2, k = 0;
	int *fds = calloc(most, sizeof(*fds));

	if (fds == NULL)
		return NULL;
	k += side_fds(&job->side[ROW_OLD], fds + k);
	k += side_fds(&job->side[ROW_NEW], fds + k);
	k += side_fds(&job->adapter, fds + k);
	if (job->tokenizer.fd >= 0)
		fds[k++] = job->tokenizer.fd;
	if (job->spool_fd >= 0)
		fds[k++] = job->spool_fd;
	*n = (unsigned)k;
	return fds;
}

int
session_worker_start(struct session_worker *w, const struct session_task *t,
    const struct session_events *ev, struct err *e)
{
	memset(w, 0, sizeof(*w));
	w->ev = ev;
	w->limit = t->limit;
	buf_init(&w->in, LIMIT_FRAME + FRAME_HEADER + CHUNK);
	diff_wire_in_init(&w->gate);
	return proc_spawn(&w->proc, t->main, t->arg, t->fds, t->nfds,
	    t->seconds, e);
}

int
session_worker_compare(struct session_worker *w, int (*main)(void *, int),
    struct diff_job *job, const struct session_events *ev, struct err *e)
{
	struct session_task t = {.main = main, .arg = job,
	    .seconds = job->seconds / (job->threads > 0 ? job->threads : 1),
	    .limit = LIMIT_DIFF_FRAMES + (job->carve ?
	    LIMIT_CARVE + LIMIT_CARVE / 64 : 0)};
	int *fds, r;

	memset(w, 0, sizeof(*w));
	if ((fds = fds_of(job, &t.nfds)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	t.fds = fds;
	r = session_worker_start(w, &t, ev, e);
	free(fds);
	return r;
}

static int
take_carve(struct session_worker *w, const struct frame *f)
{
	struct wire_carve piece;

	return diff_wire_read_carve(f, &piece) ?
	    w->ev->carve(w->ev->ctx, &piece) : ERR_FORMAT;
}

static int
take_skip(struct session_worker *w, const struct frame *f)
{
	const char *what, *why;

	return diff_wire_read_skip(&w->gate, f, &what, &why) ?
	    w->ev->skip(w->ev->ctx, what, why) : ERR_FORMAT;
}

static int
take_progress(struct session_worker *w, const struct frame *f)
{
	uint64_t done, total;

	if (!diff_wire_read_progress(f, &done, &total))
		return ERR_FORMAT;
	w->ev->progress(w->ev->ctx, done, total);
	return 0;
}

static int
take_ask(struct session_worker *w, const struct frame *f)
{
	uint32_t number;

	return w->ev->ask != NULL && diff_wire_read_ask(f, &number) ?
	    w->ev->ask(w->ev->ctx, number) : ERR_FORMAT;
}

static int
take_done(struct session_worker *w, const struct frame *f)
{
	w->done = diff_wire_read_done(f, &w->bytes);
	return w->done ? 0 : ERR_FORMAT;
}

static int
take(struct session_worker *w, const struct frame *f)
{
	struct sandbox_status st;

	if (w->done)
		return ERR_FORMAT;
	if (!w->has_status) {
		w->has_status = diff_wire_read_status(f, &st);
		return w->has_status ? 0 : ERR_FORMAT;
	}
	if (f->type == DIFF_FRAME_CARVE)
		return take_carve(w, f);
	if (f->type == DIFF_FRAME_SKIP)
		return take_skip(w, f);
	if (f->type == DIFF_FRAME_ASK)
		return take_ask(w, f);
	if (f->type == DIFF_FRAME_PROGRESS)
		return take_progress(w, f);
	if (f->type == DIFF_FRAME_DONE)
		return take_done(w, f);
	return diff_wire_take(&w->gate, f, &w->ev->rows);
}

/* The whole frames of what was received. */
static int
frames(struct session_worker *w)
{
	struct buf *in = &w->in;
	struct frame f;
	size_t at = 0;
	uint32_t n;
	bool ok;
	int r = 0;

	while (r >= 0 && in->len - at >= FRAME_HEADER) {
		n = frame_size(in->p + at, &ok);
		if (!ok)
			return ERR_FORMAT;
		if (in->len - at - FRAME_HEADER < n)
			break;
		r = frame_parse(&f, in->p[at + 4], in->p + at + FRAME_HEADER,
		    n) ? take(w, &f) : ERR_FORMAT;
		at += FRAME_HEADER + n;
	}
	if (at > 0) {
		memmove(in->p, in->p + at, in->len - at);
		in->len -= at;
	}
	return r;
}

int
session_worker_read(struct session_worker *w, struct err *e)
{
	static uint8_t chunk[CHUNK];
	size_t got;
	int r;

	if (proc_read(&w->proc, chunk, sizeof(chunk), &got, NULL) < 0 ||
	    got == 0)
		return 0;
	w->received += got;
	buf_put(&w->in, chunk, got);
	r = w->received > w->limit || buf_failed(&w->in) < 0 ? ERR_FORMAT :
	    frames(w);
	if (r >= 0)
		return 1;
	proc_kill(&w->proc);
	w->misbehaved = r == ERR_FORMAT;
	if (w->misbehaved)
		return 0;
	w->failure = r;
	return err_set(e, (enum err_code)r, "cannot take a row");
}

static enum finding_id
of_signal(int sig)
{
	static const struct {
		int sig;
		enum finding_id id;
	} known[] = {
		{SIGBUS, FINDING_DIFF_SHRANK},
		{SIGSYS, FINDING_WORKER_KILLED},
		{SIGXCPU, FINDING_WORKER_DEADLINE},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].sig == sig)
			return known[i].id;
	return FINDING_WORKER_CRASHED;
}

/* How it ended by itself; ${text} says by what. */
static enum finding_id
of_status(enum proc_end end, int status, char *text, size_t cap, bool *ours)
{
	const char *name;

	if (end == PROC_DEADLINE)
		return FINDING_WORKER_DEADLINE;
	if (end == PROC_SIGNALED) {
		name = sigabbrev_np(status);
		(void)snprintf(text, cap, "SIG%s", name != NULL ? name : "?");
		return of_signal(status);
	}
	(void)snprintf(text, cap, "ended with code %d", status);
	if (status == 3)
		return FINDING_DIFF_SHRANK;
	*ours = status == 1 || status == 2;
	return *ours ? FINDING_DIFF_UNREAD : FINDING_WORKER_CRASHED;
}

bool
session_worker_end(struct session_worker *w, enum finding_id *id, char *text,
    size_t cap, bool *ours)
{
	enum proc_end end;
	int status = 0;

	*ours = false;
	(void)snprintf(text, cap, "ended by its parent");
	end = proc_wait(&w->proc, &status);
	buf_release(&w->in);
	diff_wire_in_release(&w->gate);
	if (w->misbehaved || end == PROC_KILLED) {
		*id = FINDING_WORKER_MISBEHAVED;
		return true;
	}
	if (end == PROC_EXITED && status == 0 && w->done)
		return false;
	*id = of_status(end, status, text, cap, ours);
	return true;
}

void
session_worker_drop(struct session_worker *w)
{
	int status;

	if (w->proc.pid > 0) {
		proc_kill(&w->proc);
		(void)proc_wait(&w->proc, &status);
	}
	buf_release(&w->in);
	diff_wire_in_release(&w->gate);
}
