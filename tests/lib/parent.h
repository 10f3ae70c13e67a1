#ifndef TESTS_LIB_PARENT_H_
#define TESTS_LIB_PARENT_H_

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/session.h"

/*
 * The parent of a comparison, for workers of a test's own, and a scratch
 * folder for the sides.  One at a time; a test fails when it does not fit.
 * Files stay in the folder until the end of the group.
 */
extern char parent_top[];		/* the folder */

/*
 * The result of the last run, a line for each row, with paths below the
 * folder: "input a\n", "finding DIFF-SHRANK b SIGBUS\n".
 */
extern char parent_told[1 << 16];
extern struct diff_summary parent_sum;
extern bool parent_failed;

/* Setup and teardown of a group: the folder, and "carved", a folder in it. */
int parent_setup(void **state);
int parent_teardown(void **state);

/* parent_at: a path in the folder; it lives until 16 more were asked for. */
const char *parent_at(const char *name);
/* parent_put: a file of n zeros. */
void parent_put(const char *name, size_t n);

/* parent_run: what diff_run returns. */
int parent_run(const struct diff_options *o, struct err *e);

/*
 * For workers, in their own process.  parent_begin: what every worker begins
 * with; the wire to the parent and its rows can be used then.
 */
extern struct diff_wire parent_wire;
extern struct rows parent_rows;
void parent_begin(int fd);
/* parent_tensor: sends the row of a tensor that changed. */
void parent_tensor(void);

#endif /* !TESTS_LIB_PARENT_H_ */
