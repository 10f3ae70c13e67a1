#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/version.h"
#include "cli/opt.h"
#include "cli/rows.h"
#include "cli/verify_print.h"
#include "custody/trust.h"
#include "custody/verify.h"

/*
 * exhibit-verify: the program for the other party.  Everything is opened
 * first (bundles, certificates), then the sandbox is entered, then the
 * first byte of evidence is read.
 */
#define BUNDLES_MAX 256

struct verify_prog {
	const char *format;
	struct opt_list trust, tsa_trust;
	bool quiet;
	struct rows rows;
	struct opt_args args;
	int fd[BUNDLES_MAX];
	int open_errno[BUNDLES_MAX];
	uint64_t size[BUNDLES_MAX];
};

static const struct opt_usage usage = {"exhibit-verify",
    "[OPTION...] BUNDLE...",
    "Check sealed bundles: say which statements hold, which fail, and which "
    "were\nnot checked.  Only certificates named here are trusted."};

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "exhibit-verify: %s\n", e->msg);
	return 2;
}

static int
load_trust(const struct opt_list *l, struct trust **ret, struct err *e)
{
	struct trust *t;
	struct buf b;
	int r = 0;

	if ((t = trust_new(e)) == NULL)
		return ERR_CRYPTO;
	for (size_t i = 0; i < l->count && r >= 0; i++) {
		buf_init(&b, MIB);
		if ((r = fsio_read_file(AT_FDCWD, l->items[i], MIB, &b,
		    e)) >= 0)
			r = trust_add_pem(t, b.p, b.len, e);
		buf_release(&b);
	}
	if (r < 0) {
		trust_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

static void
open_bundles(struct verify_prog *p)
{
	struct stat st;

	for (size_t i = 0; i < p->args.count; i++) {
		p->fd[i] = open(p->args.items[i], O_RDONLY | O_CLOEXEC |
		    O_NOCTTY | O_NONBLOCK);
		if (p->fd[i] < 0 || fstat(p->fd[i], &st) < 0)
			p->open_errno[i] = errno;
		else if (!S_ISREG(st.st_mode))
			p->open_errno[i] = EINVAL;
		else
			p->size[i] = (uint64_t)st.st_size;
	}
}

static int
print(struct verify_prog *p, size_t i, const struct verify_result *vr,
    struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, MIB);
	verify_print(&b, p->args.items[i], vr, &p->rows, p->quiet);
	if ((r = buf_failed(&b)) >= 0)
		r = fsio_write_all(STDOUT_FILENO, b.p, b.len, e);
	buf_release(&b);
	return r;
}

static int
verify_one(struct verify_prog *p, size_t i, struct verify *v,
    const struct trust *examiner, const struct trust *tsa)
{
	struct verify_result vr;
	struct err e = ERR_INIT;
	struct bytesrc *src;
	int r;

	if (p->open_errno[i] != 0) {
		(void)err_sys(&e, p->open_errno[i], "cannot read '%s'",
		    p->args.items[i]);
		return fail(&e);
	}
	if ((src = bytesrc_fd(p->fd[i], 0, p->size[i], &e)) == NULL)
		return fail(&e);
	r = verify_bundle(v, src, examiner, tsa, &vr, &e);
	bytesrc_free(src);
	if (r < 0 || print(p, i, &vr, &e) < 0)
		return fail(&e);
	return verify_exit(&vr);
}

static int
fence(struct err *e)
{
	struct sandbox_policy p = {.out_fd = {STDOUT_FILENO, STDERR_FILENO},
	    .threads = true, .write_files = true};
	struct sandbox_status st;
	int r;

	if ((r = sandbox_enter(&p, &st, e)) >= 0 && !st.seccomp)
		(void)fprintf(stderr, "exhibit-verify: no seccomp here: "
		    "bundles are read without the sandbox\n");
	return r;
}

static int
run(struct verify_prog *p)
{
	struct trust *examiner = NULL, *tsa = NULL;
	struct verify *v = NULL;
	struct err e = ERR_INIT;
	int code = 0, r;

	if (load_trust(&p->trust, &examiner, &e) < 0 ||
	    load_trust(&p->tsa_trust, &tsa, &e) < 0) {
		code = fail(&e);
		goto out;
	}
	open_bundles(p);
	if (verify_prepare(&v, &e) < 0 || fence(&e) < 0) {
		code = fail(&e);
		goto out;
	}
	for (size_t i = 0; i < p->args.count; i++) {
		r = verify_one(p, i, v, examiner, tsa);
		if (r > code)
			code = r;	/* 3 before 2 before 0 */
	}
	if (rows_finish(&p->rows, STDOUT_FILENO, &e) < 0)
		code = code > 2 ? code : fail(&e);
out:
	verify_done(v);
	trust_free(examiner);
	trust_free(tsa);
	return code;
}

int
main(int argc, char **argv)
{
	static struct verify_prog p;
	const struct opt rows[] = {
	    {OPT_LIST, 0, "trust", &p.trust, "CERT",
		"PEM of the examiner's certificate or its root"},
	    {OPT_LIST, 0, "tsa-trust", &p.tsa_trust, "CERT",
		"PEM of the time stamp authority's, or its root"},
	    {OPT_STRING, 0, "format", &p.format, "FORMAT",
		"text, jsonl or json"},
	    {OPT_FLAG, 'q', "quiet", &p.quiet, NULL, "only the conclusion"},
	    OPT_ROWS_END};
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("exhibit-verify %s\n", EXHIBIT_VERSION);
		return 0;
	}
	if ((r = opt_parse(argc, argv, &usage, rows, &p.args)) != 0) {
		r = OPT_DONE(r);
	} else if (p.args.count == 0 || p.args.count > BUNDLES_MAX) {
		r = opt_usage_error(&usage, "no bundle given");
	} else if (!rows_choose(&p.rows, p.format)) {
		r = opt_usage_error(&usage, "no such format");
	} else {
		r = run(&p);
	}
	opt_release(rows, &p.args);
	return r;
}
