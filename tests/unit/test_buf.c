#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static void
pieces_follow_each_other(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(buf_str(&b), "");
	buf_put(&b, "ab", 2);
	buf_put(&b, NULL, 0);
	buf_putc(&b, 'c');
	buf_puts(&b, "de");
	buf_printf(&b, "-%d-%s", 42, "x");
	buf_hex(&b, "\x00\xff\x1a", 3);
	assert_string_equal(buf_str(&b), "abcde-42-x00ff1a");
	assert_int_equal(b.len, 16);
	assert_int_equal(buf_failed(&b), 0);
	buf_release(&b);
	assert_null(b.p);
	buf_puts(&b, "again");
	assert_string_equal(buf_str(&b), "again");
	buf_release(&b);
}

static void
maximum_is_reached_exactly(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_puts(&b, "12345");
	assert_int_equal(buf_failed(&b), 0);
	assert_string_equal(buf_str(&b), "12345");
	buf_putc(&b, '6');
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	assert_int_equal(b.len, 5);
	assert_string_equal(buf_str(&b), "");
	buf_release(&b);
}

static void
nothing_is_appended_after_a_failure(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_puts(&b, "123");
	buf_puts(&b, "456");
	buf_puts(&b, "7");
	buf_printf(&b, "%d", 8);
	buf_hex(&b, "9", 1);
	buf_base64(&b, "", 0);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	assert_int_equal(b.len, 3);
	buf_clear(&b);
	assert_int_equal(buf_failed(&b), 0);
	assert_string_equal(buf_str(&b), "");
	buf_puts(&b, "7");
	assert_string_equal(buf_str(&b), "7");
	buf_release(&b);
}

static void
every_way_in_knows_the_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 7);
	buf_printf(&b, "%s", "12345678");
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_clear(&b);
	buf_hex(&b, "1234", 4);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_clear(&b);
	buf_base64(&b, "1234", 4);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_clear(&b);
	buf_hex(&b, "", SIZE_MAX);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_clear(&b);
	buf_base64(&b, "", SIZE_MAX);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_clear(&b);
	buf_put(&b, "", SIZE_MAX);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void
unbounded_maximum_does_not_wrap(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_puts(&b, "x");
	buf_put(&b, "", SIZE_MAX);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_release(&b);
}

static void
memory_grows_with_the_bytes(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 100003);
	for (i = 0; i < 100003; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(buf_failed(&b), 0);
	assert_int_equal(b.len, 100003);
	assert_int_equal(strlen(buf_str(&b)), 100003);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_release(&b);
}

static void
base64_gives_the_vectors_of_rfc_4648(void **state)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
	    {"\xff\xef\xbe", "/+++"}};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		buf_base64(&b, rows[i][0], strlen(rows[i][0]));
		assert_string_equal(buf_str(&b), rows[i][1]);
	}
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_follow_each_other),
	    cmocka_unit_test(maximum_is_reached_exactly),
	    cmocka_unit_test(nothing_is_appended_after_a_failure),
	    cmocka_unit_test(every_way_in_knows_the_maximum),
	    cmocka_unit_test(unbounded_maximum_does_not_wrap),
	    cmocka_unit_test(memory_grows_with_the_bytes),
	    cmocka_unit_test(base64_gives_the_vectors_of_rfc_4648),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
