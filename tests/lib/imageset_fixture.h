#ifndef TESTS_LIB_IMAGESET_FIXTURE_H_
#define TESTS_LIB_IMAGESET_FIXTURE_H_

/* Sets of images, and what is told of them.  After cmocka. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static inline uint32_t
chance(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

/* A texture: three waves whose lengths depend on the class, and some noise. */
static inline void
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

static inline struct set
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

static inline void
release(struct set *s)
{
	free(s->p);
	free(s->label);
	free(s->poisoned);
}

static inline uint8_t *
pixel(struct set *s, uint32_t i, uint32_t x, uint32_t y)
{
	return s->p + (((size_t)i * s->h + y) * s->w + x) * s->ch;
}

/* Every ${step}-th image gets a block of ${k} and the label 2. */
static inline void
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
static inline bool
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

static inline int
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

static inline int
on_detector(void *ctx, const struct row_detector *r)
{
	static const char *const blind[] = {"image-patch-moving-jpeg",
	    "image-warp", "image-reflection", "image-sample-specific",
	    "image-object", "image-picture-blend"};
	struct told *t = ctx;
	struct json_write w;
	const uint8_t *p;
	size_t n;

	t->applied += r->applied;
	t->refused += !r->applied;
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		if (strcmp(r->method, blind[i]) == 0) {
			assert_false(r->applied);
			assert_non_null(r->reason);
			t->blinds++;
		}
	t->blind = t->blinds == 6;
	buf_printf(&t->lines, "%s %d %s ", r->method, r->applied,
	    r->reason != NULL ? r->reason : "");
	p = basis_bytes(r->evidence, &n);
	json_init(&w, &t->lines, JSON_COMPACT);
	json_begin_object(&w);
	basis_json(p, n, &w);
	json_end_object(&w);
	buf_putc(&t->lines, '\n');
	return 0;
}

static inline struct told
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

#endif /* !TESTS_LIB_IMAGESET_FIXTURE_H_ */
