#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "formats/rows/civil.h"
#include "formats/rows/value.h"

static char text[CIVIL_TEXT];

static void
check(const struct rows_value *v, const char *want)
{
	struct buf b;

	buf_init(&b, 1024);
	value_json(&b, v);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void
decimals_are_exact(void **state)
{
	static const uint8_t most[16] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t least[32] = {0x80};
	struct rows_value v;

	(void)state;
	civil_decimal64(&v, 0, 0, text);
	check(&v, "\"0\"");
	civil_decimal64(&v, 12345, 2, text);
	check(&v, "\"123.45\"");
	civil_decimal64(&v, -5, 3, text);
	check(&v, "\"-0.005\"");
	civil_decimal64(&v, INT64_MIN, 0, text);
	check(&v, "\"-9223372036854775808\"");
	civil_decimal(&v, most, sizeof(most), 38, text);
	check(&v, "\"1.70141183460469231731687303715884105727\"");
	civil_decimal(&v, least, sizeof(least), 0, text);
	check(&v, "\"-578960446186580977117854925043439539266349923328202820"
	    "19728792003956564819968\"");
	civil_decimal(&v, least, sizeof(least), 76, text);
	check(&v, "\"-5.78960446186580977117854925043439539266349923328202820"
	    "19728792003956564819968\"");
	civil_decimal(&v, most, 0, 0, text);
	assert_int_equal(v.type, ROWS_BYTES);
}

static void
times_out_of_range_are_texts(void **state)
{
	struct rows_value v;

	(void)state;
	civil_stamp(&v, 0, -1, text);
	check(&v, "\"1969-12-31T23:59:59.999999999Z\"");
	civil_units(&v, 1700000000, 1, text);
	check(&v, "\"2023-11-14T22:13:20.000000000Z\"");
	civil_units(&v, INT64_MAX, 1000000, text);
	check(&v, "\"+294247-01-10T04:00:54.775807000Z\"");
	civil_units(&v, INT64_MIN, 1000000000, text);
	assert_int_equal(v.type, ROWS_TEXT);
	check(&v, "\"1677-09-21T00:12:43.145224192Z\"");
	civil_stamp(&v, -719162 - 366, 0, text);
	check(&v, "\"0000-01-01T00:00:00.000000000Z\"");
	civil_stamp(&v, 2932896, 0, text);
	check(&v, "\"9999-12-31T00:00:00.000000000Z\"");
	civil_stamp(&v, INT64_MAX, INT64_MAX, text);
	assert_int_equal(v.type, ROWS_TEXT);
	civil_units(&v, INT64_MIN, 1, text);
	assert_int_equal(v.type, ROWS_TEXT);
}

static void
times_of_day_have_their_digits(void **state)
{
	struct rows_value v;

	(void)state;
	civil_clock(&v, 86399, 1, text);
	check(&v, "\"23:59:59\"");
	civil_clock(&v, 1, 1000, text);
	check(&v, "\"00:00:00.001\"");
	civil_clock(&v, 1, 1000000000, text);
	check(&v, "\"00:00:00.000000001\"");
	civil_clock(&v, 86400, 1, text);
	check(&v, "86400");
	civil_clock(&v, -1, 1, text);
	check(&v, "-1");
}

static void
halves_are_what_they_are(void **state)
{
	(void)state;
	assert_true(civil_half(0x3c00) == 1.0);
	assert_true(civil_half(0xc000) == -2.0);
	assert_true(civil_half(0x0001) == 0x1p-24);
	assert_true(civil_half(0x7bff) == 65504.0);
	assert_true(civil_half(0x7c00) > 1e300);
	assert_true(civil_half(0x7e00) != civil_half(0x7e00));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decimals_are_exact),
	    cmocka_unit_test(times_out_of_range_are_texts),
	    cmocka_unit_test(times_of_day_have_their_digits),
	    cmocka_unit_test(halves_are_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
