#ifndef COLLECTOR_SURVEY_H_
#define COLLECTOR_SURVEY_H_

#include <stdbool.h>
#include <stdint.h>

#include "collector/collect.h"

struct err;

/*
 * What a collection would take, without taking it: the same walk in the same
 * scope, nothing read but names and attributes, nothing written anywhere, no
 * key needed.
 *
 * Rows come in the order of the walk, those of a source before the source's
 * own.  A file counts as stored when it may be opened for reading; overlapping
 * sources count twice, and of a process the files that hold its model are not
 * known before it is looked at.
 */
enum survey_kind {
	SURVEY_MOUNT,	/* another file system below a source */
	SURVEY_ERROR,	/* what cannot be read */
	SURVEY_SOURCE,
	SURVEY_SUMMARY,	/* last; in all */
};

struct survey_row {
	enum survey_kind kind;
	const struct collect_source *source;	/* not of a summary */
	const char *path;	/* MOUNT, ERROR */
	bool entered;		/* MOUNT */
	const char *what;	/* ERROR */
	int errnum;		/* ERROR; 0: none */
	/* SOURCE, SUMMARY */
	uint64_t objects, files, bytes, excluded, mounts_skipped, errors;
};

struct survey {
	int (*row)(void *ctx, const struct survey_row *row);
	void *ctx;
	uint64_t files, bytes, excluded, skipped;	/* in the end, in all */
};

/* survey_run: negative when a row could not be printed, or out of memory. */
int survey_run(const struct collect_options *o, struct survey *s,
    struct err *e);

#endif /* !COLLECTOR_SURVEY_H_ */
