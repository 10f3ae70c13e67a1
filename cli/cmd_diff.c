#include <string.h>

#include "cli/cmd.h"
#include "cli/compare.h"
#include "cli/opt.h"

static const struct opt_usage usage = {"exhibit diff",
    "[OPTION...] OLD NEW\n       exhibit diff [OPTION...] --against DIR NEW",
    "Compare two versions of a model: what changed, where, and by what kind "
    "of hand.\nA side is a file, a set of shards, a directory, a bundle or "
    "BUNDLE!MEMBER.\nNothing is extracted, loaded or run; every byte is read "
    "in a sandbox."};

int
cmd_diff(int argc, char **argv)
{
	struct compare c = {.command = "diff"};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "against", &c.o.against, "DIR",
		"rank the known versions in DIR, compare with the closest"},
	    {OPT_STRING, 0, "adapter", &c.o.adapter, "DIR",
		"try this adapter as the one that was merged"},
	    {OPT_FLAG, 0, "sha256", &c.o.sha256, NULL,
		"SHA-256 of inputs and tensors, too"},
	    {OPT_STRING, 0, "carve", &c.carve, "DIR",
		"write payloads that were found to DIR"},
	    COMPARE_ROWS(c, "every tensor, notes and evidence"),
	    OPT_ROWS_END};
	size_t wanted;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &c.a.args)) != 0) {
		opt_release(rows, &c.a.args);
		return OPT_DONE(r);
	}
	wanted = c.o.against != NULL ? 1 : 2;
	if (c.a.args.count != wanted) {
		r = opt_usage_error(&usage, c.o.against != NULL ?
		    "--against takes one operand: NEW" :
		    "two operands: OLD and NEW");
	} else if ((r = compare_check(&c, &usage)) == 0) {
		c.o.new = c.a.args.items[wanted - 1];
		c.o.old = wanted == 2 ? c.a.args.items[0] : NULL;
		r = compare_run(&c);
	}
	opt_release(rows, &c.a.args);
	return r;
}
