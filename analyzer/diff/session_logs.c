#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/apilog/apilog.h"
#include "analyzer/diff/session_parts.h"
#include "analyzer/sink_rows.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"

/*
 * Candidates of data and weights are looked up in the traffic, and what
 * switches answers there joins them.  The worker that reads the logs gets the
 * candidates as rows of results, in memory without a name.
 */
static int
put(void *ctx, const struct row_candidate *c)
{
	struct buf *b = ctx;
	struct row_candidate bare = *c;
	const struct result_diff d = {.type = DIFF_ROW_CANDIDATE,
	    .row.candidate = &bare};
	struct json_write w;

	bare.evidence = NULL;
	json_init(&w, b, JSON_COMPACT);
	sink_row_diff(&w, &d);
	buf_putc(b, '\n');
	return buf_failed(b);
}

static int
candidates(struct session *s, int *fd, uint64_t *size)
{
	struct buf b;
	int r;

	buf_init(&b, LIMIT_APILOG_RESULTS);
	if ((r = join_watch(&s->join, put, &b)) < 0)
		r = err_set(s->e, (enum err_code)r, "too many candidates");
	else if ((*fd = memfd_create("candidates", MFD_CLOEXEC)) < 0)
		r = err_sys(s->e, errno, "cannot get memory");
	else if ((r = fsio_write_all(*fd, b.p, b.len, s->e)) < 0)
		(void)close(*fd);
	*size = b.len;
	buf_release(&b);
	return r;
}

int
session_logs(struct session *s)
{
	struct session_events ev;
	struct apilog_within in = {.rows = &ev.rows, .ctx = s};
	const struct apilog_options o = {.within = &in, .paths = s->o->logs,
	    .npaths = s->o->nlogs, .fields = s->o->log_fields,
	    .fence = s->o->fence, .threads = s->o->threads,
	    .worker = s->o->log_worker, .progress = s->o->progress,
	    .progress_ctx = s->o->progress_ctx};
	struct apilog_summary sum;
	bool failed = false;
	int r;

	session_events(s, &ev);
	in.skip = ev.skip;
	if ((r = candidates(s, &in.watch_fd, &in.watch_size)) < 0)
		return r;
	s->origin = JOIN_TRAFFIC;
	r = apilog_run(&o, NULL, &sum, &failed, s->e);
	s->origin = JOIN_PAIR;
	s->failed = s->failed || failed;
	s->sum->base.bytes += sum.base.bytes;
	s->sum->base.incomplete += sum.base.incomplete;
	(void)close(in.watch_fd);
	return r;
}
