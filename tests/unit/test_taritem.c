#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "custody/taritem.h"

static uint8_t out[TARITEM_MAX];

static size_t
put(const char *path, uint64_t size)
{
	size_t n;

	assert_int_equal(taritem_put(out, &(struct taritem){path,
	    strlen(path), size, 77}, &n, NULL), 0);
	return n;
}

static void
a_short_path_has_one_header(void **state)
{
	struct tarhdr h;

	(void)state;
	assert_int_equal(put("BAG/data/x", 5), 512);
	assert_true(tarhdr_read(out, &h));
	assert_string_equal(h.name, "BAG/data/x");
	assert_true(h.size == 5 && h.mtime == 77 && h.type == '0');
}

static void
a_long_path_stands_in_a_pax_record(void **state)
{
	char path[121], want[140];
	struct tarhdr h;
	size_t n;

	(void)state;
	memset(path, 'p', 120);
	path[100] = '\0';
	assert_int_equal(put(path, 5), 512);
	path[100] = 'p';
	path[101] = '\0';
	assert_int_equal(put(path, 5), 3 * 512);
	path[101] = 'p';
	path[120] = '\0';
	assert_int_equal(put(path, 5), 3 * 512);
	assert_true(tarhdr_read(out, &h));
	assert_int_equal(h.type, 'x');
	assert_true(h.mtime == 0 && h.size == 130);
	assert_memory_equal(h.name, "PaxHeaders/", 11);
	assert_int_equal(strlen(h.name), 11 + 32);
	(void)snprintf(want, sizeof(want), "130 path=%s\n", path);
	assert_memory_equal(out + 512, want, 130);
	for (size_t i = 512 + 130; i < 1024; i++)
		assert_int_equal(out[i], 0);
	assert_true(tarhdr_read(out + 1024, &h));
	assert_int_equal(strlen(h.name), 100);
	assert_non_null(taritem_path(out + 512, 130, &n));
	assert_int_equal(n, 120);
	assert_memory_equal(taritem_path(out + 512, 130, &n), path, 120);
}

static void
a_large_size_stands_in_a_pax_record(void **state)
{
	struct tarhdr h;
	size_t n;

	(void)state;
	assert_int_equal(put("BAG/x", TARITEM_BIG - 1), 512);
	assert_int_equal(put("BAG/x", TARITEM_BIG), 3 * 512);
	assert_memory_equal(out + 512, "19 size=8589934592\n", 19);
	assert_true(tarhdr_read(out + 1024, &h));
	assert_true(h.size == TARITEM_BIG);
	assert_null(taritem_path(out + 512, 19, &n));
	assert_int_equal(put("BAG/x", UINT64_MAX), 3 * 512);
	assert_memory_equal(out + 512, "29 size=18446744073709551615\n", 29);
}

/* The length counts its own digits, also where it gains one. */
static void
record_lengths_are_right_for_every_path_length(void **state)
{
	static char path[LIMIT_MEMBER_NAME + 2];
	struct tarhdr h;
	size_t n, len;
	char *end;

	(void)state;
	memset(path, 'a', sizeof(path));
	for (size_t k = 101; k <= LIMIT_MEMBER_NAME; k++) {
		assert_int_equal(taritem_put(out, &(struct taritem){path, k,
		    UINT64_MAX, 1}, &n, NULL), 0);
		assert_true(tarhdr_read(out, &h));
		len = strtoul((const char *)out + 512, &end, 10);
		assert_memory_equal(end, " path=", 6);
		assert_int_equal(out[512 + len - 1], '\n');
		assert_memory_equal(out + 512 + len, "29 size=", 8);
		assert_true(h.size == len + 29);
	}
	assert_int_equal(taritem_put(out, &(struct taritem){path,
	    LIMIT_MEMBER_NAME + 1, 0, 1}, &n, NULL), ERR_ARG);
	assert_int_equal(taritem_put(out, &(struct taritem){path, 0, 0, 1},
	    &n, NULL), ERR_ARG);
	assert_int_equal(taritem_put(out, &(struct taritem){"a\0b", 3, 0, 1},
	    &n, NULL), ERR_ARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_short_path_has_one_header),
	    cmocka_unit_test(a_long_path_stands_in_a_pax_record),
	    cmocka_unit_test(a_large_size_stands_in_a_pax_record),
	    cmocka_unit_test(record_lengths_are_right_for_every_path_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
