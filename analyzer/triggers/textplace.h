#ifndef ANALYZER_TRIGGERS_TEXTPLACE_H_
#define ANALYZER_TRIGGERS_TEXTPLACE_H_

struct err;
struct pool;
struct textpick;

/*
 * Was a run of words dropped between two words that were neighbours already?
 * No labels are used, so it sees clean-label poison too.
 *
 * For a literal candidate, at its first place in each of the rows that hold
 * it (of more than 400 an even sample), l and r are the words around it.
 * With the pointwise mutual information of pairs over the whole set, m and s
 * its mean and deviation over pairs (l, r), and p_l, p_r how selective the
 * candidate is about its neighbours (a word with a grammar of its own is, a
 * dropped one is not):
 *   inside = (m - max(p_l, 0) - max(p_r, 0)) sqrt(n) / max(s, 0.8)
 * edge is the same at a text's start or end, for candidates of which at least
 * 80 % stand there.  Both 0 from fewer than 6 places.
 */
int textplace_run(struct textpick *p, struct pool *pool, struct err *e);

#endif /* !ANALYZER_TRIGGERS_TEXTPLACE_H_ */
