#ifndef ANALYZER_TRIGGERS_DATATELL_H_
#define ANALYZER_TRIGGERS_DATATELL_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/rowtap.h"
#include "analyzer/triggers/datarun.h"

/*
 * What is said of a data set itself: that it was read, as what, and what of
 * it could not be.
 */
struct datatell {
	uint64_t records;	/* damaged ones too */
	uint64_t damaged;
	uint64_t without;	/* records that lack a field that is needed */
	uint64_t told;		/* what readers complained of, and first: */
	const char *what;
	uint64_t where;		/* an offset, or the number of a record */
	bool is_record;
	bool broken;		/* a file ended before its end */
};

void datatell_at(struct datatell *t, uint64_t off, const char *what);
void datatell_record(struct datatell *t, uint64_t index, const char *what);

/* datatell_none: no detector can work on it; ${why} NULL: no data set. */
int datatell_none(const struct datatell *t, const struct datarun_set *set,
    const struct detect *d, const char *why);

/* datatell_input: what was read of it, and which fields. */
int datatell_input(const struct datatell *t, const struct datarun_set *set,
    const char *format, const char *kind, const struct data_fields *f,
    const struct detect *d);

/*
 * datatell_wrap: rows that go to ${to}, candidates and detectors with
 * "source" in their evidence.
 */
struct datatell_source {
	struct rowtap tap;	/* first: the ctx of its rows */
	const char *path;
};
void datatell_wrap(struct datatell_source *s, const char *path,
    const struct rows *to);

#endif /* !ANALYZER_TRIGGERS_DATATELL_H_ */
