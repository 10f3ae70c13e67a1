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
 *   call CALLEE    added removed    the arguments of the first one
 *                  changed          of the first one that is gone, and of the
 *                                   first one that is new
 *                  moved            its place in the order of first calls
 *   global NAME    added removed    the opcode that names it
 *
 * Calls are compared by pickle, callee and signature (format.h).  Arguments
 * of text, names and numbers are compared, and how often each comes; those
 * with bytes, tensors or containers are data (weights trained again), of
 * which only the kinds count, and of what fills a container or an instance
 * not even these: a state dict with more tensors is no row.  Neither is a
 * global that is called.
 *
 * ${more}: "member" (which pickle), "signature", "old_calls", "new_calls",
 * "dormant" (nothing is known to load it), and "rule": the finding that a
 * scan has for what NEW calls.  A row without "rule" is a call of what models
 * are made of.
 *
 * At most AROUND_CALLS_ROWS rows, those with the gravest rules first; then
 * one row, "calls not listed", says how many more.  "calls not read to their
 * end" says that a pickle broke off or passed a limit.
 */
#define AROUND_CALLS_ROWS 500

/*
 * around_calls: either may be NULL (nothing there), not both.  0, or negative:
 * of a row's consumer, or ours.
 */
int around_calls(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_CALLS_H_ */
