#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "formats/rows/parquet.h"
#include "tests/lib/make.h"

static void
check(const int64_t *v, size_t n)
{
	struct parquet_delta d;
	struct cursor c;
	struct buf b;
	int64_t got;

	buf_init(&b, 1 << 20);
	make_delta(&b, v, n);
	buf_puts(&b, "behind");
	cursor_init(&c, b.p, b.len, 0);
	assert_true(parquet_delta_init(&d, &c));
	for (size_t i = 0; i < n; i++) {
		assert_true(parquet_delta_next(&d, &got));
		assert_int_equal(got, v[i]);
	}
	assert_false(parquet_delta_next(&d, &got));
	assert_int_equal(cursor_left(&d.c), 6);
	assert_true(parquet_delta_init(&d, &c));
	assert_true(parquet_delta_rest(&d));
	assert_int_equal(cursor_left(&d.c), 6);
	/* Cut anywhere, it has fewer. */
	for (size_t len = 0; len < b.len - 6; len++) {
		cursor_init(&c, b.p, len, 0);
		assert_false(parquet_delta_init(&d, &c) &&
		    parquet_delta_rest(&d) && len < b.len - 6);
	}
	buf_release(&b);
}

/* Deltas of every width from 0 to 64 bits, over several blocks. */
static void
every_width_is_read(void **state)
{
	int64_t v[300];
	uint64_t x = 88172645463325252U, sum;

	(void)state;
	for (unsigned width = 0; width <= 64; width++) {
		sum = 0;
		for (size_t i = 0; i < 300; i++) {
			v[i] = (int64_t)sum;
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			sum += width == 0 ? 3 : x >> (64 - width);
		}
		check(v, 300);
	}
}

static void
few_values_are_read(void **state)
{
	static const int64_t v[] = {INT64_MIN, INT64_MAX, 0, -1};

	(void)state;
	check(v, 1);
	check(v, 2);
	check(v, 4);
	check(v, 0);
}

static void
headers_that_make_no_sense_are_refused(void **state)
{
	static const uint64_t heads[][2] = {{0, 1}, {100, 1}, {128, 0},
	    {128, 3}, {128, 8}, {1 << 21, 4}, {UINT64_MAX, 4}};
	struct parquet_delta d;
	struct cursor c;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		buf_init(&b, 100);
		make_varint(&b, heads[i][0]);
		make_varint(&b, heads[i][1]);
		make_varint(&b, 1);
		make_varint(&b, 0);
		cursor_init(&c, b.p, b.len, 0);
		assert_false(parquet_delta_init(&d, &c));
		buf_release(&b);
	}
	buf_init(&b, 100);
	buf_put(&b, "\x80\x01\x04\x02\x00\x00\x41\0\0\0", 10);
	cursor_init(&c, b.p, b.len, 0);
	assert_true(parquet_delta_init(&d, &c));
	assert_false(parquet_delta_rest(&d));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_width_is_read),
	    cmocka_unit_test(few_values_are_read),
	    cmocka_unit_test(headers_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
