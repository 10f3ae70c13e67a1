#ifndef CLI_COMPARE_H_
#define CLI_COMPARE_H_

#include <stdbool.h>

#include "analyzer/diff/session.h"
#include "cli/analysis.h"

/* What `diff` and `triggers` share beyond an analysis. */
struct compare {
	const char *command;	/* "diff", "triggers" */
	struct analysis a;
	const char *carve, *threads;
	struct diff_options o;	/* old, new, against and the like are set */
	struct diff_summary sum;
};

#define COMPARE_ROWS(c, all) \
	{OPT_STRING, 0, "tokenizer", &(c).o.tokenizer, "FILE", \
	    "name tokens by this tokenizer"}, \
	{OPT_STRING, 0, "threads", &(c).threads, "N", \
	    "threads that compute (default: one a core)"}, \
	ANALYSIS_ROWS((c).a, all)

/*
 * compare_check: are options that both have right?  0, or an exit code after
 * a message.  compare_run: run it; an exit code.
 */
int compare_check(struct compare *c, const struct opt_usage *u);
int compare_run(struct compare *c);

#endif /* !CLI_COMPARE_H_ */
