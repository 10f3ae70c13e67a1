#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

static void
classes_are_sorted_folders(void **state)
{
	static const struct rows_case_file f[] = {{"cat/b.JPG", "12", 2},
	    {"dog/deep/a.png", "345", 3}, {"dog/notes.txt", "x", 1},
	    {"zebra/1.gif", "", 0}};

	(void)state;
	rows_case_check(NULL, f, 4,
	    "0 0 0 2 v {\"path\":\"cat/b.JPG\",\"class\":\"cat\",\"label\":0,"
	    "\"size\":2}\n"
	    "1 1 0 3 v {\"path\":\"dog/deep/a.png\",\"class\":\"dog\","
	    "\"label\":1,\"size\":3}\n"
	    "! 2 0 a file is no image\n"
	    "2 3 0 0 v {\"path\":\"zebra/1.gif\",\"class\":\"zebra\","
	    "\"label\":2,\"size\":0}\n= 0\n");
}

static void
labels_are_counted_within_a_split(void **state)
{
	static const struct rows_case_file f[] = {{"test/b/1.png", "1", 1},
	    {"train/a/1.png", "1", 1}, {"train/b/1.png", "1", 1}};

	(void)state;
	rows_case_check(NULL, f, 3,
	    "0 0 0 1 v {\"path\":\"test/b/1.png\",\"split\":\"test\","
	    "\"class\":\"b\",\"label\":0,\"size\":1}\n"
	    "1 1 0 1 v {\"path\":\"train/a/1.png\",\"split\":\"train\","
	    "\"class\":\"a\",\"label\":0,\"size\":1}\n"
	    "2 2 0 1 v {\"path\":\"train/b/1.png\",\"split\":\"train\","
	    "\"class\":\"b\",\"label\":1,\"size\":1}\n= 0\n");
}

static void
bytes_of_an_image_are_a_field(void **state)
{
	static const struct rows_case_file f[] = {{"1.png", "abc", 3},
	    {"c/2.png", "de", 2}};
	char *got = rows_case_field(NULL, f, 2, 0, "image");

	(void)state;
	assert_string_equal(got, "bytes:abc");
	free(got);
	got = rows_case_field(NULL, f, 2, 0, "label");
	assert_string_equal(got, "absent");
	free(got);
	got = rows_case_field(NULL, f, 2, 1, "label");
	assert_string_equal(got, "int:0");
	free(got);
}

static void
folders_of_other_files_are_not_claimed(void **state)
{
	static const struct rows_case_file f[] = {{"a.bin", "1", 1},
	    {"b.png", "1", 1}};

	(void)state;
	assert_null(rows_case_bid(f, 2));
	assert_string_equal(rows_case_bid(f + 1, 1), "imagefolder");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(classes_are_sorted_folders),
	    cmocka_unit_test(labels_are_counted_within_a_split),
	    cmocka_unit_test(bytes_of_an_image_are_a_field),
	    cmocka_unit_test(folders_of_other_files_are_not_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
