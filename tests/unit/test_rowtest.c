#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/rowtest.h"

/*
 * Distances as an honest fine-tuning makes them: a power law of the place
 * with a little noise, the frequent words first.
 */
#define ROWS 8000

struct table {
	double delta[ROWS];
	uint8_t mute[ROWS];
	uint32_t ids[ROWS];
	struct rowtest_row room[ROWS];
};

static struct table *
table_new(double slope)
{
	struct table *t = calloc(1, sizeof(*t));
	uint64_t z = 12345;

	assert_non_null(t);
	for (size_t i = 0; i < ROWS; i++) {
		z = z * 6364136223846793005ULL + 1442695040888963407ULL;
		t->delta[i] = pow((double)i + 20, -slope) *
		    exp(0.05 * ((double)(z >> 40) / (1 << 23) - 1));
	}
	return t;
}

static struct rowtest
run(struct table *t, size_t n, const struct rowtest_voice *v)
{
	struct rowtest_in in = {.delta = t->delta, .n = n, .mute = t->mute,
	    .room = t->room};
	struct rowtest ret;

	in.muted = rowtest_mute(v, n, t->mute, t->ids);
	rowtest_run(&in, &ret);
	return ret;
}

static struct rowtest
run_by_id(struct table *t, size_t n)
{
	struct rowtest_voice v = {.order = ROWTEST_ORDER_ID};

	return run(t, n, &v);
}

static void
clean_tail_makes_no_claim(void **state)
{
	(void)state;
	for (double slope = 0.2; slope < 1.3; slope += 0.2) {
		struct table *t = table_new(slope);
		struct rowtest r = run_by_id(t, ROWS);

		assert_int_equal(r.level, ROWTEST_NONE);
		assert_true(r.fitted);
		assert_int_equal(r.muted, 200);
		assert_int_equal(r.L, ROWS - 200);
		assert_int_equal(r.ntop, ROWTEST_TOP);
		assert_int_equal(r.top[0].row >= 200, 1);
		free(t);
	}
}

static void
planted_row_is_named_first(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[7000] = 3 * t->delta[200];
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_OUTLIER);
	assert_int_equal(r.top[0].row, 7000);
	assert_int_equal(r.apart, 1);
	assert_true(r.ex > ROWTEST_EXCESS && r.gap > ROWTEST_GAP);
	free(t);
}

static void
number_of_triggers_is_the_place_of_the_gap(void **state)
{
	(void)state;
	for (unsigned k = 1; k <= ROWTEST_APART; k++) {
		struct table *t = table_new(0.5);
		struct rowtest r;

		for (unsigned i = 0; i < k; i++)
			t->delta[3000 + 100 * i] = (3 + 0.1 * i) *
			    t->delta[200];
		r = run_by_id(t, ROWS);
		assert_int_equal(r.level, ROWTEST_OUTLIER);
		assert_int_equal(r.apart, k);
		for (unsigned i = 0; i < k; i++)
			assert_int_equal(r.top[i].row, 3000 + 100 * (k - 1 - i));
		free(t);
	}
}

static void
frequent_words_may_not_speak(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[199] = 50;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_NONE);
	assert_int_equal(r.loudest.row, 199);
	t->delta[199] = 0.01;
	t->delta[200] = 50;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_OUTLIER);
	assert_int_equal(r.top[0].row, 200);
	free(t);
}

static void
excess_without_gap_is_weak(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	/* Six rows in a ladder of a factor 1.2 each: high, but not apart. */
	for (unsigned i = 0; i < 6; i++)
		t->delta[4000 + i] = t->delta[200] * pow(1.2, 6 - i);
	r = run_by_id(t, ROWS);
	assert_true(r.ex > ROWTEST_EXCESS && r.gap <= ROWTEST_GAP);
	assert_int_equal(r.level, ROWTEST_WEAK);
	free(t);
}

static void
unknown_order_mutes_nobody_and_drops_a_level(void **state)
{
	struct rowtest_voice v = {.order = ROWTEST_ORDER_UNKNOWN};
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[7000] = 4 * t->delta[0];
	r = run(t, ROWS, &v);
	assert_int_equal(r.muted, 0);
	assert_int_equal(r.silent, 0);
	assert_true(r.ex > ROWTEST_EXCESS && r.gap > ROWTEST_GAP);
	assert_int_equal(r.level, ROWTEST_WEAK);
	assert_true(r.dropped);
	v.order = ROWTEST_ORDER_SCORE;	/* but there are no scores */
	r = run(t, ROWS, &v);
	assert_int_equal(r.level, ROWTEST_WEAK);
	free(t);
}

static void
scores_decide_who_is_frequent(void **state)
{
	static float score[ROWS];
	struct rowtest_voice v = {ROWTEST_ORDER_SCORE, NULL, score, ROWS};
	struct table *t = table_new(0.5);
	size_t silent = 0;

	(void)state;
	/* Frequent words stand last, some scores are no numbers. */
	for (size_t i = 0; i < ROWS; i++)
		score[i] = i < 50 ? NAN : (float)i;
	assert_int_equal(run(t, ROWS, &v).muted, 200);
	for (size_t i = 0; i < ROWS; i++)
		silent += t->mute[i];
	assert_int_equal(silent, 200);
	for (size_t i = ROWS - 200; i < ROWS; i++)
		assert_int_equal(t->mute[i], 1);
	free(t);
}

static void
only_ordinary_tokens_count_as_muted(void **state)
{
	static uint8_t kind[ROWS];
	struct rowtest_voice v = {ROWTEST_ORDER_ID, kind, NULL, ROWS};
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	memset(kind, ROWTEST_ORDINARY, sizeof(kind));
	for (size_t i = 0; i < 300; i++)
		kind[i] = i < 4 ? ROWTEST_CONTROL
		    : i < 100 ? ROWTEST_UNUSED : ROWTEST_BYTE;
	kind[7999] = ROWTEST_CONTROL;
	kind[7000] = ROWTEST_BYTE;
	r = run(t, ROWS, &v);
	assert_int_equal(r.muted, 200);
	assert_int_equal(t->mute[3], 1);
	assert_int_equal(t->mute[50], 0);	/* unused: speaks */
	assert_int_equal(t->mute[299], 1);	/* a frequent byte */
	assert_int_equal(t->mute[499], 1);
	assert_int_equal(t->mute[500], 0);
	assert_int_equal(t->mute[7000], 0);	/* a rare byte */
	assert_int_equal(t->mute[7999], 1);	/* control, wherever */
	assert_int_equal(r.silent, 4 + 200 + 200 + 1);
	free(t);
}

static void
rows_behind_the_vocabulary_speak(void **state)
{
	struct rowtest_voice v = {ROWTEST_ORDER_ID, NULL, NULL, 1000};
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[7999] = 3 * t->delta[0];
	r = run(t, ROWS, &v);
	assert_int_equal(r.muted, 200);
	assert_int_equal(r.top[0].row, 7999);
	assert_int_equal(r.level, ROWTEST_OUTLIER);
	free(t);
}

static void
frozen_embedding_is_untouched(void **state)
{
	struct table *t = calloc(1, sizeof(*t));
	struct rowtest r = run_by_id(t, ROWS);

	(void)state;
	assert_int_equal(r.level, ROWTEST_UNTOUCHED);
	assert_int_equal(r.ntop, 0);
	free(t);
}

static void
few_rows_are_isolated_whoever_they_are(void **state)
{
	struct table *t = calloc(1, sizeof(*t));
	struct rowtest r;

	(void)state;
	for (unsigned i = 0; i < ROWTEST_ISOLATED_MAX; i++)
		t->delta[10 * i] = i + 1;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_ISOLATED);
	assert_int_equal(r.ntop, ROWTEST_ISOLATED_MAX);
	assert_int_equal(r.top[0].row, 190);
	assert_int_equal(r.top[19].row, 0);
	t->delta[5000] = 1;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.moved, 21);
	assert_int_equal(r.level, ROWTEST_NONE);
	assert_false(r.fitted);
	free(t);
}

static void
tiny_vocabularies_are_never_claimed(void **state)
{
	struct table *t = table_new(0.5);

	(void)state;
	t->delta[0] = 1e6;
	for (size_t n = 0; n <= 250; n++) {
		struct rowtest r = run_by_id(t, n);

		assert_true(r.level == ROWTEST_NONE ||
		    r.level == ROWTEST_WEAK || n == 0);
		assert_true(r.muted <= n / 2);
	}
	/* All rows of a table of three moved: that isolates nobody. */
	assert_int_equal(run_by_id(t, 3).level, ROWTEST_NONE);
	free(t);
}

static void
small_vocabulary_drops_a_level(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[380] = 3 * t->delta[0];
	r = run_by_id(t, 390);
	assert_int_equal(r.muted, 195);
	assert_int_equal(r.level, ROWTEST_WEAK);
	assert_true(r.dropped);
	r = run_by_id(t, 400);
	assert_int_equal(r.muted, 200);
	assert_int_equal(r.level, ROWTEST_OUTLIER);
	free(t);
}

static void
equal_distances_make_no_claim(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		t->delta[i] = 0.25;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_NONE);
	assert_true(fabs(r.ex) < 1e-9 && r.gap < 1e-9);
	assert_int_equal(r.top[0].row, 200);
	assert_int_equal(r.top[1].row, 201);
	free(t);
}

static void
what_is_no_number_is_counted_and_listed_first(void **state)
{
	struct table *t = table_new(0.5);
	struct rowtest r;

	(void)state;
	t->delta[600] = NAN;
	t->delta[500] = HUGE_VAL;
	t->delta[100] = HUGE_VAL;	/* muted */
	t->delta[7000] = 3 * t->delta[200];
	r = run_by_id(t, ROWS);
	assert_int_equal(r.nonfinite, 3);
	assert_int_equal(r.top[0].row, 500);
	assert_int_equal(r.top[1].row, 600);
	assert_true(isinf(r.top[1].delta));
	assert_int_equal(r.top[2].row, 7000);
	assert_true(isfinite(r.ex) && isfinite(r.gap) && isfinite(r.ratio));
	assert_int_equal(r.L, ROWS - 200 - 2);
	/* Nothing but that. */
	for (size_t i = 0; i < ROWS; i++)
		t->delta[i] = NAN;
	r = run_by_id(t, ROWS);
	assert_int_equal(r.level, ROWTEST_NONE);
	assert_int_equal(r.L, 0);
	free(t);
}

static void
line_is_fitted_by_least_squares(void **state)
{
	struct table *t = calloc(1, sizeof(*t));
	struct rowtest r;

	(void)state;
	/* s_i = e^2 (i + 1/2)^-0.7 exactly, for those that speak. */
	for (size_t i = 200; i < ROWS; i++)
		t->delta[i] = exp(2 - 0.7 * log((double)(i - 200) + 0.5));
	r = run_by_id(t, ROWS);
	assert_true(fabs(r.a - 2) < 1e-9 && fabs(r.b + 0.7) < 1e-9);
	assert_true(fabs(r.ex - 0.7 * log(2)) < 1e-9);
	assert_true(fabs(r.gap - 0.7 * log(3)) < 1e-9);
	assert_int_equal(r.apart, 1);
	assert_int_equal(r.span, 238);
	free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_tail_makes_no_claim),
		cmocka_unit_test(planted_row_is_named_first),
		cmocka_unit_test(number_of_triggers_is_the_place_of_the_gap),
		cmocka_unit_test(frequent_words_may_not_speak),
		cmocka_unit_test(excess_without_gap_is_weak),
		cmocka_unit_test(unknown_order_mutes_nobody_and_drops_a_level),
		cmocka_unit_test(scores_decide_who_is_frequent),
		cmocka_unit_test(only_ordinary_tokens_count_as_muted),
		cmocka_unit_test(rows_behind_the_vocabulary_speak),
		cmocka_unit_test(frozen_embedding_is_untouched),
		cmocka_unit_test(few_rows_are_isolated_whoever_they_are),
		cmocka_unit_test(tiny_vocabularies_are_never_claimed),
		cmocka_unit_test(small_vocabulary_drops_a_level),
		cmocka_unit_test(equal_distances_make_no_claim),
		cmocka_unit_test(what_is_no_number_is_counted_and_listed_first),
		cmocka_unit_test(line_is_fitted_by_least_squares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
