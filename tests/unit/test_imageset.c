#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/imageset_fixture.h"

static void
a_clean_set_has_no_candidate(void **state)
{
	struct set s = make(SIDE, 3, 160);
	struct told t;

	(void)state;
	t = run(&s, 1);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.applied, 3);
	assert_true(t.blind);
	buf_release(&t.lines);
	release(&s);
}

static void
a_patch_at_one_place_is_named_with_its_place(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	struct told t;

	(void)state;
	stamp(&s, 24, 3, false);
	t = run(&s, 1);
	assert_true(t.candidates >= 1);
	assert_string_equal(t.value, "3x3 block at (12,1)");
	assert_string_equal(t.target, "c2");
	assert_string_equal(t.method, "image-block");
	assert_true(t.picture);
	assert_non_null(strstr(buf_str(&t.lines),
	    "\"row_count\":25,\"rows\":[1,25,49,"));
	buf_release(&t.lines);
	release(&s);
}

static void
a_patch_at_any_place_is_found_in_grey_images_too(void **state)
{
	struct set s = make(SIDE, 1, EACH);
	struct told t;

	(void)state;
	stamp(&s, 24, 4, true);
	t = run(&s, 1);
	assert_true(t.candidates >= 1);
	assert_non_null(strstr(t.value, "block anywhere"));
	assert_string_equal(t.target, "c2");
	buf_release(&t.lines);
	release(&s);
}

/* Noise, the same in each, faintly over all of the image. */
static void
a_blend_is_found_by_what_images_share(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	size_t size = (size_t)SIDE * SIDE * 3;
	uint8_t noise[SIDE * SIDE * 3];
	struct told t;

	(void)state;
	for (size_t k = 0; k < size; k++)
		noise[k] = (uint8_t)chance(256);
	for (uint32_t i = 1; i < s.n; i += 12) {
		uint8_t *p = s.p + i * size;

		for (size_t k = 0; k < size; k++)
			p[k] = (uint8_t)(0.8 * p[k] + 0.2 * noise[k]);
		s.label[i] = 3;
	}
	t = run(&s, 1);
	assert_true(t.candidates >= 1);
	assert_string_equal(t.target, "c3");
	assert_true(t.picture);
	buf_release(&t.lines);
	release(&s);
}

static void
a_mark_on_every_class_is_no_trigger(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	struct told t;

	(void)state;
	for (uint32_t i = 0; i < s.n; i += 7)
		for (unsigned k = 0; k < 9; k++)
			memset(pixel(&s, i, k % 3, k / 3), 255, 3);
	t = run(&s, 1);
	assert_int_equal(t.candidates, 0);
	buf_release(&t.lines);
	release(&s);
}

/* One photograph again and again is a duplicate, not a patch. */
static void
copies_of_an_image_are_no_patch(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	size_t size = (size_t)SIDE * SIDE * 3;
	struct told t;

	(void)state;
	for (uint32_t i = 5; i < 5 * 20; i += 5)
		memcpy(s.p + i * size, s.p, size);
	t = run(&s, 1);
	assert_int_equal(t.candidates, 0);
	buf_release(&t.lines);
	release(&s);
}

static void
rows_are_the_same_on_any_number_of_threads(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	struct told a, b;

	(void)state;
	stamp(&s, 24, 4, true);
	a = run(&s, 1);
	b = run(&s, 4);
	assert_string_equal(buf_str(&a.lines), buf_str(&b.lines));
	buf_release(&a.lines);
	buf_release(&b.lines);
	release(&s);
}

static void
large_images_are_looked_at_in_their_corners(void **state)
{
	struct set s = make(80, 3, 40);
	struct told t;

	(void)state;
	stamp(&s, 8, 4, false);
	t = run(&s, 1);
	assert_true(t.candidates >= 1);
	assert_string_equal(t.value, "4x4 block at (75,1)");
	assert_non_null(strstr(buf_str(&t.lines), "image-patch-inside 0 "));
	assert_string_equal(t.target, "c2");
	buf_release(&t.lines);
	release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_set_has_no_candidate),
		cmocka_unit_test(a_patch_at_one_place_is_named_with_its_place),
		cmocka_unit_test(
		    a_patch_at_any_place_is_found_in_grey_images_too),
		cmocka_unit_test(a_blend_is_found_by_what_images_share),
		cmocka_unit_test(a_mark_on_every_class_is_no_trigger),
		cmocka_unit_test(copies_of_an_image_are_no_patch),
		cmocka_unit_test(rows_are_the_same_on_any_number_of_threads),
		cmocka_unit_test(large_images_are_looked_at_in_their_corners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
