#ifndef ANALYZER_WEIGHTS_FLAG_H_
#define ANALYZER_WEIGHTS_FLAG_H_

#include <stdint.h>

#include "analyzer/finding.h"
#include "analyzer/weights.h"
#include "analyzer/weights_type.h"

/*
 * What a detector has to say of a tensor: where, which test, its numbers
 * against their thresholds.  weights.c makes a finding of it.
 */
#define WEIGHTS_STATISTICS 3

struct weights_flag {
	enum finding_id id;
	enum severity severity;
	enum confidence confidence;
	const char *test;	/* our own words */
	const char *stream;	/* our own words, or NULL */
	uint64_t first, count;	/* elements of the tensor */
	uint64_t windows;	/* that say so; 0: the whole */
	struct {
		const char *name;	/* a key of evidence */
		double value, threshold;
		char compare;		/* '<' or '>' */
	} statistic[WEIGHTS_STATISTICS];
	unsigned statistics;
};

/* The tensor in hand. */
struct weights_at {
	const struct weights_tensor *t;
	const struct weights_type *type;
	uint64_t n;		/* whole elements that are there */
	uint8_t *block;		/* WEIGHTS_BLOCK bytes, for reading again */
	/* Says it; negative when an event failed. */
	int (*flag)(void *ctx, const struct weights_at *at,
	    const struct weights_flag *f);
	void *ctx;
};

#define WEIGHTS_BLOCK (64 * 1024)

/*
 * weights_read: elements [first, first + n) into at->block; *got of them are
 * there.
 */
int weights_read(const struct weights_at *at, uint64_t first, uint64_t n,
    uint64_t *got, struct err *e);

void weights_statistic(struct weights_flag *f, const char *name, double value,
    char compare, double threshold);

#endif /* !ANALYZER_WEIGHTS_FLAG_H_ */
