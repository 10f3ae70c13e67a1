#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/lib/rows_case.h"


static void
check(const char *text, size_t n, const char *want)
{
	struct rows_case_file f = {"a.jsonl", text, n};

	rows_case_check(NULL, &f, 1, want);
	rows_case_truncate("jsonl", &f, 1);
}
#define CHECK(text, want) check(text, sizeof(text) - 1, want)

static void
check_field(const char *text, const char *path, const char *want)
{
	struct rows_case_file f = {"a.jsonl", text, strlen(text)};
	char *got = rows_case_field(NULL, &f, 1, 0, path);

	assert_string_equal(got, want);
	free(got);
}

static void
line_feeds_alone_divide_records(void **state)
{
	(void)state;
	CHECK("{\"a\":1}\n{\"a\": 2}\r\n{\"b\":\"\xe2\x80\xa8\"}",
	    "0 0 0 7 v {\"a\":1}\n"
	    "1 0 8 9 v {\"a\":2}\n"
	    "2 0 18 11 v {\"b\":\"\\u2028\"}\n"
	    "= 0\n");
}

static void
last_line_feed_ends_the_last_record(void **state)
{
	(void)state;
	CHECK("{}\n", "0 0 0 2 v {}\n= 0\n");
	CHECK("", "= 0\n");
}

static void
mark_belongs_to_no_record(void **state)
{
	(void)state;
	CHECK("\xef\xbb\xbf{\"a\":1}\n",
	    "! 0 0 the file begins with a byte order mark\n"
	    "0 0 3 7 v {\"a\":1}\n= 0\n");
}

static void
numbers_are_those_of_lines(void **state)
{
	(void)state;
	CHECK("{}\n\n[1, 2]\n{\"a\":}\n3",
	    "0 0 0 2 v {}\n"
	    "! 0 3 a record is not JSON\n"
	    "1 0 3 0 vd -\n"
	    "2 0 4 6 v {\"value\":[1,2]}\n"
	    "! 0 16 a record is not JSON\n"
	    "3 0 11 6 vd -\n"
	    "4 0 18 1 v {\"value\":3}\n"
	    "= 0\n");
}

static void
shards_are_numbered_through(void **state)
{
	static const struct rows_case_file f[] = {
	    {"d/a.jsonl", "{\"a\":1}\n{\"a\":2}", 15},
	    {"d/b.jsonl", "", 0},
	    {"d/c.jsonl", "{\"a\":3}\n", 8}};

	(void)state;
	rows_case_check(NULL, f, 3,
	    "0 0 0 7 v {\"a\":1}\n"
	    "1 0 8 7 v {\"a\":2}\n"
	    "2 2 0 7 v {\"a\":3}\n"
	    "= 0\n");
}

static void
fields_are_found_by_dotted_path(void **state)
{
	static const char text[] = "{\"a\": {\"b\": [10, {\"c\": \"x\\n\\u00e9"
	    "\\ud83d\\ude00\"}]}, \"a.b\": true, \"n\": null, \"f\": -1.5e1, "
	    "\"u\": 18446744073709551615, \"m\": -9223372036854775808, "
	    "\"k\\u0065y\": \"raw\", \"t\": [ 1, { \"z\" : \"\xc2\x85\" } ]}";

	(void)state;
	check_field(text, "a.b", "bool:1");
	check_field(text, "n", "null");
	check_field(text, "f", "real:-15");
	check_field(text, "u", "uint:18446744073709551615");
	check_field(text, "m", "int:-9223372036854775808");
	check_field(text, "key", "text:raw");
	check_field(text, "t", "tree:[1,{\"z\":\"\\u0085\"}]");
	check_field(text, "t.0", "int:1");
	check_field(text, "t.1.z", "text:\xc2\x85");
	check_field(text, "t.2", "absent");
	check_field(text, "t.x", "absent");
	check_field(text, "missing", "absent");
	check_field(text, "n.x", "absent");
	check_field("{\"a\": {\"b\": [10, {\"c\": \"x\\n\\u00e9"
	    "\\ud83d\\ude00\"}]}}", "a.b.1.c",
	    "text:x\n\xc3\xa9\xf0\x9f\x98\x80");
}

static void
last_of_equal_keys_counts(void **state)
{
	(void)state;
	check_field("{\"a\":1,\"a\":{\"b\":2},\"a\":3}", "a",
	    "! 0 0 a key occurs twice\nint:3");
}

/* What is not valid JSON, each a line of its own. */
static void
strictness_is_that_of_the_rfc(void **state)
{
	static const char *const bad[] = {"{", "{]", "[1,]", "{\"a\":1,}",
	    "{'a':1}", "01", "1.", "1e", "-", "+1", ".5", "NaN", "tru",
	    "\"\x01\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
	    "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\xc0\x80\"", "\"\xff\"",
	    "\"a", "{} {}", "{\"a\"}", "{\"a\":1 \"b\":2}", "[1 2]", "]",
	    "{\"a\":1]", "\"\xed\xa0\x80\""};
	static const char *const good[] = {" {} ", "\t[ ]\r", "-0.0e+1",
	    "\"\\u0000\\ud83d\\ude00\xf0\x9f\x98\x80\"", "true", "false",
	    "null", "[[[[]]]]", "{\"\":{\"\":[]}}", "12345678901234567890",
	    "\"0123456\xc3\xa9" "89\"", "\"01234567\\\\\""};
	char *got;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rows_case_file f = {"a.jsonl", bad[i], strlen(bad[i])};

		got = rows_case_text(NULL, &f, 1, 0);
		if (strstr(got, "vd -") == NULL)
			fail_msg("taken for JSON: %s", bad[i]);
		free(got);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rows_case_file f = {"a.jsonl", good[i],
		    strlen(good[i])};

		got = rows_case_text(NULL, &f, 1, 0);
		if (strstr(got, "vd -") != NULL)
			fail_msg("not taken for JSON: %s", good[i]);
		free(got);
	}
}

static void
nesting_has_its_limit(void **state)
{
	char text[2 * LIMIT_JSON_DEPTH + 4];

	(void)state;
	for (size_t depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1;
	    depth++) {
		struct rows_case_file f = {"a.jsonl", text, 2 * depth};
		char *got;

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		got = rows_case_text(NULL, &f, 1, 0);
		assert_int_equal(strstr(got, "vd -") != NULL,
		    depth > LIMIT_JSON_DEPTH);
		free(got);
	}
}

/* The line's bounds are known, and the record after it is read. */
static void
line_over_the_limit_is_a_damaged_record(void **state)
{
	const size_t n = LIMIT_LINE + 100;
	char *text = malloc(n + 4), *got;
	struct rows_case_file f = {"a.jsonl", text, n + 4};

	(void)state;
	assert_non_null(text);
	memset(text, ' ', n);
	memcpy(text + n, "\n{}\n", 4);
	got = rows_case_text(NULL, &f, 1, 0);
	assert_string_equal(got,
	    "! 0 0 a record is too long to be parsed\n"
	    "0 0 0 16777316 vd -\n"
	    "1 0 16777317 2 v {}\n= 0\n");
	free(got);
	free(text);
}

static void
files_without_a_name_are_known_by_their_lines(void **state)
{
	static const struct rows_case_file yes[] = {
	    {"x", "{\"a\":1}\n{\"b\":2}\n", 16}, {"x.json", "{\"a\":1}\n", 8}};
	static const struct rows_case_file no[] = {{"x", "a,b\n1,2\n", 8},
	    {"x", "[1]\n[2]\n", 8}, {"x", "\0{}\n", 4}};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(rows_case_bid(&yes[i], 1), "jsonl");
	for (size_t i = 0; i < 3; i++) {
		const char *got = rows_case_bid(&no[i], 1);

		assert_true(got == NULL || strcmp(got, "jsonl") != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_feeds_alone_divide_records),
	    cmocka_unit_test(last_line_feed_ends_the_last_record),
	    cmocka_unit_test(mark_belongs_to_no_record),
	    cmocka_unit_test(numbers_are_those_of_lines),
	    cmocka_unit_test(shards_are_numbered_through),
	    cmocka_unit_test(fields_are_found_by_dotted_path),
	    cmocka_unit_test(last_of_equal_keys_counts),
	    cmocka_unit_test(strictness_is_that_of_the_rfc),
	    cmocka_unit_test(nesting_has_its_limit),
	    cmocka_unit_test(line_over_the_limit_is_a_damaged_record),
	    cmocka_unit_test(files_without_a_name_are_known_by_their_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
