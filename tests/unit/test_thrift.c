#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "formats/rows/thrift.h"

static struct thrift t;
static struct thrift_field f;

static void
over(const void *p, size_t n)
{
	struct cursor c;

	cursor_init(&c, p, n, 0);
	thrift_init(&t, &c);
	assert_true(thrift_enter(&t));
}

static void
fields_are_told_by_deltas_and_by_numbers(void **state)
{
	int64_t v;

	(void)state;
	over("\x15\x02\x25\x03\x05\xc8\x01\x01\0", 9);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_int_equal(f.id, 1);
	assert_true(thrift_int(&t, &f, -5, 5, &v));
	assert_int_equal(v, 1);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_int_equal(f.id, 3);
	assert_true(thrift_int(&t, &f, -5, 5, &v));
	assert_int_equal(v, -2);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_int_equal(f.id, 100);
	assert_false(thrift_int(&t, &f, 0, 5, &v));
	assert_int_equal(thrift_next(&t, &f), 0);
	assert_int_equal(thrift_next(&t, &f), -1);
}

static void
numbers_out_of_their_range_are_refused(void **state)
{
	int64_t v;

	(void)state;
	over("\x15\x0c", 2);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_false(thrift_int(&t, &f, 0, 5, &v));
	over("\x13\xff\0", 3);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_true(thrift_int(&t, &f, -1, 5, &v));
	assert_int_equal(v, -1);
}

static void
booleans_are_in_the_type(void **state)
{
	bool v = false;

	(void)state;
	over("\x11\x12\0", 3);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_true(thrift_bool(&f, &v));
	assert_true(v);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_true(thrift_bool(&f, &v));
	assert_false(v);
}

static void
unknown_fields_of_every_type_are_passed_over(void **state)
{
	static const char all[] =
	    "\x11"			/* true */
	    "\x13\x07"			/* i8 */
	    "\x16\xff\x01"		/* i64 */
	    "\x17" "12345678"		/* double */
	    "\x18\x03" "abc"		/* binary */
	    "\x19\x21\x01\x02"		/* two booleans */
	    "\x1a\x35\x02\x04\x06"	/* a set of three integers */
	    "\x1b\0"			/* an empty map */
	    "\x1b\x01\x8c\x01k\x15\x02\0"	/* binary: struct */
	    "\x19\x2c\x15\x02\0\0"	/* two structs */
	    "\x19\x19\x18\x01x"		/* a list of lists */
	    "\x1c\x1c\0\0"		/* a struct in a struct */
	    "\x15\x02\0";
	int64_t v;

	(void)state;
	over(all, sizeof(all) - 1);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(thrift_next(&t, &f), 1);
		assert_int_equal(f.id, i + 1);
		assert_true(thrift_skip(&t, &f));
	}
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_true(thrift_int(&t, &f, 1, 1, &v));
	assert_int_equal(thrift_next(&t, &f), 0);
	assert_true(cursor_at_end(&t.c));
	/* Cut anywhere, it is never complete. */
	for (size_t n = 0; n < sizeof(all) - 1; n++) {
		over(all, n);
		while (thrift_next(&t, &f) == 1 && thrift_skip(&t, &f))
			;
		assert_true(cursor_left(&t.c) < n || n == 0);
		assert_int_equal(t.depth == 0, 0);
	}
}

static void
lists_longer_than_the_bytes_are_refused(void **state)
{
	uint64_t n;
	uint8_t type;

	(void)state;
	over("\x19\xf5\xff\xff\xff\x0f\x02\x02", 8);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_false(thrift_list(&t, &f, &type, &n));
	over("\x19\x20\0\0", 4);
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_false(thrift_list(&t, &f, &type, &n));
}

static void
nesting_has_an_end(void **state)
{
	uint8_t deep[64];

	(void)state;
	memset(deep, 0x1c, sizeof(deep));
	over(deep, sizeof(deep));
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_false(thrift_skip(&t, &f));
	memset(deep, 0x19, sizeof(deep));
	over(deep, sizeof(deep));
	assert_int_equal(thrift_next(&t, &f), 1);
	assert_false(thrift_skip(&t, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_told_by_deltas_and_by_numbers),
	    cmocka_unit_test(numbers_out_of_their_range_are_refused),
	    cmocka_unit_test(booleans_are_in_the_type),
	    cmocka_unit_test(unknown_fields_of_every_type_are_passed_over),
	    cmocka_unit_test(lists_longer_than_the_bytes_are_refused),
	    cmocka_unit_test(nesting_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
