#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/session_parts.h"
#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/digest.h"

#define SESSION_ARENA (16 * MIB)
#define THREADS_MAX 64

unsigned
session_threads(const struct session *s)
{
	long n = s->o->threads > 0 ? (long)s->o->threads :
	    sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

/* Notes of a side become findings about its parts. */
static int
tell_notes(struct session *s, enum row_side side)
{
	const struct side *x = &s->side[side];
	struct buf *b = &s->path[side];
	int r = 0;

	for (size_t i = 0; i < x->nnotes && r >= 0; i++) {
		buf_clear(b);
		sides_raw_path(b, x, x->notes[i].path);
		r = session_say(s, buf_str(b), x->notes[i].id, "reason",
		    x->notes[i].why);
	}
	if (r >= 0 && x->history)
		r = session_skip(s, "what lies in .git",
		    "history, no part of the model");
	return r;
}

int
session_open(struct session *s, enum row_side side, const char *path)
{
	int r;

	if ((r = sides_open(&s->side[side], path, SIDES_BESIDE, s->e)) < 0)
		return r;
	return tell_notes(s, side);
}

void
session_job(const struct session *s, const struct side *old,
    const struct side *new, struct diff_job *ret)
{
	uint64_t gib = (old->bytes + new->bytes) / GIB;

	memset(ret, 0, sizeof(*ret));
	ret->side[ROW_OLD] = old->job;
	ret->side[ROW_NEW] = new->job;
	ret->tokenizer.fd = ret->spool_fd = -1;
	ret->fence = s->o->fence;
	ret->threads = session_threads(s);
	gib = gib < 10000 ? gib : 10000;
	ret->seconds = (LIMIT_DIFF_SECONDS + (unsigned)gib *
	    LIMIT_DIFF_SECONDS_PER_GIB) * ret->threads;
}

/* --tokenizer and --adapter. */
static int
open_extras(struct session *s, struct diff_job *job)
{
	const char *slash;
	int r;

	if (s->o->tokenizer != NULL) {
		if ((r = sides_open(&s->tokenizer, s->o->tokenizer,
		    SIDES_ALONE, s->e)) < 0)
			return r;
		slash = strrchr(s->o->tokenizer, '/');
		job->tokenizer = s->tokenizer.job.v[0];
		job->tokenizer.path = slash != NULL ? slash + 1 :
		    s->o->tokenizer;
	}
	if (s->o->adapter == NULL)
		return 0;
	r = sides_open(&s->adapter, s->o->adapter, SIDES_BESIDE, s->e);
	job->adapter = s->adapter.job;
	return r;
}

/* Which files are shorter than they were?  The worker cannot tell any more. */
static int
tell_shrunk(struct session *s)
{
	unsigned n = 0;
	int r = 0;

	for (unsigned k = 0; k < ROW_SIDES; k++)
		for (size_t i = 0; i < s->side[k].job.n && r >= 0; i++) {
			const struct job_part *p = &s->side[k].job.v[i];
			struct buf *b = &s->path[k];
			struct stat st;

			if (fstat(p->fd, &st) < 0 ||
			    (uint64_t)st.st_size >= p->size)
				continue;
			buf_clear(b);
			sides_raw_path(b, &s->side[k], p->path);
			r = session_say(s, buf_str(b), FINDING_DIFF_SHRANK,
			    "signal", "SIGBUS");
			n++;
		}
	return r < 0 || n > 0 ? r : session_say(s, s->side[ROW_NEW].given,
	    FINDING_DIFF_SHRANK, "signal", "SIGBUS");
}

int
session_end_worker(struct session *s, struct session_worker *w,
    const char *path)
{
	enum finding_id id;
	char text[64];
	bool ours;

	if (!session_worker_end(w, &id, text, sizeof(text), &ours)) {
		s->sum->base.bytes += w->bytes;
		return 0;
	}
	s->failed = s->failed || ours;
	/* What a finding of this kind does not say by itself. */
	s->sum->base.incomplete +=
	    finding_info(id)->verdict != VERDICT_INCOMPLETE;
	return id == FINDING_DIFF_SHRANK && s->origin == JOIN_PAIR ?
	    tell_shrunk(s) : session_say(s, path, id, "worker", text);
}

int
session_compare(struct session *s)
{
	struct session_worker w = {0};
	struct session_events ev;
	struct diff_job job;
	struct err why = ERR_INIT;
	int r;

	sides_apart(&s->side[ROW_OLD], &s->side[ROW_NEW]);
	sides_apart(&s->side[ROW_NEW], &s->side[ROW_OLD]);
	session_events(s, &ev);
	session_job(s, &s->side[ROW_OLD], &s->side[ROW_NEW], &job);
	job.mode = s->o->triggers ? DIFF_TRIGGERS : DIFF_FULL;
	job.sha256 = s->o->sha256;
	job.carve = s->o->carve;
	/* Without it, what is compressed is not compared, and that is said. */
	job.spool_fd = fsio_spool(&why);
	if ((r = open_extras(s, &job)) < 0 ||
	    (r = session_worker_compare(&w, s->o->worker, &job, &ev,
	    s->e)) < 0)
		goto out;
	while ((r = session_worker_read(&w, s->e)) > 0)
		;
	/* Half a payload is none: no finding tells of it. */
	carve_drop(&s->carve, s->o->carve_dir);
	if (r >= 0)
		r = session_end_worker(s, &w, s->side[ROW_NEW].given);
out:
	session_worker_drop(&w);
	if (job.spool_fd >= 0)
		(void)close(job.spool_fd);
	return r;
}

char *
session_shown(struct session *s, const char *path)
{
	struct buf b;
	char *ret;

	buf_init(&b, 4 * LIMIT_PATH);
	text_put(&b, path, strlen(path), TEXT_PATH);
	ret = buf_failed(&b) != 0 ? NULL : arena_dup(s->arena, b.p, b.len);
	buf_release(&b);
	return ret;
}

static int
write_header(struct session *s, int64_t started)
{
	struct result_header h = {.command = s->o->command,
	    .started_ns = started, .hashed = s->o->sha256, .diff = true,
	    .old = s->o->against != NULL ? NULL : s->side[ROW_OLD].given,
	    .new = s->side[ROW_NEW].given};
	char *given = NULL;
	int r;

	if (h.new == NULL && (given = session_shown(s, s->o->paths[0])) ==
	    NULL)
		return err_set(s->e, ERR_NOMEM, "out of memory");
	if (h.new == NULL)
		h.new = given;

	if ((r = scan_rules_digest(h.rules_digest, s->e)) < 0)
		return r;
	if (s->o->fence)
		sandbox_probe(&h.sandbox);
	return sink_header(s->sink, &h, s->e);
}

static int
run(struct session *s)
{
	const char *old = s->o->old;
	int r;

	if (s->o->npaths > 0)
		return session_triggers(s);
	if (s->o->against != NULL && (r = session_lineage(s, &old)) < 0)
		return r;
	if (old == NULL)
		return s->o->against != NULL ? 0 : session_alone(s);
	if (s->o->against != NULL &&
	    (r = session_open(s, ROW_OLD, old)) < 0)
		return r;
	return session_compare(s);
}

static enum model_verdict
verdict(const struct session_verdict *v)
{
	return v->candidates > 0 ? MODEL_CANDIDATES : v->applied > 0 ?
	    MODEL_NONE : MODEL_NOT_APPLICABLE;
}

/* Models and data sets are judged apart. */
static void
set_verdicts(struct session *s)
{
	struct diff_sums *d = &s->sum->sums;

	d->verdict = verdict(&s->about[JOIN_PAIR]);
	d->has_data = true;
	d->data_verdict = verdict(&s->about[JOIN_DATA]);
	d->has_traffic = s->o->nlogs > 0;
	d->traffic_verdict = verdict(&s->about[JOIN_TRAFFIC]);
}

static int
end(struct session *s, int64_t began)
{
	struct result_summary *sum = &s->sum->base;
	struct diff_sums *d = &s->sum->sums;
	int r;

	if ((r = tally_end(&s->tally, s->side[ROW_NEW].given != NULL ?
	    s->side[ROW_NEW].given : "")) < 0)
		return r;
	if (s->o->npaths > 0)
		set_verdicts(s);
	else
		d->verdict = d->candidates > 0 ? MODEL_CANDIDATES :
		    d->applied > 0 ? MODEL_NONE : MODEL_NOT_APPLICABLE;
	sum->objects = d->inputs;
	sum->seconds = (double)(clock_mono_ns() - began) / 1e9;
	sum->diff = d;
	return sink_summary(s->sink, sum, s->e);
}

static void
release(struct session *s)
{
	carve_drop(&s->carve, s->o->carve_dir);
	sides_close(&s->side[ROW_OLD]);
	sides_close(&s->side[ROW_NEW]);
	sides_close(&s->tokenizer);
	sides_close(&s->adapter);
	buf_release(&s->path[ROW_OLD]);
	buf_release(&s->path[ROW_NEW]);
	arena_free(s->arena);
}

/* Notes are told behind the header, which names the sides. */
static int
open_sides(struct session *s, int64_t started)
{
	int r;

	if (s->o->new != NULL && (r = sides_open(&s->side[ROW_NEW],
	    s->o->new, SIDES_BESIDE, s->e)) < 0)
		return r;
	if (s->o->old != NULL && (r = sides_open(&s->side[ROW_OLD],
	    s->o->old, SIDES_BESIDE, s->e)) < 0)
		return r;
	if ((r = write_header(s, started)) < 0)
		return r;
	if (s->o->old != NULL && (r = tell_notes(s, ROW_OLD)) < 0)
		return r;
	return s->o->new != NULL ? tell_notes(s, ROW_NEW) : 0;
}

int
diff_run(const struct diff_options *o, struct sink *sink,
    struct diff_summary *ret, bool *failed, struct err *e)
{
	static struct session s;
	int64_t began = clock_mono_ns(), started = clock_real_ns();
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(&s, 0, sizeof(s));
	s.o = o;
	s.sink = sink;
	s.sum = ret;
	s.e = e;
	carve_init(&s.carve);
	buf_init(&s.path[ROW_OLD], (size_t)16 * LIMIT_PATH);
	buf_init(&s.path[ROW_NEW], (size_t)16 * LIMIT_PATH);
	if ((s.arena = arena_new(o->npaths > 0 ? LIMIT_JOIN_ARENA :
	    SESSION_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s.join.arena = s.arena;
	s.tally = (struct tally){.sink = sink, .base = &ret->base,
	    .sums = &ret->sums, .arena = s.arena, .e = e};
	s.origin = JOIN_PAIR;
	if ((r = digest_start(e)) >= 0 && (r = open_sides(&s, started)) >= 0 &&
	    (r = run(&s)) >= 0)
		r = end(&s, began);
	*failed = s.failed;
	release(&s);
	return r;
}
