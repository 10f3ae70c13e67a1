#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "analyzer/triggers/dataimage.h"
#include "base/err.h"
#include "formats/rows/rows.h"

static struct dataimage d;
static struct err e;
static const char *why;

static void
begin(void)
{
	dataimage_init(&d);
	e = (struct err)ERR_INIT;
}

static void
end(void)
{
	dataimage_release(&d);
}

static void
is(uint32_t w, uint32_t h, uint32_t c, const char *bytes)
{
	assert_int_equal(d.image.width, w);
	assert_int_equal(d.image.height, h);
	assert_int_equal(d.image.channels, c);
	assert_memory_equal(d.image.p, bytes, (size_t)w * h * c);
}

static void
planes_become_pixels(void **state)
{
	static const uint64_t chw[] = {3, 1, 2}, hwc[] = {1, 2, 3},
	    rgba[] = {1, 2, 4};
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct rows_array a = {.kind = 'u', .size = 1, .rank = 3,
	    .shape = chw, .count = 6, .p = bytes};

	(void)state;
	begin();
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(2, 1, 3, "\1\3\5\2\4\6");
	a.shape = hwc;
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(2, 1, 3, "\1\2\3\4\5\6");
	a.shape = rgba;
	a.count = 8;
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(2, 1, 3, "\1\2\3\5\6\7");
	end();
}

static void
reals_are_stretched_by_the_range_of_the_set(void **state)
{
	static const uint64_t shape[] = {1, 3};
	float unit[] = {0, 0.5F, 1}, wide[] = {0, 16, 300},
	    centred[] = {-1, 0, 1};
	struct rows_array a = {.kind = 'f', .size = 4, .rank = 2,
	    .shape = shape, .count = 3, .p = (const uint8_t *)unit};

	(void)state;
	begin();
	dataimage_survey(&d, &a);
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(3, 1, 1, "\x00\x80\xff");
	end();
	begin();
	a.p = (const uint8_t *)wide;
	dataimage_survey(&d, &a);
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(3, 1, 1, "\x00\x10\xff");
	end();
	begin();
	a.p = (const uint8_t *)centred;
	dataimage_survey(&d, &a);
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	is(3, 1, 1, "\x00\x80\xff");
	end();
}

static void
flat_rows_are_squares(void **state)
{
	static const uint64_t grey[] = {16}, colour[] = {48}, none[] = {15};
	uint8_t bytes[48];
	struct rows_array a = {.kind = 'u', .size = 1, .rank = 1,
	    .shape = grey, .count = 16, .p = bytes};

	(void)state;
	for (unsigned i = 0; i < 48; i++)
		bytes[i] = (uint8_t)i;
	begin();
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	assert_int_equal(d.image.width, 4);
	assert_int_equal(d.image.channels, 1);
	a.shape = colour;
	a.count = 48;
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 1);
	assert_int_equal(d.image.channels, 3);
	assert_int_equal(d.image.p[1], 16);
	a.shape = none;
	a.count = 15;
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 0);
	assert_non_null(why);
	end();
}

static void
what_is_too_large_is_no_image(void **state)
{
	static const uint64_t huge[] = {UINT32_MAX, UINT32_MAX};
	struct rows_array a = {.kind = 'u', .size = 1, .rank = 2,
	    .shape = huge, .count = 1, .p = (const uint8_t *)""};

	(void)state;
	begin();
	assert_int_equal(dataimage_array(&d, &a, &why, &e), 0);
	assert_int_equal(dataimage_file(&d, (const uint8_t *)"\x89PNG\r\n",
	    6, &why, &e), 0);
	assert_non_null(why);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(planes_become_pixels),
	    cmocka_unit_test(reals_are_stretched_by_the_range_of_the_set),
	    cmocka_unit_test(flat_rows_are_squares),
	    cmocka_unit_test(what_is_too_large_is_no_image)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
