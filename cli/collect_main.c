#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/collect_args.h"
#include "cli/opt.h"
#include "cli/passphrase.h"
#include "cli/request.h"
#include "custody/bag.h"
#include "custody/sign.h"

/*
 * exhibit-collect: what goes to a production host.  Static, without a case,
 * a ledger, a format parser or user-name look-ups.
 */
struct host_collect {
	struct collect_args args;
	const char *name, *examiner, *header_time;
	bool body;
	uint64_t time;		/* of --header-time; 0: now */
	struct collect_options options;
	struct signer *signer;
	struct collect_stamp stamp;
	char bag[65];
	struct request request;
	bool resume;
	int argc;
	char **argv;
};

static const struct opt_usage usage = {"exhibit-collect",
    "--keys KEYDIR -o FILE|- [OPTION...]\n"
    "   or: exhibit-collect --body -o - [OPTION...]",
    "Take files and trees into a sealed bundle, on the host where they are;\n"
    "with --body into one that another machine seals, without key or file."};

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "exhibit-collect: %s\n",
	    e->msg[0] != '\0' ? e->msg : err_name(e->code));
	return e->code == ERR_ARG ? 64 : 2;
}

/* HOST-20261124T104500Z, of what a bag's name may hold. */
static void
default_name(char bag[65])
{
	char when[CLOCK_TEXT];
	struct utsname u;
	size_t n;

	(void)clock_rfc3339(when, clock_real_ns(), 0);
	(void)snprintf(bag, 65, "%.40s-%.4s%.2s%.2sT%.2s%.2s%.2sZ",
	    uname(&u) == 0 ? u.nodename : "host", when, when + 5, when + 8,
	    when + 11, when + 14, when + 17);
	n = strlen(bag);
	for (size_t i = 0; i < n; i++)
		if (!bag_name_ok(bag + i, 1) && bag[i] != '.')
			bag[i] = '_';
}

static void
choose_name(struct host_collect *h)
{
	if (h->name != NULL)
		(void)snprintf(h->bag, sizeof(h->bag), "%s", h->name);
	else
		default_name(h->bag);
}

static int
load_signer(struct host_collect *h, struct err *e)
{
	char *passphrase;
	int r;

	if ((r = passphrase_read(h->args.passphrase_file, &passphrase, e)) <
	    0)
		return r;
	r = signer_load(h->args.keys, passphrase, &h->signer, e);
	passphrase_free(passphrase);
	return r;
}

static void
fill(struct host_collect *h, struct acquire_params *p)
{
	struct collect_options *o = &p->collect;

	o->bag = h->bag;
	o->examiner = h->examiner != NULL ? h->examiner :
	    h->body ? "not said" : signer_subject(h->signer);
	o->header_time = h->time;
	o->body = o->in_memory = h->body;
	if (!h->body) {
		o->cert_sha256 = signer_cert_sha256(h->signer);
		o->examiner_pem = signer_pem(h->signer);
		o->local_tsa = h->args.tsa == NULL;
		o->tsa_pem = o->local_tsa ? signer_tsa_pem(h->signer) : NULL;
	}
	o->argc = h->argc;
	o->argv = h->argv;
	o->tool = "exhibit-collect " EXHIBIT_VERSION;
	p->signer = h->signer;
}

static int
choose_stamp(struct host_collect *h, struct evidence_stamp *ret,
    const struct evidence_stamp **use, struct err *e)
{
	const char *tsa = h->args.tsa;

	h->stamp = (struct collect_stamp){h->signer,
	    collect_args_stick(&h->args), h->bag};
	*use = ret;
	if (h->stamp.stick != NULL)
		*ret = (struct evidence_stamp){collect_stamp_stick, &h->stamp};
	else if (tsa == NULL && signer_tsa_pem(h->signer) != NULL)
		*ret = (struct evidence_stamp){collect_stamp_local,
		    &h->stamp};
	else if (tsa == NULL)
		return err_set(e, ERR_NOTFOUND, "the key directory has no "
		    "local authority; --tsa stick:DIR or none");
	else if (strcmp(tsa, "none") == 0)
		*use = NULL;
	else
		return err_set(e, ERR_ARG,
		    "--tsa is stick:DIR or none in this program");
	return 0;
}

static int
seal(struct host_collect *h, struct acquired *ret, struct err *e)
{
	struct acquire_params p = {.dir = -1, .stream = STDOUT_FILENO};
	struct evidence_stamp stamp;
	char dir[LIMIT_PATH];
	int r;

	p.collect = h->options;
	if (!h->body && (r = choose_stamp(h, &stamp, &p.stamp, e)) < 0)
		return r;
	fill(h, &p);
	if (strcmp(h->args.output, "-") != 0) {
		if ((r = fsio_parent(h->args.output, dir, sizeof(dir), &p.file,
		    e)) < 0)
			return r;
		p.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p.dir < 0)
			return err_sys(e, errno, "cannot open '%s'", dir);
		p.request = buf_str(&h->request.text);
		p.resume = h->resume;
	}
	collect_args_begin(&h->args, &p.collect);
	r = acquire(&p, ret, e);
	progress_end(&h->args.bar);
	if (r >= 0)
		r = acquire_done(&p, e);
	else if (acquire_resumable(&p))
		(void)fprintf(stderr, "exhibit-collect: what was taken is "
		    "kept; to go on: exhibit-collect --keys KEYDIR -o %s "
		    "--resume\n", h->args.output);
	if (p.dir >= 0)
		(void)close(p.dir);
	return r;
}

static int
options(struct host_collect *h, struct err *e)
{
	int r;

	if ((r = collect_args_options(&h->args, &h->options, e)) >= 0 &&
	    h->options.nsources == 0)
		r = err_set(e, ERR_ARG, "nothing to collect: name a source");
	for (size_t i = 0; r >= 0 && i < h->options.nsources; i++)
		if (h->options.sources[i].slice != NULL)
			r = err_set(e, ERR_ARG, "slices are taken by exhibit "
			    "itself: this program reads no data sets");
	return r;
}

static int
run(struct host_collect *h)
{
	struct acquired a = {0};
	struct err e = ERR_INIT;
	int r, code = 0;

	if (h->name != NULL && !bag_name_ok(h->name, strlen(h->name)))
		return opt_usage_error(&usage,
		    "a bag's name has 1 to 64 of A-Z a-z 0-9 . _ -");
	if (h->header_time != NULL && !text_u64(h->header_time,
	    strlen(h->header_time), 10, INT64_MAX, &h->time))
		return opt_usage_error(&usage,
		    "--header-time is seconds since 1970");
	if (!h->resume)
		choose_name(h);
	if ((r = options(h, &e)) >= 0) {
		if (h->args.dry_run)
			r = code = collect_dry_run(&h->args, &h->options, &e);
		else if ((h->resume || (r = request_make(&h->request, h->bag,
		    NULL, h->argc, h->argv, &e)) >= 0) &&
		    (h->body || (r = load_signer(h, &e)) >= 0))
			r = seal(h, &a, &e);
	}
	signer_free(h->signer);
	request_release(&h->request);
	collect_args_release(&h->args);
	if (r < 0)
		return fail(&e);
	if (h->args.dry_run)
		return code;
	collect_args_talk("exhibit-collect", &h->args, &a);
	return a.totals.errors > 0 ? 2 : 0;
}

/* What a body has no use for would be silently without effect. */
static int
run_body(struct host_collect *h)
{
	if (h->args.output == NULL || strcmp(h->args.output, "-") != 0)
		return opt_usage_error(&usage, "--body needs -o -");
	if (h->args.keys != NULL || h->args.passphrase_file != NULL ||
	    h->args.tsa != NULL)
		return opt_usage_error(&usage,
		    "--body has no key and no time stamp");
	return run(h);
}

#define HOST_ROWS (COLLECT_ARGS_ROWS + 6)

static size_t
all_rows(struct host_collect *h, struct opt *rows)
{
	size_t n = collect_args_rows(&h->args, rows);

	rows[n++] = (struct opt){OPT_STRING, 0, "name", &h->name, "BAG",
	    "the bag's name (default: host and time)"};
	rows[n++] = (struct opt){OPT_STRING, 0, "examiner", &h->examiner,
	    "NAME", "who takes the evidence"};
	rows[n++] = (struct opt){OPT_FLAG, 0, "body", &h->body, NULL,
	    "write what another machine seals: no key, no temporary file"};
	rows[n++] = (struct opt){OPT_STRING, 0, "header-time", &h->header_time,
	    "SECONDS", "time of the tag files (default: now)"};
	rows[n++] = (struct opt){OPT_FLAG, 0, "resume", &h->resume, NULL,
	    "go on with the FILE of -o that was cut"};
	rows[n] = (struct opt)OPT_ROWS_END;
	return n;
}

static int
find_cut(const struct host_collect *h, struct request *q, struct err *e)
{
	char dir[LIMIT_PATH];
	const char *base;
	int fd, r;

	if ((r = fsio_parent(h->args.output, dir, sizeof(dir), &base, e)) < 0)
		return r;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'", dir);
	r = request_read(q, fd, base, e);
	(void)close(fd);
	if (r >= 0 && (q->bag == NULL || !bag_name_ok(q->bag,
	    strlen(q->bag))))
		r = err_set(e, ERR_FORMAT, "the journal is not one of this "
		    "program");
	return r;
}

/* As the command line of the journal says, where it was given. */
static int
resume(struct host_collect *h, const struct opt *rows)
{
	static const char *const may_differ[] = {"keys", "output",
	    "passphrase-file", "quiet", "verbose", "resume", "limit-rate",
	    "nice", NULL};
	struct host_collect then = {.argc = 0};
	struct opt then_rows[HOST_ROWS];
	struct opt_args args = {NULL, 0};
	char *path[2] = {NULL, NULL};
	struct err e = ERR_INIT;
	const char *name;
	int r;

	(void)all_rows(&then, then_rows);
	if ((r = find_cut(h, &then.request, &e)) < 0)
		goto out;
	then.argc = then.request.argc;
	then.argv = then.request.argv;
	if (opt_parse(then.argc, then.argv, &usage, then_rows, &args) != 0)
		r = err_set(&e, ERR_FORMAT, "the journal's command line is "
		    "not one of this version");
	else if ((name = request_differs(rows, then_rows, then.request.cwd,
	    may_differ)) != NULL)
		r = err_set(&e, ERR_ARG, "--%s is not what it was when it was "
		    "begun: leave it out", name);
	else if ((r = collect_args_again(&then.args, &h->args, path, &e)) >=
	    0 && chdir(then.request.cwd) < 0)
		r = err_sys(&e, errno, "cannot go to where it was begun");
	then.resume = true;
	(void)snprintf(then.bag, sizeof(then.bag), "%s", then.request.bag);
	if (r >= 0)
		r = run(&then);
out:
	request_release(&then.request);
	if (e.code != ERR_OK)
		r = fail(&e);
	opt_release(then_rows, &args);
	free(path[0]);
	free(path[1]);
	return r;
}

int
main(int argc, char **argv)
{
	struct host_collect h = {.argc = argc, .argv = argv};
	struct opt rows[HOST_ROWS];
	struct opt_args args;
	int r;

	(void)umask(077);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("exhibit-collect %s\n", EXHIBIT_VERSION);
		return 0;
	}
	(void)all_rows(&h, rows);
	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0)
		r = OPT_DONE(r);
	else if (args.count > 0)
		r = opt_usage_error(&usage, "sources are named by options");
	else if (h.body && !h.args.dry_run)
		r = h.resume ? opt_usage_error(&usage, "a stream cannot be "
		    "resumed") : run_body(&h);
	else if (h.resume && h.args.output != NULL &&
	    strcmp(h.args.output, "-") != 0)
		r = resume(&h, rows);
	else if (!h.args.dry_run &&
	    (h.args.keys == NULL || h.args.output == NULL))
		r = opt_usage_error(&usage, "--keys and -o are needed");
	else if (h.resume)
		r = opt_usage_error(&usage, "a stream cannot be resumed");
	else
		r = run(&h);
	opt_release(rows, &args);
	return r;
}
