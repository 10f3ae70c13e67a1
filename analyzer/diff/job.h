#ifndef ANALYZER_DIFF_JOB_H_
#define ANALYZER_DIFF_JOB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

/*
 * What the worker of a comparison is given.  The parent opens files and
 * parses nothing; the worker enters the fence before the first byte, parses
 * both sides, maps them, compares, and tells rows by frames (diff_wire.h).
 *
 * A side is a list of files in byte order of their paths.  A model in a
 * bundle or an archive is one file: the worker looks inside, and ${member}
 * says into which members (a path as in results, without the file's own).
 */
enum part_flags {
	PART_WHOLE = 0,
	/* Stands beside the file that was given: external data, tokenizer,
	 * configuration.  Its tensors are not the side's. */
	PART_BESIDE = 1 << 0,
};

struct job_part {
	int fd;			/* read only; the worker maps it */
	uint64_t size;
	const char *path;	/* below the side's own path; "": itself */
	unsigned flags;		/* enum part_flags */
};

struct job_side {
	const struct job_part *v;
	size_t n;
	const char *member;	/* NULL: all */
};

enum diff_mode {
	DIFF_FULL,
	DIFF_TRIGGERS,		/* candidates, leads and detectors alone */
	DIFF_CLOSENESS,		/* one row_version: how near OLD is to NEW */
};

struct diff_job {
	struct job_side side[ROW_SIDES];
	struct job_part tokenizer;	/* --tokenizer; fd -1: none */
	struct job_side adapter;	/* --adapter: n 0: none */
	int spool_fd;		/* an empty unlinked file for what must be
				 * unpacked before it can be mapped; or -1 */
	enum diff_mode mode;
	bool fence;		/* false under --no-sandbox */
	bool sha256;		/* digests of inputs and tensors */
	bool carve;		/* send payloads that were extracted */
	unsigned threads;	/* 0: one a core */
	unsigned seconds;	/* CPU time */
};

/* diff_worker_main: for proc_spawn; ${arg} is a struct diff_job. */
int diff_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_DIFF_JOB_H_ */
