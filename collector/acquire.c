#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "collector/acquire_parts.h"
#include "collector/journal.h"
#include "collector/resume.h"
#include "collector/throttle.h"
#include "custody/bagtext.h"
#include "custody/digest.h"
#include "custody/sign.h"

/* The file in which a bundle grows, and what keeps account of it. */
struct growing {
	char *tmp;
	char name[ACQUIRE_NAME];	/* of the journal */
	int fd, back;		/* to write and to read it; -1 */
	int64_t mtime;
	struct journal *journal;
	struct resume *resume;	/* NULL: it begins here */
};

static int
fill(const struct acquire_params *p, const struct collect_options *o,
    struct evidence_writer *w, struct collect_totals *ret, struct err *e)
{
	return p->fill != NULL ?
	    p->fill(p->fill_ctx, o, w, ret, e) :
	    collect_run(o, w, ret, e);
}

static int
finish_body(struct evidence_writer *w, const struct collect_totals *t,
    struct err *e)
{
	const struct bagtext_body b = {.objects = t->objects,
	    .stored = t->stored, .bytes = t->bytes, .errors = t->errors,
	    .changed = t->changed, .duplicates = t->duplicates};

	return evidence_finish_body(w, &b, e);
}

static int64_t
header_time(const struct acquire_params *p)
{
	return p->collect.header_time != 0 ?
	    (int64_t)p->collect.header_time : clock_real_ns() / 1000000000;
}

static int
note_member(void *ctx, const struct evidence_note *m, struct err *e)
{
	const struct growing *g = ctx;

	return g->journal == NULL ? 0 : journal_member(g->journal, m, e);
}

static int
open_back(const struct acquire_params *p, struct growing *g, struct err *e)
{
	if (g->tmp == NULL || g->back >= 0)
		return 0;
	g->back = openat(p->dir, g->tmp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return g->back >= 0 ? 0 :
	    err_sys(e, errno, "cannot read back '%s'", g->tmp);
}

static int
new_writer(const struct acquire_params *p, struct growing *g,
    struct evidence_writer **ret, struct err *e)
{
	const struct evidence_params ep = {.fd = g->fd, .bag = p->collect.bag,
	    .digests = p->collect.digests, .header_mtime = g->mtime,
	    .in_memory = p->collect.in_memory,
	    .external_id = p->collect.bag, .tool = p->collect.tool,
	    .note = note_member, .note_ctx = g};
	int r;

	if (g->resume == NULL)
		return evidence_writer_new(&ep, ret, e);
	if ((r = resume_writer(g->resume, &ep, ret, e)) < 0)
		return r;
	g->journal = resume_journal(g->resume);
	g->fd = resume_fd(g->resume);
	return 0;
}

/* The bundle is complete: from here on it need not be made again. */
static int
note_seal(const struct growing *g, const struct acquired *a, struct err *e)
{
	const struct journal_state s = {a->sealed.size, &a->totals, NULL,
	    true};
	int r;

	if (g->journal == NULL)
		return 0;
	if ((r = journal_sealed(g->journal, &a->sealed, e)) < 0)
		return r;
	return journal_commit(g->journal, &s, e);
}

/*
 * What lies behind the last commit is of no use any more; on a disk that is
 * full it may be the room for the line that says so.
 */
static void
stop(const struct growing *g, const struct err *e)
{
	if (ftruncate(g->fd, (off_t)journal_end(g->journal)) == 0)
		(void)fsync(g->fd);
	journal_stop(g->journal, e->msg);
}

static int
write_bundle(const struct acquire_params *p, struct growing *g,
    struct acquired *ret, struct err *e)
{
	struct collect_options o = p->collect;
	struct evidence_writer *w = NULL;
	int r;

	if ((r = new_writer(p, g, &w, e)) >= 0 &&
	    (r = open_back(p, g, e)) >= 0) {
		o.bundle_fd = g->back;
		o.out_dir = p->dir >= 0 ? &p->dir : NULL;
		o.journal = g->journal;
		o.resume = g->resume;
		r = fill(p, &o, w, &ret->totals, e);
	}
	if (r >= 0)
		r = p->collect.body ? finish_body(w, &ret->totals, e) :
		    evidence_finish(w, p->signer, p->stamp, &ret->sealed, e);
	if (r >= 0)
		r = note_seal(g, ret, e);
	if (r < 0 && g->journal != NULL)
		stop(g, e);
	evidence_writer_free(w);
	return r;
}

/* Read back what lies on the disk; anything but "fails nowhere" is an error. */
static int
verify_file(const struct acquire_params *p, int fd, struct acquired *ret,
    struct err *e)
{
	const struct verify_result *v = &ret->verified;
	struct buf examiner, tsa;
	int r;

	buf_init(&examiner, MIB);
	buf_init(&tsa, MIB);
	buf_puts(&examiner, signer_pem(p->signer));
	if (signer_tsa_pem(p->signer) != NULL)
		buf_puts(&tsa, signer_tsa_pem(p->signer));
	r = verify_in_worker(fd, &examiner, tsa.len > 0 ? &tsa : NULL,
	    &ret->verified, e);
	buf_release(&examiner);
	buf_release(&tsa);
	if (r < 0)
		return r;
	/*
	 * A token by another authority is not trusted here, and without a
	 * trusted time neither is the signature; what fails is our failure.
	 */
	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
		if (v->st[i].outcome == VERIFY_FAILS &&
		    i != VERIFY_TIMESTAMP && i != VERIFY_SIGNATURE)
			return err_set(e, ERR_VERIFY,
			    "the bundle on disk does not verify: %s: %s",
			    verify_statement_name((enum verify_statement)i),
			    v->st[i].reason);
	if (p->collect.local_tsa && verify_exit(v) != 0)
		return err_set(e, ERR_VERIFY,
		    "the bundle on disk does not verify");
	if (!v->has_sha256 || memcmp(v->sha256, ret->sealed.whole.sha256,
	    32) != 0)
		return err_set(e, ERR_VERIFY,
		    "the bundle on disk is not what was written");
	return 0;
}

static double
seconds_since(int64_t began)
{
	return (double)(clock_mono_ns() - began) / 1e9;
}

/* The journal first: a partial without one cannot be gone on with. */
static int
begin_file(const struct acquire_params *p, struct growing *g, struct err *e)
{
	const struct journal_head h = {.bag = p->collect.bag,
	    .header_mtime = g->mtime, .digests = p->collect.digests,
	    .cert_sha256 = p->collect.cert_sha256, .tool = p->collect.tool,
	    .request = p->request};
	int r;

	if ((r = acquire_check_names(p, g->name, e)) < 0)
		return r;
	if (acquire_is_there(p, g->tmp))
		return acquire_never_replaced(g->tmp, e);
	if (p->request != NULL && p->fill == NULL &&
	    (r = journal_create(p->dir, g->name, &h, &g->journal, e)) < 0)
		return r;
	return g->fd = fsio_create(p->dir, g->tmp, 0600, e);
}

static int
begin_again(const struct acquire_params *p, struct growing *g, bool sealed,
    struct err *e)
{
	const struct resume_params q = {.dir = p->dir, .journal = g->name,
	    .partial = g->tmp, .collect = &p->collect, .request = p->request,
	    .sealed_ok = sealed};

	resume_free(g->resume);
	g->resume = NULL;
	return resume_open(&q, &g->resume, e);
}

/* Is it on the disk, as it was written? */
static int
read_back(const struct acquire_params *p, const struct growing *g,
    struct acquired *ret, struct err *e)
{
	int64_t began = clock_mono_ns();
	int r;

	/* From the disk, not from the cache that was just written. */
	(void)posix_fadvise(g->back, 0, 0, POSIX_FADV_DONTNEED);
	if ((r = verify_file(p, g->back, ret, e)) < 0)
		return r;
	ret->verify_seconds = seconds_since(began);
	ret->reread = true;
	return 0;
}

/*
 * A run before this one has sealed it.  1: it is not what that run wrote, so
 * it is to be made again; never when it has its name already.
 */
static int
take_sealed(const struct acquire_params *p, struct growing *g,
    struct acquired *ret, bool *named, struct err *e)
{
	int r;

	*named = acquire_is_there(p, p->file);
	g->back = openat(p->dir, *named ? p->file : g->tmp, O_RDWR |
	    O_NOFOLLOW | O_CLOEXEC);
	if (g->back < 0)
		g->back = openat(p->dir, *named ? p->file : g->tmp, O_RDONLY |
		    O_NOFOLLOW | O_CLOEXEC);
	if (g->back < 0 || fsync(g->back) < 0)
		return err_sys(e, errno, "cannot open '%s'", *named ? p->file :
		    g->tmp);
	r = read_back(p, g, ret, e);
	if (r >= 0 && !*named && fchmod(g->back, 0444) < 0)
		return err_sys(e, errno, "cannot write '%s'", g->tmp);
	if (r != ERR_VERIFY || *named)
		return r;
	err_reset(e);
	(void)close(g->back);
	g->back = -1;
	return 1;
}

static int
fill_file(const struct acquire_params *p, struct growing *g,
    struct acquired *ret, struct err *e)
{
	int64_t began = clock_mono_ns();
	int r;

	if (acquire_is_there(p, p->file))
		return acquire_never_replaced(p->file, e);
	if ((r = write_bundle(p, g, ret, e)) < 0)
		return r;
	if (fchmod(g->fd, 0444) < 0 || fsync(g->fd) < 0)
		return err_sys(e, errno, "cannot write '%s'", g->tmp);
	ret->copy_seconds = seconds_since(began);
	return read_back(p, g, ret, e);
}

static void
say_resumed(const struct growing *g, struct acquired *ret)
{
	if (g->resume == NULL)
		return;
	ret->resumed = true;
	ret->kept = resume_kept(g->resume);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
	    resume_reason(g->resume));
	(void)snprintf(ret->redone, sizeof(ret->redone), "%s",
	    resume_redone(g->resume));
}

static bool
is_ours(const struct acquire_params *p, const struct growing *g,
    const char *name)
{
	struct stat a, b;

	return fstat(g->back, &a) == 0 && fstatat(p->dir, name, &b,
	    AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev;
}

/* Some file systems say yes and do not. */
static int
check_named(const struct acquire_params *p, const struct growing *g,
    struct err *e)
{
	return is_ours(p, g, p->file) ? 0 : err_set(e, ERR_IO,
	    "'%.150s' is not the bundle that got this name", p->file);
}

/* linkat gave it its name, and was cut before unlinkat. */
static void
drop_link(const struct acquire_params *p, const struct growing *g)
{
	if (is_ours(p, g, g->tmp))
		(void)unlinkat(p->dir, g->tmp, 0);
}

static int
make_file(const struct acquire_params *p, struct growing *g,
    struct acquired *ret, struct err *e)
{
	bool named = false, write = true;
	int r;

	if ((r = p->resume ? begin_again(p, g, true, e) :
	    begin_file(p, g, e)) < 0)
		return r;
	if (p->resume && resume_sealed(g->resume, &ret->sealed,
	    &ret->totals)) {
		if ((r = take_sealed(p, g, ret, &named, e)) < 0)
			return r;
		write = r > 0;
		if (write && (r = begin_again(p, g, false, e)) < 0)
			return r;
	}
	if (write && (r = fill_file(p, g, ret, e)) < 0)
		return r;
	say_resumed(g, ret);
	if (!named && ((r = fsio_publish(p->dir, g->tmp, p->file,
	    &ret->published_by, e)) < 0 || (r = check_named(p, g, e)) < 0))
		return r;
	if (named)
		drop_link(p, g);
	return acquire_sidecar(p, ret, e);
}

static int
acquire_file(const struct acquire_params *p, struct acquired *ret,
    struct err *e)
{
	struct growing g = {.fd = -1, .back = -1,
	    .mtime = header_time(p)};
	int r;

	(void)acquire_journal(p->file, g.name);
	if (asprintf(&g.tmp, "%s.partial", p->file) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	r = make_file(p, &g, ret, e);
	if (g.back >= 0)
		(void)close(g.back);
	if (g.resume == NULL) {
		if (g.fd >= 0)
			(void)close(g.fd);
		journal_free(g.journal);
	}
	resume_free(g.resume);
	free(g.tmp);
	return r;
}

int
acquire(const struct acquire_params *p, struct acquired *ret, struct err *e)
{
	struct acquired a = {0};
	int64_t began = clock_mono_ns();
	struct growing stream = {.fd = p->stream, .back = -1,
	    .mtime = header_time(p)};
	int r;

	if (p->collect.has_nice &&
	    (r = throttle_nice(p->collect.nice, e)) < 0)
		return r;
	if (p->dir >= 0) {
		r = acquire_file(p, &a, e);
	} else {
		r = write_bundle(p, &stream, &a, e);
		a.copy_seconds = seconds_since(began);
	}
	if (r >= 0)
		*ret = a;
	return r;
}
