#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "custody/case_body.h"

static int
read_z(struct case_body *b, const char *text, struct err *e)
{
	return case_body_read(b, text, strlen(text), e);
}

static void
values_are_found_by_their_dotted_path(void **state)
{
	struct case_body b;
	uint8_t hash[32];
	uint64_t v;
	char text[256];

	(void)state;
	snprintf(text, sizeof(text),
	    "{\"a\":{\"b\":\"x\",\"c\":[1,[],{\"d\":"
	    "null}]},\"e\":true,\"h\":\"%064d\",\"n\":-1,\"u\":"
	    "18446744073709551615}",
	    7);
	assert_int_equal(read_z(&b, text, NULL), 0);
	assert_string_equal(case_body_str(&b, "a.b"), "x");
	assert_int_equal(case_body_find(&b, "a")->type, JSON_OBJECT);
	assert_int_equal(case_body_find(&b, "a.c")->type, JSON_ARRAY);
	assert_true(case_body_u64(&b, "a.c.0", &v));
	assert_int_equal(v, 1);
	assert_int_equal(case_body_find(&b, "a.c.1")->type, JSON_ARRAY);
	assert_int_equal(case_body_find(&b, "a.c.2.d")->type, JSON_NULL);
	assert_int_equal(case_body_find(&b, "e")->type, JSON_TRUE);
	assert_true(case_body_u64(&b, "u", &v));
	assert_int_equal(v, UINT64_MAX);
	assert_false(case_body_u64(&b, "n", &v));
	assert_false(case_body_u64(&b, "a.b", &v));
	assert_true(case_body_hash(&b, "h", hash));
	assert_int_equal(hash[31], 7);
	assert_false(case_body_hash(&b, "a.b", hash));
	assert_null(case_body_find(&b, "a.c.3"));
	assert_null(case_body_str(&b, "e"));
	case_body_release(&b);
}

static void
a_string_with_nul_is_not_given_as_a_c_string(void **state)
{
	struct case_body b;

	(void)state;
	assert_int_equal(read_z(&b, "{\"a\":\"x\\u0000y\"}", NULL), 0);
	assert_non_null(case_body_find(&b, "a"));
	assert_null(case_body_str(&b, "a"));
	case_body_release(&b);
}

static void
anything_but_strict_ascending_json_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {{"", ""}, {"[]", "no object"}, {"1", "no object"},
	    {"{\"a\":1,\"a\":2}", "ascending"},
	    {"{\"b\":1,\"a\":2}", "ascending"},
	    {"{\"ab\":1,\"a\":2}", "ascending"},
	    {"{\"x\":[{\"b\":1,\"a\":2}]}", "ascending"},
	    {"{\"a.b\":1}", "strange"}, {"{\"\":1}", "strange"},
	    {"{\"\xc3\xa9\":1}", "strange"}, {"{\"a\\u0000\":1}", "strange"},
	    {"{\"a\":1} ", "follows"}, {"{\"a\":1}{}", "follows"},
	    {"{\"a\":1", ""}, {"{\"a\":NaN}", ""}, {"{\"a\":\"\xff\"}", ""}};
	struct case_body b;
	struct err e;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_reset(&e);
		r = read_z(&b, rows[i].text, &e);
		assert_true(r == ERR_FORMAT || r == ERR_TRUNC);
		if (strstr(e.msg, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].text, e.msg);
	}
}

static void
every_cut_of_a_body_is_refused(void **state)
{
	static const char text[] = "{\"a\":{\"b\":[1,\"x\"]},\"c\":null}";
	struct case_body b;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(text) - 1; n++)
		assert_true(case_body_read(&b, text, n, NULL) < 0);
	assert_int_equal(case_body_read(&b, text, n, NULL), 0);
	case_body_release(&b);
}

static void
depth_values_and_paths_have_limits(void **state)
{
	struct case_body b;
	struct buf t;
	unsigned i;

	(void)state;
	buf_init(&t, 1 << 20);
	buf_puts(&t, "{\"a\":");
	for (i = 0; i < 31; i++)
		buf_putc(&t, '[');
	for (i = 0; i < 31; i++)
		buf_putc(&t, ']');
	buf_putc(&t, '}');
	assert_int_equal(read_z(&b, buf_str(&t), NULL), 0);
	case_body_release(&b);
	buf_clear(&t);
	buf_puts(&t, "{\"a\":");
	for (i = 0; i < 32; i++)
		buf_putc(&t, '[');
	assert_int_equal(read_z(&b, buf_str(&t), NULL), ERR_FORMAT);

	buf_clear(&t);
	buf_puts(&t, "{\"a\":[");
	for (i = 0; i < CASE_BODY_PAIRS; i++)
		buf_puts(&t, "0,");
	buf_puts(&t, "0]}");
	assert_int_equal(read_z(&b, buf_str(&t), NULL), ERR_LIMIT);

	buf_clear(&t);
	buf_puts(&t, "{\"");
	for (i = 0; i < CASE_BODY_PATH - 2; i++)
		buf_putc(&t, 'k');
	buf_puts(&t, "\":0}");
	assert_int_equal(read_z(&b, buf_str(&t), NULL), 0);
	case_body_release(&b);
	buf_clear(&t);
	buf_puts(&t, "{\"");
	for (i = 0; i < CASE_BODY_PATH; i++)
		buf_putc(&t, 'k');
	buf_puts(&t, "\":0}");
	assert_int_equal(read_z(&b, buf_str(&t), NULL), ERR_LIMIT);
	buf_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_found_by_their_dotted_path),
	    cmocka_unit_test(a_string_with_nul_is_not_given_as_a_c_string),
	    cmocka_unit_test(anything_but_strict_ascending_json_is_refused),
	    cmocka_unit_test(every_cut_of_a_body_is_refused),
	    cmocka_unit_test(depth_values_and_paths_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
