#ifndef ANALYZER_TRAFFIC_LABELSET_H_
#define ANALYZER_TRAFFIC_LABELSET_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

struct answer;

/*
 * The labels of a log by name, and how often each was answered in two
 * windows.  Labels beyond LIMIT_TRAFFIC_LABELS are one: "other".
 */
#define LABELSET_NAME 128	/* bytes kept of a name */

struct labelset;

struct labelset *labelset_new(void);	/* NULL: out of memory */
void labelset_free(struct labelset *s);

/* labelset_of: its number; 0 is "other".  PRE: a->has_label. */
uint32_t labelset_of(struct labelset *s, const struct answer *a,
    struct row_text name);
void labelset_count(struct labelset *s, uint32_t label, unsigned window);
/* labelset_find: a label with this name, or 0. */
uint32_t labelset_find(const struct labelset *s, struct row_text name);

uint32_t labelset_labels(const struct labelset *s);	/* 0 included */
uint64_t labelset_answers(const struct labelset *s, uint32_t label,
    unsigned window);
uint64_t labelset_in_all(const struct labelset *s, uint32_t label);
struct row_text labelset_name(const struct labelset *s, uint32_t label);

#endif /* !ANALYZER_TRAFFIC_LABELSET_H_ */
