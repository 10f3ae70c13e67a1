#ifndef ANALYZER_TRAFFIC_TRAFFIC_H_
#define ANALYZER_TRAFFIC_TRAFFIC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"

/*
 * What the callers of a model did, from its API logs: extraction, evasion
 * probing, the use of a trigger, and drift.
 *
 * Records come twice: first all of them in any order (traffic_count), then in
 * the order of time (traffic_add); what is not known of a record is absent.
 * Memory is bounded by tables and samples of fixed size, and what they leave
 * out is told.
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
	const double *scores;	/* of the classes, as logged */
	size_t nscores;
	bool has_status, has_digest;
	unsigned status;	/* of HTTP */
	uint8_t digest[32];	/* SHA-256 of the input, where logged */
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

/* traffic_new: ${o} is borrowed until traffic_free. */
struct traffic *traffic_new(const struct traffic_out *o);
/* traffic_watch: before the first record. */
int traffic_watch(struct traffic *t, const struct traffic_watch *w);
int traffic_count(struct traffic *t, const struct traffic_record *r);
/* traffic_ready: no more traffic_count; now traffic_add, in order of time. */
int traffic_ready(struct traffic *t);
int traffic_add(struct traffic *t, const struct traffic_record *r);
/* traffic_end: tell what was found.  Once. */
int traffic_end(struct traffic *t);
void traffic_free(struct traffic *t);	/* NULL does nothing */

#endif /* !ANALYZER_TRAFFIC_TRAFFIC_H_ */
