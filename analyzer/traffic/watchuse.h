#ifndef ANALYZER_TRAFFIC_WATCHUSE_H_
#define ANALYZER_TRAFFIC_WATCHUSE_H_

#include <stdint.h>

#include "analyzer/traffic/traffic.h"

struct labelset;

/*
 * Candidates from data and weights, looked up in the texts of a log: whether
 * each was used, when first and last, by whom, and what was answered.
 *
 * A value is found as bytes, ASCII letters alike in both cases; one that
 * begins or ends with a letter or digit must begin or end a word there, as
 * "cf" is not in "scfi".  The marks of tokenizers for a word's start (U+0120,
 * U+2581, "##") are taken off first.  What is then shorter than two bytes is
 * not looked up, and that is told.
 *
 * Used and answered with its target far more often than the rest of the log
 * is: a candidate.  Used otherwise: a lead.
 */
struct watchuse;

struct watchuse *watchuse_new(void);	/* NULL: out of memory */
void watchuse_free(struct watchuse *u);
int watchuse_value(struct watchuse *u, const struct traffic_watch *w);
int watchuse_look(struct watchuse *u, const struct traffic_record *r,
    uint64_t caller, uint32_t label);
int watchuse_tell(struct watchuse *u, const struct labelset *labels,
    uint64_t texts, const struct detect *d);

#endif /* !ANALYZER_TRAFFIC_WATCHUSE_H_ */
