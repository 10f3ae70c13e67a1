#ifndef ANALYZER_TRAFFIC_TRAFDRIFT_H_
#define ANALYZER_TRAFFIC_TRAFDRIFT_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/traffic/traffic.h"

struct answer;
struct labelset;
struct thumb;
struct wordrun;

/*
 * Drift of inputs and answers between two windows of a log, and a time line
 * of 64 parts.
 *
 * Numbers (lengths, confidence, variation of images) by the distance of
 * Kolmogorov and Smirnov; labels and lengths by the population stability
 * index; inputs as a whole by the maximum mean discrepancy (Gretton et al.
 * 2012) of hashed words or thumbnails, a Gaussian kernel of median width and
 * fixed permutations.  All of samples.  What is above its threshold is a
 * lead: traffic changes for many honest reasons.
 */
#define TRAFDRIFT_BUCKETS 64

struct trafdrift;

struct trafdrift_span {
	uint64_t records;
	bool by_time, has_split;
	int64_t first_ns, last_ns, split_ns;
};

/* Where a record is. */
struct trafdrift_place {
	unsigned bucket, window;
	uint32_t label;		/* labelset's; UINT32_MAX: none */
};

struct trafdrift *trafdrift_new(const struct trafdrift_span *s);
void trafdrift_free(struct trafdrift *d);
/* trafdrift_place: once for each record, in their order. */
void trafdrift_place(struct trafdrift *d, const struct traffic_record *r,
    struct trafdrift_place *ret);
void trafdrift_answer(struct trafdrift *d, const struct trafdrift_place *at,
    const struct traffic_record *r, const struct answer *a);
/* Words of a text, thumbnail of an image or vector; NULL: none. */
void trafdrift_input(struct trafdrift *d, const struct trafdrift_place *at,
    const struct traffic_record *r, enum traffic_kind kind,
    const struct wordrun *words, const struct thumb *thumb);
/* trafdrift_bucket: records of a part of the time line. */
uint64_t trafdrift_bucket(const struct trafdrift *d, unsigned bucket);
int trafdrift_tell(struct trafdrift *d, const struct labelset *labels,
    const struct detect *to);

#endif /* !ANALYZER_TRAFFIC_TRAFDRIFT_H_ */
