#ifndef ANALYZER_TRAFFIC_PAIRSET_H_
#define ANALYZER_TRAFFIC_PAIRSET_H_

#include <stddef.h>
#include <stdint.h>

struct wordrun;

/*
 * Pairs of neighbouring words and whether more than one caller uses them:
 * the share of a caller's pairs that nobody else uses says how foreign its
 * texts are.
 *
 * A pair is counted for its first caller with the weight it has in the
 * caller's texts, and taken away when another one uses it.  When the table
 * (LIMIT_TRAFFIC_PAIRS) is full, pairs whose hash ends in few zeros are given
 * up, for all callers alike, and the shares are of the rest: a sample.
 * Callers that are not looked at only enter it while it is half empty.
 */
struct pairset;

/* pairset_new: callers 0 to ${callers} - 1, and one for all others. */
struct pairset *pairset_new(uint32_t callers);
void pairset_free(struct pairset *p);
/* ${caller} may be ${callers}: somebody else. */
int pairset_add(struct pairset *p, uint32_t caller, const struct wordrun *w);
/* pairset_foreign: mean over texts of the share; 0 when there are none. */
double pairset_foreign(const struct pairset *p, uint32_t caller);
/*
 * pairset_fresh: of the pairs that nobody else uses, different ones to all:
 * words in no order are always new, a template is always the same.
 */
double pairset_fresh(const struct pairset *p, uint32_t caller);
unsigned pairset_level(const struct pairset *p); /* 1 of 2^level is kept */

#endif /* !ANALYZER_TRAFFIC_PAIRSET_H_ */
