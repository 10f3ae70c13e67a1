#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "formats/rows/parquet.h"
#include "tests/lib/make.h"

static void
runs_and_groups_of_every_width_are_read(void **state)
{
	struct parquet_levels l;
	struct cursor c;
	uint32_t v[37], got;
	struct buf b;

	(void)state;
	for (unsigned width = 0; width <= 32; width++)
		for (int runs = 0; runs < 2; runs++) {
			for (uint32_t i = 0; i < 37; i++)
				v[i] = width == 0 ? 0 : i / 3 * 2654435761U >>
				    (32 - width);
			buf_init(&b, 4096);
			make_hybrid(&b, v, 37, width, runs == 1);
			make_hybrid(&b, v, 37, width, runs == 0);
			cursor_init(&c, b.p, b.len, 0);
			parquet_levels_init(&l, &c, width, false);
			for (unsigned i = 0; i < 37; i++) {
				assert_true(parquet_levels_next(&l, &got));
				assert_int_equal(got, v[i]);
			}
			buf_release(&b);
		}
}

static void
old_bits_are_read_from_the_other_end(void **state)
{
	static const uint32_t v[] = {5, 0, 7, 3, 1, 6, 2, 4, 1};
	struct parquet_levels l;
	struct cursor c;
	struct buf b;
	uint32_t got;

	(void)state;
	buf_init(&b, 4096);
	make_old_bits(&b, v, 9, 3);
	cursor_init(&c, b.p, b.len, 0);
	parquet_levels_init(&l, &c, 3, true);
	for (unsigned i = 0; i < 9; i++) {
		assert_true(parquet_levels_next(&l, &got));
		assert_int_equal(got, v[i]);
	}
	buf_release(&b);
}

static void
what_is_not_there_is_not_read(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		unsigned width, want;
	} cases[] = {
	    {"", 0, 1, 0},
	    {"\0\0\0\0", 4, 1, 0},		/* runs of nothing */
	    {"\x03\xff", 2, 1, 8},
	    {"\x05\xff", 2, 1, 8},		/* the second group is cut */
	    {"\x03\xff", 2, 3, 2},		/* a group is cut short */
	    {"\x04", 1, 1, 0},			/* a run without its value */
	    {"\x04\x02", 2, 1, 0},		/* a value that is too large */
	    {"\x04\x01", 2, 1, 2},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, 1, 0},
	};
	struct parquet_levels l;
	struct cursor c;
	uint32_t got;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cursor_init(&c, (const uint8_t *)cases[i].p, cases[i].n, 0);
		parquet_levels_init(&l, &c, cases[i].width, false);
		for (n = 0; parquet_levels_next(&l, &got); n++)
			;
		assert_int_equal(n, cases[i].want);
	}
}

static void
widths_hold_their_level(void **state)
{
	(void)state;
	assert_int_equal(parquet_levels_width(0), 0);
	assert_int_equal(parquet_levels_width(1), 1);
	assert_int_equal(parquet_levels_width(2), 2);
	assert_int_equal(parquet_levels_width(255), 8);
	assert_int_equal(parquet_levels_width(UINT32_MAX), 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_and_groups_of_every_width_are_read),
	    cmocka_unit_test(old_bits_are_read_from_the_other_end),
	    cmocka_unit_test(what_is_not_there_is_not_read),
	    cmocka_unit_test(widths_hold_their_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
