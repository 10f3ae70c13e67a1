#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

static uint8_t file[8192];

/* A file of version 1 as NumPy writes it; returns its size. */
static size_t
make(const char *header, const void *data, size_t n)
{
	size_t len = strlen(header), pad = (64 - (10 + len + 1) % 64) % 64;

	memcpy(file, "\x93NUMPY\1\0", 8);
	file[8] = (uint8_t)((len + pad + 1) & 255);
	file[9] = (uint8_t)((len + pad + 1) >> 8);
	memcpy(file + 10, header, len);
	memset(file + 10 + len, ' ', pad);
	file[10 + len + pad] = '\n';
	if (n > 0)
		memcpy(file + 11 + len + pad, data, n);
	return 11 + len + pad + n;
}

static void
check(const char *header, const void *data, size_t n, const char *want)
{
	struct rows_case_file f = {"a.npy", file, make(header, data, n)};

	rows_case_check(NULL, &f, 1, want);
	rows_case_truncate("npy", &f, 1);
}

static void
check_field(const char *header, const void *data, size_t n, uint64_t row,
    const char *path, const char *want)
{
	struct rows_case_file f = {"a.npy", file, make(header, data, n)};
	char *got = rows_case_field(NULL, &f, 1, row, path);

	assert_string_equal(got, want);
	free(got);
}

#define HEAD(descr, order, shape) "{'descr': " descr ", 'fortran_order': " \
	order ", 'shape': " shape ", }"

static const uint8_t six[] = {1, 0, 2, 0, 3, 0, 4, 0, 0xff, 0xff, 6, 0};

static void
rows_of_axis_0_are_records(void **state)
{
	(void)state;
	check(HEAD("'<i2'", "False", "(2, 3)"), six, 12,
	    "0 0 128 6 v {\"value\":[1,2,3]}\n"
	    "1 0 134 6 v {\"value\":[4,-1,6]}\n= 0\n");
	check(HEAD("'<u2'", "False", "(6,)"), six, 12,
	    "0 0 128 2 v {\"value\":1}\n"
	    "1 0 130 2 v {\"value\":2}\n"
	    "2 0 132 2 v {\"value\":3}\n"
	    "3 0 134 2 v {\"value\":4}\n"
	    "4 0 136 2 v {\"value\":65535}\n"
	    "5 0 138 2 v {\"value\":6}\n= 0\n");
	check(HEAD("'>i2'", "False", "(3, 1, 2)"), six, 12,
	    "0 0 128 4 v {\"value\":[[256,512]]}\n"
	    "1 0 132 4 v {\"value\":[[768,1024]]}\n"
	    "2 0 136 4 v {\"value\":[[-1,1536]]}\n= 0\n");
}

static void
fortran_order_is_told_and_gathered(void **state)
{
	(void)state;
	/* Columns first: (0,0) (1,0) (0,1) (1,1) (0,2) (1,2). */
	check(HEAD("'<i2'", "True", "(2, 3)"), six, 12,
	    "! 0 0 an array is in Fortran's order: its rows are not "
	    "contiguous\n"
	    "0 0 128 12 - {\"value\":[1,3,-1]}\n"
	    "1 0 128 12 - {\"value\":[2,4,6]}\n= 0\n");
	/* Of one axis there is no difference. */
	check(HEAD("'<i4'", "True", "(1,)"), six, 4,
	    "0 0 128 4 v {\"value\":131073}\n= 0\n");
}

static void
objects_are_a_pickle_and_not_read(void **state)
{
	(void)state;
	check(HEAD("'|O'", "False", "(2,)"), "\x80\3].", 4,
	    "! 0 0 an array of objects is a pickle, which is not read\n"
	    "= -5\n");
	check(HEAD("[('a', '<i4'), ('b', 'O')]", "False", "(2,)"),
	    "\x80\3].", 4,
	    "! 0 0 an array of objects is a pickle, which is not read\n"
	    "= -5\n");
}

static void
structured_types_are_fields(void **state)
{
	static const uint8_t row[] = {7, 0, 0, 0, 0, 0x80, 0x3f, 'h', 'i', 0,
	    1, 2};

	(void)state;
	check(HEAD("[('id', '|u1'), ('', '|V2'), ('x', '<f4'), "
	    "('t', '|S3'), (('title', 'p'), '|i1', (2,))]", "False",
	    "(1,)"), row, 12,
	    "0 0 192 12 v {\"id\":7,\"\":{\"base64\":\"AAA=\"},\"x\":1,"
	    "\"t\":\"hi\",\"p\":[1,2]}\n= 0\n");
}

static void
elements_have_their_types(void **state)
{
	static const uint8_t time[] = {0xd2, 2, 0x96, 0x49, 0, 0, 0, 0};
	static const uint8_t nan[] = {0, 0x7e, 0, 0x7c, 0, 0xbc, 1, 0};
	static const uint8_t ucs4[] = {0xe9, 0, 0, 0, 0, 0xf6, 1, 0};
	static const uint8_t big[] = {255, 255, 255, 255, 255, 255, 255, 255};

	(void)state;
	check_field(HEAD("'<M8[s]'", "False", "(1,)"), time, 8, 0, "value",
	    "time:1234567890000000000");
	check_field(HEAD("'<m8[s]'", "False", "(1,)"), time, 8, 0, "value",
	    "int:1234567890");
	check_field(HEAD("'<f2'", "False", "(1, 4)"), nan, 8, 0, "value",
	    "tree:[\"NaN\",\"Infinity\",-1,5.9604644775390625e-08]");
	check_field(HEAD("'<U2'", "False", "(1,)"), ucs4, 8, 0, "value",
	    "text:\xc3\xa9\xf0\x9f\x98\x80");
	check_field(HEAD("'<u8'", "False", "(1,)"), big, 8, 0, "value",
	    "uint:18446744073709551615");
	check_field(HEAD("'<i8'", "False", "(1,)"), big, 8, 0, "value",
	    "int:-1");
	check_field(HEAD("'|b1'", "False", "(1, 2)"), "\1", 2, 0, "value",
	    "tree:[true,false]");
	check_field(HEAD("'<c8'", "False", "(1,)"), "\0\0\x80\x3f\0\0\0\x40",
	    8, 0, "value", "tree:[1,2]");
}

static void
paths_count_elements(void **state)
{
	(void)state;
	check_field(HEAD("'<i2'", "False", "(1, 3, 2)"), six, 12, 0,
	    "value.2.1", "int:6");
	check_field(HEAD("'<i2'", "False", "(1, 3, 2)"), six, 12, 0,
	    "value.1", "tree:[3,4]");
	check_field(HEAD("'<i2'", "False", "(1, 3, 2)"), six, 12, 0,
	    "value.3", "absent");
	check_field(HEAD("'<i2'", "False", "(1, 3, 2)"), six, 12, 0,
	    "value.0.0.0", "absent");
	check_field(HEAD("'<i2'", "False", "(1, 3, 2)"), six, 12, 0,
	    "other", "absent");
}

static void
data_that_are_not_there_are_told(void **state)
{
	(void)state;
	check(HEAD("'<i2'", "False", "(3, 3)"), six, 12,
	    "! 0 128 an array states more rows than there are\n"
	    "0 0 128 6 v {\"value\":[1,2,3]}\n"
	    "1 0 134 6 v {\"value\":[4,-1,6]}\n= 0\n");
	check(HEAD("'<i2'", "False", "(1, 3)"), six, 12,
	    "! 0 128 something follows the last row of an array\n"
	    "0 0 128 6 v {\"value\":[1,2,3]}\n= 0\n");
	check(HEAD("'<i2'", "False",
	    "(18446744073709551615, 18446744073709551615)"), six, 12,
	    "! 0 0 an array of such a shape is not read\n= -5\n");
	check(HEAD("'<i2'", "False", "(9223372036854775807, 0)"), six, 0,
	    "! 0 128 an array whose rows have no bytes\n= -5\n");
	check(HEAD("'<i2'", "False", "()"), six, 2,
	    "! 0 0 an array without rows\n= -5\n");
	check(HEAD("[('a', [('b', '<i2')])]", "False", "(1,)"), six, 2,
	    "! 0 0 an array of nested types is not read\n= -5\n");
	check("{'descr': __import__('os'), }", six, 2,
	    "! 0 21 a header is no literal of NumPy\n= -5\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_of_axis_0_are_records),
	    cmocka_unit_test(fortran_order_is_told_and_gathered),
	    cmocka_unit_test(objects_are_a_pickle_and_not_read),
	    cmocka_unit_test(structured_types_are_fields),
	    cmocka_unit_test(elements_have_their_types),
	    cmocka_unit_test(paths_count_elements),
	    cmocka_unit_test(data_that_are_not_there_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
