#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"

static void
every_day_of_a_thousand_years_goes_there_and_back(void **state)
{
	int64_t year, y = 1600, day = date_days(1600, 1, 1);
	int month, d, m = 1, last = 0;

	(void)state;
	assert_int_equal(date_days(1970, 1, 1), 0);
	assert_int_equal(date_days(2000, 2, 29), 11016);
	assert_int_equal(date_days(1, 1, 1), -719162);
	assert_int_equal(date_days(-1, 12, 31), -719529);
	for (; y < 2600; day++) {
		date_of(day, &year, &month, &d);
		if (d != last + 1) {
			/* The month that ended had no day more. */
			assert_int_equal(d, 1);
			assert_false(date_valid(y, m, last + 1));
			y += m == 12;
			m = m % 12 + 1;
		}
		last = d;
		assert_int_equal(year, y);
		assert_int_equal(month, m);
		assert_true(date_valid(year, month, d));
		assert_int_equal(date_days(year, month, d), day);
	}
}

static void
days_that_no_month_has_are_none(void **state)
{
	(void)state;
	assert_true(date_valid(2000, 2, 29));
	assert_true(date_valid(2024, 2, 29));
	assert_false(date_valid(1900, 2, 29));
	assert_false(date_valid(2023, 2, 29));
	assert_false(date_valid(2026, 4, 31));
	assert_false(date_valid(2026, 0, 1));
	assert_false(date_valid(2026, 13, 1));
	assert_false(date_valid(2026, 1, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_day_of_a_thousand_years_goes_there_and_back),
	    cmocka_unit_test(days_that_no_month_has_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
