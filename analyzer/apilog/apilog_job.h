#ifndef ANALYZER_APILOG_APILOG_JOB_H_
#define ANALYZER_APILOG_APILOG_JOB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the worker that judges logs is given: the parent opens files and
 * parses nothing; the worker enters the fence before the first byte, and
 * tells rows by frames (analyzer/diff/diff_wire.h): an input for each file or
 * member, callers, candidates, leads, detectors, findings.
 *
 * The path of a row is "N:" and a path below operand N as in rows.h; what is
 * said of the log as a whole has none.
 */
struct apilog_file {
	int fd;			/* read only */
	uint64_t size;
	int64_t mtime_ns;
	unsigned operand;
	const char *path;	/* raw, below the operand; "": itself */
	const char *member;	/* of a bundle: this one alone; or NULL */
	uint64_t dev, ino;	/* for the parent: which file it is */
};

struct apilog_job {
	const struct apilog_file *v;	/* in the order of reading */
	size_t n;
	const struct apilog_file *watch;	/* results with candidates */
	size_t nwatch;
	int spool_fd;		/* an empty unlinked file */
	const char *fields;	/* formats/logs/fieldmap.h, or NULL */
	bool has_since, has_until;
	int64_t since_ns, until_ns;
	bool has_split;		/* drift is told between before and after */
	int64_t split_ns;
	bool zone_given;
	int zone_min;
	bool fence;		/* false under --no-sandbox */
	unsigned threads;	/* 0: one a core */
	unsigned seconds;	/* CPU time */
};

/* apilog_worker_main: for proc_spawn; ${arg} is a struct apilog_job. */
int apilog_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_APILOG_APILOG_JOB_H_ */
