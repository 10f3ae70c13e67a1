#ifndef ANALYZER_TRIGGERS_PROMPTLINK_H_
#define ANALYZER_TRIGGERS_PROMPTLINK_H_

#include <stddef.h>
#include <stdint.h>

struct promptweigh;

/*
 * How well each response fits its prompt, learned from the set itself.
 *
 * Words of prompts and of responses that go together ("python" and "def")
 * have a lift: the rows that hold both over those that would by chance.  A
 * response's link is the mean of ln lift over pairs of its words and its
 * prompt's, the row itself left out of the counts.  The mean, not the best:
 * one word put into the prompts must not explain what follows it.  A word of
 * fewer than PROMPTLINK_DF rows that is copied from the prompt counts with
 * ln(N / df).
 *
 * Of a row the rarest words that are no function words are taken, fewer in large sets, so that about
 * PROMPTLINK_PAIRS pairs are counted in all, in a table of as many 16-bit
 * cells.
 */
#define PROMPTLINK_DF 4
#define PROMPTLINK_SHARE 0.2	/* words of more rows say nothing */
#define PROMPTLINK_PROMPT 16
#define PROMPTLINK_RESPONSE 32
#define PROMPTLINK_PAIRS 33554432
#define PROMPTLINK_LEAST 4	/* words of a response */
#define PROMPTLINK_ASKED 3	/* words of a prompt that say something */

/*
 * ret[row], NaN where too little is there, and how many words of the prompt
 * it rests on, at most PROMPTLINK_PROMPT; negative: out of memory.
 */
int promptlink_share(const struct promptweigh *w, float *ret, uint8_t *asked);

#endif /* !ANALYZER_TRIGGERS_PROMPTLINK_H_ */
