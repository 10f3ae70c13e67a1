#ifndef ANALYZER_TRAFFIC_IMAGEPROBE_H_
#define ANALYZER_TRAFFIC_IMAGEPROBE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/clusters.h"
#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/thumb.h"

struct pixelpool;

/*
 * The images (or vectors, as thumbnails) of one caller: each is compared
 * with the latest ${window} different ones before it.
 */
struct imageprobe;

struct imageprobe_image {
	const struct thumb *thumb;
	bool vector;		/* no pixels: thumbnails alone */
	uint64_t pixels;	/* key in the pool, or 0 */
	uint64_t number;	/* of the record */
	unsigned source;	/* below 64: whose it is, of several */
	const struct answer *answer;
};

/* What docs/TRAFFIC.md calls by these names; NAN: not known. */
struct imageprobe_figures {
	uint64_t requests, distinct, joined, roots, max_cluster;
	uint64_t compared;	/* pairs, pixel by pixel */
	uint64_t still_cluster;	/* the largest in which nothing moves */
	double exact_dup, near_dup, sparse_diff, noise_diff, drift, dmag;
	double goal, margin, flip;
	unsigned cells;		/* of 64 that the sparse differences of one
				 * cluster touch, at most */
	double lone;		/* share of sparse ones without a blob */
	double continuity;	/* share that repeats most of one of the last
				 * 4, light and small things apart */
	bool large;		/* a cluster of CLUSTERS_LARGE */
};

/*
 * NULL: out of memory.  *series_left is shared by all callers.  Of several
 * sources only neighbours of different ones count as joined.
 */
struct imageprobe *imageprobe_new(size_t window, bool several,
    uint32_t *series_left);
void imageprobe_free(struct imageprobe *p);

void imageprobe_again(struct imageprobe *p);	/* an exact repetition */
int imageprobe_add(struct imageprobe *p, const struct imageprobe_image *im,
    const struct pixelpool *pool);
void imageprobe_figures(struct imageprobe *p,
    struct imageprobe_figures *ret);

uint64_t imageprobe_requests(const struct imageprobe *p);
const struct clusters *imageprobe_clusters(const struct imageprobe *p);
/* Sampled: variation of images, largest probability. */
struct figures_sample *imageprobe_variation(struct imageprobe *p);
struct figures_sample *imageprobe_confidence(struct imageprobe *p);

#endif /* !ANALYZER_TRAFFIC_IMAGEPROBE_H_ */
