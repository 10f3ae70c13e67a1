#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/sandbox.h"
#include "cli/analysis.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "custody/case.h"

int
analysis_check(struct analysis *a, const struct opt_usage *u)
{
	a->threshold = SEVERITY_HIGH;
	if (a->fail_on != NULL && !severity_parse(a->fail_on, &a->threshold))
		return opt_usage_error(u, "no such severity");
	return 0;
}

void
analysis_digests(const struct analysis *a, struct json_write *w)
{
	uint8_t rules[32];

	if (a->has_result)
		json_khex(w, "result_sha256", a->result_sha256, 32);
	else
		json_knull(w, "result_sha256");
	if (scan_rules_digest(rules, NULL) >= 0)
		json_khex(w, "rules_digest", rules, 32);
	else
		json_knull(w, "rules_digest");
}

static int
note(struct analysis *a, struct err *e)
{
	struct casedir *dir;
	int r;

	if (a->case_dir == NULL)
		return 0;
	if (a->output != NULL && strcmp(a->output, "-") != 0) {
		if ((r = cmd_file_sha256(a->output, a->result_sha256, e)) < 0)
			return r;
		a->has_result = true;
	}
	if ((r = case_open(a->case_dir, &dir, e)) < 0)
		return r;
	r = case_event(dir, "analyse", NULL, a->note, a->ctx, NULL, e);
	case_close(dir);
	return r;
}

/* Findings outweigh what is incomplete. */
static int
code_of(const struct analysis *a, bool failed)
{
	for (unsigned i = a->threshold; i < SEVERITY_COUNT; i++)
		if (a->sum->severities[i] > 0)
			return EXIT_FOUND;
	return failed || a->sum->incomplete > 0 ? EXIT_FAILED : EXIT_CLEAN;
}

int
analysis_run(struct analysis *a, const struct sink_ops *ops)
{
	struct sink sink = {.ops = ops, .verbose = a->verbose,
	    .quiet = a->quiet, .threshold = a->threshold};
	struct cmd_output out;
	struct progress bar;
	struct err e = ERR_INIT;
	bool failed = false;
	int r;

	if (cmd_output_open(&out, a->output, &e) < 0)
		return cmd_fail(&e);
	sink.fd = out.fd;
	sink.colour = cmd_colour(out.fd);
	progress_init(&bar, a->quiet);
	r = a->work(a->ctx, &sink, &bar, &failed, &e);
	progress_end(&bar);
	sink_release(&sink);
	if (r < 0 || cmd_output_commit(&out, &e) < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	r = code_of(a, failed);
	if (note(a, &e) < 0)
		r = cmd_worse(r, cmd_fail(&e));
	return r;
}

/* Without seccomp a worker would be a parser with rights. */
bool
analysis_fence_missing(const struct analysis *a, const char *does)
{
	struct sandbox_status st;

	if (a->no_sandbox) {
		(void)fprintf(stderr, "exhibit: --no-sandbox: a hostile file "
		    "that breaks a parser owns this account\n");
		return false;
	}
	sandbox_probe(&st);
	if (!st.seccomp)
		(void)fprintf(stderr, "exhibit: this kernel offers no seccomp "
		    "filter; --no-sandbox %s without\n", does);
	return !st.seccomp;
}

bool
analysis_carve_dir(const char *path, int *ret)
{
	*ret = -1;
	if (path == NULL || ((mkdir(path, 0700) == 0 || errno == EEXIST) &&
	    (*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0))
		return true;
	(void)fprintf(stderr, "exhibit: --carve: %s\n",
	    strerrordesc_np(errno));
	return false;
}
