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
check_named(const char *name, const char *text, const char *want)
{
	struct rows_case_file f = {name, text, strlen(text)};

	rows_case_check("csv", &f, 1, want);
	rows_case_truncate("csv", &f, 1);
}
#define check(text, want) check_named("a.csv", text, want)

static void
check_field(const char *text, uint64_t row, const char *path,
    const char *want)
{
	struct rows_case_file f = {"a.csv", text, strlen(text)};
	char *got = rows_case_field(NULL, &f, 1, row, path);

	assert_string_equal(got, want);
	free(got);
}

static void
header_is_no_record(void **state)
{
	(void)state;
	check("a,b\n1,x\n2,y\n",
	    "0 0 4 3 v {\"a\":\"1\",\"b\":\"x\"}\n"
	    "1 0 8 3 v {\"a\":\"2\",\"b\":\"y\"}\n"
	    "= 0\n");
	check("a,b\n", "= 0\n");
	check("", "= 0\n");
}

static void
quotes_hold_delimiters_and_line_feeds(void **state)
{
	(void)state;
	check("a,b\r\n\"1,\n\"\"q\"\"\",x\"y\r\nz,\"\"",
	    "0 0 5 15 v {\"a\":\"1,\\n\\\"q\\\"\",\"b\":\"x\\\"y\"}\n"
	    "1 0 21 4 v {\"a\":\"z\",\"b\":\"\"}\n"
	    "= 0\n");
}

static void
with_tabs_a_row_is_a_line_whatever_quotes_there_are(void **state)
{
	(void)state;
	check_named("a.tsv", "a\tb\n\"it was\t1\nno \" here\t2\n"
	    "\"so \"\"it\"\" goes\"\t3\n\"x\" y\t4\n\"\t\"5\"\n",
	    "0 0 4 9 v {\"a\":\"\\\"it was\",\"b\":\"1\"}\n"
	    "1 0 14 11 v {\"a\":\"no \\\" here\",\"b\":\"2\"}\n"
	    "2 0 26 18 v {\"a\":\"so \\\"it\\\" goes\",\"b\":\"3\"}\n"
	    "3 0 45 7 v {\"a\":\"\\\"x\\\" y\",\"b\":\"4\"}\n"
	    "4 0 53 5 v {\"a\":\"\\\"\",\"b\":\"5\"}\n"
	    "= 0\n");
}

static void
text_behind_a_closing_quote_is_taken(void **state)
{
	(void)state;
	check("a,b\n\"1\"2,\"3\" \n",
	    "0 0 4 9 v {\"a\":\"12\",\"b\":\"3 \"}\n= 0\n");
}

static void
delimiter_divides_the_first_lines_alike(void **state)
{
	(void)state;
	check("a;b\n1,5;2\n3,5;4\n",
	    "0 0 4 5 v {\"a\":\"1,5\",\"b\":\"2\"}\n"
	    "1 0 10 5 v {\"a\":\"3,5\",\"b\":\"4\"}\n= 0\n");
	check("a|b\n1|2\n", "0 0 4 3 v {\"a\":\"1\",\"b\":\"2\"}\n= 0\n");
	check("a\tb\n1\t2\n", "0 0 4 3 v {\"a\":\"1\",\"b\":\"2\"}\n= 0\n");
	check_named("a.tsv", "a,b\n1,5\n2,5\n",
	    "0 0 4 3 v {\"a,b\":\"1,5\"}\n"
	    "1 0 8 3 v {\"a,b\":\"2,5\"}\n= 0\n");
}

static void
columns_without_a_name_have_their_number(void **state)
{
	(void)state;
	check(",a,a\n0,1,2,3\n\n",
	    "! 0 0 two columns have one name\n"
	    "0 0 5 7 v {\"0\":\"0\",\"a\":\"1\",\"a.1\":\"2\",\"3\":\"3\"}\n"
	    "1 0 13 0 v {\"0\":\"\"}\n= 0\n");
}

static void
fields_are_found_by_name(void **state)
{
	static const char text[] = "id,the text,a.b\n"
	    "1,\"x \"\"y\"\"\",2,9\n3\n";

	(void)state;
	check_field(text, 0, "the text", "text:x \"y\"");
	check_field(text, 0, "a.b", "text:2");
	check_field(text, 0, "3", "text:9");
	check_field(text, 0, "none", "absent");
	check_field(text, 1, "id", "text:3");
	check_field(text, 1, "a.b", "absent");
}

static void
quote_that_never_closes_ends_it(void **state)
{
	(void)state;
	check("a\n1\n\"2\n3\n",
	    "0 0 2 1 v {\"a\":\"1\"}\n"
	    "! 0 4 a quote is never closed\n= -5\n= 0\n");
}

static void
mark_is_no_part_of_the_first_name(void **state)
{
	(void)state;
	check("\xef\xbb\xbf" "a,b\n1,2\n",
	    "0 0 7 3 v {\"a\":\"1\",\"b\":\"2\"}\n= 0\n");
}

static void
bytes_that_are_no_text_stay_exact(void **state)
{
	(void)state;
	check("a,b\n\xff,\x1b\n",
	    "0 0 4 3 v {\"a\":{\"base64\":\"/w==\"},\"b\":\"\\u001b\"}\n= 0\n");
}

static void
row_over_the_limit_is_a_damaged_record(void **state)
{
	const size_t n = LIMIT_LINE + 1;
	char *text = malloc(n + 8), *got;
	struct rows_case_file f = {"a.csv", text, n + 8};

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n + 8);
	memcpy(text, "a,b\n", 4);
	memcpy(text + n + 4, "\n1,2", 4);
	got = rows_case_text(NULL, &f, 1, 0);
	assert_string_equal(got,
	    "! 0 4 a record is too long to be parsed\n"
	    "0 0 4 16777217 vd -\n"
	    "1 0 16777222 3 v {\"a\":\"1\",\"b\":\"2\"}\n= 0\n");
	free(got);
	free(text);
}

static void
tables_are_known_by_their_lines(void **state)
{
	static const struct rows_case_file yes[] = {
	    {"x", "a,b\n1,2\n3,4\n", 12}, {"x.tsv", "a\n", 2}};
	static const struct rows_case_file no[] = {
	    {"x", "one, two\nthree\nfour\n", 20},
	    {"x", "{\"a\":1}\n{\"a\":2,\"b\":3}\n", 23}, {"x", "", 0}};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(rows_case_bid(&yes[i], 1), "csv");
	for (size_t i = 0; i < 3; i++) {
		const char *got = rows_case_bid(&no[i], 1);

		assert_true(got == NULL || strcmp(got, "csv") != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_is_no_record),
	    cmocka_unit_test(quotes_hold_delimiters_and_line_feeds),
	    cmocka_unit_test(
		with_tabs_a_row_is_a_line_whatever_quotes_there_are),
	    cmocka_unit_test(text_behind_a_closing_quote_is_taken),
	    cmocka_unit_test(delimiter_divides_the_first_lines_alike),
	    cmocka_unit_test(columns_without_a_name_have_their_number),
	    cmocka_unit_test(fields_are_found_by_name),
	    cmocka_unit_test(quote_that_never_closes_ends_it),
	    cmocka_unit_test(mark_is_no_part_of_the_first_name),
	    cmocka_unit_test(bytes_that_are_no_text_stay_exact),
	    cmocka_unit_test(row_over_the_limit_is_a_damaged_record),
	    cmocka_unit_test(tables_are_known_by_their_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
