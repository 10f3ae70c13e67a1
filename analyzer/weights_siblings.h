#ifndef ANALYZER_WEIGHTS_SIBLINGS_H_
#define ANALYZER_WEIGHTS_SIBLINGS_H_

#include <stdint.h>

#include "analyzer/weights_flag.h"

struct weights_lanes;
struct weights_precision;

/*
 * What only shows when all tensors of an object are known: a tensor whose low
 * bytes are not noise from end to end while its siblings' are, and one of
 * more precision than its siblings.  Names must live until the end.
 */
struct weights_sibling;

struct weights_siblings {
	struct weights_sibling *v;
	size_t n, cap;
};

void weights_siblings_release(struct weights_siblings *s);

/* A tensor of at least WEIGHTS_WINDOW elements; reads one window again. */
int weights_siblings_add(struct weights_siblings *s,
    const struct weights_at *at, const struct weights_lanes *l,
    const struct weights_precision *p, struct err *e);

int weights_siblings_end(const struct weights_siblings *s,
    int (*flag)(void *ctx, const struct weights_at *at,
    const struct weights_flag *f), void *ctx);

#endif /* !ANALYZER_WEIGHTS_SIBLINGS_H_ */
