#include <stddef.h>

#include "analyzer/diff/pool.h"
#include "tests/lib/pool_case.h"

struct pool *pool_case[POOL_CASE_COUNT];

int
pool_case_setup(void **state)
{
	(void)state;
	for (unsigned i = 1; i < POOL_CASE_COUNT; i++)
		if ((pool_case[i] = pool_new(i, NULL)) == NULL)
			return -1;
	return 0;
}

int
pool_case_teardown(void **state)
{
	(void)state;
	for (unsigned i = 1; i < POOL_CASE_COUNT; i++)
		pool_free(pool_case[i]);
	return 0;
}
