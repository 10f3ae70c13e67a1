#ifndef ANALYZER_APILOG_APILOG_H_
#define ANALYZER_APILOG_APILOG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/result.h"
#include "analyzer/result_diff.h"

struct err;
struct rows;
struct sink;

/*
 * What callers of a model did, from its API logs, as the parent sees it: open
 * the files, start the worker (apilog_job.h), check what it says, hand rows
 * to a sink, and say how the worker ended.  No byte of the logs is read here.
 *
 * All paths are one log, in the order of time.  A path is a file, a folder
 * (every file below it), a bundle (its API logs) or BUNDLE!MEMBER; a file
 * that is given twice counts once.
 */
struct apilog_within {
	const struct rows *rows;	/* input, candidate, detector, finding;
				 * paths are whole, as results show them */
	int (*skip)(void *ctx, const char *what, const char *why);
	void *ctx;		/* of skip */
	int watch_fd;		/* rows of candidates, JSON Lines */
	uint64_t watch_size;
};

struct apilog_options {
	/*
	 * A part of another command: rows go there, there is no header and no
	 * summary, and callers are not told.  NULL: logs alone.
	 */
	const struct apilog_within *within;
	const char *const *paths;
	size_t npaths;
	const char *const *candidates;	/* results with values to look for */
	size_t ncandidates;
	const char *fields;	/* formats/logs/fieldmap.h, or NULL */
	bool has_since, has_until;
	int64_t since_ns, until_ns;
	bool has_split;		/* drift is told between before and after */
	int64_t split_ns;
	bool zone_given;
	int zone_min;
	bool fence;		/* false: --no-sandbox */
	unsigned threads;	/* 0: one a core */
	int (*worker)(void *arg, int out_fd);	/* apilog_worker_main */
	void (*progress)(void *ctx, uint64_t done, uint64_t total,
	    const char *what);
	void *progress_ctx;
};

struct apilog_summary {
	struct result_summary base;
	struct diff_sums sums;
};

/* apilog_fields: is it a mapping that can be read?  0 or ERR_ARG. */
int apilog_fields(const char *fields, struct err *e);

/*
 * apilog_run: 0 when every row was handed to the sink and the summary was
 * written; *failed tells that our side failed on a part of it.  Negative
 * when results are not whole, or a path cannot be opened.  Within another
 * command ${sink} is NULL.
 */
int apilog_run(const struct apilog_options *o, struct sink *sink,
    struct apilog_summary *ret, bool *failed, struct err *e);

#endif /* !ANALYZER_APILOG_APILOG_H_ */
