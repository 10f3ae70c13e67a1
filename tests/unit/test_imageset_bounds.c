#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/imageset_fixture.h"

/* What cannot be judged and what is left out, and that it is told. */

static void
what_cannot_be_judged_is_said(void **state)
{
	struct set s = make(8, 1, 4);
	struct told t;

	(void)state;
	t = run(&s, 1);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.applied, 0);
	assert_non_null(strstr(buf_str(&t.lines), "fewer than 40 images"));
	assert_true(t.blind);
	buf_release(&t.lines);
	release(&s);
	s = make(8, 1, 20);
	for (uint32_t i = 0; i < s.n; i++)
		s.label[i] = 0;
	t = run(&s, 1);
	assert_int_equal(t.applied, 0);
	assert_non_null(strstr(buf_str(&t.lines), "all images have one label"));
	buf_release(&t.lines);
	release(&s);
	s = make(8, 1, 0);
	t = run(&s, 1);
	assert_int_equal(t.candidates, 0);
	buf_release(&t.lines);
	release(&s);
}

static void
images_of_other_sizes_and_endless_labels_are_counted(void **state)
{
	struct told t = {.candidates = 0};
	struct rows rows = {.candidate = on_candidate,
	    .detector = on_detector, .ctx = &t};
	struct err e = ERR_INIT;
	struct detect d = {.rows = &rows, .e = &e};
	struct imageset *set = imageset_new(&d);
	static uint8_t p[70 * 70 * 3], label[2 * LIMIT_IMAGES_LABEL];

	(void)state;
	assert_non_null(set);
	buf_init(&t.lines, 4 * MIB);
	seed = 1;
	for (uint32_t i = 0; i < 6000; i++) {
		struct imageset_image im = {8, 8, 3, p, false};
		size_t m = 4;

		for (unsigned k = 0; k < 8 * 8 * 3; k++)
			p[k] = (uint8_t)chance(256);
		memcpy(label, &i, 4);
		if (i % 11 == 1)
			im.width = 9;
		else if (i % 11 == 2)
			im.channels = 1;
		else if (i % 11 == 3)
			im.height = 0;
		else if (i % 11 == 4)
			m = sizeof(label);
		else if (i % 11 == 5)
			m = 0;
		assert_int_equal(imageset_add(set, i, &im, label, m), 0);
	}
	assert_int_equal(imageset_end(set), 0);
	assert_int_equal(t.candidates, 0);
	imageset_free(set);
	buf_release(&t.lines);
}

/* Every size that a view can have at its edges, and nothing to see. */
static void
images_of_odd_sizes_and_of_one_colour_are_looked_at(void **state)
{
	static const uint32_t sizes[][3] = {{1, 1, 1}, {2, 1, 3}, {64, 3, 1},
	    {65, 2, 1}, {3, 70, 3}, {5000, 1, 1}, {16, 16, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned noise = 0; noise < 2; noise++) {
			struct set s = {.w = sizes[i][0], .h = sizes[i][1],
			    .ch = sizes[i][2], .n = 90};
			size_t size = (size_t)s.n * s.w * s.h * s.ch;
			struct told t;

			seed = 7;
			s.p = calloc(size, 1);
			s.label = calloc(s.n, sizeof(*s.label));
			assert_non_null(s.p);
			assert_non_null(s.label);
			for (uint32_t k = 0; k < s.n; k++)
				s.label[k] = k % 2;
			for (size_t k = 0; k < size && noise != 0; k++)
				s.p[k] = (uint8_t)chance(256);
			t = run(&s, 1);
			assert_int_equal(t.candidates, 0);
			assert_true(t.blind);
			buf_release(&t.lines);
			release(&s);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_judged_is_said),
		cmocka_unit_test(
		    images_of_odd_sizes_and_of_one_colour_are_looked_at),
		cmocka_unit_test(
		    images_of_other_sizes_and_endless_labels_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
