#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/rows.h"
#include "custody/case.h"
#include "custody/case_log.h"

struct custody_cmd {
	const char *case_dir, *format, *output;
	struct rows rows;
	struct buf b;
	struct cmd_output out;
};

static const struct opt_usage usage = {"exhibit custody",
    "log --case DIR",
    "The ledger of a case: what happened, when, by whom, and what became of "
    "each\nexhibit.  The ledger's chain and tree are checked when it is "
    "opened."};

static int
flush(struct custody_cmd *c, struct err *e)
{
	int r;

	if ((r = buf_failed(&c->b)) < 0)
		return err_set(e, (enum err_code)r, "cannot write the log");
	r = fsio_write_all(c->out.fd, c->b.p, c->b.len, e);
	buf_clear(&c->b);
	return r;
}

static int
text_event(void *ctx, const struct case_log_event *ev)
{
	struct custody_cmd *c = ctx;

	buf_printf(&c->b, "%5llu  %s  %-8s  %-16s  %s",
	    (unsigned long long)ev->seq, ev->utc, ev->kind,
	    ev->exhibit != NULL ? ev->exhibit : "-", ev->actor);
	if (ev->summary != NULL && *ev->summary != '\0')
		buf_printf(&c->b, "  %s", ev->summary);
	buf_putc(&c->b, '\n');
	return c->b.len > MIB ? flush(c, NULL) : 0;
}

static void
text_exhibits(struct custody_cmd *c, const struct case_log *log)
{
	if (case_log_count(log) > 0)
		buf_puts(&c->b, "\n");
	for (size_t i = 0; i < case_log_count(log); i++) {
		const struct case_log_exhibit *x = case_log_exhibit(log, i);

		buf_printf(&c->b, "%-20s %s", x->name,
		    case_log_state_name(x->state));
		if (x->has_seal) {
			buf_printf(&c->b, ", %llu bytes, sha256 ",
			    (unsigned long long)x->size);
			buf_hex(&c->b, x->bundle_sha256, 32);
		}
		buf_putc(&c->b, '\n');
	}
}

static int
body_event(void *ctx, uint64_t seq, const char *body, size_t n)
{
	struct custody_cmd *c = ctx;

	(void)seq;
	rows_open(&c->rows, &c->b);
	buf_put(&c->b, body, n);
	rows_close(&c->rows, &c->b);
	return c->b.len > MIB ? flush(c, NULL) : 0;
}

static int
write_log(struct custody_cmd *c, struct casedir *dir, struct err *e)
{
	struct case_log *log;
	int r;

	if (c->rows.json) {
		r = ledger_each(case_ledger(dir), body_event, c, e);
		rows_end(&c->rows, &c->b);
	} else if ((r = case_log_read(case_ledger(dir), text_event, c, &log,
	    e)) >= 0) {
		text_exhibits(c, log);
		case_log_free(log);
	}
	return r >= 0 ? flush(c, e) : r;
}

static int
run(struct custody_cmd *c)
{
	struct casedir *dir = NULL;
	struct err e = ERR_INIT;
	int code = EXIT_CLEAN;

	if (cmd_output_open(&c->out, c->output, &e) < 0)
		return cmd_fail(&e);
	if (case_open_readonly(c->case_dir, &dir, &e) < 0 ||
	    write_log(c, dir, &e) < 0 || cmd_output_commit(&c->out, &e) < 0) {
		cmd_output_abandon(&c->out);
		code = e.code == ERR_VERIFY ? EXIT_UNVERIFIED : EXIT_FAILED;
		(void)cmd_fail(&e);
	}
	case_close(dir);
	return code;
}

int
cmd_custody(int argc, char **argv)
{
	struct custody_cmd c = {0};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "case", &c.case_dir, "DIR", "the case (needed)"},
	    {OPT_STRING, 0, "format", &c.format, "FORMAT",
		"text, jsonl or json (the events' bodies)"},
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write the log to FILE"},
	    OPT_ROWS_END};
	struct opt_args args;
	int r;

	buf_init(&c.b, 16 * MIB);
	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0) {
		r = OPT_DONE(r);
	} else if (args.count != 1 || strcmp(args.items[0], "log") != 0) {
		r = opt_usage_error(&usage, "custody log is what there is");
	} else if (c.case_dir == NULL) {
		r = opt_usage_error(&usage, "--case DIR is needed");
	} else if (!rows_choose(&c.rows, c.format)) {
		r = opt_usage_error(&usage, "no such format");
	} else {
		r = run(&c);
	}
	buf_release(&c.b);
	opt_release(rows, &args);
	return r;
}
