#ifndef ANALYZER_DIFF_SESSION_H_
#define ANALYZER_DIFF_SESSION_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/result.h"
#include "analyzer/result_diff.h"

struct err;
struct sink;

/*
 * A comparison, as its parent sees it: open the sides, start the worker,
 * check what it says, hand rows to a sink in the worker's order, and say how
 * the worker ended.  No byte of the evidence is read here.
 *
 * How a worker ends is a fact about the evidence: a file that shrank under it
 * (SIGBUS), the fence, a crash, the deadline, frames that no worker sends are
 * findings, and the result is incomplete then.
 */
struct diff_options {
	const char *command;	/* for the header: "diff", "triggers" */
	const char *old;	/* NULL: with ${against}, or triggers alone */
	const char *new;	/* NULL: with ${paths} */
	const char *against;	/* a folder or case of known versions */
	const char *tokenizer;	/* a file, or NULL */
	const char *adapter;	/* a folder or file, or NULL */
	bool triggers;		/* candidates, leads, detectors alone */
	/*
	 * Triggers: what to look at, models and data sets alike; ${new} and
	 * ${against} are NULL.  ${fields} are those of --fields, or NULL.
	 */
	const char *const *paths;
	size_t npaths;
	const char *fields;
	int (*data_worker)(void *arg, int out_fd);	/* data_worker_main */
	/* API logs in which candidates are looked up, and their mapping. */
	const char *const *logs;
	size_t nlogs;
	const char *log_fields;
	int (*log_worker)(void *arg, int out_fd);	/* apilog_worker_main */
	bool fence;		/* false: --no-sandbox */
	bool sha256;		/* digests of inputs and tensors */
	bool carve;		/* write payloads below carve_dir */
	int carve_dir;
	unsigned threads;	/* 0: one a core */
	int (*worker)(void *arg, int out_fd);	/* diff_worker_main */
	void (*progress)(void *ctx, uint64_t done, uint64_t total,
	    const char *what);
	void *progress_ctx;
};

struct diff_summary {
	struct result_summary base;
	struct diff_sums sums;
};

/*
 * diff_run: 0 when every row was handed to the sink and the summary was
 * written; *failed tells that our side failed on a part of it.  Negative
 * when results are not whole, or a side cannot be opened.
 *
 * With ${against} each known version in that folder is measured for how close
 * NEW is to it (session_lineage.c), then NEW is compared with the closest.
 */
int diff_run(const struct diff_options *o, struct sink *sink,
    struct diff_summary *ret, bool *failed, struct err *e);

#endif /* !ANALYZER_DIFF_SESSION_H_ */
