#ifndef ANALYZER_DIFF_ROWTAP_H_
#define ANALYZER_DIFF_ROWTAP_H_

#include "analyzer/diff/rows.h"

/*
 * A place on the way of rows, for who adds to some of them, or to what comes
 * behind: all go on to ${to} unchanged until a function of ${rows} is
 * replaced.  A replacement gets the tap as its ctx.
 */
struct rowtap {
	struct rows to;
	struct rows rows;	/* what to tell rows to */
};

/* rowtap_init: ${t} must outlive the use of t->rows. */
void rowtap_init(struct rowtap *t, const struct rows *to);

#endif /* !ANALYZER_DIFF_ROWTAP_H_ */
