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
#include "collector/acquire.h"
#include "collector/throttle.h"
#include "custody/bagtext.h"
#include "custody/digest.h"
#include "custody/sign.h"

#define SIDECAR ".sha256"

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

static int
write_bundle(const struct acquire_params *p, int fd, int bundle_fd,
    struct acquired *ret, struct err *e)
{
	const struct evidence_params ep = {.fd = fd, .bag = p->collect.bag,
	    .digests = p->collect.digests,
	    .header_mtime = p->collect.header_time != 0 ?
	    (int64_t)p->collect.header_time : clock_real_ns() / 1000000000,
	    .external_id = p->collect.bag, .tool = p->collect.tool,
	    .in_memory = p->collect.in_memory};
	struct collect_options o = p->collect;
	struct evidence_writer *w = NULL;
	int r;

	o.bundle_fd = bundle_fd;

	if ((r = evidence_writer_new(&ep, &w, e)) >= 0 &&
	    (r = fill(p, &o, w, &ret->totals, e)) >= 0)
		r = p->collect.body ? finish_body(w, &ret->totals, e) :
		    evidence_finish(w, p->signer, p->stamp, &ret->sealed, e);
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

/* Everything that could fail behind the publication, asked before it. */
static int
check_names(const struct acquire_params *p, struct err *e)
{
	static const char *const suffixes[] = {"", SIDECAR,
	    SIDECAR ".partial"};
	char name[LIMIT_COMPONENT + 1];
	struct stat st;
	int n;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		n = snprintf(name, sizeof(name), "%s%s", p->file, suffixes[i]);
		if (n < 0 || n >= (int)sizeof(name))
			return err_set(e, ERR_ARG, "'%s' is too long: it needs "
			    "room for '%s'", p->file, suffixes[i]);
		if (fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(e, ERR_EXISTS, "'%s' is there and is "
			    "never replaced", name);
	}
	return 0;
}

static int
write_sidecar(const struct acquire_params *p, const struct acquired *a,
    struct err *e)
{
	char name[LIMIT_COMPONENT + 1], tmp[LIMIT_COMPONENT + 1];
	char text[LIMIT_COMPONENT + 80], hex[65];
	int n, r;

	digest_hex(hex, a->sealed.whole.sha256, 32);
	(void)snprintf(name, sizeof(name), "%s" SIDECAR, p->file);
	(void)snprintf(tmp, sizeof(tmp), "%s" SIDECAR ".partial",
	    p->file);
	n = snprintf(text, sizeof(text), "%s  %s\n", hex, p->file);
	/* Half a digest under its final name would look like tampering. */
	if ((r = fsio_write_new(p->dir, tmp, 0444, text, (size_t)n, e)) < 0)
		return r;
	return fsio_publish(p->dir, tmp, name, NULL, e);
}

static double
seconds_since(int64_t began)
{
	return (double)(clock_mono_ns() - began) / 1e9;
}

static int
acquire_file(const struct acquire_params *p, struct acquired *ret,
    struct err *e)
{
	int64_t began = clock_mono_ns();
	int fd = -1, back = -1, r;
	char *tmp;

	if ((r = check_names(p, e)) < 0)
		return r;
	if (asprintf(&tmp, "%s.partial", p->file) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = fd = fsio_create(p->dir, tmp, 0600, e)) < 0)
		goto out;
	if ((back = openat(p->dir, tmp, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC)) < 0) {
		r = err_sys(e, errno, "cannot read back '%s'", tmp);
		goto out;
	}
	if ((r = write_bundle(p, fd, back, ret, e)) < 0)
		goto out;
	if (fchmod(fd, 0444) < 0 || fsync(fd) < 0) {
		r = err_sys(e, errno, "cannot write '%s'", tmp);
		goto out;
	}
	ret->copy_seconds = seconds_since(began);
	began = clock_mono_ns();
	/* From the disk, not from the cache that was just written. */
	(void)posix_fadvise(back, 0, 0, POSIX_FADV_DONTNEED);
	if ((r = verify_file(p, back, ret, e)) < 0)
		goto out;
	ret->verify_seconds = seconds_since(began);
	ret->reread = true;
	if ((r = fsio_publish(p->dir, tmp, p->file, &ret->published_by,
	    e)) >= 0)
		r = write_sidecar(p, ret, e);
out:
	if (back >= 0)
		(void)close(back);
	if (fd >= 0)
		(void)close(fd);
	free(tmp);
	return r;
}

int
acquire(const struct acquire_params *p, struct acquired *ret, struct err *e)
{
	struct acquired a = {0};
	int64_t began = clock_mono_ns();
	int r;

	if (p->collect.has_nice &&
	    (r = throttle_nice(p->collect.nice, e)) < 0)
		return r;
	if (p->dir >= 0) {
		r = acquire_file(p, &a, e);
	} else {
		r = write_bundle(p, p->stream, -1, &a, e);
		a.copy_seconds = seconds_since(began);
	}
	if (r >= 0)
		*ret = a;
	return r;
}
