#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

#include "collector/value.h"

static bool
size(const char *s, uint64_t *v)
{
	return value_size(s, strlen(s), v);
}

static bool
when(const char *s, int64_t *v)
{
	return value_time(s, strlen(s), v);
}

static void
sizes_are_digits_and_a_power_of_1024(void **state)
{
	static const char *const no[] = {"", "K", "10k", "10KiB", "-1", "+1",
	    " 1", "1 ", "0x10", "1.5M", "18446744073709551616",
	    "18014398509481984K", "99999999T"};
	uint64_t v = 7;

	(void)state;
	assert_true(size("0", &v) && v == 0);
	assert_true(size("4096", &v) && v == 4096);
	assert_true(size("20M", &v) && v == 20 * 1048576ULL);
	assert_true(size("3T", &v) && v == 3ULL << 40);
	assert_true(size("18446744073709551615", &v) && v == UINT64_MAX);
	assert_true(size("18014398509481983K", &v) && v == UINT64_MAX << 10);
	v = 7;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (size(no[i], &v))
			fail_msg("'%s' was taken", no[i]);
	assert_int_equal(v, 7);
	assert_false(value_size("1\0", 2, &v));
}

static void
times_are_those_of_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} yes[] = {{"1970-01-01", 0}, {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-24T10:45:00Z", 1795517100},
	    {"2026-11-24 10:45:00z", 1795517100},
	    {"2026-11-24T11:45:00+01:00", 1795517100},
	    {"2026-11-24T05:15:00-05:30", 1795517100},
	    {"2000-02-29", 951782400}, {"2024-02-29", 1709164800},
	    {"2016-12-31T23:59:60Z", 1483228800},
	    {"2261-12-31", 9214560000}};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!when(yes[i].text, &v))
			fail_msg("'%s' was refused", yes[i].text);
		assert_int_equal(v, yes[i].seconds * 1000000000);
	}
	assert_true(when("1970-01-01T00:00:00.5Z", &v));
	assert_int_equal(v, 500000000);
	assert_true(when("1970-01-01T00:00:01.0000000019Z", &v));
	assert_int_equal(v, 1000000001);
}

static void
what_is_no_time_with_a_zone_is_refused(void **state)
{
	static const char *const no[] = {"", "now", "2h ago", "2026",
	    "2026-11", "2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29",
	    "2026-04-31", "2026-11-24T", "2026-11-24T10:45",
	    "2026-11-24T10:45:00", "2026-11-24T10:45:00.Z",
	    "2026-11-24T24:00:00Z", "2026-11-24T10:60:00Z",
	    "2026-11-24T10:45:61Z", "2026-11-24T10:45:00+1:00",
	    "2026-11-24T10:45:00Zx", "1969-12-31", "2262-01-01",
	    "26-11-24", " 2026-11-24", "2026-11-24 "};
	int64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (when(no[i], &v))
			fail_msg("'%s' was taken", no[i]);
	assert_int_equal(v, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_are_digits_and_a_power_of_1024),
	    cmocka_unit_test(times_are_those_of_rfc_3339),
	    cmocka_unit_test(what_is_no_time_with_a_zone_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
