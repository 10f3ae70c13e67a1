#include <string.h>

#include "analyzer/apilog/apilog_work.h"
#include "analyzer/diff/pool.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/digest.h"

/* Exit codes of the worker; session_worker.c says what they mean. */
enum { WORKER_OK = 0, WORKER_FAILED = 1, WORKER_NO_FENCE = 2,
	WORKER_SHRANK = 3 };

static int
enter(const struct apilog_work *w, int out_fd, struct sandbox_status *st)
{
	struct sandbox_policy p = {.out_fd = {out_fd, w->job->spool_fd},
	    .max_data = LIMIT_APILOG_DATA, .max_cpu = w->job->seconds,
	    .threads = true, .write_files = true};

	memset(st, 0, sizeof(*st));
	return w->job->fence ? sandbox_enter(&p, st, NULL) : 0;
}

/* Reading is the first half of the work. */
static int
read_so_far(struct apilog_work *w, uint64_t off)
{
	return diff_wire_progress(&w->wire, w->before +
	    (off < w->size ? off : w->size), 2 * w->bytes);
}

static int
on_record(void *ctx, const struct logs_record *r)
{
	struct apilog_work *w = ctx;
	struct traffic_record t;
	int rc;

	if ((rc = apilog_record_take(&w->record, r, &t, &w->e)) <= 0)
		return rc;
	if ((rc = apilog_spool_put(w->spool, &t, &w->e)) != 0) {
		w->full += rc > 0;
		return rc < 0 ? rc : 0;
	}
	w->fed++;
	if ((rc = traffic_count(w->traffic, &t)) < 0)
		return rc;
	return w->file != NULL && r->v[LOGS_RAW_OFF].set ?
	    read_so_far(w, r->v[LOGS_RAW_OFF].u) : 0;
}

/* Secrets are not looked for (LOGS_BARE). */
static int
on_secret(void *ctx, const struct logs_secret *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static int
sha256(void *ctx, const void *p, size_t n, uint8_t out[32], struct err *e)
{
	struct apilog_work *w = ctx;
	struct digests sum;
	int r;

	if ((r = digest_reset(w->digest, e)) < 0 ||
	    (r = digest_put(w->digest, p, n, e)) < 0 ||
	    (r = digest_now(w->digest, &sum, e)) < 0)
		return r;
	memcpy(out, sum.sha256, 32);
	return 0;
}

/* In the order of time, once all is known that must be. */
static int
judge(struct apilog_work *w)
{
	const uint64_t n = apilog_spool_count(w->spool);
	struct traffic_record t;
	uint64_t i = 0;
	int r;

	if ((r = traffic_ready(w->traffic)) < 0 ||
	    (r = apilog_spool_end(w->spool, &w->e)) < 0)
		return r;
	while ((r = apilog_spool_next(w->spool, &t, &w->e)) > 0) {
		if ((r = traffic_add(w->traffic, &t)) < 0)
			return r;
		if (++i % 256 == 0 && (r = diff_wire_progress(&w->wire,
		    w->bytes + (uint64_t)((double)w->bytes * (double)i /
		    (double)n), 2 * w->bytes)) < 0)
			return r;
	}
	return r < 0 ? r : traffic_end(w->traffic);
}

static int
run(struct apilog_work *w)
{
	const struct logs_events ev = {.record = on_record,
	    .problem = apilog_tell_problem, .secret = on_secret,
	    .account = apilog_tell_account, .sha256 = sha256, .ctx = w};
	const struct logs_params p = {.ev = &ev, .content = LOGS_BARE,
	    .zone_given = w->job->zone_given, .zone_min = w->job->zone_min,
	    .fields = w->job->fields};
	const struct traffic_out out = {.d = {.rows = w->rows,
	    .pool = w->pool, .e = &w->e}, .caller = w->rows->caller,
	    .ctx = w->rows->ctx};
	int r;

	if ((w->logs = logs_new(&p, &w->e)) == NULL)
		return w->e.code;
	if ((w->traffic = traffic_new(&out)) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	if (w->job->has_split)
		traffic_split(w->traffic, w->job->split_ns);
	if ((w->spool = apilog_spool_new(w->job->spool_fd, &w->e)) == NULL)
		return ERR_NOMEM;
	if ((r = apilog_watch_load(w)) < 0 || (r = apilog_read_all(w)) < 0)
		return r;
	/* Arenas of the reader are room for what follows. */
	logs_free(w->logs);
	w->logs = NULL;
	if ((r = judge(w)) < 0 || (r = apilog_tell_rest(w)) < 0)
		return r;
	return diff_wire_done(&w->wire, w->bytes);
}

static void
release(struct apilog_work *w)
{
	logs_free(w->logs);
	traffic_free(w->traffic);
	apilog_spool_free(w->spool);
	apilog_record_release(&w->record);
	buf_release(&w->path);
	arena_free(w->watched);
	digest_free(w->digest);
	pool_free(w->pool);
	diff_wire_release(&w->wire);
}

int
apilog_worker_main(void *arg, int out_fd)
{
	static struct apilog_work w;
	struct sandbox_status st;
	struct rows rows;
	int r;

	memset(&w, 0, sizeof(w));
	w.job = arg;
	apilog_record_init(&w.record);
	buf_init(&w.path, DIFF_WIRE_NAME);
	diff_wire_init(&w.wire, out_fd, &w.e);
	/* Threads first: the fence allows no new ones. */
	if ((w.pool = pool_new(w.job->threads, &w.e)) == NULL ||
	    digest_start(&w.e) < 0 ||
	    (w.digest = digest_new(DIGEST_SHA256, &w.e)) == NULL)
		return WORKER_FAILED;
	if (enter(&w, out_fd, &st) < 0)
		return WORKER_NO_FENCE;
	rows = diff_wire_rows(&w.wire);
	apilog_alarm_init(&w.alarm, &rows);
	w.rows = &w.alarm.rows;
	if ((r = diff_wire_status(&w.wire, &st)) >= 0)
		r = run(&w);
	if (r < 0 && w.e.code != ERR_TRUNC)
		(void)diff_wire_skip(&w.wire, "the rest of the log",
		    *w.e.msg != '\0' ? w.e.msg : "our side failed");
	(void)diff_wire_flush(&w.wire);
	release(&w);
	if (r < 0 && w.e.code == ERR_TRUNC)
		return WORKER_SHRANK;
	return r >= 0 ? WORKER_OK : WORKER_FAILED;
}
