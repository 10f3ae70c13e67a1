#ifndef ANALYZER_TRAFFIC_CALLERSET_H_
#define ANALYZER_TRAFFIC_CALLERSET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"
#include "analyzer/traffic/callerjudge.h"
#include "analyzer/traffic/pace.h"

struct callcount_pick;

/*
 * The callers that are looked at, and what is known of each.  A name is kept
 * from the first record of its caller, up to LIMIT_TRAFFIC_NAME bytes.
 */
#define CALLERSET_BUCKETS 64	/* of the time line */

struct callerset_text {
	char *p;		/* NULL: absent */
	size_t n;
};

struct callerset_caller {
	uint64_t hash;
	uint64_t counted;	/* requests in the first pass */
	bool seen, several_endpoints;
	struct callerset_text name, endpoint;
	uint64_t endpoint_hash;
	uint64_t texts, images, vectors, digests, again;
	uint32_t bucket[CALLERSET_BUCKETS];
	struct pace pace;
	struct imageprobe *image;	/* NULL: none came */
	struct textprobe *text;
	struct callerjudge_verdicts verdicts;
	struct callerjudge_images image_figures;
	struct callerjudge_texts text_figures;
};

struct callerset;

/* callerset_new: takes no hold of ${p}.  NULL: out of memory. */
struct callerset *callerset_new(const struct callcount_pick *p, size_t n);
void callerset_free(struct callerset *s);
size_t callerset_count(const struct callerset *s);
struct callerset_caller *callerset_at(struct callerset *s, size_t i);
/* callerset_find: its number, or callerset_count. */
size_t callerset_find(const struct callerset *s, uint64_t hash);

/* callerset_copy: a copy, cut at ${max}; absent stays so. */
int callerset_copy(struct callerset_text *to, struct row_text t, size_t max);
struct row_text callerset_row(const struct callerset_text *t);

#endif /* !ANALYZER_TRAFFIC_CALLERSET_H_ */
