#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/elem.h"
#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"
#include "tests/lib/pair_case.h"

/* What the row of each tensor says, and what may not be concluded. */
#define N 1024

static struct diff_case told;
static float values[2][N], turned[N], added[N];
static uint16_t halves[N];

static int
fill(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		values[0][i] = (float)pair_case_normal(&seed);
		values[1][i] = values[0][i] +
		    (float)(0.01 * pair_case_normal(&seed));
		halves[i] = elem_to_f16(values[0][i]);
		turned[i % 16 * 64 + i / 16] = values[0][i];
	}
	return 0;
}

static const struct diff_case_tensor *
compare(struct model_tensor a, struct model_tensor b)
{
	struct model_case old = {0}, new = {0};

	model_case_add(&old, "", &a, 1);
	model_case_add(&new, "", &b, 1);
	diff_case_models(&told, &old, &new, DIFF_FULL);
	assert_true(told.done);
	assert_int_equal(told.ntensors, 1);
	return &told.tensor[0];
}

static void
equal_bytes_are_identical(void **state)
{
	const struct model_tensor a = {"w", "F32", {64, 16}, 2, values[0],
	    4 * N};
	const struct diff_case_tensor *t = compare(a, a);

	(void)state;
	assert_int_equal(t->status, ROW_IDENTICAL);
	assert_int_equal(t->digest[0], t->digest[1]);
	assert_memory_equal(t->sha256[0], t->sha256[1], 32);
	assert_int_equal(told.conclusions, 1);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 1);
}

static void
other_values_are_changed(void **state)
{
	const struct diff_case_tensor *t = compare(
	    (struct model_tensor){"w", "F32", {64, 16}, 2, values[0], 4 * N},
	    (struct model_tensor){"w", "F32", {64, 16}, 2, values[1], 4 * N});

	(void)state;
	assert_int_equal(t->status, ROW_CHANGED);
	assert_true(t->changed > N - 16);
	assert_float_equal(t->rel, 0.01, 0.002);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 0);
}

static void
a_cast_is_recast_and_nothing_else(void **state)
{
	const struct diff_case_tensor *t = compare(
	    (struct model_tensor){"w", "F32", {64, 16}, 2, values[0], 4 * N},
	    (struct model_tensor){"w", "F16", {64, 16}, 2, halves, 2 * N});

	(void)state;
	assert_int_equal(t->status, ROW_RECAST);
	assert_int_equal(told.conclusion[CONCLUSION_RECAST], 1);
	assert_int_equal(told.conclusions, 1);
}

static void
the_same_bytes_in_another_shape_are_not_identical(void **state)
{
	const struct diff_case_tensor *t = compare(
	    (struct model_tensor){"w", "F32", {64, 16}, 2, values[0], 4 * N},
	    (struct model_tensor){"w", "F32", {N}, 1, values[0], 4 * N});

	(void)state;
	assert_int_equal(t->status, ROW_RESHAPED);
	assert_int_equal(t->changed, 0);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 0);
}

static void
a_matrix_turned_round_is_told_as_it_lies(void **state)
{
	const struct model_tensor a = {"w", "F32", {64, 16}, 2, values[0],
	    4 * N};
	const struct diff_case_tensor *t = compare(a, a);
	uint8_t sha256[32];
	uint64_t digest = t->digest[0];

	(void)state;
	memcpy(sha256, t->sha256[0], 32);
	t = compare(a, (struct model_tensor){"w", "F32", {16, 64}, 2, turned,
	    4 * N});
	assert_int_equal(t->status, ROW_RESHAPED);
	assert_int_equal(t->changed, 0);
	assert_non_null(strstr(t->more, "transposed yes"));
	/* The older half is what its file holds, not the copy. */
	assert_int_equal(t->shape[0][0], 64);
	assert_int_equal(t->shape[1][0], 16);
	assert_int_equal(t->digest[0], digest);
	assert_memory_equal(t->sha256[0], sha256, 32);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 0);
}

static void
more_rows_are_compared_as_far_as_both_go(void **state)
{
	const struct diff_case_tensor *t;

	(void)state;
	memcpy(added, values[0], sizeof(added));
	t = compare(
	    (struct model_tensor){"w", "F32", {60, 16}, 2, values[0],
	    4 * 960},
	    (struct model_tensor){"w", "F32", {64, 16}, 2, added, 4 * N});
	assert_int_equal(t->status, ROW_RESHAPED);
	assert_true(t->measured);
	assert_int_equal(t->changed, 0);
	assert_non_null(strstr(t->more, "rows compared 60"));
	assert_int_equal(told.conclusion[CONCLUSION_VOCABULARY_EXTENDED], 1);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 0);
}

static void
rows_of_another_shape_are_not_compared(void **state)
{
	const struct diff_case_tensor *t = compare(
	    (struct model_tensor){"w", "F32", {30, 4, 8}, 3, values[0],
	    4 * 960},
	    (struct model_tensor){"w", "F32", {32, 8, 4}, 3, values[0],
	    4 * N});

	(void)state;
	assert_false(t->measured);
	assert_int_equal(told.conclusion[CONCLUSION_VOCABULARY_EXTENDED], 0);
}

static void
tensors_of_nothing_break_nothing(void **state)
{
	const struct diff_case_tensor *t = compare(
	    (struct model_tensor){"w", "F32", {0, 16}, 2, NULL, 0},
	    (struct model_tensor){"w", "F32", {0, 16}, 2, NULL, 0});

	(void)state;
	assert_int_equal(t->status, ROW_IDENTICAL);
	t = compare((struct model_tensor){"w", "F32", {0, 16}, 2, NULL, 0},
	    (struct model_tensor){"w", "F32", {16, 0}, 2, NULL, 0});
	assert_int_equal(t->status, ROW_RESHAPED);
	t = compare((struct model_tensor){"w", "F32", {0}, 0, values[0], 4},
	    (struct model_tensor){"w", "F32", {0}, 0, values[1], 4});
	assert_int_equal(t->status, ROW_CHANGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_bytes_are_identical),
	    cmocka_unit_test(other_values_are_changed),
	    cmocka_unit_test(a_cast_is_recast_and_nothing_else),
	    cmocka_unit_test(
		the_same_bytes_in_another_shape_are_not_identical),
	    cmocka_unit_test(a_matrix_turned_round_is_told_as_it_lies),
	    cmocka_unit_test(more_rows_are_compared_as_far_as_both_go),
	    cmocka_unit_test(rows_of_another_shape_are_not_compared),
	    cmocka_unit_test(tensors_of_nothing_break_nothing),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
