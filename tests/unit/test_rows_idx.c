#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"
#include "tests/lib/rows_pack.h"

/* Two images of 1 x 3, and their labels. */
static const char images[] = "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\3"
    "\1\2\3\4\5\xff";
static const char labels[] = "\0\0\x08\1\0\0\0\2\7\x09";
#define IMAGES (sizeof(images) - 1)
#define LABELS (sizeof(labels) - 1)

static void
file_alone_is_rows_of_bytes(void **state)
{
	static const struct rows_case_file f = {"x-images-idx3-ubyte",
	    images, IMAGES};

	(void)state;
	rows_case_check(NULL, &f, 1,
	    "0 0 16 3 v {\"image\":[[1,2,3]]}\n"
	    "1 0 19 3 v {\"image\":[[4,5,255]]}\n= 0\n");
	rows_case_truncate("idx", &f, 1);
}

static void
images_and_labels_are_aligned(void **state)
{
	static const struct rows_case_file f[] = {
	    {"t-images-idx3-ubyte", images, IMAGES},
	    {"t-labels-idx1-ubyte", labels, LABELS}};
	char *got = rows_case_field("idx", f, 2, 1, "label");

	(void)state;
	rows_case_check(NULL, f, 2,
	    "0 0 16 3 - {\"image\":[[1,2,3]],\"label\":7}\n"
	    "1 0 19 3 - {\"image\":[[4,5,255]],\"label\":9}\n= 0\n");
	rows_case_truncate("idx", f, 2);
	assert_string_equal(got, "int:9");
	free(got);
}

static void
other_numbers_of_rows_follow_as_their_own(void **state)
{
	static const struct rows_case_file f[] = {
	    {"a", images, IMAGES},
	    {"b", "\0\0\x0b\1\0\0\0\1\xff\xfe", 10},
	    {"c", labels, LABELS}};

	(void)state;
	rows_case_check("idx", f, 3,
	    "0 0 16 3 - {\"image\":[[1,2,3]],\"label\":7}\n"
	    "1 0 19 3 - {\"image\":[[4,5,255]],\"label\":9}\n"
	    "2 1 8 2 v {\"label\":-2}\n= 0\n");
}

static void
equal_names_become_those_of_files(void **state)
{
	static const struct rows_case_file f[] = {
	    {"d/a", labels, LABELS}, {"d/b", labels, LABELS}};

	(void)state;
	rows_case_check("idx", f, 2,
	    "0 0 8 1 - {\"a\":7,\"b\":7}\n"
	    "1 0 9 1 - {\"a\":9,\"b\":9}\n= 0\n");
}

static void
compressed_files_are_unpacked(void **state)
{
	struct rows_case_file f = {"x-labels-idx1-ubyte.gz", NULL, 0};
	uint8_t *p = rows_pack_filter(labels, LABELS, "gzip", &f.n);
	char want[128];

	(void)state;
	f.p = p;
	(void)snprintf(want, sizeof(want), "0 0 0 %zu - {\"label\":7}\n"
	    "1 0 0 %zu - {\"label\":9}\n= 0\n", f.n, f.n);
	rows_case_check(NULL, &f, 1, want);
	rows_case_truncate("idx", &f, 1);
	free(p);
}

static void
header_that_lies_is_told(void **state)
{
	static const struct rows_case_file more = {"x",
	    "\0\0\x08\1\0\0\0\3\7\x09", 10};
	static const struct rows_case_file none = {"x", "\0\0\x07\1", 4};
	static const struct rows_case_file empty = {"x",
	    "\0\0\x08\2\xff\xff\xff\xff\0\0\0\0", 12};

	(void)state;
	rows_case_check("idx", &more, 1,
	    "! 0 8 an array states more rows than there are\n"
	    "0 0 8 1 v {\"label\":7}\n1 0 9 1 v {\"label\":9}\n= 0\n");
	rows_case_check("idx", &none, 1,
	    "! 0 0 a file has no header of IDX\n= -5\n");
	rows_case_check("idx", &empty, 1,
	    "! 0 12 rows without bytes\n= -5\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_alone_is_rows_of_bytes),
	    cmocka_unit_test(images_and_labels_are_aligned),
	    cmocka_unit_test(other_numbers_of_rows_follow_as_their_own),
	    cmocka_unit_test(equal_names_become_those_of_files),
	    cmocka_unit_test(compressed_files_are_unpacked),
	    cmocka_unit_test(header_that_lies_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
