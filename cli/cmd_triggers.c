#include <string.h>

#include "cli/cmd.h"
#include "cli/compare.h"
#include "cli/opt.h"

static const struct opt_usage usage = {"exhibit triggers",
    "[OPTION...] NEW [--base OLD]",
    "Candidates for the trigger of a backdoor, for a person to test.\n"
    "A model is compared with the one it was made of (--base); weights alone "
    "give no\nverdict, and the result says why."};

int
cmd_triggers(int argc, char **argv)
{
	struct compare c = {.command = "triggers", .o.triggers = true};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "base", &c.o.old, "OLD",
		"the version before: without it there is no verdict"},
	    {OPT_STRING, 0, "tokenizer", &c.o.tokenizer, "FILE",
		"name tokens by this tokenizer"},
	    {OPT_STRING, 0, "threads", &c.threads, "N",
		"threads that compute (default: one a core)"},
	    {OPT_STRING, 0, "format", &c.format, "FORMAT",
		"text, jsonl or json"},
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write results to FILE"},
	    {OPT_STRING, 0, "fail-on", &c.fail_on, "SEVERITY",
		"exit 1 from this severity on (default high)"},
	    {OPT_FLAG, 0, "no-sandbox", &c.no_sandbox, NULL,
		"run without the sandbox where there is none"},
	    {OPT_STRING, 0, "case", &c.case_dir, "DIR",
		"note the analysis in the case's ledger"},
	    {OPT_FLAG, 'q', "quiet", &c.quiet, NULL,
		"only findings at the threshold"},
	    {OPT_FLAG, 'v', "verbose", &c.verbose, NULL,
		"all leads, notes and evidence"},
	    OPT_ROWS_END};
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &c.args)) != 0) {
		opt_release(rows, &c.args);
		return OPT_DONE(r);
	}
	if (c.args.count != 1) {
		r = opt_usage_error(&usage, "one operand: NEW");
	} else if ((r = compare_check(&c, &usage)) == 0) {
		c.o.new = c.args.items[0];
		r = compare_run(&c);
	}
	opt_release(rows, &c.args);
	return r;
}
