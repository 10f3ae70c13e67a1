#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/cmd.h"
#include "cli/collect_cmd.h"
#include "cli/idnames.h"
#include "cli/intake_kinds.h"
#include "cli/passphrase.h"
#include "cli/slices.h"
#include "collector/discover.h"
#include "collector/intake.h"
#include "collector/slice.h"
#include "custody/case.h"
#include "custody/sign.h"
#include "custody/tsa_http.h"

/*
 * Order matters: the TSA's helper and the workers that say what was taken are
 * started before a key is loaded, and so are those that read what comes from
 * elsewhere; the case is locked and its number taken
 * before anything is read, the ledger's seal comes after the file has its
 * name.
 */
const struct opt_usage collect_cmd_usage = {"exhibit collect",
    "--case DIR [PLAN.yaml] [OPTION...]",
    "Take what a plan or options name into a sealed, signed and time-stamped "
    "bundle.\n"
    "The path of the sealed file is printed, alone, on standard output."};

static int
stamp_http(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	const struct collect_cmd *c = ctx;
	struct buf tsq;
	int64_t when;
	int r;

	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0 &&
	    (r = tsa_http_ask(c->http, tsq.p, tsq.len, tsr, e)) >= 0)
		r = tstamp_accept(tsq.p, tsq.len, tsr->p, tsr->len, p7s, n,
		    NULL, &when, e);
	buf_release(&tsq);
	return r;
}

static bool
is_local(const struct collect_cmd *c)
{
	return c->args.tsa == NULL;
}

/* The request, in the ledger before anything is read. */
static void
request_data(void *ctx, struct json_write *w)
{
	const struct collect_cmd *c = ctx;

	json_kbool(w, "double_read", c->options.double_read);
	elsewhere_request(&c->elsewhere, w);
	json_khex(w, "request_sha256", c->request_sha256, 32);
	json_key(w, "sources");
	json_begin_array(w);
	for (size_t i = 0; i < c->options.nsources; i++) {
		const struct collect_source *s = &c->options.sources[i];

		json_begin_object(w);
		json_kstr(w, "class", bag_class_name(s->class));
		json_ktext(w, "path", s->path, strlen(s->path));
		json_end_object(w);
	}
	json_end_array(w);
}

static void
seal_data(void *ctx, struct json_write *w)
{
	const struct collect_cmd *c = ctx;
	const struct evidence_sealed *s = &c->result.sealed;
	const struct collect_totals *t = &c->result.totals;
	const struct verify_result *v = &c->result.verified;
	char when[CLOCK_TEXT];

	json_khex(w, "bundle_sha256", s->whole.sha256, 32);
	json_ku64(w, "bytes_stored", t->bytes);
	json_ku64(w, "changed", t->changed);
	json_ku64(w, "errors", t->errors);
	if (c->result.reread && v->gen_time >= 0)
		json_kstr(w, "gen_time", clock_rfc3339(when,
		    v->gen_time * 1000000000, 0));
	else
		json_knull(w, "gen_time");
	json_kbool(w, "local_tsa", is_local(c));
	if (c->location != NULL)
		json_ktext(w, "location", c->location, strlen(c->location));
	else
		json_knull(w, "location");
	json_khex(w, "manifest_sha256", s->manifest_sha256, 32);
	json_khex(w, "merkle_root", s->merkle_root, 32);
	json_ku64(w, "objects", t->objects);
	json_khex(w, "p7s_sha256", s->p7s_sha256, 32);
	json_kstr(w, "published", c->result.reread ?
	    "re-read from disk and verified" : "not re-read");
	json_kstr(w, "published_by", c->result.published_by);
	json_kbool(w, "resumed", c->result.resumed);
	json_khex(w, "seal_sha256", s->seal_sha256, 32);
	json_ku64(w, "size", s->size);
	json_ku64(w, "stored", t->stored);
	json_kbool(w, "token", s->has_token);
}

static int
load_signer(struct collect_cmd *c, struct err *e)
{
	const char *keys = c->args.keys != NULL ? c->args.keys :
	    case_keys(c->dir);
	char *passphrase;
	int r;

	if ((r = passphrase_read(c->args.passphrase_file, &passphrase, e)) <
	    0)
		return r;
	r = signer_load(keys, passphrase, &c->signer, e);
	passphrase_free(passphrase);
	return r;
}

/* Where the token comes from; a helper that talks is started here. */
static int
prepare_tsa(struct collect_cmd *c, struct err *e)
{
	const char *tsa = c->args.tsa;

	if (tsa == NULL || strcmp(tsa, "none") == 0 ||
	    collect_args_stick(&c->args) != NULL)
		return 0;
	return tsa_http_start(tsa, c->tsa_trust, &c->http, e);
}

static int
choose_stamp(struct collect_cmd *c, struct evidence_stamp *ret,
    const struct evidence_stamp **use, struct err *e)
{
	*use = ret;
	c->stamp = (struct collect_stamp){c->signer,
	    collect_args_stick(&c->args), c->bag};
	if (c->http != NULL) {
		*ret = (struct evidence_stamp){stamp_http, c};
	} else if (c->stamp.stick != NULL) {
		*ret = (struct evidence_stamp){collect_stamp_stick, &c->stamp};
	} else if (c->args.tsa != NULL) {
		*use = NULL;	/* none */
	} else {
		if (signer_tsa_pem(c->signer) == NULL)
			return err_set(e, ERR_NOTFOUND, "the key directory "
			    "has no local authority; --tsa URL, stick:DIR or "
			    "none");
		*ret = (struct evidence_stamp){collect_stamp_local,
		    &c->stamp};
	}
	return 0;
}

static int
fill_params(struct collect_cmd *c, struct acquire_params *p, struct err *e)
{
	struct collect_options *o = &p->collect;
	struct ledger_head head;
	int r;

	if ((r = ledger_head(case_ledger(c->dir), &head, e)) < 0)
		return r;
	*o = c->options;
	o->case_id = case_id(c->dir);
	o->bag = c->bag;
	o->examiner = case_examiner(c->dir);
	o->cert_sha256 = signer_cert_sha256(c->signer);
	o->examiner_pem = signer_pem(c->signer);
	o->tsa_pem = is_local(c) ? signer_tsa_pem(c->signer) : NULL;
	o->local_tsa = is_local(c);
	o->has_head = true;
	o->head_size = head.size;
	memcpy(o->head_root, head.root, 32);
	o->argc = c->argc;
	o->argv = c->argv;
	o->tool = EXHIBIT_TOOL;
	o->intake = c->intake;
	o->take_url = registry_url_take;
	o->url_ctx = c->url;
	o->slicer = c->slicer;
	o->user_name = idnames_user;
	o->group_name = idnames_group;
	p->signer = c->signer;
	return 0;
}

int
collect_cmd_place(struct collect_cmd *c, struct acquire_params *p, char **path,
    struct err *e)
{
	char dir[LIMIT_PATH];
	const char *base;
	int r;

	*path = NULL;
	p->dir = -1;
	p->stream = STDOUT_FILENO;
	if (c->args.output != NULL && strcmp(c->args.output, "-") == 0)
		return 0;
	if (c->args.output == NULL) {
		(void)snprintf(c->file, sizeof(c->file), "%s.tar", c->bag);
		p->file = c->file;
		p->dir = fcntl(case_bundles_fd(c->dir), F_DUPFD_CLOEXEC, 3);
		if (asprintf(path, "%s/bundles/%s", case_dir(c->dir),
		    c->file) < 0)
			return err_set(e, ERR_NOMEM, "out of memory");
	} else {
		if ((r = fsio_parent(c->args.output, dir, sizeof(dir), &base,
		    e)) < 0)
			return r;
		p->file = base;
		p->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if ((*path = strdup(c->args.output)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	}
	return p->dir < 0 ? err_sys(e, errno, "cannot open the directory") :
	    0;
}

static int
seal(struct collect_cmd *c, struct acquire_params *p, struct err *e)
{
	int r;

	collect_args_begin(&c->args, &p->collect);
	r = acquire(p, &c->result, e);
	progress_end(&c->args.bar);
	if (r >= 0 && !c->sealed)
		r = case_event(c->dir, "seal", c->bag, seal_data, c, NULL, e);
	if (r < 0) {
		if (acquire_resumable(p))
			(void)fprintf(stderr, "exhibit: what was taken is "
			    "kept; to go on: exhibit collect --case %s "
			    "--resume %s\n", c->case_dir, c->bag);
		return r;
	}
	return acquire_done(p, e);
}

/* What the journal will keep, or has kept. */
static int
make_request(struct collect_cmd *c, struct err *e)
{
	const struct collect_plan *p = c->options.plan;
	const uint8_t *plan = p != NULL ? p->sha256 : NULL;
	int r;

	if (!c->resume)
		r = request_make(&c->request, NULL, plan, c->argc, c->argv,
		    e);
	else
		r = request_check_plan(&c->request, plan, e);
	return r < 0 ? r : request_digest(&c->request, c->request_sha256, e);
}

/* A number for what begins; what goes on has one. */
static int
take_number(struct collect_cmd *c, struct err *e)
{
	int r;

	if (!c->resume)
		return case_take_exhibit(c->dir, request_data, c, c->bag, e);
	if ((r = case_resume_exhibit(c->dir, c->bag, c->request_sha256,
	    e)) < 0)
		return r;
	c->sealed = r > 0;
	return 0;
}

static int
run_in_case(struct collect_cmd *c, struct err *e)
{
	struct acquire_params p = {.dir = -1};
	struct evidence_stamp stamp;
	char *path = NULL;
	int r;

	if ((r = make_request(c, e)) < 0 ||
	    (r = take_number(c, e)) < 0 ||
	    (r = choose_stamp(c, &stamp, &p.stamp, e)) < 0 ||
	    (r = fill_params(c, &p, e)) < 0 ||
	    (elsewhere_wanted(&c->elsewhere) && (r = elsewhere_begin(
	    &c->elsewhere, &c->args, &p, e)) < 0) ||
	    (r = collect_cmd_place(c, &p, &path, e)) < 0)
		goto out;
	c->location = path;
	p.request = p.dir >= 0 ? buf_str(&c->request.text) : NULL;
	p.resume = c->resume;
	if ((r = seal(c, &p, e)) < 0)
		goto out;
	collect_args_talk("exhibit", &c->args, &c->result);
	if (path != NULL)
		(void)printf("%s\n", path);
out:
	if (p.dir >= 0)
		(void)close(p.dir);
	free(path);
	return r;
}

/* A plan is for one case and one examiner. */
static int
check_plan(const struct collect_cmd *c, struct err *e)
{
	const struct plan *p = c->merge.plan;
	char shown[80];

	if (p == NULL)
		return 0;
	if (p->case_id != NULL && strcmp(p->case_id, case_id(c->dir)) != 0)
		return err_set(e, ERR_ARG, "the plan is for case '%s', this "
		    "is '%s'", text_z(shown, sizeof(shown), p->case_id,
		    strlen(p->case_id)), case_id(c->dir));
	if (p->examiner != NULL &&
	    strcmp(p->examiner, case_examiner(c->dir)) != 0)
		return err_set(e, ERR_ARG, "the plan is for examiner '%s', of "
		    "the case it is '%s'", text_z(shown, sizeof(shown),
		    p->examiner, strlen(p->examiner)),
		    case_examiner(c->dir));
	return 0;
}

static int
take_options(struct collect_cmd *c, struct err *e)
{
	int r;

	if (elsewhere_wanted(&c->elsewhere))
		return elsewhere_options(&c->elsewhere, &c->args,
		    &c->options, e);
	if ((r = collect_args_options(&c->args, &c->options, e)) < 0)
		return r;
	if (c->plan != NULL)
		r = collect_merge(&c->merge, c->plan, &c->args, &c->options,
		    e);
	else if (c->options.nsources == 0)
		r = err_set(e, ERR_ARG, "nothing to collect: name a source");
	return r;
}

static int
run_discover(const struct collect_cmd *c, struct err *e)
{
	struct discover_limits l = DISCOVER_LIMITS;
	struct cmd_output out;
	struct buf b;
	unsigned n;
	int r;

	l.mounts = c->options.mounts == COLLECT_MOUNTS_ALL &&
	    c->args.follow_mounts != NULL;
	buf_init(&b, 2 * LIMIT_PLAN);
	if ((r = discover(c->discover, &l, &b, &n, e)) >= 0 &&
	    (r = cmd_output_open(&out, c->args.output, e)) >= 0) {
		if ((r = fsio_write_all(out.fd, b.p, b.len, e)) >= 0)
			r = cmd_output_commit(&out, e);
		if (r < 0)
			cmd_output_abandon(&out);
	}
	buf_release(&b);
	return r < 0 ? r : n > 0 ? EXIT_CLEAN : EXIT_FAILED;
}

static int
collect(struct collect_cmd *c, struct err *e)
{
	int r;

	if ((r = prepare_tsa(c, e)) >= 0 &&
	    (r = intake_kinds_start(&c->intake, e)) >= 0 &&
	    (r = registry_url_start(&c->url_options, c->options.sources,
	    c->options.nsources, &c->url, e)) >= 0 &&
	    (r = slices_start(&c->options, &c->slicer, e)) >= 0 &&
	    (!elsewhere_wanted(&c->elsewhere) ||
	    (r = elsewhere_prepare(&c->elsewhere, e)) >= 0) &&
	    (r = case_open(c->case_dir, &c->dir, e)) >= 0 &&
	    (r = check_plan(c, e)) >= 0 && (r = load_signer(c, e)) >= 0 &&
	    (r = run_in_case(c, e)) >= 0)
		r = c->result.totals.errors > 0 ? EXIT_FAILED : EXIT_CLEAN;
	return r;
}

int
collect_cmd_run(struct collect_cmd *c)
{
	struct err e = ERR_INIT;
	int r;

	if (c->discover != NULL) {
		if ((r = collect_args_options(&c->args, &c->options, &e)) >=
		    0)
			r = run_discover(c, &e);
	} else if ((r = take_options(c, &e)) >= 0 &&
	    (r = slices_check(&c->options, &e)) >= 0) {
		r = c->args.dry_run ? collect_dry_run(&c->args, &c->options,
		    &e) : collect(c, &e);
	}
	elsewhere_end(&c->elsewhere);
	signer_free(c->signer);
	case_close(c->dir);
	tsa_http_stop(c->http);
	intake_free(c->intake);
	registry_url_stop(c->url);
	slicer_free(c->slicer);
	collect_merge_release(&c->merge);
	request_release(&c->request);
	collect_args_release(&c->args);
	return r < 0 ? cmd_fail(&e) : r;
}

size_t
collect_cmd_rows(struct collect_cmd *c, struct opt *rows)
{
	size_t n = collect_args_rows(&c->args, rows);

	n += elsewhere_rows(&c->elsewhere, rows + n);
	rows[n++] = (struct opt){OPT_STRING, 0, "case", &c->case_dir, "DIR",
	    "the case (needed)"};
	rows[n++] = (struct opt){OPT_STRING, 0, "tsa-trust", &c->tsa_trust,
	    "CERT", "PEM that vouches for an https time stamp authority"};
	rows[n++] = (struct opt){OPT_STRING, 0, "registry-ca",
	    &c->url_options.ca_file, "CERT",
	    "PEM that vouches for an https registry (default: the system's)"};
	rows[n++] = (struct opt){OPT_STRING, 0, "registry-header",
	    &c->url_options.header_file, "FILE",
	    "lines of header for a registry by HTTP: Authorization: ..."};
	rows[n++] = (struct opt){OPT_STRING, 0, "discover", &c->discover,
	    "DIR", "propose a plan from the names below DIR"};
	rows[n++] = (struct opt){OPT_FLAG, 0, "resume", &c->resume, NULL,
	    "go on with the EXHIBIT that was cut (default: the only one)"};
	rows[n] = (struct opt)OPT_ROWS_END;
	return n;
}

int
cmd_collect(int argc, char **argv)
{
	struct collect_cmd c = {.argc = argc, .argv = argv};
	struct opt rows[COLLECT_CMD_ROWS];
	const char *wrong;
	struct opt_args args;
	int r;

	(void)collect_cmd_rows(&c, rows);
	if ((r = opt_parse(argc, argv, &collect_cmd_usage, rows, &args)) != 0)
		r = OPT_DONE(r);
	else if (args.count > 1 || (args.count > 0 && c.discover != NULL))
		r = opt_usage_error(&collect_cmd_usage,
		    "one plan; sources are named by options");
	else if (c.case_dir == NULL && !c.args.dry_run && c.discover == NULL)
		r = opt_usage_error(&collect_cmd_usage,
		    "--case DIR is needed");
	else if (c.resume && (c.args.dry_run || c.discover != NULL))
		r = opt_usage_error(&collect_cmd_usage, "--resume goes on "
		    "with a collection; it does not look ahead");
	else if (c.resume)
		r = collect_resume(&c, rows,
		    args.count > 0 ? args.items[0] : NULL);
	else if ((wrong = elsewhere_check(&c.elsewhere, &c.args,
	    args.count > 0 || c.discover != NULL)) != NULL)
		r = opt_usage_error(&collect_cmd_usage, "%s", wrong);
	else {
		c.plan = args.count > 0 ? args.items[0] : NULL;
		r = collect_cmd_run(&c);
	}
	opt_release(rows, &args);
	return r;
}
