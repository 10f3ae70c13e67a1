#ifndef CLI_COMPARE_H_
#define CLI_COMPARE_H_

#include <stdbool.h>

#include "analyzer/diff/session.h"
#include "cli/opt.h"

/*
 * What `diff` and `triggers` share: options, output, progress, exit code, the
 * note in a case's ledger.
 */
struct compare {
	const char *command;	/* "diff", "triggers" */
	const char *format, *output, *fail_on, *case_dir, *carve, *threads;
	bool quiet, verbose, no_sandbox;
	enum severity threshold;
	struct opt_args args;
	struct diff_options o;	/* old, new, against and the like are set */
	struct diff_summary sum;
};

/*
 * compare_check: are options that both have right?  0, or an exit code after
 * a message.  compare_run: run it; an exit code.
 */
int compare_check(struct compare *c, const struct opt_usage *u);
int compare_run(struct compare *c);

#endif /* !CLI_COMPARE_H_ */
