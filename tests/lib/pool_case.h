#ifndef TESTS_LIB_POOL_CASE_H_
#define TESTS_LIB_POOL_CASE_H_

struct pool;

/*
 * Pools for tests that any number of threads gives the same: pool_case[i] has
 * i threads, pool_case[0] is NULL.  They are there between setup and teardown
 * of a group of tests.
 */
#define POOL_CASE_COUNT 4
extern struct pool *pool_case[POOL_CASE_COUNT];

int pool_case_setup(void **state);
int pool_case_teardown(void **state);

#endif /* !TESTS_LIB_POOL_CASE_H_ */
