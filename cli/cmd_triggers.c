#include <string.h>

#include "analyzer/apilog/apilog.h"
#include "analyzer/apilog/apilog_job.h"
#include "analyzer/triggers/datafields.h"
#include "analyzer/triggers/datajob.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/compare.h"
#include "cli/opt.h"

static const struct opt_usage usage = {"exhibit triggers",
    "[OPTION...] PATH|BUNDLE... [--base OLD]",
    "Candidates for the trigger of a backdoor, for a person to test: in\n"
    "training data (texts and labels, prompts and responses, images and\n"
    "labels), and in a model against the one it was made of (--base). Weights\n"
    "alone give no verdict, and the result says why. What several pieces of\n"
    "evidence name alike comes first."};

/* Can --fields be read?  0, or an exit code after a message. */
static int
check_fields(const char *map)
{
	struct arena *a = arena_new(MIB);
	struct data_fields f;
	struct err e = ERR_INIT;
	int r;

	if (a == NULL)
		return 0;
	r = datafields_parse(map, a, &f, &e);
	arena_free(a);
	return r < 0 ? opt_usage_error(&usage, "--fields: %s", e.msg) : 0;
}

static int
check_log_fields(const char *map)
{
	struct err e = ERR_INIT;

	return map != NULL && apilog_fields(map, &e) < 0 ?
	    opt_usage_error(&usage, "--log-fields: %s", e.msg) : 0;
}

int
cmd_triggers(int argc, char **argv)
{
	struct compare c = {.command = "triggers", .o.triggers = true};
	struct opt_list logs = {NULL, 0};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "base", &c.o.old, "OLD",
		"the model's version before; of weights alone there is no "
		"verdict"},
	    {OPT_STRING, 0, "fields", &c.o.fields, "MAP",
		"text=F,label=F or prompt=F,response=F or image=F,label=F"},
	    {OPT_LIST, 0, "logs", &logs, "PATH",
		"API logs, or a bundle: look candidates up in what was sent"},
	    {OPT_STRING, 0, "log-fields", &c.o.log_fields, "MAP",
		"fields of logs of no known shape, as logs --fields"},
	    COMPARE_ROWS(c, "all leads, notes and evidence"),
	    OPT_ROWS_END};
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &c.a.args)) != 0) {
		opt_release(rows, &c.a.args);
		return OPT_DONE(r);
	}
	if (c.a.args.count == 0) {
		r = opt_usage_error(&usage, "nothing to look at");
	} else if ((r = compare_check(&c, &usage)) == 0 &&
	    (r = check_fields(c.o.fields)) == 0 &&
	    (r = check_log_fields(c.o.log_fields)) == 0) {
		c.o.paths = c.a.args.items;
		c.o.npaths = (size_t)c.a.args.count;
		c.o.data_worker = data_worker_main;
		c.o.logs = logs.items;
		c.o.nlogs = logs.count;
		c.o.log_worker = apilog_worker_main;
		r = compare_run(&c);
	}
	opt_release(rows, &c.a.args);
	return r;
}
