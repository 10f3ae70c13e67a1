#ifndef ANALYZER_DIFF_STRIDED_H_
#define ANALYZER_DIFF_STRIDED_H_

#include <stdbool.h>
#include <stdint.h>

struct bytesrc;
struct err;
struct ev_view;
struct spill;
struct tensor;

/*
 * Views whose elements do not lie one after the other: what is compared is
 * the tensor as the program sees it, so they are written out row by row.
 */

/* strided_is_dense: row by row without a gap (lengths of 1 aside)? */
bool strided_is_dense(const struct ev_view *ev, unsigned rank);

/*
 * strided_copy: the view's elements into the spill; sets v->off and v->len.
 * PRE: v->n > 0 and v->elem has one element a block.  1 when the view leaves
 * its storage, is larger than LIMIT_DIFF_STRIDED, or does not fit.
 */
int strided_copy(struct spill *s, const struct bytesrc *src,
    const struct ev_view *ev, struct tensor *v, struct err *e);

/*
 * strided_transpose: a mapped 2-D tensor with rows and columns exchanged.  1
 * when it does not fit, or its type stores several elements together.
 */
int strided_transpose(struct spill *s, const struct tensor *x, uint64_t *off,
    struct err *e);

/*
 * strided_rows: its rows in another order, row i being row from[i] of ${x};
 * a vector's elements are its rows.  1 as above.
 */
int strided_rows(struct spill *s, const struct tensor *x,
    const uint32_t *from, uint64_t *off, struct err *e);

#endif /* !ANALYZER_DIFF_STRIDED_H_ */
