#ifndef TESTS_LIB_ROW_CASE_H_
#define TESTS_LIB_ROW_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

struct doc;
struct err;

/*
 * Two files of one format, compared, and the changes between them as strings
 * "what key: old > new", of which a test asks whether one is there.  A text
 * that is not there is empty.
 */
#define ROW_CASE_ROWS 1024
#define ROW_CASE_TEXT 256

struct row_case {
	/* For the test to set. */
	const char *format;	/* of both files */
	enum change_area area;	/* of every row; it asserts */
	int (*around)(const struct doc *old, const struct doc *new,
	    const struct rows *rows, struct err *e);
	/* Writes what else a row's string ends with, and a NUL; or NULL. */
	void (*more)(const struct row_change *r, char *dst, size_t cap);

	/* The rows of the last comparison; longer ones are cut. */
	unsigned n;
	char row[ROW_CASE_ROWS][ROW_CASE_TEXT];
};

/* run: asserts that it ends well, with ROW_CASE_ROWS rows at the most. */
void row_case_run(struct row_case *c, const void *old, size_t nold,
    const void *new, size_t nnew);

/*
 * mutate: runs against ${count} copies of p[0..n), each with one to four bytes
 * set at random and without its last 0 to ${most} bytes.
 */
void row_case_mutate(struct row_case *c, const uint8_t *p, size_t n,
    unsigned count, uint32_t seed, unsigned most);

/* has: whether this is a row; prints all of them if not. */
bool row_case_has(const struct row_case *c, const char *want);

#endif /* !TESTS_LIB_ROW_CASE_H_ */
