#ifndef ANALYZER_TRAFFIC_SWITCHPAIRS_H_
#define ANALYZER_TRAFFIC_SWITCHPAIRS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct textkeep;

/*
 * Pairs of kept texts of which one is the other and some words in a row more,
 * or an invisible code point, sorted by what is more.
 */
#define SWITCHPAIRS_MAX 1000000
#define SWITCHPAIRS_LOOKS 40000000	/* rests that are looked up */
#define SWITCHPAIRS_WORDS 12		/* of a phrase */
#define SWITCHPAIRS_REST 3		/* words that must be left */

struct switchpair {
	uint64_t phrase;	/* hash of its words, or of the code point */
	uint32_t with, without;	/* texts */
	uint32_t at, words;	/* words 0: a code point */
	uint32_t code;
};

struct switchpairs {
	struct switchpair *p;
	size_t n, cap;
	unsigned longest;	/* words of a phrase that were looked for */
	bool cut;		/* there were more */
};

/* switchpairs_find: to be released with free(ret->p). */
int switchpairs_find(const struct textkeep *k, struct switchpairs *ret);

/* switchpairs_invisible: is the code point drawn as nothing? */
bool switchpairs_invisible(uint32_t cp);

#endif /* !ANALYZER_TRAFFIC_SWITCHPAIRS_H_ */
