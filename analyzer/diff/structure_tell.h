#ifndef ANALYZER_DIFF_STRUCTURE_TELL_H_
#define ANALYZER_DIFF_STRUCTURE_TELL_H_

#include "analyzer/diff/structure_parts.h"

struct rows;

/* Rows of what structure.c decided.  0, or what their sink returned. */

/* Of low rank: ${edit} in a few matrices, else an adapter. */
int structure_tell_low(const struct structure_view *v,
    const struct structure_choice *low, bool edit, const struct rows *rows);

/* Dense, or undecidable; ${beside}: what is of low rank, told or not. */
int structure_tell_dense(const struct structure_view *v,
    const struct structure_choice *dense,
    const struct structure_choice *beside, const struct rows *rows);

struct row_conclusion;

/* structure_tell_names: the names of a choice, ROW_TENSORS at most. */
void structure_tell_names(const struct structure_view *v,
    const struct structure_choice *c, struct row_conclusion *to);

#endif /* !ANALYZER_DIFF_STRUCTURE_TELL_H_ */
