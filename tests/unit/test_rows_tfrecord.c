#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/rows/crc32c.h"
#include "tests/lib/rows_case.h"

static uint8_t file[4096];
static size_t used;

static void
put(const void *p, size_t n)
{
	memcpy(file + used, p, n);
	used += n;
}

static void
put_u32(uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		file[used++] = (uint8_t)(v >> 8 * i);
}

static void
frame(const void *p, size_t n)
{
	size_t at = used;

	put_u32((uint32_t)n);
	put_u32(0);
	put_u32(crc32c_mask(crc32c(0, file + at, 8)));
	put(p, n);
	put_u32(crc32c_mask(crc32c(0, file + at + 12, n)));
}

/* A message of ${number}: its tag, length (below 128) and content. */
#define M(number, len) (char)(((number) << 3) | 2), (char)(len)

/* text: "hi"; label: 7; f: 1, 2 (packed); ids: 1, -1; raw: ff. */
static const char example[] = {M(1, 96),
	M(1, 14), M(1, 4), 't', 'e', 'x', 't', M(2, 6), M(1, 4), M(1, 2),
	'h', 'i',
	M(1, 14), M(1, 5), 'l', 'a', 'b', 'e', 'l', M(2, 5), M(3, 3),
	M(1, 1), 7,
	M(1, 17), M(1, 1), 'f', M(2, 12), M(2, 10), M(1, 8), 0, 0,
	(char)0x80, 0x3f, 0, 0, 0, 0x40,
	M(1, 22), M(1, 3), 'i', 'd', 's', M(2, 15), M(3, 13), M(1, 11), 1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, 1,
	M(1, 12), M(1, 3), 'r', 'a', 'w', M(2, 5), M(1, 3), M(1, 1), -1,
	M(1, 5), M(1, 1), 'e', M(2, 0)};

static void
check(const char *want)
{
	struct rows_case_file f = {"a.tfrecord", file, used};

	rows_case_check("tfrecord", &f, 1, want);
	rows_case_truncate("tfrecord", &f, 1);
}

static void
sum_is_castagnolis(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, (const uint8_t *)"123456789", 9),
	    0xe3069283);
	assert_int_equal(crc32c(crc32c(0, (const uint8_t *)"1234", 4),
	    (const uint8_t *)"56789", 5), 0xe3069283);
}

static void
frames_are_records_and_features_are_fields(void **state)
{
	static const char want[] =
	    "0 0 0 114 v {\"text\":\"hi\",\"label\":7,\"f\":[1,2],"
	    "\"ids\":[1,-1],\"raw\":{\"base64\":\"/w==\"},\"e\":[]}\n"
	    "1 0 114 16 v {}\n= 0\n";

	(void)state;
	used = 0;
	frame(example, sizeof(example));
	frame("", 0);
	check(want);
}

static void
fields_are_found_by_name_and_number(void **state)
{
	struct rows_case_file f = {"a", file, 0};
	static const char *const paths[][2] = {{"text", "text:hi"},
	    {"label", "int:7"}, {"f", "tree:[1,2]"}, {"f.1", "real:2"},
	    {"ids.1", "int:-1"}, {"ids.2", "absent"}, {"raw", "bytes:\xff"},
	    {"e", "tree:[]"}, {"none", "absent"}, {"text.0", "text:hi"}};

	(void)state;
	used = 0;
	frame(example, sizeof(example));
	f.n = used;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *got = rows_case_field(NULL, &f, 1, 0, paths[i][0]);

		assert_string_equal(got, paths[i][1]);
		free(got);
	}
}

static void
data_with_a_wrong_sum_are_a_damaged_record(void **state)
{
	(void)state;
	used = 0;
	frame("x", 1);
	frame("", 0);
	file[12] ^= 1;
	check("! 0 0 the check of a record's data does not hold\n"
	    "0 0 0 17 vd -\n1 0 17 16 v {}\n= 0\n");
}

static void
length_with_a_wrong_sum_ends_it(void **state)
{
	(void)state;
	used = 0;
	frame("", 0);
	frame("", 0);
	file[17] ^= 1;
	check("0 0 0 16 v {}\n"
	    "! 0 16 the check of a frame's length does not hold\n"
	    "= -5\n= 0\n");
}

static void
what_is_no_example_is_damaged(void **state)
{
	(void)state;
	used = 0;
	frame("\x0a\x7f", 2);
	check("! 0 0 a record is no example of TensorFlow\n"
	    "0 0 0 18 vd -\n= 0\n");
}

static void
lists_of_sequences_are_lists_of_lists(void **state)
{
	/* lists: s: [[1], [2, 3]] */
	static const char sequence[] = {M(2, 22), M(1, 20), M(1, 1), 's',
	    M(2, 15), M(1, 5), M(3, 3), M(1, 1), 1, M(1, 6), M(3, 4),
	    M(1, 2), 2, 3};

	(void)state;
	used = 0;
	frame(sequence, sizeof(sequence));
	check("0 0 0 40 v {\"s\":[1,[2,3]]}\n= 0\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sum_is_castagnolis),
	    cmocka_unit_test(frames_are_records_and_features_are_fields),
	    cmocka_unit_test(fields_are_found_by_name_and_number),
	    cmocka_unit_test(data_with_a_wrong_sum_are_a_damaged_record),
	    cmocka_unit_test(length_with_a_wrong_sum_ends_it),
	    cmocka_unit_test(what_is_no_example_is_damaged),
	    cmocka_unit_test(lists_of_sequences_are_lists_of_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
