#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/policy_file.h"
#include "analyzer/program.h"
#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "custody/case.h"
#include "custody/digest.h"
#include "formats/magic.h"
#include "formats/yara.h"

struct scan_cmd {
	const char *format, *output, *fail_on, *case_dir, *policy, *carve,
	    *rules;
	int carve_dir;		/* of --carve, or -1 */
	bool quiet, verbose, no_hash, no_sandbox, decompile, deep, no_deep;
	enum severity threshold;
	struct opt_args args;
	struct result_summary sum;
	uint8_t result_sha256[32], policy_sha256[32];
	struct policy_file *own;	/* of --policy */
	struct yara *yara;	/* of --rules */
	uint8_t yara_sha256[32];
	bool has_result;
};

static const struct opt_usage usage = {"exhibit scan",
    "[OPTION...] PATH|BUNDLE...",
    "Examine model files, directories and sealed bundles for embedded "
    "payloads.\nNothing is extracted, loaded or run; every object is read "
    "in a sandbox."};

static void
note_data(void *ctx, struct json_write *w)
{
	const struct scan_cmd *c = ctx;
	uint8_t rules[32];

	json_kstr(w, "command", "scan");
	json_ku64(w, "findings", c->sum.findings);
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 0; i < c->args.count; i++)
		json_text(w, c->args.items[i], strlen(c->args.items[i]), 0);
	json_end_array(w);
	json_ku64(w, "objects", c->sum.objects);
	if (c->has_result)
		json_khex(w, "result_sha256", c->result_sha256, 32);
	else
		json_knull(w, "result_sha256");
	if (scan_rules_digest(rules, NULL) >= 0)
		json_khex(w, "rules_digest", rules, 32);
	else
		json_knull(w, "rules_digest");
	json_key(w, "verdicts");
	json_begin_object(w);
	json_ku64(w, "clean", c->sum.verdicts[VERDICT_CLEAN]);
	json_ku64(w, "incomplete", c->sum.verdicts[VERDICT_INCOMPLETE]);
	json_ku64(w, "malicious", c->sum.verdicts[VERDICT_MALICIOUS]);
	json_ku64(w, "suspicious", c->sum.verdicts[VERDICT_SUSPICIOUS]);
	json_end_object(w);
}

static int
note(const struct scan_cmd *c, struct err *e)
{
	struct scan_cmd copy = *c;
	struct casedir *dir;
	int r;

	if (c->case_dir == NULL)
		return 0;
	if (c->output != NULL && strcmp(c->output, "-") != 0) {
		if ((r = cmd_file_sha256(c->output, copy.result_sha256,
		    e)) < 0)
			return r;
		copy.has_result = true;
	}
	if ((r = case_open(c->case_dir, &dir, e)) < 0)
		return r;
	r = case_event(dir, "analyse", NULL, note_data, &copy, NULL, e);
	case_close(dir);
	return r;
}

static void
on_progress(void *ctx, uint64_t objects, uint64_t bytes, const char *path)
{
	(void)objects;
	progress_show(ctx, bytes, 0, path);
}

/* Text shows programs only when asked; other formats are for later. */
static enum program_mode
program_of(const struct scan_cmd *c)
{
	if (c->decompile || c->verbose)
		return PROGRAM_ALL;
	return c->format == NULL || strcmp(c->format, "text") == 0 ?
	    PROGRAM_NONE : PROGRAM_JUDGED;
}

/* --decompile alone prints programs; --format says how else. */
static const struct sink_ops *
sink_of(const struct scan_cmd *c)
{
	return sink_find(c->format != NULL ? c->format :
	    c->decompile ? "program" : "text");
}

static int
run(struct scan_cmd *c, const struct sink_ops *ops)
{
	struct scan_options o = {.command = "scan", .hash = !c->no_hash,
	    .deep = c->no_deep ? SCAN_DEEP_NEVER : c->deep ?
	    SCAN_DEEP_ALWAYS : SCAN_DEEP_AUTO,
	    .fence = !c->no_sandbox, .program = program_of(c),
	    .policy_digest = c->own != NULL ? c->policy_sha256 : NULL,
	    .yara = c->yara, .yara_digest = c->yara != NULL ?
	    c->yara_sha256 : NULL,
	    .carve = c->carve != NULL, .carve_dir = c->carve_dir};
	struct sink sink = {.ops = ops, .verbose = c->verbose,
	    .quiet = c->quiet, .threshold = c->threshold};
	struct cmd_output out;
	struct progress bar;
	struct err e = ERR_INIT;
	bool failed = false;
	int r;

	if (magic_open_db(&o.magic, &e) < 0) {
		(void)fprintf(stderr, "exhibit: %s: objects get no label\n",
		    e.msg);
		err_reset(&e);
	}
	if (cmd_output_open(&out, c->output, &e) < 0)
		return cmd_fail(&e);
	sink.fd = out.fd;
	sink.colour = cmd_colour(out.fd);
	progress_init(&bar, c->quiet);
	o.progress = on_progress;
	o.progress_ctx = &bar;
	r = scan_run(c->args.items, c->args.count, &o, &sink, &c->sum,
	    &failed, &e);
	progress_end(&bar);
	magic_close_db(o.magic);
	if (r < 0 || cmd_output_commit(&out, &e) < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	r = cmd_exit_of(&c->sum, c->threshold, failed);
	if (note(c, &e) < 0)
		r = cmd_worse(r, cmd_fail(&e));
	return r;
}

/* Before any worker is forked. */
static bool
load_policy(struct scan_cmd *c)
{
	struct err e = ERR_INIT;

	if (c->policy == NULL || policy_file_load(c->policy, &c->own,
	    c->policy_sha256, &e) >= 0)
		return true;
	(void)fprintf(stderr, "exhibit: --policy: %s\n", e.msg);
	return false;
}

static bool
load_rules(struct scan_cmd *c)
{
	struct err e = ERR_INIT;
	struct digests d;
	struct buf b;
	int r;

	if (c->rules == NULL)
		return true;
	buf_init(&b, YARA_RULES_MAX);
	if ((r = fsio_read_file(AT_FDCWD, c->rules, YARA_RULES_MAX, &b,
	    &e)) >= 0 && (r = digest_mem(b.p, b.len, DIGEST_SHA256, &d,
	    &e)) >= 0)
		r = yara_compile((const char *)b.p, b.len, &c->yara, &e);
	buf_release(&b);
	if (r >= 0)
		memcpy(c->yara_sha256, d.sha256, 32);
	else
		(void)fprintf(stderr, "exhibit: --rules: %s\n", e.msg);
	return r >= 0;
}

int
cmd_scan(int argc, char **argv)
{
	struct scan_cmd c = {.threshold = SEVERITY_HIGH, .carve_dir = -1};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "format", &c.format, "FORMAT",
		"text, jsonl or json"},
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write results to FILE"},
	    {OPT_STRING, 0, "fail-on", &c.fail_on, "SEVERITY",
		"exit 1 from this severity on (default high)"},
	    {OPT_FLAG, 0, "no-hash", &c.no_hash, NULL,
		"no digests: for triage"},
	    {OPT_FLAG, 0, "deep", &c.deep, NULL,
		"look for data hidden in weights above 4 GiB, too"},
	    {OPT_FLAG, 0, "no-deep", &c.no_deep, NULL,
		"do not look for data hidden in weights"},
	    {OPT_FLAG, 0, "no-sandbox", &c.no_sandbox, NULL,
		"run without the sandbox where there is none"},
	    {OPT_FLAG, 0, "decompile", &c.decompile, NULL,
		"print the programs that loading would run"},
	    {OPT_STRING, 0, "policy", &c.policy, "FILE",
		"rows that come before our policy of what may be called"},
	    {OPT_STRING, 0, "rules", &c.rules, "FILE",
		"run these YARA rules over every object"},
	    {OPT_STRING, 0, "carve", &c.carve, "DIR",
		"write bytes that nothing explains to DIR"},
	    {OPT_STRING, 0, "case", &c.case_dir, "DIR",
		"note the analysis in the case's ledger"},
	    {OPT_FLAG, 'q', "quiet", &c.quiet, NULL,
		"only findings at the threshold"},
	    {OPT_FLAG, 'v', "verbose", &c.verbose, NULL,
		"all objects, notes and evidence"},
	    OPT_ROWS_END};
	const struct sink_ops *ops;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &c.args)) != 0) {
		r = OPT_DONE(r);
	} else if (c.args.count == 0) {
		r = opt_usage_error(&usage, "nothing to scan");
	} else if (c.fail_on != NULL &&
	    !severity_parse(c.fail_on, &c.threshold)) {
		r = opt_usage_error(&usage, "no such severity");
	} else if ((ops = sink_of(&c)) == NULL) {
		r = opt_usage_error(&usage, "no such format");
	} else if (c.deep && c.no_deep) {
		r = opt_usage_error(&usage, "--deep and --no-deep");
	} else if (!load_policy(&c) || !load_rules(&c)) {
		r = EXIT_USAGE;
	} else if (cmd_fence_missing(c.no_sandbox, "scans") ||
	    !cmd_open_folder("--carve", c.carve, &c.carve_dir)) {
		r = EXIT_FAILED;
	} else {
		r = run(&c, ops);
	}
	policy_file_free(c.own);
	yara_free(c.yara);
	if (c.carve_dir >= 0)
		(void)close(c.carve_dir);
	opt_release(rows, &c.args);
	return r;
}
