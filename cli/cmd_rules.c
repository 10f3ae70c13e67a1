#include <stdio.h>
#include <string.h>

#include "analyzer/finding.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/opt.h"

static const struct opt_usage usage = {"exhibit rules", "[ID]",
    "List the catalogue of findings, or tell all about one."};

static void
print_row(const struct finding_info *f)
{
	(void)printf("%-24s %-8s %-10s %s\n", f->name,
	    severity_name(f->severity), verdict_name(f->verdict), f->title);
}

static void
print_list(const char *label, const char *list)
{
	if (*list != '\0')
		(void)printf("%-10s %s\n", label, list);
}

static void
print_one(const struct finding_info *f)
{
	(void)printf("%s\n\n%s\n\n", f->name, f->title);
	(void)printf("%-10s %s\n", "severity", severity_name(f->severity));
	(void)printf("%-10s %s\n", "verdict", verdict_name(f->verdict));
	print_list("ATLAS", f->atlas);
	print_list("ATT&CK", f->attack);
	print_list("CWE", f->cwe);
	print_list("OWASP ML", f->owasp);
	if (*f->advice != '\0')
		(void)printf("\n%s\n", f->advice);
}

int
cmd_rules(int argc, char **argv)
{
	static const struct opt rows[] = {OPT_ROWS_END};
	const struct finding_info *f;
	struct opt_args args;
	char shown[64];
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0) {
		r = OPT_DONE(r);
	} else if (args.count > 1) {
		r = opt_usage_error(&usage, "one ID at most");
	} else if (args.count == 0) {
		for (unsigned i = 0; i < FINDING_COUNT; i++)
			print_row(finding_info((enum finding_id)i));
	} else if ((f = finding_find(args.items[0])) != NULL) {
		print_one(f);
	} else {
		r = opt_usage_error(&usage, "no such rule '%s'",
		    text_z(shown, sizeof(shown), args.items[0],
		    strlen(args.items[0])));
	}
	opt_release(rows, &args);
	return r;
}
