#ifndef ANALYZER_TRAFFIC_CLUSTERS_H_
#define ANALYZER_TRAFFIC_CLUSTERS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/thumb.h"
#include "base/limits.h"

/*
 * Clusters of the inputs of one caller: whoever is near an earlier one is in
 * its cluster.  A table of LIMIT_TRAFFIC_CLUSTERS; when it is full the one
 * that rested longest makes room, large ones last, and that is counted.
 *
 * From SERIES_FROM members on an image's cluster has a series: how far each
 * member is from the first, light apart, and how probable the first's class
 * still is.  Series are few (LIMIT_TRAFFIC_SERIES for all callers).
 */
#define CLUSTERS_SERIES_FROM 8
#define CLUSTERS_LARGE 20
#define CLUSTERS_POINTS 256
#define CLUSTERS_TOP 3

struct clusters_series {
	uint32_t seen, kept, stride;
	float distance[CLUSTERS_POINTS];
	float probability[CLUSTERS_POINTS];	/* -1: not known */
	float first[THUMB];
	float head[2][THUMB];	/* sums of the first 8 and 40 */
	struct answer_class chosen;
};

struct cluster {
	uint32_t size, generation;
	uint64_t first, last;	/* numbers of records */
	uint64_t positions[2];	/* texts: a bit for each place of a hit */
	uint32_t hits, alike;	/* texts: hits; those that look alike */
	uint32_t hubbed;	/* hits near a text that others are near too */
	uint64_t cells;		/* images: what sparse differences touch */
	uint32_t compared, white;	/* pairs; those that differ by noise */
	uint64_t sources;	/* a bit for each source of a member */
	uint32_t crossed;	/* members near one of another source */
	struct clusters_series *series;
};

struct clusters {
	struct cluster *c;
	uint32_t count, cap;
	uint64_t dropped;	/* large ones that made room */
	uint64_t gone_hits, gone_alike;	/* of clusters_covered's among them */
	struct cluster top[CLUSTERS_TOP];	/* by size, of those dropped */
	uint32_t *left;		/* series that may still be made */
};

void clusters_init(struct clusters *k, uint32_t *series_left);
void clusters_release(struct clusters *k);

/* A member's note of its cluster; generation 0: none. */
struct clusters_mark {
	uint16_t at;
	uint16_t generation;
};

/* clusters_of: NULL when it has none, or it made room. */
struct cluster *clusters_of(const struct clusters *k,
    struct clusters_mark m);
/* clusters_begin: a cluster of one.  NULL: out of memory. */
struct cluster *clusters_begin(struct clusters *k, uint64_t number,
    struct clusters_mark *m);
/* clusters_top: the largest, at most CLUSTERS_TOP, those with no second
 * member left out. */
unsigned clusters_top(const struct clusters *k,
    struct cluster ret[CLUSTERS_TOP]);

/*
 * clusters_covered: hits, and those that look alike, of clusters that have at
 * least CLUSTERS_HITS of them at CLUSTERS_PLACES different positions or more,
 * a quarter of them around one text: who edits goes on from the last version,
 * who searches comes back to the best one.
 */
#define CLUSTERS_HITS 8
#define CLUSTERS_PLACES 5
bool clusters_covers(const struct cluster *c);
void clusters_covered(const struct clusters *k, uint64_t *hits,
    uint64_t *alike);

/* clusters_series_begin: NULL when there are too many, or no memory. */
struct clusters_series *clusters_series_begin(struct clusters *k,
    struct cluster *c, const uint8_t *first,
    const struct answer_class *chosen);
void clusters_series_add(struct clusters_series *s, const float *v,
    double probability);

#endif /* !ANALYZER_TRAFFIC_CLUSTERS_H_ */
