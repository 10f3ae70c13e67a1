#ifndef ANALYZER_TRAFFIC_SPREAD_H_
#define ANALYZER_TRAFFIC_SPREAD_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

struct answer;
struct callerset;
struct detect;
struct pixelpool;
struct thumb;
struct wordrun;

/*
 * One search that hides behind many keys: inputs that look alike, whoever
 * sent them, are judged as if one caller had.
 *
 * Images are grouped by the grey of 4 x 4 blocks in steps of 32, texts by the
 * smallest hash of their pairs of words, so some of a search falls beside its
 * group.  A group is looked at once 8 inputs of 3 callers fell into it; the
 * rules of a caller then hold for it, when in one of its clusters half of the
 * neighbours are of different callers, three at least.
 */
struct spread;

struct spread_input {
	uint64_t caller;	/* hash */
	struct row_text name;
	uint64_t number;
	bool several;		/* the log has more callers than this one */
	bool vector;
	uint64_t pixels;	/* key in the pool */
	const struct answer *answer;
	const struct wordrun *words;	/* a text */
	const struct thumb *thumb;	/* an image */
};

struct spread *spread_new(uint32_t *series_left); /* NULL: out of memory */
void spread_free(struct spread *s);
int spread_add(struct spread *s, const struct spread_input *in,
    const struct pixelpool *pool);
/* spread_judge: "distributed" for callers that took part. */
int spread_judge(struct spread *s, struct callerset *callers);
int spread_tell(const struct spread *s, const struct detect *d);

#endif /* !ANALYZER_TRAFFIC_SPREAD_H_ */
