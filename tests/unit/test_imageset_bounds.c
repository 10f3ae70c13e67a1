#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/triggers/imageset_parts.h"
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

static void
says(struct told *t, const char *want)
{
	if (strstr(buf_str(&t->lines), want) == NULL)
		fail_msg("no \"%s\" in:\n%s", want, buf_str(&t->lines));
}

/* Two groups are looked for in classes of 150 images, not of 40. */
static void
classes_too_small_for_two_groups_are_not_judged(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	struct told t;

	(void)state;
	t = run(&s, 1);
	assert_int_equal(t.applied, 2);
	says(&t, "image-cluster 0 no class has 150 images");
	says(&t, "\"classes_judged\":0,\"classes_too_small\":5,"
	    "\"classes_in_two_groups\"");
	buf_release(&t.lines);
	release(&s);
	s = make(SIDE, 3, 160);
	for (uint32_t i = 0; i < 200; i++)
		s.label[i] = s.label[i] == 4 ? 3 : s.label[i];
	t = run(&s, 1);
	assert_int_equal(t.applied, 3);
	says(&t, "image-cluster 1 classes of fewer than 150 images");
	says(&t, "\"classes_judged\":4,\"classes_too_small\":1,"
	    "\"classes_in_two_groups\"");
	buf_release(&t.lines);
	release(&s);
}

/*
 * Two classes of two sources each, and no other that is large enough to be
 * tried: more than a third, however many small ones there are.
 */
static void
a_third_of_the_classes_is_of_those_that_were_tried(void **state)
{
	struct set s = make(SIDE, 3, 160);
	struct told t;

	(void)state;
	for (uint32_t i = 0; i < s.n; i++) {
		unsigned cls = s.label[i], at = cls * 9;

		if (cls > 1)
			s.label[i] = 2 + i % 7;
		for (unsigned k = 0; cls < 2 && i % 3 == 0 && k < 36; k++)
			memset(pixel(&s, i, at + k % 6, at + k / 6), (k % 6 +
			    k / 6) % 2 * 255, 3);
	}
	t = run(&s, 1);
	says(&t, "image-cluster 0 more than a third of the classes");
	says(&t, "\"classes_judged\":2,\"classes_too_small\":7,"
	    "\"classes_in_two_groups\":2");
	buf_release(&t.lines);
	release(&s);
}

/* Two pictures again and again have more blocks than are looked at. */
static void
copies_of_an_image_do_not_hide_a_patch(void **state)
{
	struct set s = make(SIDE, 3, EACH);
	size_t size = (size_t)SIDE * SIDE * 3;
	static uint8_t picture[2][SIDE * SIDE * 3];
	struct told t;

	(void)state;
	stamp(&s, 24, 3, false);
	for (size_t k = 0; k < size; k++) {
		picture[0][k] = (uint8_t)chance(256);
		picture[1][k] = (uint8_t)chance(256);
	}
	for (uint32_t i = 0; i < s.n; i++)
		if (s.label[i] == 1)
			memcpy(s.p + i * size, picture[i / CLASSES % 2], size);
	t = run(&s, 1);
	says(&t, "0 patch 3x3 block at (12,1) ");
	says(&t, "\"keys_not_wanted\":");
	assert_null(strstr(buf_str(&t.lines), "\"keys_not_wanted\":0"));
	buf_release(&t.lines);
	release(&s);
}

/* At one place points of eight colours, each in eight images with label 1. */
static void
points(struct set *s, uint32_t x, uint32_t y)
{
	uint32_t image[EACH], n = 0, other, swap;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->label[i] == 1)
			image[n++] = i;
	assert_true(n >= 64);
	for (uint32_t i = 0; i < 64; i++) {
		other = i + chance(n - i);
		swap = image[i];
		image[i] = image[other];
		image[other] = swap;
		for (unsigned c = 0; c < 3; c++)
			pixel(s, image[i], x, y)[c] = i / 8 >> c & 1 ? 255 : 0;
	}
}

/* 392 points of which a few images have one each, and a blend elsewhere. */
static void
blocks_do_not_take_the_room_of_other_finds(void **state)
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
		s.poisoned[i] = true;
	}
	for (unsigned at = 0; at < 49; at++)
		points(&s, 1 + at % 7 * 2, 1 + at / 7 * 2);
	t = run(&s, 1);
	says(&t, " c3 ");
	says(&t, "image-block 1 more blocks repeat than could be looked at");
	assert_null(strstr(buf_str(&t.lines), "\"blocks_not_looked_at\":0"));
	buf_release(&t.lines);
	release(&s);
}

static struct image_find *
new_find(struct imageset *t, enum image_method m, double score)
{
	int r = -1;
	struct image_find *f = image_new_find(t, m, 0, score, &r);

	assert_int_equal(r, 0);
	return f;
}

/* An attacker chooses which classes come first. */
static void
the_weakest_find_of_a_method_gives_way(void **state)
{
	struct err e = ERR_INIT;
	struct detect d = {.e = &e};
	struct imageset *t = imageset_new(&d);
	struct image_find *f;

	(void)state;
	assert_non_null(t);
	t->n = 100;
	assert_non_null(new_find(t, IMAGE_BLOCK, 0.5));
	for (unsigned i = 0; i < IMAGE_FINDS; i++)
		assert_non_null(new_find(t, IMAGE_RESIDUE, 1 + i));
	assert_null(new_find(t, IMAGE_RESIDUE, 1));
	assert_int_equal(t->left_out[IMAGE_RESIDUE], 1);
	assert_non_null(f = new_find(t, IMAGE_RESIDUE, 1.5));
	assert_int_equal(t->left_out[IMAGE_RESIDUE], 2);
	assert_ptr_equal(f, &t->finds[1]);
	assert_string_equal(f->method, "image-residue");
	assert_true(t->finds[0].score < 1);
	assert_non_null(new_find(t, IMAGE_CLUSTER, 0.5));
	assert_int_equal(t->left_out[IMAGE_BLOCK], 0);
	assert_int_equal(t->left_out[IMAGE_CLUSTER], 0);
	assert_int_equal(t->nfinds, IMAGE_FINDS + 2);
	imageset_free(t);
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
		cmocka_unit_test(
		    classes_too_small_for_two_groups_are_not_judged),
		cmocka_unit_test(
		    a_third_of_the_classes_is_of_those_that_were_tried),
		cmocka_unit_test(copies_of_an_image_do_not_hide_a_patch),
		cmocka_unit_test(blocks_do_not_take_the_room_of_other_finds),
		cmocka_unit_test(the_weakest_find_of_a_method_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
