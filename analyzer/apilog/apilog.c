#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/apilog/apilog_parts.h"
#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "formats/logs/logs.h"

#define TEXTS_ARENA (4 * MIB)

int
apilog_fields(const char *fields, struct err *e)
{
	const struct logs_params p = {.fields = fields};
	struct logs *l = logs_new(&p, e);

	logs_free(l);
	return l != NULL ? 0 : ERR_ARG;
}

static int
no_memory(struct apilog *a)
{
	return err_set(a->e, ERR_NOMEM, "out of memory");
}

/* What could not be opened below an operand, and what is not followed. */
static int
tell_notes(struct apilog *a, const struct side *s)
{
	int r = 0;

	for (size_t i = 0; i < s->nnotes && r >= 0; i++) {
		buf_clear(&a->path);
		sides_raw_path(&a->path, s, s->notes[i].path);
		r = apilog_rows_say(a, buf_str(&a->path),
		    FINDING_LOGS_UNREAD, "reason", s->notes[i].why);
	}
	return r;
}

static int
open_all(struct apilog *a)
{
	const struct apilog_options *o = a->o;
	int r;

	a->nside = o->npaths + o->ncandidates;
	if ((a->side = calloc(a->nside, sizeof(*a->side))) == NULL)
		return no_memory(a);
	for (size_t i = 0; i < a->nside; i++) {
		const char *path = i < o->npaths ? o->paths[i] :
		    o->candidates[i - o->npaths];

		if ((r = sides_open(&a->side[i], path, SIDES_ALONE,
		    a->e)) < 0)
			return r;
	}
	return 0;
}

/* Is it one of those from ${from} on?  Members of one are not the same. */
static bool
is_listed(const struct apilog *a, const struct apilog_file *f, size_t from)
{
	for (size_t i = from; i < a->nfile; i++)
		if (f->member == NULL && a->file[i].member == NULL &&
		    a->file[i].ino == f->ino && a->file[i].dev == f->dev)
			return true;
	return false;
}

static void
list_side(struct apilog *a, size_t i, size_t from)
{
	const struct side *s = &a->side[i];
	struct stat st;

	for (size_t k = 0; k < s->job.n; k++) {
		const struct job_part *p = &s->job.v[k];
		struct apilog_file f = {.fd = p->fd, .size = p->size,
		    .operand = (unsigned)i, .path = p->path,
		    .member = s->job.member};

		if (fstat(p->fd, &st) < 0)
			continue;
		f.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
		    st.st_mtim.tv_nsec;
		f.dev = (uint64_t)st.st_dev;
		f.ino = (uint64_t)st.st_ino;
		if (is_listed(a, &f, from))
			a->twice++;
		else
			a->file[a->nfile++] = f;
	}
}

/* Logs, and behind them the files of candidates. */
static int
list_files(struct apilog *a)
{
	size_t most = 0, logs;
	char text[64];

	for (size_t i = 0; i < a->nside; i++)
		most += a->side[i].job.n;
	if ((a->file = calloc(most + 2, sizeof(*a->file))) == NULL)
		return no_memory(a);
	for (size_t i = 0; i < a->o->npaths; i++)
		list_side(a, i, 0);
	logs = a->nfile;
	for (size_t i = a->o->npaths; i < a->nside; i++)
		list_side(a, i, logs);
	if (a->o->within != NULL)
		a->file[a->nfile++] = (struct apilog_file){
		    .fd = a->o->within->watch_fd,
		    .size = a->o->within->watch_size, .path = ""};
	a->nwatch = a->nfile - logs;
	a->nfile = logs;
	if (a->twice == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "files that are given twice: %llu",
	    (unsigned long long)a->twice);
	return apilog_rows_skip(a, text, "each counts once");
}

static int
tell_end(struct apilog *a, struct session_worker *w)
{
	enum finding_id id;
	char text[64];
	bool ours;

	if (!session_worker_end(w, &id, text, sizeof(text), &ours)) {
		a->sum->base.bytes += w->bytes;
		return 0;
	}
	a->failed = a->failed || ours;
	if (id == FINDING_DIFF_SHRANK || id == FINDING_DIFF_UNREAD)
		return apilog_rows_say(a, a->side[0].given,
		    FINDING_LOGS_UNREAD, "reason", id == FINDING_DIFF_SHRANK ?
		    "a file became shorter while it was read" :
		    "our side failed; the last thing that was left out says "
		    "why");
	/* What a finding of this kind does not say by itself. */
	a->sum->base.incomplete +=
	    finding_info(id)->verdict != VERDICT_INCOMPLETE;
	return apilog_rows_say(a, a->side[0].given, id, "worker", text);
}

static uint64_t
bytes_of(const struct apilog *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->nfile; i++)
		n += a->file[i].size;
	return n;
}

static void
make_job(const struct apilog *a, struct apilog_job *job)
{
	const struct apilog_options *o = a->o;
	const uint64_t gib = bytes_of(a) / GIB;

	*job = (struct apilog_job){.v = a->file, .n = a->nfile,
	    .watch = a->file + a->nfile, .nwatch = a->nwatch,
	    .spool_fd = -1, .fields = o->fields, .has_since = o->has_since,
	    .has_until = o->has_until, .since_ns = o->since_ns,
	    .has_split = o->has_split, .split_ns = o->split_ns,
	    .until_ns = o->until_ns, .zone_given = o->zone_given,
	    .zone_min = o->zone_min, .fence = o->fence,
	    .threads = o->threads};
	job->seconds = LIMIT_APILOG_SECONDS + (unsigned)(gib < 10000 ? gib :
	    10000) * LIMIT_APILOG_SECONDS_PER_GIB;
}

static int
judge(struct apilog *a)
{
	struct session_worker w = {0};
	struct session_events ev;
	struct apilog_job job;
	struct session_task t;
	int *fds, r;

	apilog_rows_events(a, &ev);
	make_job(a, &job);
	if ((fds = calloc(a->nfile + a->nwatch + 1, sizeof(*fds))) == NULL)
		return no_memory(a);
	for (size_t i = 0; i < a->nfile + a->nwatch; i++)
		fds[i] = a->file[i].fd;
	if ((r = job.spool_fd = fsio_spool(a->e)) < 0)
		goto out;
	fds[a->nfile + a->nwatch] = job.spool_fd;
	t = (struct session_task){.main = a->o->worker, .arg = &job,
	    .fds = fds, .nfds = (unsigned)(a->nfile + a->nwatch + 1),
	    .seconds = job.seconds, .limit = LIMIT_DIFF_FRAMES};
	if ((r = session_worker_start(&w, &t, &ev, a->e)) < 0)
		goto out;
	while ((r = session_worker_read(&w, a->e)) > 0)
		;
	if (r >= 0)
		r = tell_end(a, &w);
out:
	session_worker_drop(&w);
	if (job.spool_fd >= 0)
		(void)close(job.spool_fd);
	free(fds);
	return r;
}

static int
write_header(struct apilog *a, int64_t started)
{
	struct result_header h = {.command = "logs", .started_ns = started,
	    .logs = true, .diff = true};
	int r;

	if ((r = scan_rules_digest(h.rules_digest, a->e)) < 0)
		return r;
	if (a->o->fence)
		sandbox_probe(&h.sandbox);
	return sink_header(a->sink, &h, a->e);
}

static int
end(struct apilog *a, int64_t began)
{
	struct result_summary *sum = &a->sum->base;
	struct diff_sums *d = &a->sum->sums;
	int r;

	if ((r = tally_end(&a->tally, a->side[0].given)) < 0)
		return r;
	d->logs = true;
	d->verdict = d->candidates + d->flagged > 0 ? MODEL_CANDIDATES :
	    d->applied > 0 ? MODEL_NONE : MODEL_NOT_APPLICABLE;
	sum->objects = d->inputs;
	sum->seconds = (double)(clock_mono_ns() - began) / 1e9;
	sum->diff = d;
	return sink_summary(a->sink, sum, a->e);
}

static int
run(struct apilog *a, int64_t began, int64_t started)
{
	int r;

	if ((r = digest_start(a->e)) < 0 || (r = open_all(a)) < 0 ||
	    (a->o->within == NULL && (r = write_header(a, started)) < 0) ||
	    (r = list_files(a)) < 0)
		return r;
	for (size_t i = 0; i < a->nside; i++)
		if ((r = tell_notes(a, &a->side[i])) < 0)
			return r;
	if ((r = judge(a)) < 0 || a->o->within != NULL)
		return r;
	return end(a, began);
}

int
apilog_run(const struct apilog_options *o, struct sink *sink,
    struct apilog_summary *ret, bool *failed, struct err *e)
{
	const int64_t began = clock_mono_ns(), started = clock_real_ns();
	static struct apilog a;
	int r;

	memset(ret, 0, sizeof(*ret));
	a = (struct apilog){.o = o, .sink = sink, .sum = ret, .e = e};
	buf_init(&a.path, (size_t)16 * LIMIT_PATH);
	if ((a.arena = arena_new(TEXTS_ARENA)) == NULL)
		return no_memory(&a);
	a.tally = (struct tally){.sink = sink, .base = &ret->base,
	    .sums = &ret->sums, .arena = a.arena, .e = e};
	r = run(&a, began, started);
	*failed = a.failed;
	for (size_t i = 0; a.side != NULL && i < a.nside; i++)
		sides_close(&a.side[i]);
	free(a.side);
	free(a.file);
	buf_release(&a.path);
	arena_free(a.arena);
	return r;
}
