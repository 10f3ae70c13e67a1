#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/elem.h"
#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"
#include "tests/lib/pair_case.h"

/*
 * Each conclusion that needs no more than a predicate fires on its own pair
 * and on none of the others.
 */
#define ROWS 64
#define COLS 64
#define N (ROWS * COLS)
#define SIZE (4 * N)

static struct diff_case told;
static float base[2][N], made[2][N];
static uint16_t halves[2][N];

static int
fill(void **state)
{
	uint64_t seed = 77;

	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < N; i++) {
			base[k][i] = (float)(0.02 *
			    pair_case_normal(&seed));
			halves[k][i] = elem_to_f16(base[k][i]);
		}
	return 0;
}

static void
run(const struct model_tensor *a, size_t na, const struct model_tensor *b,
    size_t nb)
{
	struct model_case old = {0}, new = {0};

	model_case_add(&old, "", a, na);
	model_case_add(&new, "", b, nb);
	diff_case_models(&told, &old, &new, DIFF_FULL);
}

static const struct model_tensor plain[] = {
    {"layers.0.a.weight", "F32", {ROWS, COLS}, 2, base[0], SIZE},
    {"layers.1.a.weight", "F32", {ROWS, COLS}, 2, base[1], SIZE}};

/* The model with what stands in ${made}. */
static void
run_made(void)
{
	struct model_tensor v[2] = {plain[0], plain[1]};

	v[0].data = made[0];
	v[1].data = made[1];
	run(plain, 2, v, 2);
}

/* Just this one, once. */
static void
only(enum conclusion_kind k)
{
	for (unsigned i = 0; i < CONCLUSION_COUNT; i++)
		if (told.conclusion[i] != (i == k))
			print_message("%s: %u\n", conclusion_name(
			    (enum conclusion_kind)i), told.conclusion[i]);
	assert_int_equal(told.conclusion[k], 1);
	assert_int_equal(told.conclusions, 1);
}

static void
nothing_changed(void **state)
{
	(void)state;
	run(plain, 2, plain, 2);
	only(CONCLUSION_IDENTICAL);
}

static void
another_type(void **state)
{
	struct model_tensor v[2] = {plain[0], plain[1]};

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		v[k].dtype = "F16";
		v[k].data = halves[k];
		v[k].len = SIZE / 2;
	}
	run(plain, 2, v, 2);
	only(CONCLUSION_RECAST);
}

static void
another_name(void **state)
{
	struct model_tensor v[2] = {plain[0], plain[1]};

	(void)state;
	v[0].name = "p.one";
	v[1].name = "q.two";
	run(plain, 2, v, 2);
	only(CONCLUSION_RENAMED);
}

static void
small_elements_became_zero(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < N; i++)
			made[k][i] = base[k][i] * base[k][i] < 1e-4F ? 0 :
			    base[k][i];
	run_made();
	only(CONCLUSION_PRUNED);
}

static void
one_bit_of_one_value(void **state)
{
	(void)state;
	memcpy(made, base, sizeof(base));
	((uint8_t *)&made[0][100])[3] ^= 0x20;
	run_made();
	only(CONCLUSION_BIT_FLIP);
	assert_int_equal(told.finding[FINDING_DIFF_PATCHED], 1);
}

static void
rows_in_another_order(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < ROWS; i++)
			memcpy(made[k] + i * COLS, base[k] + (i * 37 + 5) %
			    ROWS * COLS, COLS * sizeof(float));
	run_made();
	only(CONCLUSION_PERMUTED);
}

static void
one_factor(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < N; i++)
			made[k][i] = base[k][i] * 0.875F;
	run_made();
	only(CONCLUSION_RESCALED);
}

static void
other_weights_altogether(void **state)
{
	uint64_t seed = 1234;

	(void)state;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < N; i++)
			made[k][i] = (float)(0.02 * pair_case_normal(&seed));
	run_made();
	only(CONCLUSION_RETRAINED);
}

static void
nothing_in_common(void **state)
{
	const struct model_tensor b = {"z", "F32", {7}, 1, made[0], 28};

	(void)state;
	run(plain, 2, &b, 1);
	assert_int_equal(told.conclusion[CONCLUSION_IDENTICAL], 0);
	assert_int_equal(told.conclusion[CONCLUSION_RETRAINED], 0);
	assert_true(told.conclusion[CONCLUSION_UNRELATED] +
	    told.finding[FINDING_DIFF_UNMATCHED] > 0);
}

static void
only_the_head(void **state)
{
	struct model_tensor a[3] = {plain[0], plain[1],
	    {"classifier.weight", "F32", {4, COLS}, 2, base[0],
	    16 * COLS}}, b[3] = {plain[0], plain[1], a[2]};
	uint64_t seed = 9;

	(void)state;
	for (unsigned i = 0; i < 4 * COLS; i++)
		made[0][i] = base[0][i] +
		    (float)(0.005 * pair_case_normal(&seed));
	b[2].data = made[0];
	run(a, 3, b, 3);
	assert_int_equal(told.conclusion[CONCLUSION_HEAD_EDIT], 1);
	assert_int_equal(told.conclusion[CONCLUSION_RETRAINED], 0);
	assert_int_equal(told.conclusion[CONCLUSION_UNRELATED], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_changed),
	    cmocka_unit_test(another_type),
	    cmocka_unit_test(another_name),
	    cmocka_unit_test(small_elements_became_zero),
	    cmocka_unit_test(one_bit_of_one_value),
	    cmocka_unit_test(rows_in_another_order),
	    cmocka_unit_test(one_factor),
	    cmocka_unit_test(other_weights_altogether),
	    cmocka_unit_test(nothing_in_common),
	    cmocka_unit_test(only_the_head),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
