#ifndef ANALYZER_TRIGGERS_TEXTALIKE_H_
#define ANALYZER_TRIGGERS_TEXTALIKE_H_

#include <stdint.h>

struct err;
struct textpick;

/*
 * How much the rows of a candidate have in common besides it: the mean
 * overlap of two of them, words weighted by their rarity, over that of rows
 * drawn from the whole set, or from the other classes if that is larger.  Texts that a trigger was put into are any texts,
 * near 1; texts of one source or topic are not.
 *
 * textalike_run: ${alike} of each candidate with a score of at least
 * ${least}.  Words with a mark in ${masked} do not count: rows of several
 * triggers have these in common.
 */
int textalike_run(struct textpick *p, double least, const uint8_t *masked,
    struct err *e);

#endif /* !ANALYZER_TRIGGERS_TEXTALIKE_H_ */
