#ifndef ANALYZER_TENSORS_H_
#define ANALYZER_TENSORS_H_

#include <stdint.h>

#include "analyzer/weights.h"

struct bytesrc;
struct err;
struct ev_tensor;

/*
 * The tensors of one object, as one format tells them: kept until it is known
 * that the format holds, then handed to the deep pass in the order of their
 * bytes, each range once.  A tensor whose bytes are in another file (which is
 * open during the event alone) is examined at once.
 *
 * At most LIMIT_TENSORS are kept, and LIMIT_TENSORS_OUTSIDE bytes of other
 * files are read; the rest are not examined, which is said (OBJ-LIMIT).
 */
struct tensors;

/* tensors_new: NULL and *e on no memory.  ${ev} and ${ctx} as weights_new. */
struct tensors *tensors_new(const struct weights_events *ev, void *ctx,
    struct err *e);
void tensors_free(struct tensors *t);	/* NULL does nothing */

int tensors_add(struct tensors *t, const struct ev_tensor *ev,
    struct err *e);

/* tensors_examine: those in the object itself, ${src}, and the end. */
int tensors_examine(struct tensors *t, const struct bytesrc *src,
    struct err *e);

/* tensors_count: how many were examined; 0 for NULL. */
uint64_t tensors_count(const struct tensors *t);

#endif /* !ANALYZER_TENSORS_H_ */
