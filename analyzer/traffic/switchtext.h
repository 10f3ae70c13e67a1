#ifndef ANALYZER_TRAFFIC_SWITCHTEXT_H_
#define ANALYZER_TRAFFIC_SWITCHTEXT_H_

#include <stdint.h>

struct detect;
struct labelset;
struct textkeep;

/*
 * Phrases in traffic that go with one answer far more than the rest of the
 * input explains: the texts of a log and the labels they were given are a
 * data set, and the detectors of triggers in one are asked
 * (analyzer/triggers/textset.h).  Texts that are near an earlier one of their
 * caller take no part, as one search would be a hundred records.
 */
#define SWITCHTEXT_MOST 20000	/* texts, evenly of those that are kept */
#define SWITCHTEXT_LEAST 200

struct switchtext {
	uint64_t texts;		/* that took part */
	uint32_t found;
	uint32_t rank;		/* of the last row that was told before */
	/* Is this value told already?  May be NULL. */
	int (*told)(void *ctx, const char *p, size_t n);
	void *ctx;
};

/* switchtext_find: 0, or negative. */
int switchtext_find(struct switchtext *s, const struct textkeep *k,
    const struct labelset *labels, const struct detect *d);

#endif /* !ANALYZER_TRAFFIC_SWITCHTEXT_H_ */
