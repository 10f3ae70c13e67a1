#ifndef ANALYZER_DIFF_STRUCTURE_FROZEN_H_
#define ANALYZER_DIFF_STRUCTURE_FROZEN_H_

#include "analyzer/diff/structure_parts.h"

struct err;
struct rows;

/*
 * structure_frozen_tell: LAYERS_FROZEN where part of the model is the same
 * and the rest moved, with the pattern in words: "only embeddings", "only
 * attention q, v in all layers", "only the last 2 layers", ...  0, or
 * negative.
 */
int structure_frozen_tell(const struct structure_view *v,
    const struct rows *rows, struct err *e);

#endif /* !ANALYZER_DIFF_STRUCTURE_FROZEN_H_ */
