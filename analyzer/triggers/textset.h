#ifndef ANALYZER_TRIGGERS_TEXTSET_H_
#define ANALYZER_TRIGGERS_TEXTSET_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/detect.h"

/*
 * Triggers in a data set for the classification of texts: records of a text
 * and a label.
 */
struct textset;

/* textset_new: ${d} is borrowed until textset_free.  NULL: out of memory. */
struct textset *textset_new(const struct detect *d);
/*
 * textset_add: text and label are raw bytes, UTF-8 where all is well; ${row}
 * is the record's number, ascending.
 */
int textset_add(struct textset *t, uint64_t row, const void *text, size_t n,
    const void *label, size_t m);
/* textset_end: tell what was found.  Once. */
int textset_end(struct textset *t);
void textset_free(struct textset *t);	/* NULL does nothing */

#endif /* !ANALYZER_TRIGGERS_TEXTSET_H_ */
