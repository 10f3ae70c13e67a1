#ifndef ANALYZER_DIFF_TALLY_H_
#define ANALYZER_DIFF_TALLY_H_

#include "analyzer/result.h"
#include "analyzer/result_diff.h"

struct arena;
struct err;
struct sink;

/*
 * What the parent of a worker hands to the sink and counts for the summary:
 * findings, of each rule LIMIT_FINDINGS_PER_RULE at most, the list of
 * detectors, and what was left out on purpose.
 */
struct tally {
	struct sink *sink;
	struct result_summary *base;
	struct diff_sums *sums;
	struct arena *arena;	/* texts that outlive a row */
	struct err *e;
	uint64_t told[FINDING_COUNT];
	uint64_t cut;		/* findings that were not told */
};

/* All return 0, or negative when memory is out or the sink fails. */
int tally_finding(struct tally *t, const char *path, const struct finding *f);
/* tally_say: a certain one with one text of evidence. */
int tally_say(struct tally *t, const char *path, enum finding_id id,
    const char *key, const char *text);
int tally_skip(struct tally *t, const char *what, const char *why);
/* tally_detector: counts it, and the summary tells it once more. */
int tally_detector(struct tally *t, const struct row_detector *r);
/* tally_end: that findings were cut, about ${path}; before the summary. */
int tally_end(struct tally *t, const char *path);

#endif /* !ANALYZER_DIFF_TALLY_H_ */
