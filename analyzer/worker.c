#include <string.h>
#include <unistd.h>

#include "analyzer/examine.h"
#include "analyzer/wire.h"
#include "analyzer/worker.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/digest.h"
#include "formats/format.h"

/* Exit codes of a worker; the parent says what they mean. */
enum { WORKER_OK = 0, WORKER_FAILED = 1, WORKER_NO_FENCE = 2 };

unsigned
worker_seconds(uint64_t len)
{
	return LIMIT_WORKER_SECONDS +
	    (unsigned)(len / GIB) * LIMIT_WORKER_SECONDS_PER_GIB;
}

static int
enter(const struct worker_job *job, int out_fd, struct sandbox_status *st)
{
	struct sandbox_policy p = {.out_fd = {out_fd, -1}};

	memset(st, 0, sizeof(*st));
	if (!job->fence)
		return 0;
	p.max_as = LIMIT_WORKER_AS;
	p.max_cpu = job->seconds;
	p.descriptors = job->ask_fd >= 0 ? LIMIT_SIBLINGS_OPEN : 0;
	return sandbox_enter(&p, st, NULL);
}

int
worker_main(void *arg, int out_fd)
{
	const struct worker_job *job = arg;
	struct examine x = {.job = job};
	struct ev_member self = {.name = "", .format = job->format};
	struct sandbox_status st;
	struct err e = ERR_INIT;
	struct bytesrc *src;
	struct wire wire;
	int r;

	if (enter(job, out_fd, &st) < 0)
		return WORKER_NO_FENCE;
	wire_init(&wire, out_fd);
	x.wire = &wire;
	if (wire_send_status(&wire, &st, &e) < 0 ||
	    (src = bytesrc_fd(job->fd, job->off, job->len, &e)) == NULL)
		return WORKER_FAILED;
	self.src = src;
	self.size = job->len;
	x.room = job->len > (UINT64_MAX - LIMIT_NESTED) / LIMIT_NESTED_RATIO ?
	    UINT64_MAX : LIMIT_NESTED + LIMIT_NESTED_RATIO * job->len;
	r = examine_object(&x, &self, WIRE_NONE, job->depth, &e);
	bytesrc_free(src);
	if (r >= 0)
		r = wire_send_done(&wire, &e);
	wire_release(&wire);
	return r >= 0 ? WORKER_OK : WORKER_FAILED;
}

int
worker_hash_main(void *arg, int out_fd)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	const struct worker_job *job = arg;
	struct sandbox_status st;
	struct digests out;
	struct digest *d;
	struct err e = ERR_INIT;
	uint64_t done = 0;

	if ((d = digest_new(DIGEST_SHA256, &e)) == NULL ||
	    enter(job, out_fd, &st) < 0)
		return WORKER_NO_FENCE;
	while (done < job->len) {
		size_t n = job->len - done < sizeof(chunk) ?
		    (size_t)(job->len - done) : sizeof(chunk);
		ssize_t got = pread(job->fd, chunk, n,
		    (off_t)(job->off + done));

		if (got <= 0 || digest_put(d, chunk, (size_t)got, &e) < 0)
			return WORKER_FAILED;
		done += (uint64_t)got;
	}
	if (digest_now(d, &out, &e) < 0 ||
	    fsio_write_all(out_fd, out.sha256, 32, &e) < 0)
		return WORKER_FAILED;
	digest_free(d);
	return WORKER_OK;
}
