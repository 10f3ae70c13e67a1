#ifndef ANALYZER_TRAFFIC_TRAFFIC_H_
#define ANALYZER_TRAFFIC_TRAFFIC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"

/*
 * What the callers of a model did, from its API logs: extraction, evasion
 * probing, the use of a trigger, and drift (docs/TRAFFIC.md).
 *
 * Records come twice: first all of them in any order (traffic_count), then in
 * the order of time (traffic_add); what is not known of a record is absent.
 * A record without a time keeps its place.  Memory is bounded by tables and
 * samples of fixed size, and what they leave out is told.
 *
 * Told at the end: a row for each judged caller (50 requests or more; those
 * with verdicts first, then the busiest, at most LIMIT_TRAFFIC_CALLERS), then
 * candidates and leads, then a row for each detector, also for what nothing
 * here can see (applied: false).  Verdicts of callers:
 *   evasion-optimisation, evasion-few-pixel, evasion-boundary,
 *   extraction-inputs, extraction-confidence (images, vectors);
 *   evasion-word-search, evasion-character-search, extraction-dictionary,
 *   extraction-text (texts);
 *   distributed: takes part in a search that is spread over callers.
 * Methods: "traffic-callers", "traffic-distributed", "traffic-switch",
 * "traffic-use", "traffic-concentration", "traffic-drift", and for what is
 * not covered "traffic-blind-...".
 */
struct traffic;

enum traffic_kind {
	TRAFFIC_NONE,		/* no input, or a digest alone */
	TRAFFIC_TEXT,
	TRAFFIC_IMAGE,		/* pixels, 8 bit */
	TRAFFIC_VECTOR,		/* numbers */
};

/* Texts are raw bytes of the log; all points live during the call. */
struct traffic_record {
	bool has_time;
	int64_t ns;		/* since 1970 */
	uint64_t number;	/* of the record in the whole log, 0-based */
	struct row_text caller, endpoint, model;
	struct row_text label;	/* of the answer; absent: not known */
	struct row_text output;	/* text of the answer */
	enum traffic_kind kind;
	struct row_text text;			/* TEXT */
	const uint8_t *pixels;			/* IMAGE: rows of pixels */
	uint32_t width, height, channels;	/* 1, 3 or 4 bytes a pixel */
	const double *vector;			/* VECTOR */
	size_t nvector;
	const double *scores;	/* of the classes, as logged; one alone is
				 * the confidence in ${label} */
	size_t nscores;
	/* Names of the scores' classes, as many; NULL: by their place. */
	const struct row_text *classes;
	bool has_status, has_digest;
	unsigned status;	/* of HTTP; 400 and above: counts for rates
				 * alone */
	uint8_t digest[32];	/* SHA-256 of the input, where logged; none
				 * need be made up for an input that is here */
	uint64_t in_bytes, out_bytes;	/* 0: not known */
};

/* A value to look for in inputs: a candidate from data or weights. */
struct traffic_watch {
	const char *kind;	/* "token", "phrase", "character", ... */
	struct row_text value, target;
	const char *method;	/* whose candidate it is */
};

struct traffic_out {
	struct detect d;	/* candidates, leads, detectors */
	int (*caller)(void *ctx, const struct row_caller *r);
	void *ctx;
};

/*
 * traffic_new: ${o} is borrowed until traffic_free; NULL: out of memory.  The
 * others return 0, or negative with o->d.e filled.
 */
struct traffic *traffic_new(const struct traffic_out *o);
/* traffic_watch: before the first record. */
int traffic_watch(struct traffic *t, const struct traffic_watch *w);
/*
 * traffic_split: drift is told between what came before ${ns} and after it;
 * without this call, between the halves.  Before traffic_ready.
 */
void traffic_split(struct traffic *t, int64_t ns);
/*
 * traffic_count looks at caller, time, status, kind and the input's length
 * alone (in_bytes, or text.n): the input itself need not be decoded for it.
 */
int traffic_count(struct traffic *t, const struct traffic_record *r);
/* traffic_ready: no more traffic_count; now traffic_add, in order of time. */
int traffic_ready(struct traffic *t);
int traffic_add(struct traffic *t, const struct traffic_record *r);
/* traffic_end: tell what was found.  Once. */
int traffic_end(struct traffic *t);
void traffic_free(struct traffic *t);	/* NULL does nothing */

#endif /* !ANALYZER_TRAFFIC_TRAFFIC_H_ */
