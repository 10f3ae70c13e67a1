#ifndef ANALYZER_DIFF_AROUND_CALLS_H_
#define ANALYZER_DIFF_AROUND_CALLS_H_

#include "analyzer/diff/rows.h"

struct doc;
struct err;

/*
 * What changed between the calls that loading two files would make, as rows
 * of CHANGE_CALLS: pickles, and pickles that are members of a file (torch
 * archives, joblib, zip in zip, ...), each read as scan reads it.
 *
 *   key            what             old, new
 *   call CALLEE    added removed    its arguments (the first ones that are
 *                                   new or gone), in ${more} how often
 *                  changed          how often, when the arguments differ
 *                                   in number alone
 *                  moved            the order: places in it, 0-based
 *   global NAME    added removed    the opcode that names it
 *
 * Calls are compared by callee and signature (format.h), counted; a state
 * dict with ten thousand rebuilt tensors is one line.  Members are told with
 * "member" in ${more}.  At most AROUND_CALLS_ROWS rows; then one row, "calls
 * not listed", says how many more.
 */
#define AROUND_CALLS_ROWS 500

/* around_calls: 0, or negative: of a row's consumer, or ours. */
int around_calls(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_CALLS_H_ */
