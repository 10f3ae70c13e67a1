#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "collector/inode.h"

static void
a_time_is_what_printf_would_write(void **state)
{
	static const int64_t seconds[] = {0, 1, -1, 9, 10, 1774353600,
	    -2208988800, INT64_MAX, INT64_MIN};
	static const uint32_t nanoseconds[] = {0, 1, 500000000, 999999999};
	char got[INODE_TIME], want[INODE_TIME];

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		for (size_t k = 0; k < 4; k++) {
			struct statx_timestamp t = {.tv_sec = seconds[i],
			    .tv_nsec = nanoseconds[k]};

			(void)snprintf(want, sizeof(want), "%lld.%09u",
			    (long long)t.tv_sec, t.tv_nsec);
			assert_string_equal(inode_time(got, &t), want);
		}
}

static void
an_inode_is_its_number_on_its_device(void **state)
{
	const struct statx a = {.stx_ino = 7, .stx_dev_major = 8,
	    .stx_dev_minor = 1};
	struct statx b = a;

	(void)state;
	assert_true(inode_same(&a, &b));
	b.stx_ino = 8;
	assert_false(inode_same(&a, &b));
	b = a;
	b.stx_dev_minor = 2;
	assert_false(inode_same(&a, &b));
	b = a;
	b.stx_dev_major = 9;
	assert_false(inode_same(&a, &b));
	/* What is not open cannot be what was seen. */
	assert_false(inode_is(-1, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_time_is_what_printf_would_write),
	    cmocka_unit_test(an_inode_is_its_number_on_its_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
