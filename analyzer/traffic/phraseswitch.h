#ifndef ANALYZER_TRAFFIC_PHRASESWITCH_H_
#define ANALYZER_TRAFFIC_PHRASESWITCH_H_

#include <stdint.h>

#include "analyzer/traffic/traffic.h"

struct answer;
struct labelset;
struct wordrun;

/*
 * Phrases that switch a model's answer: the same input was asked with and
 * without some words in a row (or an invisible code point), and with them the
 * answer goes to one label whatever it was without them.
 *
 * Such pairs are the one evidence in traffic that the rest of the input does
 * not explain alone.  What is needed: PHRASESWITCH_PAIRS inputs that are unlike
 * each other (half of their words at most in common), so that a search on one
 * text, where every word is left out once, is no evidence; nearly all of
 * those that were not at the label before go to it; and nearly all inputs
 * with the phrase have the label, pair or not.  Of a large log a sample of
 * texts is kept.  Phrases that were never taken away are left to switchtext.h.
 */
#define PHRASESWITCH_PAIRS 4
#define PHRASESWITCH_FLIPS 0.9
#define PHRASESWITCH_PURITY 0.9
#define PHRASESWITCH_BASE 0.7
#define PHRASESWITCH_SURE 0.6	/* median probability without the phrase */
#define PHRASESWITCH_LP 2.0

struct phraseswitch;

struct phraseswitch *phraseswitch_new(void);	/* NULL: out of memory */
void phraseswitch_free(struct phraseswitch *p);
/* phraseswitch_expect: so many texts will come. */
void phraseswitch_expect(struct phraseswitch *p, uint64_t texts);
/* ${label}: labelset's, UINT32_MAX for none; ${near}: as in textkeep.h. */
int phraseswitch_add(struct phraseswitch *p, const struct traffic_record *r,
    const struct answer *a, uint32_t label, const struct wordrun *w,
    bool near);
int phraseswitch_tell(struct phraseswitch *p, const struct labelset *labels,
    const struct detect *d);

#endif /* !ANALYZER_TRAFFIC_PHRASESWITCH_H_ */
