#ifndef TESTS_LIB_RELATION_CASE_H_
#define TESTS_LIB_RELATION_CASE_H_

#include <stddef.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/relation.h"
#include "tests/lib/pair_case.h"

struct arena;
struct pool;

/*
 * What relation.h says of pairs of tensors (pair_case.h), of one alone and of
 * those of a model together.  All of a test's searches share one arena and one
 * pool of two threads, which are there between setup and teardown.
 */
extern struct arena *relation_case_arena;
extern struct pool *relation_case_pool;

/* Of a group of tests. */
int relation_case_setup(void **state);
int relation_case_teardown(void **state);

/* find: what B is to A; it asserts that the search does not fail. */
struct relation relation_case_find(const struct pair_case *a,
    const struct pair_case *b);
/* find_values: ... where B has the values x, stored as ${t}. */
struct relation relation_case_find_values(const struct pair_case *a,
    const float *x, enum elem t);

/* is_called: asserts that the best relation's name is this one. */
void relation_case_is_called(const struct relation *r, const char *name);

/* Pairs of one model. */
#define RELATION_CASE_PAIRS 8
struct relation_case {
	struct pair_case a[RELATION_CASE_PAIRS], b[RELATION_CASE_PAIRS];
	size_t n;
	/* What settle tells. */
	struct relation r[RELATION_CASE_PAIRS];
	struct relation_model m;
};

/* settle: finds the relation of each pair, then settles them together. */
void relation_case_settle(struct relation_case *x);
void relation_case_release(struct relation_case *x);

#endif /* !TESTS_LIB_RELATION_CASE_H_ */
