#ifndef ANALYZER_WEIGHTS_PRECISION_H_
#define ANALYZER_WEIGHTS_PRECISION_H_

#include <stdint.h>

#include "analyzer/weights_count.h"
#include "analyzer/weights_flag.h"

/*
 * Precision classes: weights that once had fewer bits than they have now keep
 * the rest clear, all of them.  A few that do not, side by side, have been
 * written to afterwards.
 */
struct weights_precision {
	struct weights_count count;	/* of the tensor */
	uint64_t windows;		/* so far */
	uint64_t most[WEIGHTS_CLASSES];	/* exceptions of one window */
	uint64_t full;			/* windows with weights enough */
	uint64_t none[WEIGHTS_CLASSES];	/* of them without an exception */
};

void weights_precision_begin(struct weights_precision *p);

/* Behind each window: its own counts. */
void weights_precision_window(struct weights_precision *p,
    const struct weights_count *c);

/* weights_precision_of: the tensor's class, or WEIGHTS_CLASSES: native. */
unsigned weights_precision_of(const struct weights_precision *p);

int weights_precision_end(struct weights_precision *p,
    const struct weights_at *at, struct err *e);

#endif /* !ANALYZER_WEIGHTS_PRECISION_H_ */
