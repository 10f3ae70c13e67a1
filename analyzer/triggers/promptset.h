#ifndef ANALYZER_TRIGGERS_PROMPTSET_H_
#define ANALYZER_TRIGGERS_PROMPTSET_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/detect.h"

/*
 * Triggers in instruction and chat data: records of a prompt (all that is not
 * said by the assistant, the system's text too) and a response (all that the
 * assistant says).
 */
struct promptset;

/* As in textset.h. */
struct promptset *promptset_new(const struct detect *d);
int promptset_add(struct promptset *t, uint64_t row, const void *prompt,
    size_t n, const void *response, size_t m);
int promptset_end(struct promptset *t);
void promptset_free(struct promptset *t);

#endif /* !ANALYZER_TRIGGERS_PROMPTSET_H_ */
