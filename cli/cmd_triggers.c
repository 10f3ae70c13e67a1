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
	    COMPARE_ROWS(c, "all leads, notes and evidence"),
	    OPT_ROWS_END};
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &c.a.args)) != 0) {
		opt_release(rows, &c.a.args);
		return OPT_DONE(r);
	}
	if (c.a.args.count != 1) {
		r = opt_usage_error(&usage, "one operand: NEW");
	} else if ((r = compare_check(&c, &usage)) == 0) {
		c.o.new = c.a.args.items[0];
		r = compare_run(&c);
	}
	opt_release(rows, &c.a.args);
	return r;
}
