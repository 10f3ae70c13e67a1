#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/regtime.h"

static int64_t
at(const char *s)
{
	int64_t ns = -1;

	return regtime_rfc3339(s, strlen(s), &ns) ? ns : -1;
}

static void
times_have_a_zone_and_a_fraction(void **state)
{
	(void)state;
	assert_int_equal(at("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(at("2026-07-01T00:00:00Z"), 1782864000000000000);
	assert_int_equal(at("2026-07-01T02:00:00.5+02:00"),
	    1782864000500000000);
	assert_int_equal(at("2026-06-30 18:30:00-0530"), 1782864000000000000);
	assert_int_equal(at("2026-07-01T00:00:00.1234567899Z"),
	    1782864000123456789);
	assert_int_equal(at("2000-02-29T23:59:59Z"), 951868799000000000);
	assert_int_equal(at("2026-07-01T00:00:00"), -1);
	assert_int_equal(at("2026-13-01T00:00:00Z"), -1);
	assert_int_equal(at("2026-02-29T00:00:00Z"), -1);
	assert_int_equal(at("2026-06-31T00:00:00Z"), -1);
	assert_int_equal(at("0001-01-01T00:00:00Z"), -1);
	assert_int_equal(at("2026-07-01T00:00:00Zx"), -1);
	assert_int_equal(at(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_a_zone_and_a_fraction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
