#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/traffic/callcount.h"
#include "base/limits.h"

static void
the_busiest_come_first_and_the_rest_by_lot(void **state)
{
	struct callcount *c = callcount_new();
	struct callcount_pick *p;
	size_t n;

	(void)state;
	for (uint64_t who = 1; who <= 100; who++)
		for (uint64_t i = 0; i < who; i++)
			assert_int_equal(callcount_add(c, who), 0);
	p = callcount_choose(c, 50, 5, 10, &n);
	assert_non_null(p);
	assert_int_equal(n, 15);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(p[i].caller, 100 - i);
		assert_int_equal(p[i].requests, 100 - i);
	}
	for (size_t i = 5; i < n; i++) {
		assert_in_range(p[i].requests, 50, 95);
		assert_true(i == 5 || p[i].requests < p[i - 1].requests);
	}
	free(p);
	callcount_free(c);
}

static void
a_busy_caller_after_four_million_others_is_found(void **state)
{
	struct callcount *c = callcount_new();
	struct callcount_pick *p;
	struct callcount_sum sum;
	uint64_t who = 1;
	size_t n;

	(void)state;
	while (who <= LIMIT_TRAFFIC_EXACT)
		assert_int_equal(callcount_add(c, who++), 0);
	for (int i = 0; i < 200000; i++) {
		assert_int_equal(callcount_add(c, who++), 0);
		if (i % 200 == 0)
			assert_int_equal(callcount_add(c, 1234567890123), 0);
	}
	p = callcount_choose(c, 50, 10, 0, &n);
	assert_non_null(p);
	assert_int_equal(n, 1);
	assert_true(p[0].caller == 1234567890123);
	callcount_sum(c, 50, &sum);
	assert_true(sum.callers == LIMIT_TRAFFIC_EXACT);
	assert_int_equal(sum.beyond, 201000);
	assert_in_range(p[0].requests, 1000, 1000 + sum.error);
	assert_true(sum.error <= 201000 / LIMIT_TRAFFIC_COUNTERS + 1);
	free(p);
	callcount_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_busiest_come_first_and_the_rest_by_lot),
	    cmocka_unit_test(
		a_busy_caller_after_four_million_others_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
