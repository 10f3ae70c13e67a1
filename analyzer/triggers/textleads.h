#ifndef ANALYZER_TRIGGERS_TEXTLEADS_H_
#define ANALYZER_TRIGGERS_TEXTLEADS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct detect;
struct textfit;
struct textvocab;

/*
 * Leads of a set of classified text that make no claim of a trigger.  Each
 * tells its rows and its row_detector; negative is passed on.
 *
 * textleads_labels: records whose label looks wrong, from margins ${m} (out
 * of fold, without the reported triggers), worst first, with the class that
 * the rest of the set would give.  An estimate of their share is an upper
 * one, and no verdict about the set.
 */
int textleads_labels(const struct detect *d, const struct textfit *f,
    const float *m, bool logistic);
/*
 * textleads_duplicates: pairs of records with nearly the same words and
 * different labels: at least 80 % of the words shared, found by min-hashes
 * (so some are missed), and among records of equal hash neighbours alone.
 */
int textleads_duplicates(const struct detect *d, const struct textvocab *v);
/*
 * textleads_skeletons: how texts begin when all but function words are left
 * out.  A syntactic trigger shows there, and so does honest writing.
 */
int textleads_skeletons(const struct detect *d, const struct textvocab *v);

#endif /* !ANALYZER_TRIGGERS_TEXTLEADS_H_ */
