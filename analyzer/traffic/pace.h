#ifndef ANALYZER_TRAFFIC_PACE_H_
#define ANALYZER_TRAFFIC_PACE_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/traffic/figures.h"

struct basis;

/*
 * When a caller asked, and what labels it got: statistics without a verdict.
 */
#define PACE_LABELS 64
#define PACE_HOURS 24

struct pace {
	uint64_t requests, errors, timed;
	int64_t first_ns, last_ns;
	int64_t second, minute;	/* the current ones */
	uint32_t in_second, in_minute, most_second, most_minute;
	uint32_t hour[PACE_HOURS];	/* UTC */
	struct figures_sample interval;	/* seconds */
	uint64_t label[PACE_LABELS];	/* hashes */
	uint64_t labelled[PACE_LABELS];
	unsigned labels;
	uint64_t other_labels;	/* answers with further ones */
};

void pace_time(struct pace *p, int64_t ns);	/* ascending */
void pace_label(struct pace *p, uint64_t label);

/* The quiet quarter of the day: six hours with the least of ${hour}. */
unsigned pace_quiet(const uint64_t hour[PACE_HOURS]);

/*
 * pace_tell: requests_per_second, burst_second, burst_minute,
 * interval_median, interval_spread (quartile distance over median: 0 is a
 * machine's clock), quiet_share, labels, label_coverage, label_entropy,
 * errors.  ${labels}: of the log.
 */
void pace_tell(struct pace *p, unsigned quiet, uint64_t labels,
    struct basis *b);

#endif /* !ANALYZER_TRAFFIC_PACE_H_ */
