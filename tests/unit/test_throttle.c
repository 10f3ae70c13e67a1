#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/throttle.h"

#define SECOND 1000000000LL

static void
without_a_rate_nothing_waits(void **state)
{
	struct throttle t = {0};

	(void)state;
	assert_int_equal(throttle_due(&t, UINT64_MAX, SECOND), 0);
}

static void
what_is_read_is_paid_for_at_the_rate(void **state)
{
	struct throttle t = {.rate = 1000};
	int64_t now = 5 * SECOND;

	(void)state;
	/* The bucket is full at first: a tenth of a second. */
	assert_int_equal(throttle_due(&t, 100, now), 0);
	assert_int_equal(throttle_due(&t, 1000, now), SECOND);
	now += SECOND;
	assert_int_equal(throttle_due(&t, 500, now), SECOND / 2);
	/* A pause fills it once, not for as long as it lasted. */
	now += 100 * SECOND;
	assert_int_equal(throttle_due(&t, 1100, now), SECOND);
}

static void
large_reads_and_small_rates_do_not_overflow(void **state)
{
	struct throttle t = {.rate = 1};

	(void)state;
	assert_int_equal(throttle_due(&t, 1ULL << 31, SECOND),
	    (1LL << 31) * SECOND - THROTTLE_BURST_NS);
}

/* In a child: a priority cannot be taken back. */
static void
a_priority_holds_and_is_recorded(void **state)
{
	struct err e = ERR_INIT;
	struct json_write w;
	struct buf b;
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		buf_init(&b, KIB);
		json_init(&w, &b, JSON_COMPACT);
		json_begin_object(&w);
		if (throttle_nice(19, &e) < 0)
			_exit(1);
		throttle_put_priority(&w);
		json_end_object(&w);
		_exit(getpriority(PRIO_PROCESS, 0) == 19 &&
		    memmem(b.p, b.len, "\"nice\":19", 9) != NULL ? 0 : 2);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_rate_nothing_waits),
	    cmocka_unit_test(what_is_read_is_paid_for_at_the_rate),
	    cmocka_unit_test(large_reads_and_small_rates_do_not_overflow),
	    cmocka_unit_test(a_priority_holds_and_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
