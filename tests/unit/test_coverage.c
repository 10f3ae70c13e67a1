#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/coverage.h"
#include "base/arena.h"
#include "base/limits.h"

struct map {
	char text[512];
	size_t n;
	uint64_t next;		/* where the next range must begin */
};

static int
draw(void *ctx, enum coverage_kind kind, uint64_t off, uint64_t len)
{
	static const char letter[] = "ep.t";
	struct map *m = ctx;

	assert_int_equal(off, m->next);
	assert_true(len > 0);
	m->next = off + len;
	for (uint64_t i = 0; i < len && m->n < sizeof(m->text) - 1; i++)
		m->text[m->n++] = letter[kind];
	return 0;
}

static const char *
walk(struct coverage *c, uint64_t size, struct map *m)
{
	memset(m, 0, sizeof(*m));
	assert_int_equal(coverage_walk(c, size, draw, m), 0);
	assert_int_equal(m->next, size);
	return m->text;
}

static void
ranges_tile_the_object_in_any_order(void **state)
{
	struct arena *a = arena_new(MIB);
	struct coverage c;
	struct map m;

	(void)state;
	coverage_init(&c, a);
	assert_false(c.told);
	coverage_add(&c, 8, 4, COVER_EXPLAINED);
	coverage_add(&c, 6, 4, COVER_PADDING);
	coverage_add(&c, 0, 2, COVER_EXPLAINED);
	coverage_add(&c, 1, 2, COVER_EXPLAINED);
	coverage_add(&c, 14, UINT64_MAX, COVER_PADDING);
	assert_true(c.told);
	assert_string_equal(walk(&c, 16, &m), "eee...ppeeee..pp");
	arena_free(a);
}

static void
what_was_told_of_is_not_explained(void **state)
{
	struct coverage_sum sum = {0};
	struct arena *a = arena_new(MIB);
	struct coverage c;
	struct map m;

	(void)state;
	coverage_init(&c, a);
	coverage_tell(&c, 6, 4);
	assert_false(c.told);
	coverage_add(&c, 0, 8, COVER_EXPLAINED);
	coverage_add(&c, 8, 4, COVER_PADDING);
	assert_string_equal(walk(&c, 14, &m), "eeeeeettttpp..");
	coverage_count(&sum, COVERAGE_TOLD, 6, 4);
	assert_int_equal(sum.bytes[COVERAGE_UNEXPLAINED], 4);
	assert_int_equal(sum.nbare, 1);
	arena_free(a);
}

static void
nothing_told_is_all_unexplained(void **state)
{
	struct arena *a = arena_new(MIB);
	struct coverage c;
	struct map m;

	(void)state;
	coverage_init(&c, a);
	assert_string_equal(walk(&c, 4, &m), "....");
	assert_string_equal(walk(&c, 0, &m), "");
	arena_free(a);
}

/* Against a map of one letter a byte. */
static void
random_ranges_agree_with_a_plain_map(void **state)
{
	struct arena *a = arena_new(16 * MIB);
	char plain[256];
	struct coverage c;
	struct map m;

	(void)state;
	srand(7);
	for (unsigned round = 0; round < 300; round++) {
		coverage_init(&c, a);
		memset(plain, '.', 200);
		plain[200] = '\0';
		for (unsigned i = 0; i < round % 40; i++) {
			unsigned off = (unsigned)rand() % 220;
			unsigned len = (unsigned)rand() % 20;
			bool pad = rand() % 3 == 0;

			coverage_add(&c, off, len, pad ? COVER_PADDING :
			    COVER_EXPLAINED);
			for (unsigned k = off; k < off + len && k < 200; k++)
				if (plain[k] != 'e')
					plain[k] = pad ? 'p' : 'e';
		}
		assert_string_equal(walk(&c, 200, &m), plain);
	}
	arena_free(a);
}

static void
neighbours_cost_nothing_and_a_flood_is_said(void **state)
{
	struct arena *a = arena_new(256 * MIB);
	struct coverage c;

	(void)state;
	coverage_init(&c, a);
	for (uint64_t i = 0; i < 3000000; i++)
		coverage_add(&c, i * 8, 8, COVER_EXPLAINED);
	assert_false(c.full);
	assert_int_equal(c.explained.n, 1);
	for (uint64_t i = 0; i < 2 * LIMIT_COVER_RANGES; i++)
		coverage_add(&c, 1000 + i * 8, 4, COVER_PADDING);
	assert_true(c.full);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_tile_the_object_in_any_order),
	    cmocka_unit_test(what_was_told_of_is_not_explained),
	    cmocka_unit_test(nothing_told_is_all_unexplained),
	    cmocka_unit_test(random_ranges_agree_with_a_plain_map),
	    cmocka_unit_test(neighbours_cost_nothing_and_a_flood_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
