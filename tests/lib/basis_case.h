#ifndef TESTS_LIB_BASIS_CASE_H_
#define TESTS_LIB_BASIS_CASE_H_

#include <stddef.h>

struct basis;
struct buf;

/*
 * The figures of a row as the line that text output prints, for a test to
 * search.  Both assert that they are well formed, as the parent's gate does.
 */

/* put: appends the line; ${b} says itself whether it failed. */
void basis_case_put(struct basis *s, struct buf *b);

/* text: dst[0..cap) is the line and a NUL; it asserts that they fit. */
void basis_case_text(struct basis *s, char *dst, size_t cap);

#endif /* !TESTS_LIB_BASIS_CASE_H_ */
