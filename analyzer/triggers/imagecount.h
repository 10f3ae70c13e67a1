#ifndef ANALYZER_TRIGGERS_IMAGECOUNT_H_
#define ANALYZER_TRIGGERS_IMAGECOUNT_H_

#include <stdint.h>

#include "analyzer/triggers/imageset_parts.h"

/*
 * Which blocks are in many images: the keys of imagekeys.h of all images,
 * counted in bounded memory.
 *
 *	1  every key raises one of 2^28 counters of two bits at most, an
 *	   eighth of them used: what stays below 3 is rare
 *	2  keys whose counter came to 3 get an entry that counts images, and
 *	   weighs whether they have one label (Boyer and Moore's vote)
 *	3  of the IMAGECOUNT_WANTED best of each family, which images hold them
 *
 * Keys are sorted into parts by their first bits, so that a part's counters
 * are near and one thread has them: the same on any number of threads.  The
 * families with most keys are counted one after the other in large sets.
 */
#define IMAGECOUNT_WANTED 400
#define IMAGECOUNT_LEAST 4	/* images that hold it */

struct imagecount_key {
	uint64_t key;		/* its head */
	uint32_t count;		/* images */
	uint32_t votes;		/* how many more of one label than of others */
	uint32_t cls;		/* that label */
	uint64_t *bits;		/* of images that hold it */
};

struct imagecount {
	struct imagecount_key *keys;	/* by family, best first */
	size_t n;
	uint64_t *bits;		/* of all of them */
	uint64_t counted;	/* keys of all images */
	uint64_t dropped;	/* had no room in step 2 */
	uint64_t unwanted;	/* left out in step 3, in 4 images or more */
};

/* imagecount_run: 0 or negative; release in both cases. */
int imagecount_run(const struct imageset *t, struct imagecount *ret);
void imagecount_release(struct imagecount *c);

#endif /* !ANALYZER_TRIGGERS_IMAGECOUNT_H_ */
