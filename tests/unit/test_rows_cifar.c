#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

#define IMAGE 3072

static uint8_t file[3 * (2 + IMAGE)];

static char *
field(const struct rows_case_file *f, uint64_t row, const char *path)
{
	return rows_case_field(NULL, f, 1, row, path);
}

static void
check_field(const struct rows_case_file *f, uint64_t row, const char *path,
    const char *want)
{
	char *got = field(f, row, path);

	assert_string_equal(got, want);
	free(got);
}

static void
records_of_ten_classes_have_one_label(void **state)
{
	struct rows_case_file f = {"data_batch_1.bin", file,
	    2 * (1 + IMAGE)};
	const char *why;

	(void)state;
	memset(file, 200, sizeof(file));
	file[0] = 3;
	file[1 + IMAGE] = 9;
	file[1 + IMAGE + 1 + 1024 + 32 + 5] = 17;
	assert_string_equal(rows_case_bid(&f, 1), "cifar");
	check_field(&f, 0, "label", "int:3");
	check_field(&f, 1, "label", "int:9");
	check_field(&f, 1, "image.1.1.5", "int:17");
	check_field(&f, 1, "fine_label", "absent");
	assert_true(rows_case_laws("cifar", &f, 1, 0, &why));
}

static void
records_of_a_hundred_classes_have_two(void **state)
{
	struct rows_case_file f = {"train.bin", file, 2 * (2 + IMAGE)};
	const char *why;

	(void)state;
	memset(file, 200, sizeof(file));
	memcpy(file, "\x13\x63", 2);
	memcpy(file + 2 + IMAGE, "\0\1", 2);
	check_field(&f, 0, "coarse_label", "int:19");
	check_field(&f, 1, "fine_label", "int:1");
	check_field(&f, 1, "image.2.31.31", "int:200");
	assert_true(rows_case_laws("cifar", &f, 1, 0, &why));
}

static void
cut_batch_is_told(void **state)
{
	struct rows_case_file f = {"data_batch_1.bin", file, 1 + IMAGE + 9};
	const char *why;
	char *got;

	(void)state;
	got = rows_case_text("cifar", &f, 1, 0);
	assert_memory_equal(got,
	    "! 0 0 an array states more rows than there are\n0 0 0 3073 v ",
	    60);
	free(got);
	for (f.n = 0; f.n < 2 * (1 + IMAGE); f.n += 97)
		assert_true(rows_case_laws("cifar", &f, 1, 0, &why));
}

static void
other_binaries_are_not_claimed(void **state)
{
	struct rows_case_file f = {"pytorch_model.bin", file, 1 + IMAGE};

	(void)state;
	memset(file, 200, sizeof(file));
	assert_null(rows_case_bid(&f, 1));
	file[0] = 1;
	f.n--;
	assert_null(rows_case_bid(&f, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_of_ten_classes_have_one_label),
	    cmocka_unit_test(records_of_a_hundred_classes_have_two),
	    cmocka_unit_test(cut_batch_is_told),
	    cmocka_unit_test(other_binaries_are_not_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
