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
#include "cli/analysis.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "custody/digest.h"
#include "formats/magic.h"
#include "formats/yara.h"

struct scan_cmd {
	struct analysis a;
	const char *policy, *carve, *rules;
	int carve_dir;		/* of --carve, or -1 */
	bool no_hash, decompile, deep, no_deep;
	struct result_summary sum;
	uint8_t policy_sha256[32];
	struct policy_file *own;	/* of --policy */
	struct yara *yara;	/* of --rules */
	uint8_t yara_sha256[32];
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

	json_kstr(w, "command", "scan");
	json_ku64(w, "findings", c->sum.findings);
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 0; i < c->a.args.count; i++)
		json_text(w, c->a.args.items[i], strlen(c->a.args.items[i]), 0);
	json_end_array(w);
	json_ku64(w, "objects", c->sum.objects);
	analysis_digests(&c->a, w);
	json_key(w, "verdicts");
	json_begin_object(w);
	json_ku64(w, "clean", c->sum.verdicts[VERDICT_CLEAN]);
	json_ku64(w, "incomplete", c->sum.verdicts[VERDICT_INCOMPLETE]);
	json_ku64(w, "malicious", c->sum.verdicts[VERDICT_MALICIOUS]);
	json_ku64(w, "suspicious", c->sum.verdicts[VERDICT_SUSPICIOUS]);
	json_end_object(w);
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
	if (c->decompile || c->a.verbose)
		return PROGRAM_ALL;
	return c->a.format == NULL || strcmp(c->a.format, "text") == 0 ?
	    PROGRAM_NONE : PROGRAM_JUDGED;
}

/* --decompile alone prints programs; --format says how else. */
static const struct sink_ops *
sink_of(const struct scan_cmd *c)
{
	return sink_find(c->a.format != NULL ? c->a.format :
	    c->decompile ? "program" : "text");
}

static int
work(void *ctx, struct sink *sink, struct progress *bar, bool *failed,
    struct err *e)
{
	struct scan_cmd *c = ctx;
	struct scan_options o = {.command = "scan", .hash = !c->no_hash,
	    .deep = c->no_deep ? SCAN_DEEP_NEVER : c->deep ?
	    SCAN_DEEP_ALWAYS : SCAN_DEEP_AUTO,
	    .fence = !c->a.no_sandbox, .program = program_of(c),
	    .policy_digest = c->own != NULL ? c->policy_sha256 : NULL,
	    .yara = c->yara, .yara_digest = c->yara != NULL ?
	    c->yara_sha256 : NULL,
	    .carve = c->carve != NULL, .carve_dir = c->carve_dir,
	    .progress = on_progress, .progress_ctx = bar};
	struct err why = ERR_INIT;
	int r;

	if (magic_open_db(&o.magic, &why) < 0)
		(void)fprintf(stderr, "exhibit: %s: objects get no label\n",
		    why.msg);
	r = scan_run(c->a.args.items, c->a.args.count, &o, sink, &c->sum,
	    failed, e);
	magic_close_db(o.magic);
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

static int
run(struct scan_cmd *c)
{
	const struct sink_ops *ops;
	int r;

	if (c->a.args.count == 0)
		return opt_usage_error(&usage, "nothing to scan");
	if ((r = analysis_check(&c->a, &usage)) != 0)
		return r;
	if ((ops = sink_of(c)) == NULL)
		return opt_usage_error(&usage, "no such format");
	if (c->deep && c->no_deep)
		return opt_usage_error(&usage, "--deep and --no-deep");
	if (!load_policy(c) || !load_rules(c))
		return EXIT_USAGE;
	if (analysis_fence_missing(&c->a, "scans") ||
	    !analysis_carve_dir(c->carve, &c->carve_dir))
		return EXIT_FAILED;
	return analysis_run(&c->a, ops);
}

int
cmd_scan(int argc, char **argv)
{
	struct scan_cmd c = {.carve_dir = -1, .a = {.work = work,
	    .note = note_data, .ctx = &c, .sum = &c.sum}};
	const struct opt rows[] = {
	    {OPT_FLAG, 0, "no-hash", &c.no_hash, NULL,
		"no digests: for triage"},
	    {OPT_FLAG, 0, "deep", &c.deep, NULL,
		"look for data hidden in weights above 4 GiB, too"},
	    {OPT_FLAG, 0, "no-deep", &c.no_deep, NULL,
		"do not look for data hidden in weights"},
	    {OPT_FLAG, 0, "decompile", &c.decompile, NULL,
		"print the programs that loading would run"},
	    {OPT_STRING, 0, "policy", &c.policy, "FILE",
		"rows that come before our policy of what may be called"},
	    {OPT_STRING, 0, "rules", &c.rules, "FILE",
		"run these YARA rules over every object"},
	    {OPT_STRING, 0, "carve", &c.carve, "DIR",
		"write bytes that nothing explains to DIR"},
	    ANALYSIS_ROWS(c.a, "all objects, notes and evidence"),
	    OPT_ROWS_END};
	int r;

	r = opt_parse(argc, argv, &usage, rows, &c.a.args);
	r = r != 0 ? OPT_DONE(r) : run(&c);
	policy_file_free(c.own);
	yara_free(c.yara);
	if (c.carve_dir >= 0)
		(void)close(c.carve_dir);
	opt_release(rows, &c.a.args);
	return r;
}
