#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/sandbox.h"
#include "custody/trust.h"
#include "custody/verify.h"
#include "custody/verify_frames.h"
#include "custody/verify_parts.h"

struct job {
	int fd;
	uint64_t size;
	const struct buf *examiner_pem, *tsa_pem;
};

/* --- in the worker -------------------------------------------------------- */

static int
make_trust(const struct buf *pem, struct trust **ret, struct err *e)
{
	if (pem == NULL)
		return 0;
	if ((*ret = trust_new(e)) == NULL)
		return ERR_CRYPTO;
	return trust_add_pem(*ret, pem->p, pem->len, e);
}

static int
fence(int out_fd, struct sandbox_status *st, struct err *e)
{
	struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_WORKER_AS, .threads = true};

	return sandbox_enter(&policy, st, e);
}

static int
work(const struct job *j, int out_fd, struct verify_result *ret,
    struct err *e)
{
	struct trust *examiner = NULL, *tsa = NULL;
	struct sandbox_status st = {0};
	struct bytesrc *src = NULL;
	struct verify *v = NULL;
	int r;

	if ((r = verify_prepare(&v, e)) < 0 ||
	    (r = make_trust(j->examiner_pem, &examiner, e)) < 0 ||
	    (r = make_trust(j->tsa_pem, &tsa, e)) < 0 ||
	    (r = fence(out_fd, &st, e)) < 0)
		goto out;
	if ((src = bytesrc_fd(j->fd, 0, j->size, e)) == NULL) {
		r = ERR_NOMEM;
		goto out;
	}
	if ((r = verify_bundle(v, src, examiner, tsa, ret, e)) >= 0 &&
	    !st.seccomp && ret->st[VERIFY_STRUCTURE].reason[0] == '\0')
		memcpy(ret->st[VERIFY_STRUCTURE].reason,
		    "read without the sandbox: the kernel has no seccomp",
		    sizeof("read without the sandbox: the kernel has no "
		    "seccomp"));
out:
	bytesrc_free(src);
	trust_free(examiner);
	trust_free(tsa);
	verify_done(v);
	return r;
}

static int
worker_main(void *arg, int out_fd)
{
	struct verify_result r;
	struct err e = ERR_INIT, ignored = ERR_INIT;

	if (work(arg, out_fd, &r, &e) < 0)
		return verify_frames_send_error(out_fd, &e, &ignored) < 0;
	return verify_frames_send(out_fd, &r, &ignored) < 0;
}

/* --- in the parent -------------------------------------------------------- */

/* Nothing that the worker said is believed. */
static void
distrust(struct verify_result *r, uint64_t size, const char *why)
{
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->gen_time = -1;
	verify_note_fails(r, VERIFY_STRUCTURE, "%s", why);
	for (unsigned i = VERIFY_STRUCTURE + 1; i < VERIFY_STATEMENTS; i++)
		verify_note_skip(r, (enum verify_statement)i,
		    "the verifying process did not finish");
}

/*
 * All frames; NULL, or why the worker is not to be believed.  One that
 * sends something else is ended at once.
 */
static const char *
hear(struct proc *p, struct verify_frames *f, struct verify_result *r,
    uint8_t *body, struct err *e)
{
	struct err why = ERR_INIT;
	uint8_t type;
	size_t n;
	int got;

	while ((got = proc_frame(p, &type, body, LIMIT_FRAME, &n, &why)) > 0)
		if (!verify_frames_take(f, type, body, n, r, e))
			break;
	if (got > 0 || got == ERR_FORMAT) {
		proc_kill(p);
		return "the verifying process sent what no such process "
		    "sends";
	}
	if (got < 0)
		return "the verifying process ended within a message";
	return f->done ? NULL :
	    "the verifying process ended without a result";
}

static const char *
end_of(enum proc_end end, int status)
{
	switch (end) {
	case PROC_EXITED:
		return status == 0 ? NULL :
		    "the verifying process ended with an error";
	case PROC_SIGNALED:
		return "the verifying process was ended by a signal";
	case PROC_DEADLINE:
		return "the verifying process took too long";
	case PROC_KILLED:
		return "the verifying process sent what no such process "
		    "sends";
	}
	return NULL;
}

static unsigned
seconds_for(uint64_t size)
{
	uint64_t gib = size / GIB;

	if (gib > 1000000)
		gib = 1000000;
	return (unsigned)(LIMIT_WORKER_SECONDS +
	    gib * LIMIT_WORKER_SECONDS_PER_GIB);
}

int
verify_in_worker(int fd, const struct buf *examiner_pem,
    const struct buf *tsa_pem, struct verify_result *ret, struct err *e)
{
	struct job j = {fd, 0, examiner_pem, tsa_pem};
	struct verify_result out = {0};
	struct verify_frames f = {0};
	const char *why, *end;
	enum proc_end how;
	struct stat st;
	struct proc p;
	uint8_t *body;
	int r, status;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot examine the bundle");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
		    "the bundle is not a regular file");
	j.size = (uint64_t)st.st_size;
	if ((body = malloc(LIMIT_FRAME)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = proc_spawn(&p, worker_main, &j, &fd, 1, seconds_for(j.size),
	    e)) < 0)
		goto out;
	why = hear(&p, &f, &out, body, e);
	how = proc_wait(&p, &status);
	end = end_of(how, status);
	if (f.failed && why == NULL) {
		r = e != NULL && e->code != ERR_OK ? (int)e->code : ERR_CHILD;
		goto out;
	}
	out.size = j.size;
	if (why != NULL || end != NULL)
		distrust(&out, j.size, end != NULL ? end : why);
	*ret = out;
	r = 0;
out:
	free(body);
	return r;
}
