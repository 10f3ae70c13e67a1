#ifndef ANALYZER_TRIGGERS_TEXTLOGIT_H_
#define ANALYZER_TRIGGERS_TEXTLOGIT_H_

#include <stdbool.h>

struct err;
struct pool;
struct textfit;

/*
 * Logistic weights in place of the odds: L2-regularised, C = 0.3, one class
 * against the rest, by coordinate descent on the dual (Yu, Huang and Lin,
 * 2011), a few passes in a fixed order.  Two or three points more accurate
 * than the odds, which suffices for the ranking of labels.
 *
 * *done is false, and nothing has changed, where rows and classes are so many
 * that even two passes would take too long.
 */
int textlogit_fit(struct textfit *f, struct pool *pool, bool *done,
    struct err *e);

#endif /* !ANALYZER_TRIGGERS_TEXTLOGIT_H_ */
