#include <string.h>

#include "analyzer/apilog/apilog.h"
#include "analyzer/apilog/apilog_job.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/analysis.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "collector/value.h"

struct logs_cmd {
	struct analysis a;
	const char *since, *until, *split, *zone, *threads;
	struct opt_list candidates;
	struct apilog_options o;
	struct apilog_summary sum;
};

static const struct opt_usage usage = {"exhibit logs",
    "[OPTION...] PATH|BUNDLE...",
    "What the callers of a model did, from its API logs: extraction, evasion "
    "probing,\nthe use of a trigger.  All paths are one log, in the order of "
    "time; every byte is\nread in a sandbox."};

static void
note_data(void *ctx, struct json_write *w)
{
	const struct logs_cmd *c = ctx;
	const struct diff_sums *d = &c->sum.sums;

	json_ku64(w, "callers", d->callers);
	json_ku64(w, "candidates", d->candidates);
	json_kstr(w, "command", "logs");
	json_ku64(w, "findings", c->sum.base.findings);
	json_ku64(w, "flagged", d->flagged);
	json_ku64(w, "incomplete", c->sum.base.incomplete);
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 0; i < c->o.npaths; i++)
		json_text(w, c->o.paths[i], strlen(c->o.paths[i]), 0);
	json_end_array(w);
	json_ku64(w, "records", d->records);
	analysis_digests(&c->a, w);
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	progress_show(ctx, done, total, what);
}

static int
work(void *ctx, struct sink *sink, struct progress *bar, bool *failed,
    struct err *e)
{
	struct logs_cmd *c = ctx;

	c->o.progress = on_progress;
	c->o.progress_ctx = bar;
	return apilog_run(&c->o, sink, &c->sum, failed, e);
}

static int
take_window(struct logs_cmd *c)
{
	struct apilog_options *o = &c->o;

	const struct {
		const char *name, *text;
		bool *has;
		int64_t *ns;
	} times[] = {{"since", c->since, &o->has_since, &o->since_ns},
	    {"until", c->until, &o->has_until, &o->until_ns},
	    {"split", c->split, &o->has_split, &o->split_ns}};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		*times[i].has = times[i].text != NULL;
		if (*times[i].has && !value_time(times[i].text,
		    strlen(times[i].text), times[i].ns))
			return opt_usage_error(&usage, "--%s takes a date, or "
			    "a time of RFC 3339", times[i].name);
	}
	if (o->has_since && o->has_until && o->since_ns >= o->until_ns)
		return opt_usage_error(&usage, "--since is not before "
		    "--until");
	return 0;
}

static int
take_options(struct logs_cmd *c)
{
	struct err e = ERR_INIT;
	int32_t seconds = 0;
	uint64_t n;
	int r;

	if ((r = take_window(c)) != 0)
		return r;
	if (c->zone != NULL && !value_zone(c->zone, &seconds))
		return opt_usage_error(&usage,
		    "--log-zone is +HH:MM, -HH:MM or Z");
	c->o.zone_given = c->zone != NULL;
	c->o.zone_min = (int)(seconds / 60);
	if (c->o.fields != NULL && apilog_fields(c->o.fields, &e) < 0)
		return opt_usage_error(&usage, "--fields: %s", e.msg);
	if (c->threads != NULL && (!text_u64(c->threads, strlen(c->threads),
	    10, 64, &n) || n == 0))
		return opt_usage_error(&usage, "--threads takes 1 to 64");
	c->o.threads = c->threads != NULL ? (unsigned)n : 0;
	return 0;
}

static int
run(struct logs_cmd *c)
{
	const struct sink_ops *ops = sink_find(c->a.format != NULL ?
	    c->a.format : "text");
	int r;

	if (c->a.args.count == 0)
		return opt_usage_error(&usage, "no logs");
	if ((r = analysis_check(&c->a, &usage)) != 0 ||
	    (r = take_options(c)) != 0)
		return r;
	if (ops == NULL || ops->diff == NULL)
		return opt_usage_error(&usage, "no such format");
	c->o.paths = c->a.args.items;
	c->o.npaths = c->a.args.count;
	c->o.candidates = c->candidates.items;
	c->o.ncandidates = c->candidates.count;
	c->o.fence = !c->a.no_sandbox;
	c->o.worker = apilog_worker_main;
	if (analysis_fence_missing(&c->a, "reads"))
		return EXIT_FAILED;
	return analysis_run(&c->a, ops);
}

int
cmd_logs(int argc, char **argv)
{
	struct logs_cmd c = {.a = {.work = work, .note = note_data,
	    .ctx = &c, .sum = &c.sum.base}};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "fields", &c.o.fields, "MAP",
		"fields of unknown JSON: time=ts,caller=client,..."},
	    {OPT_LIST, 0, "candidates", &c.candidates, "RESULTS",
		"look for the candidates of these results (JSON Lines)"},
	    {OPT_STRING, 0, "since", &c.since, "TIME",
		"leave out requests before TIME"},
	    {OPT_STRING, 0, "until", &c.until, "TIME",
		"leave out requests from TIME on"},
	    {OPT_STRING, 0, "split", &c.split, "TIME",
		"tell drift between before and after TIME (default: halves)"},
	    {OPT_STRING, 0, "log-zone", &c.zone, "+HH:MM",
		"of times that name no zone (default: UTC)"},
	    {OPT_STRING, 0, "threads", &c.threads, "N",
		"threads that compute (default: one a core)"},
	    ANALYSIS_ROWS(c.a, "all callers, leads, notes and evidence"),
	    OPT_ROWS_END};
	int r;

	r = opt_parse(argc, argv, &usage, rows, &c.a.args);
	r = r != 0 ? OPT_DONE(r) : run(&c);
	opt_release(rows, &c.a.args);
	return r;
}
