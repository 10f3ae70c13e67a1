#ifndef COLLECTOR_INTAKE_H_
#define COLLECTOR_INTAKE_H_

#include <stddef.h>
#include <stdint.h>

#include "collector/collect.h"

struct buf;
struct err;
struct frame;

/*
 * Making sense of what was taken: registries, API logs, git history.
 *
 * The bytes are copied and digested first.  Then a worker (base/proc.h), which
 * enters the fence before its first byte, reads the members in the bundle
 * that is being written and says what they mean, in frames; the parent checks
 * each frame, makes a line of JSON of it and stores the lines as a tag file
 * beside the payload.  The collector knows none of the parsers: cli hands
 * this table down, and a program without it (exhibit-collect) ships bytes.
 *
 * What a worker is given: a read-only descriptor of the bundle so far, and a
 * descriptor of the index, one line for each stored member or link:
 *
 *	CLASS ' ' DATA_OFFSET ' ' SIZE ' ' MTIME_NS ' ' SHA256 ' ' TYPE NUL
 *	PATH NUL TARGET NUL
 *
 * with TYPE f (file) or l (link; offset, size 0), PATH the absolute source
 * path as raw bytes.  Members come in the order of the walk.
 */
struct intake_job {
	int bundle_fd, index_fd;
	const struct collect_options *o;
};

/* What becomes of a frame: which stream, and its line (without LF). */
struct intake_kind {
	const char *name;	/* "registry", for the log */
	unsigned classes;	/* 1 << enum bag_class: runs when any is there */
	const char *const *stream;	/* names of the tag files */
	unsigned streams;
	int (*main)(void *arg, int out_fd);	/* ${arg}: struct intake_job */
	/*
	 * line: a frame of the worker.  0 with *stream and a line in ${b}, or
	 * ERR_FORMAT: it is not one that such a worker sends (the worker is
	 * ended, and that is recorded).
	 */
	int (*line)(const struct frame *f, unsigned *stream, struct buf *b,
	    struct err *e);
};

#endif /* !COLLECTOR_INTAKE_H_ */
