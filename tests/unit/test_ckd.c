#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/ckd.h"

/* Values around every edge, tried in all pairs. */
static const uint64_t edges[] = {0, 1, 2, 3, 0xffff, 0xffffffff, 0x100000000,
    0x100000001, UINT64_MAX / 3, UINT64_MAX / 2, UINT64_MAX / 2 + 1,
    UINT64_MAX - 1, UINT64_MAX};

#define EDGES (sizeof(edges) / sizeof(edges[0]))

static void
sum_is_exact_or_refused(void **state)
{
	size_t i, k;
	uint64_t want, got;

	(void)state;
	for (i = 0; i < EDGES; i++)
		for (k = 0; k < EDGES; k++) {
			got = 77;
			if (__builtin_add_overflow(edges[i], edges[k],
				&want)) {
				assert_false(ckd_add64(&got, edges[i],
				    edges[k]));
				assert_int_equal(got, 77);
			} else {
				assert_true(ckd_add64(&got, edges[i],
				    edges[k]));
				assert_true(got == want);
			}
		}
}

static void
product_is_exact_or_refused(void **state)
{
	size_t i, k;
	uint64_t want, got;

	(void)state;
	for (i = 0; i < EDGES; i++)
		for (k = 0; k < EDGES; k++) {
			got = 77;
			if (__builtin_mul_overflow(edges[i], edges[k],
				&want)) {
				assert_false(ckd_mul64(&got, edges[i],
				    edges[k]));
				assert_int_equal(got, 77);
			} else {
				assert_true(ckd_mul64(&got, edges[i],
				    edges[k]));
				assert_true(got == want);
			}
		}
}

static void
size_is_narrowed_exactly(void **state)
{
	size_t got = 77;

	(void)state;
	assert_true(ckd_size(&got, SIZE_MAX));
	assert_true(got == SIZE_MAX);
	assert_true(ckd_size(&got, 0));
	assert_int_equal(got, 0);
}

static void
range_lies_inside_or_not(void **state)
{
	(void)state;
	assert_true(ckd_range(0, 0, 0));
	assert_true(ckd_range(10, 0, 10));
	assert_true(ckd_range(3, 7, 10));
	assert_false(ckd_range(3, 8, 10));
	assert_false(ckd_range(11, 0, 10));
	assert_true(ckd_range(0, UINT64_MAX, UINT64_MAX));
	assert_true(ckd_range(UINT64_MAX, 0, UINT64_MAX));
	/* Sums that wrap to something small. */
	assert_false(ckd_range(UINT64_MAX, 1, UINT64_MAX));
	assert_false(ckd_range(2, UINT64_MAX, 10));
	assert_false(ckd_range(UINT64_MAX, 2, 10));
	assert_false(ckd_range(UINT64_MAX, UINT64_MAX, UINT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sum_is_exact_or_refused),
	    cmocka_unit_test(product_is_exact_or_refused),
	    cmocka_unit_test(size_is_narrowed_exactly),
	    cmocka_unit_test(range_lies_inside_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
