#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/pool.h"

#define TASKS 5000

static _Atomic unsigned done[TASKS], beyond, together;
static unsigned threads;

static void
task(void *ctx, size_t i, unsigned thread)
{
	(void)ctx;
	done[i]++;
	beyond += thread >= threads;
}

static void
run(struct pool *p, size_t n)
{
	memset(done, 0, sizeof(done));
	beyond = 0;
	threads = pool_threads(p);
	pool_run(p, task, NULL, n);
	for (size_t i = 0; i < TASKS; i++)
		assert_int_equal(done[i], i < n);
	assert_int_equal(beyond, 0);
}

static void
every_task_is_done_once(void **state)
{
	(void)state;
	for (unsigned t = 1; t < 6; t++) {
		struct pool *p = pool_new(t, NULL);

		assert_non_null(p);
		assert_int_equal(pool_threads(p), t);
		run(p, 0);
		run(p, 1);
		run(p, 2);
		run(p, TASKS);
		pool_free(p);
	}
	run(NULL, TASKS);
	assert_int_equal(pool_threads(NULL), 1);
	pool_free(NULL);
}

static void
rounds_follow_each_other(void **state)
{
	struct pool *p = pool_new(3, NULL);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		memset(done, 0, 10 * sizeof(done[0]));
		threads = 3;
		pool_run(p, task, NULL, 10);
		for (unsigned k = 0; k < 10; k++)
			assert_int_equal(done[k], 1);
	}
	pool_free(p);
}

/* Two tasks that wait for each other end only on two threads. */
static void
meet(void *ctx, size_t i, unsigned thread)
{
	(void)ctx;
	(void)i;
	(void)thread;
	together++;
	while (together < 2)
		;
}

static void
tasks_run_side_by_side(void **state)
{
	struct pool *p = pool_new(2, NULL);

	(void)state;
	together = 0;
	pool_run(p, meet, NULL, 2);
	assert_int_equal(together, 2);
	pool_free(p);
}

static void
number_of_threads_is_bounded(void **state)
{
	struct pool *p = pool_new(0, NULL);

	(void)state;
	assert_true(pool_threads(p) >= 1 && pool_threads(p) <= 32);
	pool_free(p);
	p = pool_new(1000, NULL);
	assert_int_equal(pool_threads(p), 32);
	run(p, TASKS);
	pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_task_is_done_once),
	    cmocka_unit_test(rounds_follow_each_other),
	    cmocka_unit_test(tasks_run_side_by_side),
	    cmocka_unit_test(number_of_threads_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
