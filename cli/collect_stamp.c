#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "cli/collect_args.h"
#include "custody/sign.h"

const char *
collect_args_stick(const struct collect_args *a)
{
	return a->tsa != NULL && strncmp(a->tsa, "stick:", 6) == 0 ?
	    a->tsa + 6 : NULL;
}

int
collect_stamp_local(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	const struct collect_stamp *s = ctx;
	struct buf tsq;
	int r;

	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0)
		r = tstamp_local(s->signer, tsq.p, tsq.len, tsr, e);
	buf_release(&tsq);
	return r;
}

/* Wait until somebody brings the reply, whole. */
static int
wait_reply(const char *path, const struct buf *tsq, const void *p7s, size_t n,
    struct buf *tsr, struct err *e)
{
	struct err why = ERR_INIT;
	int64_t when;

	for (;;) {
		buf_clear(tsr);
		if (access(path, F_OK) == 0 &&
		    fsio_read_file(AT_FDCWD, path, LIMIT_TSR, tsr, &why) >= 0 &&
		    tstamp_accept(tsq->p, tsq->len, tsr->p, tsr->len, p7s, n,
		    NULL, &when, &why) >= 0)
			return 0;
		if (why.code == ERR_VERIFY && tsr->len > 0) {
			/* A reply to another query will not become ours. */
			(void)sleep(1);
			if (access(path, F_OK) == 0)
				return err_set(e, ERR_VERIFY, "'%s': %s", path,
				    why.msg);
		}
		err_reset(&why);
		(void)sleep(1);
	}
}

int
collect_stamp_stick(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	const struct collect_stamp *s = ctx;
	char query[LIMIT_PATH], reply[LIMIT_PATH], tmp[LIMIT_PATH];
	struct buf tsq;
	int r;

	(void)snprintf(query, sizeof(query), "%s/%s.tsq", s->stick, s->bag);
	(void)snprintf(tmp, sizeof(tmp), "%s/.%s.tsq", s->stick, s->bag);
	(void)snprintf(reply, sizeof(reply), "%s/%s.tsr", s->stick, s->bag);
	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0 &&
	    (r = fsio_write_new(AT_FDCWD, tmp, 0644, tsq.p, tsq.len, e)) >=
	    0 && (r = fsio_publish(AT_FDCWD, tmp, query, NULL, e)) >= 0) {
		(void)fprintf(stderr, "exhibit: the query is '%s'; waiting for "
		    "'%s'\n", query, reply);
		r = wait_reply(reply, &tsq, p7s, n, tsr, e);
	}
	buf_release(&tsq);
	return r;
}
