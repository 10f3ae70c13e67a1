#ifndef ANALYZER_TRIGGERS_DETECT_H_
#define ANALYZER_TRIGGERS_DETECT_H_

#include <stdint.h>

struct err;
struct pool;
struct rows;

/*
 * What every detector of triggers in training data is given.
 *
 * A detector takes the records of one data set, one after another, and tells
 * at the end what it found: candidates and leads in the order of their rank
 * (1 = strongest, of this detector alone), and one row_detector for each
 * method: whether it applied, on how many records, with which threshold, and
 * what it cannot see.  A clean data set gives no candidate.
 *
 * Memory is bounded whatever the input is; what is left out because of a
 * bound (records not sampled, texts that were cut) is in the evidence of the
 * row_detector.  The same records give the same rows on any number of
 * threads.  Nothing is read but what is added: no file, no clock.
 *
 * Candidates carry in their evidence "records" (how many hold it), "rows" (at
 * most DETECT_ROWS record numbers, ascending), "row_count", "threshold", and
 * the figures of the method.
 */
#define DETECT_ROWS 1000

struct detect {
	const struct rows *rows;	/* rows.h: candidate, detector */
	struct pool *pool;		/* or NULL: this thread alone */
	/* Negative ends the work; may be NULL. */
	int (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	struct err *e;
};

#endif /* !ANALYZER_TRIGGERS_DETECT_H_ */
