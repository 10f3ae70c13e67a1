#ifndef CLI_ANALYSIS_H_
#define CLI_ANALYSIS_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "cli/opt.h"

struct err;
struct json_write;
struct progress;
struct result_summary;
struct sink;
struct sink_ops;

/*
 * What `scan`, `diff` and `triggers` share: the options of a result, output,
 * progress, the exit code, the note in a case's ledger.
 */
struct analysis {
	const char *format, *output, *fail_on, *case_dir;
	bool quiet, verbose, no_sandbox;
	enum severity threshold;	/* analysis_check */
	struct opt_args args;
	const struct result_summary *sum;
	/* The work itself: rows go to ${sink}.  0 or a negative err_code. */
	int (*work)(void *ctx, struct sink *sink, struct progress *bar,
	    bool *failed, struct err *e);
	/* Members of the ledger's note, in ascending order of keys. */
	void (*note)(void *ctx, struct json_write *w);
	void *ctx;			/* of both */
	uint8_t result_sha256[32];	/* of the file written by --output */
	bool has_result;
};

/* Rows of struct opt; ${all} is what --verbose shows. */
#define ANALYSIS_ROWS(a, all) \
	{OPT_STRING, 0, "format", &(a).format, "FORMAT", \
	    "text, jsonl or json"}, \
	{OPT_STRING, 'o', "output", &(a).output, "FILE", \
	    "write results to FILE"}, \
	{OPT_STRING, 0, "fail-on", &(a).fail_on, "SEVERITY", \
	    "exit 1 from this severity on (default high)"}, \
	{OPT_FLAG, 0, "no-sandbox", &(a).no_sandbox, NULL, \
	    "run without the sandbox where there is none"}, \
	{OPT_STRING, 0, "case", &(a).case_dir, "DIR", \
	    "note the analysis in the case's ledger"}, \
	{OPT_FLAG, 'q', "quiet", &(a).quiet, NULL, \
	    "only findings at the threshold"}, \
	{OPT_FLAG, 'v', "verbose", &(a).verbose, NULL, all}

/* analysis_check: is --fail-on right?  0, or an exit code after a message. */
int analysis_check(struct analysis *a, const struct opt_usage *u);

/* analysis_run: work, write, note; an exit code. */
int analysis_run(struct analysis *a, const struct sink_ops *ops);

/* analysis_digests: "result_sha256" and "rules_digest", for ${note}. */
void analysis_digests(const struct analysis *a, struct json_write *w);

/*
 * analysis_fence_missing: true, and a message, where the kernel has no seccomp
 * and --no-sandbox was not given; with it a warning.  ${does} is what the
 * command does without, "scans".
 */
bool analysis_fence_missing(const struct analysis *a, const char *does);

/*
 * analysis_carve_dir: the folder of --carve, made if need be; -1 when ${path}
 * is NULL.  False and a message when it cannot be had.
 */
bool analysis_carve_dir(const char *path, int *ret);

#endif /* !CLI_ANALYSIS_H_ */
