#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

static void
check(const char *text, const char *want)
{
	struct rows_case_file f = {"a.json", text, strlen(text)};

	rows_case_check("jsonarray", &f, 1, want);
	rows_case_truncate("jsonarray", &f, 1);
}

static void
elements_are_records_without_what_divides_them(void **state)
{
	(void)state;
	check(" [ {\"a\":\"]}\\\"\"} ,\n{ \"b\" : [1, {}] }, 7,\"x\" ]\n",
	    "0 0 3 12 v {\"a\":\"]}\\\"\"}\n"
	    "1 0 18 17 v {\"b\":[1,{}]}\n"
	    "2 0 37 1 v {\"value\":7}\n"
	    "3 0 39 3 v {\"value\":\"x\"}\n"
	    "= 0\n");
	check("[]", "= 0\n");
}

static void
element_that_is_not_json_is_damaged(void **state)
{
	(void)state;
	check("[{\"a\":tru},{\"b\":1}]",
	    "! 0 6 a record is not JSON\n"
	    "0 0 1 9 vd -\n"
	    "1 0 11 7 v {\"b\":1}\n"
	    "= 0\n");
}

static void
broken_array_ends_after_what_came_before(void **state)
{
	(void)state;
	check("[{\"a\":1},{\"b\":1]}]",
	    "0 0 1 7 v {\"a\":1}\n"
	    "! 0 15 brackets do not match\n"
	    "= -5\n= 0\n");
	check("[{\"a\":1} {\"b\":1}]",
	    "0 0 1 7 v {\"a\":1}\n"
	    "! 0 9 no comma between two elements\n"
	    "= -5\n= 0\n");
	check("[1,]", "0 0 1 1 v {\"value\":1}\n"
	    "! 0 3 an element is missing\n= -5\n= 0\n");
	check("[{\"a\":1},{\"b\":",
	    "0 0 1 7 v {\"a\":1}\n"
	    "! 0 14 the array is cut\n"
	    "= -5\n= 0\n");
	check("{\"a\":1}", "! 0 0 the file is no array\n= -5\n= 0\n");
}

static void
what_follows_the_array_is_told(void **state)
{
	(void)state;
	check("[1] x", "0 0 1 1 v {\"value\":1}\n"
	    "! 0 4 something follows the array\n= 0\n");
}

static void
mark_is_no_part_of_it(void **state)
{
	(void)state;
	check("\xef\xbb\xbf[1]",
	    "! 0 0 the file begins with a byte order mark\n"
	    "0 0 4 1 v {\"value\":1}\n= 0\n");
}

static void
arrays_of_objects_are_its_own(void **state)
{
	static const struct rows_case_file yes = {"a.json", "\n[ {\"a\":1}]",
	    11};
	static const struct rows_case_file no = {"a.json", "{\"a\":[{}]}", 10};
	const char *got;

	(void)state;
	assert_string_equal(rows_case_bid(&yes, 1), "jsonarray");
	got = rows_case_bid(&no, 1);
	assert_true(got == NULL || strcmp(got, "jsonarray") != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_are_records_without_what_divides_them),
	    cmocka_unit_test(element_that_is_not_json_is_damaged),
	    cmocka_unit_test(broken_array_ends_after_what_came_before),
	    cmocka_unit_test(what_follows_the_array_is_told),
	    cmocka_unit_test(mark_is_no_part_of_it),
	    cmocka_unit_test(arrays_of_objects_are_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
