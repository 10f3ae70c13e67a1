#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/fold.h"

static bool
same(const char *a, const char *b)
{
	char x[256], y[256];
	size_t n = fold_name(x, a, strlen(a)), m = fold_name(y, b, strlen(b));

	return n == m && memcmp(x, y, n) == 0;
}

static void
case_is_folded_beyond_ascii(void **state)
{
	(void)state;
	assert_true(same("README", "readme"));
	assert_true(same("\xc3\x89t\xc3\xa9", "\xc3\xa9T\xc3\x89"));
	assert_true(same("\xce\xa3", "\xcf\x83"));	/* Sigma */
	assert_true(same("\xce\xa3", "\xcf\x82"));	/* its final form */
	assert_true(same("\xd0\x96", "\xd0\xb6"));	/* Zhe */
	assert_true(same("stra\xc3\x9f" "e", "STRASSE"));
	assert_true(same("\xe2\x84\xaa", "k"));		/* Kelvin sign */
	assert_true(same("\xef\xbc\xa1", "\xef\xbd\x81"));
	assert_true(same("\xc5\xbf", "S"));		/* long s */
	assert_false(same("\xc4\xb1", "i"));		/* dotless i */
	assert_false(same("a", "b"));
	assert_false(same("\xef\xbc\xa1", "a"));	/* compatibility */
}

static void
composed_and_decomposed_are_one(void **state)
{
	(void)state;
	assert_true(same("\xc3\xa9", "e\xcc\x81"));
	assert_true(same("\xe2\x84\xab", "A\xcc\x8a"));	/* Angstrom */
	assert_true(same("\xe1\xbb\x86", "e\xcc\xa3\xcc\x82"));
	assert_true(same("\xd0\x99", "\xd0\xb8\xcc\x86"));
	assert_true(same("\xea\xb0\x81",
	    "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"));	/* Hangul */
	assert_false(same("\xc3\xa9", "e"));
}

static void
marks_are_put_in_order(void **state)
{
	(void)state;
	assert_true(same("e\xcc\x82\xcc\xa3", "e\xcc\xa3\xcc\x82"));
	assert_true(same("\xc3\xaa\xcc\xa3", "\xe1\xbb\x87"));
	/* Of one class the order means something. */
	assert_false(same("e\xcc\x82\xcc\x81", "e\xcc\x81\xcc\x82"));
}

static void
bytes_that_are_no_text_stay(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(fold_name(out, "A\xff\xc3", 3), 3);
	assert_memory_equal(out, "a\xff\xc3", 3);
}

static void
no_code_point_grows_beyond_the_limit(void **state)
{
	char in[4], out[64];
	size_t n;

	(void)state;
	for (uint32_t cp = 0x80; cp < 0x10000; cp++) {
		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		n = 0;
		if (cp < 0x800) {
			in[n++] = (char)(0xc0 | cp >> 6);
		} else {
			in[n++] = (char)(0xe0 | cp >> 12);
			in[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
		}
		in[n++] = (char)(0x80 | (cp & 0x3f));
		assert_true(fold_name(out, in, n) <= FOLD_GROWTH * n);
	}
}

static void
many_marks_fit(void **state)
{
	static char in[4000], out[4000 * FOLD_GROWTH];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(in); i += 2)
		memcpy(in + i, i % 4 == 0 ? "\xcc\x82" : "\xcc\xa3", 2);
	assert_int_equal(fold_name(out, in, sizeof(in)), sizeof(in));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(case_is_folded_beyond_ascii),
	    cmocka_unit_test(composed_and_decomposed_are_one),
	    cmocka_unit_test(marks_are_put_in_order),
	    cmocka_unit_test(bytes_that_are_no_text_stay),
	    cmocka_unit_test(no_code_point_grows_beyond_the_limit),
	    cmocka_unit_test(many_marks_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
