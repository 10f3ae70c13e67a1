#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/job.h"
#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/compare.h"
#include "cli/progress.h"
#include "custody/case.h"

struct noted {
	const struct compare *c;
	uint8_t result_sha256[32];
	bool has_result;
};

static void
note_data(void *ctx, struct json_write *w)
{
	const struct noted *n = ctx;
	const struct diff_sums *d = &n->c->sum.sums;
	const char *inputs[] = {n->c->o.against, n->c->o.new, n->c->o.old};
	uint8_t rules[32];

	json_ku64(w, "candidates", d->candidates);
	json_kstr(w, "command", n->c->command);
	json_key(w, "conclusions");
	json_begin_array(w);
	for (unsigned i = 0; i < CONCLUSION_COUNT; i++)
		if (d->conclusions[i] > 0)
			json_str(w, conclusion_name((enum conclusion_kind)i));
	json_end_array(w);
	json_ku64(w, "findings", n->c->sum.base.findings);
	json_ku64(w, "incomplete", n->c->sum.base.incomplete);
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 3; i-- > 0;)
		if (inputs[i] != NULL)
			json_text(w, inputs[i], strlen(inputs[i]), 0);
	json_end_array(w);
	if (n->has_result)
		json_khex(w, "result_sha256", n->result_sha256, 32);
	else
		json_knull(w, "result_sha256");
	if (scan_rules_digest(rules, NULL) >= 0)
		json_khex(w, "rules_digest", rules, 32);
	else
		json_knull(w, "rules_digest");
}

static int
note(const struct compare *c, struct err *e)
{
	struct noted n = {.c = c};
	struct casedir *dir;
	int r;

	if (c->case_dir == NULL)
		return 0;
	if (c->output != NULL && strcmp(c->output, "-") != 0) {
		if ((r = cmd_file_sha256(c->output, n.result_sha256, e)) < 0)
			return r;
		n.has_result = true;
	}
	if ((r = case_open(c->case_dir, &dir, e)) < 0)
		return r;
	r = case_event(dir, "analyse", NULL, note_data, &n, NULL, e);
	case_close(dir);
	return r;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	progress_show(ctx, done, total, what);
}

int
compare_check(struct compare *c, const struct opt_usage *u)
{
	uint64_t n;

	c->threshold = SEVERITY_HIGH;
	if (c->fail_on != NULL && !severity_parse(c->fail_on, &c->threshold))
		return opt_usage_error(u, "no such severity");
	/* "program" is for scan. */
	if (c->format != NULL && strcmp(c->format, "text") != 0 &&
	    strcmp(c->format, "jsonl") != 0 && strcmp(c->format, "json") != 0)
		return opt_usage_error(u, "no such format");
	if (c->threads == NULL)
		return 0;
	if (!text_u64(c->threads, strlen(c->threads), 10, 64, &n) || n == 0)
		return opt_usage_error(u, "--threads takes 1 to 64");
	c->o.threads = (unsigned)n;
	return 0;
}

static int
run(struct compare *c)
{
	struct sink sink = {.ops = sink_find(c->format != NULL ? c->format :
	    "text"), .verbose = c->verbose, .quiet = c->quiet,
	    .threshold = c->threshold};
	struct cmd_output out;
	struct progress bar;
	struct err e = ERR_INIT;
	bool failed = false;
	int r;

	if (cmd_output_open(&out, c->output, &e) < 0)
		return cmd_fail(&e);
	sink.fd = out.fd;
	sink.colour = cmd_colour(out.fd);
	progress_init(&bar, c->quiet);
	c->o.progress = on_progress;
	c->o.progress_ctx = &bar;
	r = diff_run(&c->o, &sink, &c->sum, &failed, &e);
	progress_end(&bar);
	sink_release(&sink);
	if (r < 0 || cmd_output_commit(&out, &e) < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	r = cmd_exit_of(&c->sum.base, c->threshold, failed);
	if (note(c, &e) < 0)
		r = cmd_worse(r, cmd_fail(&e));
	return r;
}

int
compare_run(struct compare *c)
{
	int r;

	c->o.command = c->command;
	c->o.fence = !c->no_sandbox;
	c->o.worker = diff_worker_main;
	c->o.carve = c->carve != NULL;
	/* One model alone is not read: there is nothing to fence. */
	if (((c->o.old != NULL || c->o.against != NULL) &&
	    cmd_fence_missing(c->no_sandbox, "compares")) ||
	    !cmd_open_folder("--carve", c->carve, &c->o.carve_dir))
		return EXIT_FAILED;
	r = run(c);
	if (c->o.carve_dir >= 0)
		(void)close(c->o.carve_dir);
	return r;
}
