#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"

static struct diff_case told;
static const float ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static float other[64];

static double
distance(const struct model_tensor *a, size_t na,
    const struct model_tensor *b, size_t nb)
{
	struct model_case old = {0}, new = {0};

	model_case_add(&old, "", a, na);
	model_case_add(&new, "", b, nb);
	diff_case_models(&told, &old, &new, DIFF_CLOSENESS);
	assert_int_equal(told.nversions, 1);
	assert_int_equal(told.ntensors + told.conclusions + told.nchanges +
	    told.ninputs, 0);
	return told.distance;
}

static void
distance_is_relative_to_what_is_shared(void **state)
{
	const struct model_tensor a = {"w", "F32", {16}, 1, ones, 64};
	const struct model_tensor b = {"w", "F32", {16}, 1, other, 64};

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		other[i] = 1.5F;
	assert_float_equal(distance(&a, 1, &a, 1), 0, 0);
	assert_int_equal(told.identical, 1);
	assert_float_equal(distance(&a, 1, &b, 1), 0.5, 1e-6);
	assert_int_equal(told.identical, 0);
	assert_int_equal(told.shared, 1);
}

static void
what_one_side_lacks_is_far(void **state)
{
	const struct model_tensor v[] = {{"v", "F32", {16}, 1, ones, 64},
	    {"w", "F32", {16}, 1, other, 64}};

	(void)state;
	assert_float_equal(distance(v, 1, v, 2), 1, 1e-6);
}

static void
nothing_is_near_to_zeros(void **state)
{
	const struct model_tensor a = {"w", "F32", {16}, 1, NULL, 64};
	const struct model_tensor b = {"w", "F32", {16}, 1, ones, 64};

	(void)state;
	assert_false(distance(&a, 1, &b, 1) < 1e300);
	assert_float_equal(distance(&a, 1, &a, 1), 0, 0);
}

static void
nothing_shared_has_no_distance(void **state)
{
	const struct model_tensor a = {"left", "F32", {16}, 1, ones, 64};
	const struct model_tensor b = {"r", "F32", {4}, 1, ones, 16};

	(void)state;
	assert_false(distance(&a, 1, &b, 1) < 1e300);
	assert_int_equal(told.shared, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(distance_is_relative_to_what_is_shared),
	    cmocka_unit_test(what_one_side_lacks_is_far),
	    cmocka_unit_test(nothing_is_near_to_zeros),
	    cmocka_unit_test(nothing_shared_has_no_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
