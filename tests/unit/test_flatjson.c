#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/flatjson.h"

static struct arena *arena;
static struct flat_list list;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(64 * MIB);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static int
flatten_under(const char *under, const char *text)
{
	struct flatjson f = {.a = arena};
	struct err e = ERR_INIT;
	struct bytesrc *src = bytesrc_mem(text, strlen(text), &e);
	struct json_token t;
	struct reader r;
	struct json j;
	int rc;

	assert_int_equal(reader_init(&r, src, 0, 0, arena, &e), 0);
	json_open(&j, &r, arena);
	if ((rc = json_next(&j, &t, &e)) == 0)
		rc = flatjson_value(&f, under, &j, &t, &e);
	if (rc == 0)
		rc = flatjson_done(&f, &list, &e);
	bytesrc_free(src);
	return rc;
}

static void
flatten(const char *text)
{
	assert_int_equal(flatten_under("", text), 0);
}

/* The list as "key=value\n", in its order. */
static void
expect(const char *want)
{
	static char got[8192];
	size_t n = 0;

	for (size_t i = 0; i < list.n; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s=%s\n",
		    list.v[i].key, list.v[i].p);
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
leaves_have_the_way_to_them_as_key(void **state)
{
	(void)state;
	flatten("{\"b\": {\"x\": 1, \"a\": [true, {\"k\": null}]},"
	    " \"a\": \"s\"}");
	expect("a=s\nb.a[0]=true\nb.a[1].k=null\nb.x=1\n");
}

static void
neither_order_nor_blanks_nor_escapes_are_left(void **state)
{
	(void)state;
	flatten("{\"a\":1,\"b\":\"\\u0041\"}");
	expect("a=1\nb=A\n");
	flatten(" {\n\t\"b\" : \"A\" , \"\\u0061\" : 1 }\n");
	expect("a=1\nb=A\n");
}

static void
empty_containers_are_leaves_and_full_ones_are_not(void **state)
{
	(void)state;
	flatten("{\"a\": {}, \"b\": [], \"c\": [[]], \"d\": {\"e\": {}}}");
	expect("a={}\nb=[]\nc[0]=[]\nd.e={}\n");
	flatten("[]");
	expect("=[]\n");
	flatten("3");
	expect("=3\n");
}

static void
names_with_dots_cannot_pose_as_ways(void **state)
{
	(void)state;
	flatten("{\"a.b\": 1, \"a\": {\"b\": 2}, \"\": 3, \"q\\\"]\": 4}");
	expect("[\"\"]=3\n[\"a.b\"]=1\n[\"q\\\"]\"]=4\na.b=2\n");
}

static void
the_last_of_a_repeated_name_counts(void **state)
{
	(void)state;
	flatten("{\"a\": 1, \"b\": 2, \"a\": 3}");
	expect("a=3\nb=2\n");
	assert_int_equal(list.doubles, 1);
}

/* A union of both objects would show x, which Python does not see. */
static void
what_is_below_the_earlier_name_is_gone(void **state)
{
	(void)state;
	flatten("{\"a\": {\"x\": 1, \"z\": [5, {\"k\": 1}]},"
	    " \"a-b\": 7, \"a\": {\"y\": 2}}");
	expect("a-b=7\na.y=2\n");
	assert_int_equal(list.doubles, 1);
	flatten("{\"a\": {\"x\": 1}, \"a\": 2}");
	expect("a=2\n");
	flatten("{\"a\": 2, \"a\": {\"x\": 1}}");
	expect("a.x=1\n");
	assert_int_equal(list.doubles, 1);
	flatten("{\"a\": [1, 2, 3], \"a\": [4]}");
	expect("a[0]=4\n");
	flatten("{\"a\": {\"b\": {\"x\": 1}, \"b\": {\"y\": 2}},"
	    " \"a\": {\"b\": {\"z\": 3}}}");
	expect("a.b.z=3\n");
	assert_true(list.doubles > 0);
}

static void
a_value_can_stand_below_a_key(void **state)
{
	(void)state;
	assert_int_equal(flatten_under("top", "{\"a\": [1], \"b.c\": 2}"), 0);
	expect("top.a[0]=1\ntop[\"b.c\"]=2\n");
	assert_int_equal(flatten_under("top", "4"), 0);
	expect("top=4\n");
}

static struct flat
number(const char *text)
{
	return (struct flat){.type = FLAT_NUMBER, .p = text,
	    .n = strlen(text)};
}

static bool
equal(const char *x, const char *y)
{
	const struct flat a = number(x), b = number(y);

	assert_int_equal(flatjson_equal(&a, &b), flatjson_equal(&b, &a));
	return flatjson_equal(&a, &b);
}

static void
numbers_are_compared_by_value(void **state)
{
	(void)state;
	assert_true(equal("1e-5", "0.00001"));
	assert_true(equal("1E-05", "1.0e-5"));
	assert_true(equal("100", "1e2"));
	assert_true(equal("1", "1.0"));
	assert_true(equal("-0.0", "0"));
	assert_true(equal("12.30", "1.23e1"));
	/* the same double */
	assert_true(equal("0.1", "0.1000000000000000055511151231257827"));
	assert_false(equal("1e-5", "1e-6"));
	assert_false(equal("1", "-1"));
	assert_false(equal("10", "1"));
	assert_false(equal("0.1", "0.10000000000000002"));
	/* beyond double precision, but whole numbers have no limit */
	assert_false(equal("9007199254740993", "9007199254740992"));
	assert_false(equal("1e99999999999999999999", "1e99999999999999999998"));
}

static void
other_types_are_compared_by_bytes(void **state)
{
	const struct flat one = number("1");
	struct flat text = number("1");

	(void)state;
	text.type = FLAT_STRING;
	assert_false(flatjson_equal(&one, &text));
}

static void
a_key_is_found_by_its_whole_text(void **state)
{
	const struct flat *f;

	(void)state;
	flatten("{\"a\": 1, \"ab\": 2, \"b\": 3}");
	assert_non_null(f = flatjson_find(list.v, list.n, "ab"));
	assert_string_equal(f->p, "2");
	assert_null(flatjson_find(list.v, list.n, "abc"));
	assert_null(flatjson_find(list.v, 0, "a"));
}

static void
a_name_that_is_too_long_is_a_limit(void **state)
{
	static char text[LIMIT_FLAT_KEY + 64];

	(void)state;
	memset(text, 'k', sizeof(text) - 1);
	memcpy(text, "{\"", 2);
	memcpy(text + sizeof(text) - 6, "\": 1}", 6);
	assert_int_equal(flatten_under("", text), ERR_LIMIT);
}

static void
broken_text_is_an_error_of_the_document(void **state)
{
	(void)state;
	assert_int_equal(flatten_under("", "{\"a\": 1,}"), ERR_FORMAT);
	assert_int_equal(flatten_under("", "{\"a\": [1"), ERR_TRUNC);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(leaves_have_the_way_to_them_as_key),
		TEST(neither_order_nor_blanks_nor_escapes_are_left),
		TEST(empty_containers_are_leaves_and_full_ones_are_not),
		TEST(names_with_dots_cannot_pose_as_ways),
		TEST(the_last_of_a_repeated_name_counts),
		TEST(what_is_below_the_earlier_name_is_gone),
		TEST(a_value_can_stand_below_a_key),
		TEST(numbers_are_compared_by_value),
		TEST(other_types_are_compared_by_bytes),
		TEST(a_key_is_found_by_its_whole_text),
		TEST(a_name_that_is_too_long_is_a_limit),
		TEST(broken_text_is_an_error_of_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
