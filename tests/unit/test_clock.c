#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"

static void
dates_are_those_of_the_calendar(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00Z"},
	    {-1, "1969-12-31T23:59:59Z"},
	    {951782399, "2000-02-28T23:59:59Z"},
	    {951782400, "2000-02-29T00:00:00Z"},
	    {951868800, "2000-03-01T00:00:00Z"},
	    {1700000000, "2023-11-14T22:13:20Z"},
	    {1709164800, "2024-02-29T00:00:00Z"},
	    {4107542399, "2100-02-28T23:59:59Z"},
	    {4107542400, "2100-03-01T00:00:00Z"},
	    {-2203891201, "1900-02-28T23:59:59Z"},
	    {-2203891200, "1900-03-01T00:00:00Z"},
	    {2147483648, "2038-01-19T03:14:08Z"},
	};
	char dst[CLOCK_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(clock_rfc3339(dst,
		    rows[i].s * 1000000000, 0), rows[i].text);
	assert_string_equal(clock_rfc3339(dst, INT64_MAX, 9),
	    "2262-04-11T23:47:16.854775807Z");
	assert_string_equal(clock_rfc3339(dst, INT64_MIN, 9),
	    "1677-09-21T00:12:43.145224192Z");
}

static void
fraction_is_cut_not_rounded(void **state)
{
	char dst[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_rfc3339(dst, 999999999, 0),
	    "1970-01-01T00:00:00Z");
	assert_string_equal(clock_rfc3339(dst, 999999999, 3),
	    "1970-01-01T00:00:00.999Z");
	assert_string_equal(clock_rfc3339(dst, 1, 9),
	    "1970-01-01T00:00:00.000000001Z");
	assert_string_equal(clock_rfc3339(dst, -1, 1),
	    "1969-12-31T23:59:59.9Z");
}

static void
pinned_clock_gives_the_same_evidence(void **state)
{
	struct clock_evidence a, b;

	(void)state;
	clock_pin(1700000000123456789);
	assert_true(clock_real_ns() == 1700000000123456789);
	memset(&a, 1, sizeof(a));
	memset(&b, 2, sizeof(b));
	clock_evidence(&a);
	clock_evidence(&b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(a.real_ns == 1700000000123456789);
	clock_pin(0);
	/* After 2020 and not the pinned time. */
	assert_true(clock_real_ns() > 1577836800000000000);
	assert_true(clock_real_ns() != 1700000000123456789);
}

static void
evidence_is_within_its_ranges(void **state)
{
	struct clock_evidence a;
	int64_t before = clock_mono_ns();

	(void)state;
	clock_evidence(&a);
	assert_true(a.mono_ns >= before);
	assert_true(a.mono_ns <= clock_mono_ns());
	assert_true(a.boot_ns >= a.mono_ns);
	assert_in_range(a.state, 0, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_those_of_the_calendar),
	    cmocka_unit_test(fraction_is_cut_not_rounded),
	    cmocka_unit_test(pinned_clock_gives_the_same_evidence),
	    cmocka_unit_test(evidence_is_within_its_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
