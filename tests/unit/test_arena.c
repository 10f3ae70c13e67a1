#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "base/arena.h"

static void
memory_is_zeroed_aligned_and_apart(void **state)
{
	static unsigned char *p[2000];
	struct arena *a = arena_new(16 * 1024 * 1024);
	size_t i, k, n;

	(void)state;
	assert_non_null(a);
	for (i = 0; i < 2000; i++) {
		n = i * 7 % 3001;
		p[i] = arena_alloc(a, n);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
		for (k = 0; k < n; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], (int)(i % 255 + 1), n);
	}
	for (i = 0; i < 2000; i++)
		for (k = 0; k < i * 7 % 3001; k++)
			assert_int_equal(p[i][k], i % 255 + 1);
	arena_free(a);
}

static void
cap_is_never_passed(void **state)
{
	static const size_t sizes[] = {1, 40, 5000, 70000, 16384, 100};
	struct arena *a = arena_new(1000000);
	size_t i, sum = 0;

	(void)state;
	for (i = 0; i < 100000; i++) {
		if (arena_alloc(a, sizes[i % 6]) != NULL)
			sum += sizes[i % 6];
		assert_true(arena_used(a) <= 1000000);
		assert_int_equal(arena_left(a), 1000000 - arena_used(a));
		assert_true(sum <= arena_used(a));
	}
	assert_null(arena_alloc(a, arena_left(a) + 1));
	assert_true(sum > 900000);
	arena_free(a);
}

static void
whole_cap_can_be_had_at_once(void **state)
{
	struct arena *a = arena_new(4096);

	(void)state;
	assert_non_null(arena_alloc(a, 4096));
	assert_int_equal(arena_left(a), 0);
	assert_null(arena_alloc(a, 0));
	arena_free(a);
	a = arena_new(4096);
	assert_null(arena_alloc(a, 4097));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, 0));
	assert_true(arena_used(a) > 0);
	arena_free(a);
}

static void
large_piece_does_not_waste_the_first_chunk(void **state)
{
	struct arena *a = arena_new(8 * 1024 * 1024);
	size_t before;

	(void)state;
	assert_non_null(arena_alloc(a, 16));
	before = arena_used(a);
	assert_non_null(arena_alloc(a, 1024 * 1024));
	assert_int_equal(arena_used(a), before + 1024 * 1024);
	assert_non_null(arena_alloc(a, 16));
	assert_int_equal(arena_used(a), before + 1024 * 1024 + 16);
	arena_free(a);
}

static void
sizes_that_wrap_are_refused(void **state)
{
	struct arena *a = arena_new(SIZE_MAX);

	(void)state;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 7));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_array(a, 3, SIZE_MAX / 2));
	assert_null(arena_dup(a, "", SIZE_MAX));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_array(a, 3, 5));
	assert_non_null(arena_array(a, 0, 5));
	assert_non_null(arena_array(a, 5, 0));
	arena_free(a);
}

static void
dup_ends_with_a_nul(void **state)
{
	struct arena *a = arena_new(100);
	char *p;

	(void)state;
	p = arena_dup(a, "abcdef", 3);
	assert_string_equal(p, "abc");
	p = arena_dup(a, NULL, 0);
	assert_string_equal(p, "");
	arena_free(a);
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
	    cmocka_unit_test(cap_is_never_passed),
	    cmocka_unit_test(whole_cap_can_be_had_at_once),
	    cmocka_unit_test(large_piece_does_not_waste_the_first_chunk),
	    cmocka_unit_test(sizes_that_wrap_are_refused),
	    cmocka_unit_test(dup_ends_with_a_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
