#ifndef ANALYZER_DIFF_RENAME_H_
#define ANALYZER_DIFF_RENAME_H_

#include <stddef.h>

/*
 * Tensor names across wrappers and frameworks.
 */

/*
 * rename_bare: ${name} without what wrappers put in front: up to two of
 * "model.", "module.", "transformer.", "base_model.model.", "_orig_mod." and
 * the like.  Points into ${name}.
 */
const char *rename_bare(const char *name, size_t n, size_t *ret);

/*
 * rename_canonical: GGUF's name for it, by rename.def, into dst; 0 when the
 * table has none or it does not fit.  in_proj_weight is in_proj.weight.
 */
size_t rename_canonical(const char *name, size_t n, char *dst, size_t cap);

/*
 * rename_part: for a canonical name of a fused tensor ("blk.0.attn_qkv.
 * weight"), that of its part ${i} in order of rows; 0 when there is none.
 */
size_t rename_part(const char *name, size_t n, unsigned i, char *dst,
    size_t cap);
#define RENAME_PARTS 3

#endif /* !ANALYZER_DIFF_RENAME_H_ */
