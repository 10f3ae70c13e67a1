#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/imageset.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "formats/base64.h"
#include "formats/pixels.h"

#define SIDE 16
#define CLASSES 5
#define EACH 120

/* What a run told: candidates first, then detectors. */
struct told {
	struct buf lines;	/* every row, as text */
	unsigned candidates, leads;
	char value[64], target[64], method[64];
	double score;
	uint64_t hits, rows;	/* of the first candidate */
	unsigned applied, refused;
	bool blind;		/* all that is not covered was told */
	unsigned blinds;
	bool picture;
};

struct set {
	uint32_t w, h, ch, n;
	uint8_t *p;
	unsigned *label;
	bool *poisoned;
	bool lossy;
};

static uint64_t seed;

static uint32_t
chance(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

/* A texture: three waves whose lengths depend on the class, and some noise. */
static void
draw(uint8_t *p, uint32_t w, uint32_t h, uint32_t ch, unsigned cls)
{
	double fx[3], fy[3], at[3], size[3];

	for (unsigned i = 0; i < 3; i++) {
		fx[i] = (chance(1000) / 1000.0 - 0.5) * (0.5 + 0.2 * cls);
		fy[i] = (chance(1000) / 1000.0 - 0.5) * (0.5 + 0.2 * cls);
		at[i] = chance(6283) / 1000.0;
		size[i] = 10 + chance(25);
	}
	for (uint32_t y = 0; y < h; y++)
		for (uint32_t x = 0; x < w; x++)
			for (uint32_t c = 0; c < ch; c++) {
				double v = 128 + chance(9) - 4.0;

				for (unsigned i = 0; i < 3; i++)
					v += size[i] * sin(fx[i] * x + fy[i] *
					    y + at[i] + 0.3 * c);
				*p++ = (uint8_t)(v < 1 ? 1 : v > 254 ? 254 :
				    v);
			}
}

static struct set
make(uint32_t side, uint32_t ch, uint32_t each)
{
	struct set s = {.w = side, .h = side, .ch = ch, .n = CLASSES * each};
	size_t size = (size_t)side * side * ch;

	seed = 12345;
	s.p = calloc(s.n, size);
	s.label = calloc(s.n, sizeof(*s.label));
	s.poisoned = calloc(s.n, sizeof(*s.poisoned));
	assert_non_null(s.p);
	assert_non_null(s.label);
	assert_non_null(s.poisoned);
	for (uint32_t i = 0; i < s.n; i++) {
		s.label[i] = i % CLASSES;
		draw(s.p + i * size, side, side, ch, s.label[i]);
	}
	return s;
}

static void
release(struct set *s)
{
	free(s->p);
	free(s->label);
	free(s->poisoned);
}

static uint8_t *
pixel(struct set *s, uint32_t i, uint32_t x, uint32_t y)
{
	return s->p + (((size_t)i * s->h + y) * s->w + x) * s->ch;
}

/* Every ${step}-th image gets a block of ${k} and the label 2. */
static void
stamp(struct set *s, uint32_t step, unsigned k, bool moving)
{
	for (uint32_t i = 1; i < s->n; i += step) {
		uint32_t x = moving ? chance(s->w - k) : s->w - k - 1;
		uint32_t y = moving ? chance(s->h - k) : 1;

		for (unsigned a = 0; a < k; a++)
			for (unsigned b = 0; b < k; b++)
				for (uint32_t c = 0; c < s->ch; c++)
					pixel(s, i, x + b, y + a)[c] =
					    (uint8_t)((a * 5 + b * 3 + c) % 2 *
					    255);
		s->label[i] = 2;
		s->poisoned[i] = true;
	}
}

/* Base64 of a PNG that decodes. */
static bool
is_picture(const char *text, size_t n)
{
	struct arena *a = arena_new(MIB);
	const char *why = NULL;
	struct pixels im;
	struct buf space;
	const uint8_t *png;
	size_t len;
	bool r;

	pixels_init(&space);
	r = text != NULL && n <= 16384 && base64_decode(a, text, n,
	    BASE64_STRICT, &png, &len) == 0 && pixels_decode(png, len, &space,
	    &im, &why, NULL) == 0;
	buf_release(&space);
	arena_free(a);
	return r;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct told *t = ctx;
	struct json_write w;
	const uint8_t *p;
	const char *text;
	size_t n, len;

	p = basis_bytes(r->evidence, &n);
	assert_true(basis_check(p, n));
	assert_true(n < BASIS_MAX);
	buf_printf(&t->lines, "%d %s %.*s %g %.*s %u %s ", r->lead, r->kind,
	    (int)r->value.n, r->value.p, r->score, (int)r->target.n,
	    r->target.p, r->rank, r->method);
	json_init(&w, &t->lines, JSON_COMPACT);
	json_begin_object(&w);
	basis_json(p, n, &w);
	json_end_object(&w);
	buf_putc(&t->lines, '\n');
	if (r->lead) {
		t->leads++;
		return 0;
	}
	if (t->candidates++ > 0)
		return 0;
	t->score = r->score;
	(void)snprintf(t->value, sizeof(t->value), "%.*s", (int)r->value.n,
	    r->value.p);
	(void)snprintf(t->target, sizeof(t->target), "%.*s", (int)r->target.n,
	    r->target.p);
	(void)snprintf(t->method, sizeof(t->method), "%s", r->method);
	t->picture = basis_find(p, n, "picture", &text, &len) &&
	    is_picture(text, len);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	static const char *const blind[] = {"image-patch-moving-jpeg",
	    "image-warp", "image-reflection", "image-sample-specific",
	    "image-object", "image-picture-blend"};
	struct told *t = ctx;

	t->applied += r->applied;
	t->refused += !r->applied;
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		if (strcmp(r->method, blind[i]) == 0) {
			assert_false(r->applied);
			assert_non_null(r->reason);
			t->blinds++;
		}
	t->blind = t->blinds == 6;
	buf_printf(&t->lines, "%s %d %s\n", r->method, r->applied,
	    r->reason != NULL ? r->reason : "");
	return 0;
}

static struct told
run(struct set *s, unsigned threads)
{
	struct told t = {.candidates = 0};
	struct rows rows = {.candidate = on_candidate,
	    .detector = on_detector, .ctx = &t};
	struct err e = ERR_INIT;
	struct detect d = {.rows = &rows, .e = &e};
	struct imageset *set;

	buf_init(&t.lines, 4 * MIB);
	d.pool = threads > 1 ? pool_new(threads, &e) : NULL;
	set = imageset_new(&d);
	assert_non_null(set);
	for (uint32_t i = 0; i < s->n; i++) {
		struct imageset_image im = {s->w, s->h, s->ch,
		    s->p + (size_t)i * s->w * s->h * s->ch, s->lossy};
		char label[16];
		int n = snprintf(label, sizeof(label), "c%u", s->label[i]);

		assert_int_equal(imageset_add(set, i, &im, label, (size_t)n),
		    0);
	}
	assert_int_equal(imageset_end(set), 0);
	imageset_free(set);
	pool_free(d.pool);
	return t;
}

static void
a_clean_set_has_no_candidate(void **state)
{
	struct set s = make(SIDE, 3, EACH);
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
		cmocka_unit_test(a_clean_set_has_no_candidate),
		cmocka_unit_test(a_patch_at_one_place_is_named_with_its_place),
		cmocka_unit_test(
		    a_patch_at_any_place_is_found_in_grey_images_too),
		cmocka_unit_test(a_blend_is_found_by_what_images_share),
		cmocka_unit_test(a_mark_on_every_class_is_no_trigger),
		cmocka_unit_test(copies_of_an_image_are_no_patch),
		cmocka_unit_test(rows_are_the_same_on_any_number_of_threads),
		cmocka_unit_test(large_images_are_looked_at_in_their_corners),
		cmocka_unit_test(what_cannot_be_judged_is_said),
		cmocka_unit_test(
		    images_of_odd_sizes_and_of_one_colour_are_looked_at),
		cmocka_unit_test(
		    images_of_other_sizes_and_endless_labels_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
