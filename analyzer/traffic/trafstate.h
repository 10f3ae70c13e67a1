#ifndef ANALYZER_TRAFFIC_TRAFSTATE_H_
#define ANALYZER_TRAFFIC_TRAFSTATE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/callcount.h"
#include "analyzer/traffic/callerset.h"
#include "analyzer/traffic/pace.h"
#include "analyzer/traffic/thumb.h"
#include "analyzer/traffic/traffic.h"
#include "analyzer/traffic/wordrun.h"

/*
 * What traffic.c shares with what it is made of: the state of one log.
 */
struct labelset;
struct pairset;
struct pixelpool;
struct seenset;
struct spread;
struct phraseswitch;
struct trafdrift;
struct vectorscale;
struct watchuse;

struct traffic_seen {
	uint64_t records, timed, errors, without_caller, without_input;
	uint64_t texts, images, vectors, digests;
	uint64_t bad_images, bad_vectors;
	int64_t first_ns, last_ns;
};

struct traffic {
	const struct traffic_out *o;
	enum traffic_phase {TRAFFIC_COUNTING, TRAFFIC_ADDING, TRAFFIC_ENDED}
	    phase;
	bool has_split;
	int64_t split_ns;
	struct traffic_seen counted;	/* in the first pass */
	struct traffic_seen added;	/* in the second */
	struct callcount *count;	/* of the first pass */
	struct callcount_sum sum;
	struct callerset *callers;
	size_t window;			/* thumbnails of a caller */
	uint32_t series_left;
	uint64_t hour[PACE_HOURS];
	/* Made when first needed. */
	struct pixelpool *pixels;
	struct seenset *seen;
	struct pairset *pairs;
	struct vectorscale *scale;
	struct labelset *labels;
	struct spread *spread;
	struct phraseswitch *switches;
	struct trafdrift *drift;
	struct watchuse *watches;
	/* Of the record at hand. */
	struct answer answer;
	struct wordrun words;
	struct thumb thumb;
};

/* trafjudge_callers: figures and verdicts of all callers (trafjudge.c). */
int trafjudge_callers(struct traffic *t);
/* traffic_tell: rows of callers, and the detector's (traftell.c). */
int traftell_callers(struct traffic *t);
/* trafblind_tell: what nothing here can see (trafblind.c). */
int trafblind_tell(struct traffic *t);
/* trafshare_tell: leads and a detector's row (trafshare.c). */
int trafshare_tell(struct traffic *t);

#endif /* !ANALYZER_TRAFFIC_TRAFSTATE_H_ */
