#ifndef TESTS_LIB_CHANGE_CASE_H_
#define TESTS_LIB_CHANGE_CASE_H_

#include <stdbool.h>

#include "analyzer/diff/rows.h"
#include "base/buf.h"

struct arena;

/*
 * The changes that a comparison tells, as lines in their order: what a test
 * compares with the text that it expects.
 *
 *   key what old -> new | numbers
 *
 * "-" stands for a text that is not there; " | numbers" is left out where
 * there are none.
 */
struct change_case {
	/* Numbers are lines of ${numbers}, one a row, instead. */
	bool apart;
	struct buf text, numbers;
	unsigned rows;
	int answer;		/* to each row; 0 unless the test sets it */
	struct arena *arena;	/* for what is compared */
};

/*
 * setup, teardown: of one test, whose state is a struct change_case; setup
 * leaves ${apart} as it is.
 */
int change_case_setup(void **state);
int change_case_teardown(void **state);

/* take: a change of struct rows; asserts that its numbers are well made. */
int change_case_take(void *c, const struct row_change *r);

/* forget: the lines; ${rows} is 0 again. */
void change_case_forget(struct change_case *c);

#endif /* !TESTS_LIB_CHANGE_CASE_H_ */
