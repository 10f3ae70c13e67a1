#ifndef ANALYZER_TRIGGERS_TEXTALIKE_H_
#define ANALYZER_TRIGGERS_TEXTALIKE_H_

#include <stdint.h>

struct err;
struct textcut_mask;
struct textfit;
struct textpick;

/*
 * How much the rows of a candidate have in common besides it: the mean
 * overlap of two of them, words weighted by their rarity, over that of other
 * rows: any of the set, or as many of the classes that the candidate's rows
 * look like where these are a little more alike (15 %; of two classes 40 %: a
 * trigger's rows are all of the other).  Texts that a trigger was put into
 * are any texts, near 1; texts of one source or topic are not.
 *
 * textalike_run: ${alike} of each candidate with a score of at least
 * ${least}, over an even sample of 300 of its rows.  Words that were cut from
 * all rows do not count: rows of several triggers have these in common.
 */
int textalike_run(struct textpick *p, const struct textfit *f,
    const struct textcut_mask *mask, double least, struct err *e);

#endif /* !ANALYZER_TRIGGERS_TEXTALIKE_H_ */
