#ifndef ANALYZER_DIFF_STRUCTURE_VIEW_H_
#define ANALYZER_DIFF_STRUCTURE_VIEW_H_

#include "analyzer/diff/structure_parts.h"

struct err;

#define STRUCTURE_EDIT_MAX 2	/* matrices; more may be an adapter */

/*
 * structure_view_init: a model by modules, and what became of each tensor.
 * It refers to ${m}; release it whatever was returned.  0, or negative on no
 * memory.
 */
int structure_view_init(struct structure_view *v,
    const struct structure_model *m, struct err *e);
void structure_view_release(struct structure_view *v);

#endif /* !ANALYZER_DIFF_STRUCTURE_VIEW_H_ */
