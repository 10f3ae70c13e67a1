#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/report.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "custody/case.h"

struct report_cmd {
	const char *output, *case_dir, *format;
	struct opt_args args;
	struct report_input *inputs;
	struct buf ledger;
	uint8_t sha256[32];	/* of the report */
};

static const struct opt_usage usage = {"exhibit report",
    "[OPTION...] RESULTS.jsonl... [--case DIR] -o FILE",
    "Turn results (scan --format jsonl, verify --format jsonl) and a case's "
    "ledger\ninto one self-contained HTML file."};

static int
open_inputs(struct report_cmd *c, struct err *e)
{
	int r;

	if ((c->inputs = calloc(c->args.count + 1,
	    sizeof(*c->inputs))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < c->args.count; i++)
		c->inputs[i].fd = -1;
	for (size_t i = 0; i < c->args.count; i++) {
		c->inputs[i].name = c->args.items[i];
		if ((c->inputs[i].fd = open(c->args.items[i],
		    O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
			return err_sys(e, errno, "cannot read '%s'",
			    c->args.items[i]);
		if ((r = cmd_file_sha256(c->args.items[i],
		    c->inputs[i].sha256, e)) < 0)
			return r;
	}
	return 0;
}

static int
add_body(void *ctx, uint64_t seq, const char *body, size_t n)
{
	struct buf *b = ctx;

	(void)seq;
	buf_put(b, body, n);
	buf_putc(b, '\n');
	return 0;
}

static int
read_ledger(struct report_cmd *c, struct err *e)
{
	struct casedir *dir;
	int r;

	if (c->case_dir == NULL)
		return 0;
	if ((r = case_open_readonly(c->case_dir, &dir, e)) < 0)
		return r;
	if ((r = ledger_each(case_ledger(dir), add_body, &c->ledger, e)) >= 0
	    && buf_failed(&c->ledger) < 0)
		r = err_set(e, ERR_LIMIT, "the ledger is too large");
	case_close(dir);
	return r;
}

static void
note_data(void *ctx, struct json_write *w)
{
	const struct report_cmd *c = ctx;

	json_kstr(w, "command", "report");
	json_key(w, "inputs");
	json_begin_array(w);
	for (size_t i = 0; i < c->args.count; i++) {
		json_begin_object(w);
		json_ktext(w, "name", c->inputs[i].name,
		    strlen(c->inputs[i].name));
		json_khex(w, "sha256", c->inputs[i].sha256, 32);
		json_end_object(w);
	}
	json_end_array(w);
	json_khex(w, "report_sha256", c->sha256, 32);
}

/* The report holds the ledger as it was; that it was made comes after. */
static int
note(struct report_cmd *c, struct err *e)
{
	struct casedir *dir;
	int r;

	if (c->case_dir == NULL || strcmp(c->output, "-") == 0)
		return 0;
	if ((r = cmd_file_sha256(c->output, c->sha256, e)) < 0 ||
	    (r = case_open(c->case_dir, &dir, e)) < 0)
		return r;
	r = case_event(dir, "analyse", NULL, note_data, c, NULL, e);
	case_close(dir);
	return r;
}

static int
run(struct report_cmd *c)
{
	struct report_options o = {.now_ns = clock_real_ns()};
	struct cmd_output out = {.fd = -1};
	struct err e = ERR_INIT;

	if (open_inputs(c, &e) < 0 || read_ledger(c, &e) < 0)
		return cmd_fail(&e);
	o.inputs = c->inputs;
	o.ninputs = c->args.count;
	o.ledger = c->case_dir != NULL ? &c->ledger : NULL;
	if (cmd_output_open(&out, c->output, &e) < 0)
		return cmd_fail(&e);
	if (report_html(&o, out.fd, &e) < 0 ||
	    cmd_output_commit(&out, &e) < 0 || note(c, &e) < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	return EXIT_CLEAN;
}

int
cmd_report(int argc, char **argv)
{
	struct report_cmd c = {0};
	const struct opt rows[] = {
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write the report to FILE (needed; - is standard output)"},
	    {OPT_STRING, 0, "case", &c.case_dir, "DIR",
		"with the custody chain of this case; note the report in it"},
	    {OPT_STRING, 0, "format", &c.format, "FORMAT", "html"},
	    OPT_ROWS_END};
	int r;

	buf_init(&c.ledger, GIB);
	if ((r = opt_parse(argc, argv, &usage, rows, &c.args)) != 0)
		r = OPT_DONE(r);
	else if (c.args.count == 0 && c.case_dir == NULL)
		r = opt_usage_error(&usage, "no results given");
	else if (c.output == NULL)
		r = opt_usage_error(&usage, "-o FILE is needed");
	else if (c.format != NULL && strcmp(c.format, "html") != 0)
		r = opt_usage_error(&usage, "no such format");
	else
		r = run(&c);
	for (size_t i = 0; c.inputs != NULL && i < c.args.count; i++)
		if (c.inputs[i].fd >= 0)
			(void)close(c.inputs[i].fd);
	free(c.inputs);
	buf_release(&c.ledger);
	opt_release(rows, &c.args);
	return r;
}
