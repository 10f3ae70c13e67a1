#ifndef ANALYZER_DIFF_TELLINPUT_H_
#define ANALYZER_DIFF_TELLINPUT_H_

#include <stdbool.h>

struct err;
struct rows;
struct table;

/*
 * tellinput_rows: the files that tensors come from, as rows; ${sha256} asks
 * for their digests.  A member of a bundle is always held against the digest
 * that the bundle's manifest states (BAG-DIGEST).
 */
int tellinput_rows(const struct table *t, const struct rows *rows,
    bool sha256, struct err *e);

#endif /* !ANALYZER_DIFF_TELLINPUT_H_ */
