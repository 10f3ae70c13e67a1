#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/rows.h"
#include "cli/verify_print.h"
#include "cli/verify_source.h"
#include "custody/case.h"
#include "custody/verify.h"

struct verify_cmd {
	const char *format, *output, *case_dir, *source;
	struct opt_list trust, tsa_trust;
	bool quiet, verbose;
	struct rows rows;
	struct buf examiner, tsa;	/* PEM of the anchors */
	struct casedir *dir;
	struct cmd_output out;
	struct opt_args args;
};

static const struct opt_usage usage = {"exhibit verify",
    "[OPTION...] BUNDLE...",
    "Check sealed bundles: say which statements hold, which fail, and which "
    "were\nnot checked.  Only certificates named here (or pinned in the case) "
    "are trusted."};

static int
read_trust(const struct opt_list *l, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->count && r >= 0; i++)
		if ((r = cmd_read_pem(l->items[i], b, e)) >= 0)
			buf_putc(b, '\n');
	return r;
}

static void
note_data(void *ctx, struct json_write *w)
{
	const struct verify_result *r = ctx;
	int code = verify_exit(r);

	if (r->has_sha256)
		json_khex(w, "bundle_sha256", r->sha256, 32);
	else
		json_knull(w, "bundle_sha256");
	json_ku64(w, "bytes", r->size);
	json_kstr(w, "method", "native");
	json_kstr(w, "result", code == 0 ? "ok" : code == 3 ? "failed" :
	    "incomplete");
	json_key(w, "statements");
	json_begin_array(w);
	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++) {
		json_begin_object(w);
		json_kstr(w, "name",
		    verify_statement_name((enum verify_statement)i));
		json_kstr(w, "result",
		    verify_outcome_name(r->st[i].outcome));
		json_end_object(w);
	}
	json_end_array(w);
}

static int
write_result(struct verify_cmd *c, const char *path,
    const struct verify_result *vr, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, MIB);
	verify_print(&b, path, vr, &c->rows, c->quiet);
	if ((r = buf_failed(&b)) >= 0)
		r = fsio_write_all(c->out.fd, b.p, b.len, e);
	else
		r = err_set(e, (enum err_code)r, "cannot write the result");
	buf_release(&b);
	return r;
}

/* The slices of the bundle against the source at hand; an exit code. */
static int
compare_source(struct verify_cmd *c, const char *path, int fd)
{
	struct err e = ERR_INIT;
	struct buf b;
	int r, code;

	buf_init(&b, 16 * MIB);
	r = code = verify_source(path, fd, c->source, &c->rows, c->quiet, &b,
	    &e);
	if (r >= 0 && (r = buf_failed(&b)) < 0)
		r = err_set(&e, (enum err_code)r, "cannot write the result");
	if (r >= 0)
		r = fsio_write_all(c->out.fd, b.p, b.len, &e);
	buf_release(&b);
	return r < 0 ? cmd_fail(&e) : code;
}

static int
verify_one(struct verify_cmd *c, const char *path)
{
	struct verify_result vr;
	struct err e = ERR_INIT;
	int fd, r, code = EXIT_CLEAN;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
		(void)err_sys(&e, errno, "cannot read '%s'", path);
		return cmd_fail(&e);
	}
	r = verify_in_worker(fd, c->examiner.len > 0 ? &c->examiner : NULL,
	    c->tsa.len > 0 ? &c->tsa : NULL, &vr, &e);
	if (r >= 0)
		r = write_result(c, path, &vr, &e);
	if (r >= 0 && c->source != NULL)
		code = compare_source(c, path, fd);
	(void)close(fd);
	if (r < 0)
		return cmd_fail(&e);
	r = cmd_worse(verify_exit(&vr), code);
	if (c->dir != NULL && case_event(c->dir, "verify",
	    vr.bag[0] != '\0' ? vr.bag : NULL, note_data, &vr, NULL, &e) < 0)
		r = cmd_worse(r, cmd_fail(&e));
	return r;
}

static int
prepare(struct verify_cmd *c, struct err *e)
{
	int r;

	if ((r = read_trust(&c->trust, &c->examiner, e)) < 0 ||
	    (r = read_trust(&c->tsa_trust, &c->tsa, e)) < 0)
		return r;
	if (c->case_dir != NULL) {
		if ((r = case_open(c->case_dir, &c->dir, e)) < 0 ||
		    (r = case_trust_pem(c->dir, &c->examiner, &c->tsa,
		    e)) < 0)
			return r;
	}
	return cmd_output_open(&c->out, c->output, e);
}

static int
run(struct verify_cmd *c)
{
	struct err e = ERR_INIT;
	int code = EXIT_CLEAN;

	if (prepare(c, &e) < 0)
		return cmd_fail(&e);
	for (size_t i = 0; i < c->args.count; i++)
		code = cmd_worse(code, verify_one(c, c->args.items[i]));
	if (rows_finish(&c->rows, c->out.fd, &e) < 0 ||
	    cmd_output_commit(&c->out, &e) < 0)
		code = cmd_worse(code, cmd_fail(&e));
	return code;
}

int
cmd_verify(int argc, char **argv)
{
	struct verify_cmd c = {.out = {.fd = -1}};
	const struct opt rows[] = {
	    {OPT_LIST, 0, "trust", &c.trust, "CERT",
		"PEM of the examiner's certificate or its root"},
	    {OPT_LIST, 0, "tsa-trust", &c.tsa_trust, "CERT",
		"PEM of the time stamp authority's, or its root"},
	    {OPT_STRING, 0, "case", &c.case_dir, "DIR",
		"trust what the case pinned; note the result in its ledger"},
	    {OPT_STRING, 0, "source", &c.source, "PATH",
		"derive the bundle's slices of this source again"},
	    {OPT_STRING, 0, "format", &c.format, "FORMAT",
		"text, jsonl or json"},
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write the result to FILE"},
	    {OPT_FLAG, 'q', "quiet", &c.quiet, NULL, "only the conclusion"},
	    {OPT_FLAG, 'v', "verbose", &c.verbose, NULL,
		"every statement (the default)"},
	    OPT_ROWS_END};
	int r;

	buf_init(&c.examiner, MIB);
	buf_init(&c.tsa, MIB);
	if ((r = opt_parse(argc, argv, &usage, rows, &c.args)) != 0) {
		r = OPT_DONE(r);
	} else if (c.args.count == 0) {
		r = opt_usage_error(&usage, "no bundle given");
	} else if (!rows_choose(&c.rows, c.format)) {
		r = opt_usage_error(&usage, "no such format");
	} else {
		r = run(&c);
	}
	cmd_output_abandon(&c.out);
	case_close(c.dir);
	buf_release(&c.examiner);
	buf_release(&c.tsa);
	opt_release(rows, &c.args);
	return r;
}
