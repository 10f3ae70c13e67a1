#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/sandbox.h"
#include "collector/transport.h"
#include "custody/digest.h"

/*
 * It parses nothing, so it could do without a fence; it has one all the same.
 * Once nobody reads ${out} any more the rest is not worth reading: SIGPIPE
 * ends it, and who wrote to ${in} learns it the same way.
 */
enum { PASSED = 1 };
enum { PASSED_SIZE = 1, PASSED_SHA256 };

struct pump_job {
	int in, out;
};

static int
copy(const struct pump_job *j, struct digest *d, uint64_t *size,
    struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	ssize_t n;
	int r;

	for (;;) {
		n = read(j->in, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read");
		if (n == 0)
			return 0;
		if ((r = digest_put(d, chunk, (size_t)n, e)) < 0 ||
		    (r = fsio_write_all(j->out, chunk, (size_t)n, e)) < 0)
			return r;
		*size += (uint64_t)n;
	}
}

static int
pump_main(void *arg, int out_fd)
{
	const struct pump_job *j = arg;
	const struct sandbox_policy policy = {.out_fd = {out_fd, j->out},
	    .max_as = LIMIT_WORKER_AS};
	struct digest *d = digest_new(DIGEST_SHA256, NULL);
	struct sandbox_status st;
	struct digests sum;
	uint64_t size = 0;
	struct buf b;
	int r;

	buf_init(&b, LIMIT_FRAME);
	if (d == NULL || sandbox_enter(&policy, &st, NULL) < 0 ||
	    copy(j, d, &size, NULL) < 0 || digest_now(d, &sum, NULL) < 0)
		return 1;
	/* The worker sees the end before we say that we have seen it. */
	(void)close(j->out);
	frame_begin(&b, PASSED);
	frame_put_u64(&b, PASSED_SIZE, size);
	frame_put(&b, PASSED_SHA256, sum.sha256, 32);
	r = frame_send(&b, out_fd, NULL);
	buf_release(&b);
	digest_free(d);
	return r < 0;
}

int
pump_start(struct proc *p, int in, int out, struct err *e)
{
	struct pump_job j = {in, out};
	const int keep[] = {in, out};
	int r;

	if ((r = digest_start(e)) < 0)
		return r;
	return proc_spawn(p, pump_main, &j, keep, 2, 0, e);
}

int
pump_end(struct proc *p, uint64_t *size, uint8_t sha256[32], struct err *e)
{
	static uint8_t body[LIMIT_FRAME];
	struct frame f;
	uint8_t type;
	size_t n;
	int r, status;

	r = proc_frame(p, &type, body, sizeof(body), &n, e);
	if (r > 0 && (type != PASSED || !frame_parse(&f, type, body, n) ||
	    !frame_u64(&f, PASSED_SIZE, size) ||
	    !frame_has(&f, PASSED_SHA256) ||
	    f.field[PASSED_SHA256].len != 32))
		r = ERR_CHILD;
	if (r > 0)
		memcpy(sha256, f.field[PASSED_SHA256].buf, 32);
	if (proc_wait(p, &status) != PROC_EXITED || status != 0)
		r = ERR_CHILD;
	return r > 0 ? 0 : err_set(e, ERR_CHILD,
	    "the stream was not read to its end");
}
