#include <string.h>
#include <unistd.h>

#include "analyzer/diff/job.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/compare.h"
#include "cli/progress.h"

static void
note_data(void *ctx, struct json_write *w)
{
	const struct compare *c = ctx;
	const struct diff_sums *d = &c->sum.sums;
	const char *inputs[] = {c->o.against, c->o.new, c->o.old};
	const char *const *paths = c->o.paths;

	json_ku64(w, "candidates", d->candidates);
	json_kstr(w, "command", c->command);
	json_key(w, "conclusions");
	json_begin_array(w);
	for (unsigned i = 0; i < CONCLUSION_COUNT; i++)
		if (d->conclusions[i] > 0)
			json_str(w, conclusion_name((enum conclusion_kind)i));
	json_end_array(w);
	json_ku64(w, "findings", c->sum.base.findings);
	json_ku64(w, "incomplete", c->sum.base.incomplete);
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 3; i-- > 0;)
		if (inputs[i] != NULL)
			json_text(w, inputs[i], strlen(inputs[i]), 0);
	for (size_t i = 0; i < c->o.npaths; i++)
		json_text(w, paths[i], strlen(paths[i]), 0);
	json_end_array(w);
	analysis_digests(&c->a, w);
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
	int r;

	if ((r = analysis_check(&c->a, u)) != 0)
		return r;
	/* "program" is for scan. */
	if (c->a.format != NULL && strcmp(c->a.format, "text") != 0 &&
	    strcmp(c->a.format, "jsonl") != 0 && strcmp(c->a.format, "json") != 0)
		return opt_usage_error(u, "no such format");
	if (c->threads == NULL)
		return 0;
	if (!text_u64(c->threads, strlen(c->threads), 10, 64, &n) || n == 0)
		return opt_usage_error(u, "--threads takes 1 to 64");
	c->o.threads = (unsigned)n;
	return 0;
}

static int
work(void *ctx, struct sink *sink, struct progress *bar, bool *failed,
    struct err *e)
{
	struct compare *c = ctx;

	c->o.progress = on_progress;
	c->o.progress_ctx = bar;
	return diff_run(&c->o, sink, &c->sum, failed, e);
}

int
compare_run(struct compare *c)
{
	int r;

	c->a.work = work;
	c->a.note = note_data;
	c->a.ctx = c;
	c->a.sum = &c->sum.base;
	c->o.command = c->command;
	c->o.fence = !c->a.no_sandbox;
	c->o.worker = diff_worker_main;
	c->o.carve = c->carve != NULL;
	/* One model alone is not read: there is nothing to fence. */
	if (((c->o.old != NULL || c->o.against != NULL ||
	    c->o.npaths > 0) &&
	    analysis_fence_missing(&c->a, "compares")) ||
	    !analysis_carve_dir(c->carve, &c->o.carve_dir))
		return EXIT_FAILED;
	r = analysis_run(&c->a, sink_find(c->a.format != NULL ? c->a.format :
	    "text"));
	if (c->o.carve_dir >= 0)
		(void)close(c->o.carve_dir);
	return r;
}
