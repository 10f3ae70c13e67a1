#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/tensor.h"
#include "tests/lib/pool_case.h"

#define N_MAX 300000

static uint8_t a[4 * N_MAX + 1], b[4 * N_MAX + 1];
static struct tensor old, new;
static struct pass_detail one, got;

static void
shape(enum elem t, uint64_t rows, uint64_t cols)
{
	const struct elem_info *x = elem_info(t);

	old = (struct tensor){.elem = t, .p = a + 1, .rank = 2,
	    .n = rows * cols, .rows = rows, .cols = cols,
	    .len = rows * cols / x->block * x->bytes};
	new = old;
	new.p = b + 1;
}

static void
set(uint8_t *to, uint64_t i, float v)
{
	uint16_t h = elem_to_f16(v);

	if (old.elem == ELEM_F32)
		memcpy(to + 1 + 4 * i, &v, 4);
	else if (old.elem == ELEM_BF16)
		memcpy(to + 1 + 2 * i, (const char *)&v + 2, 2);
	else
		memcpy(to + 1 + 2 * i, &h, 2);
}

static float
weight(uint64_t i, uint32_t seed)
{
	uint32_t x = ((uint32_t)i + seed) * 2654435761U;

	x ^= x >> 15;
	x *= 2246822519U;
	return ((float)(x >> 8 & 0xffffU) - 32768.0F) / 131072.0F;
}

/* Most elements are kept, others move, some become zero or were. */
static void
fill(void)
{
	for (uint64_t i = 0; i < old.n; i++) {
		float x = i % 11 == 0 ? 0.0F : weight(i, 1);

		set(a, i, x);
		set(b, i, i % 5 == 0 ? weight(i, 2) : i % 13 == 0 ? 0.0F :
		    x);
	}
}

static void
look(void)
{
	struct delta d = {&old, &new, CAST_NONE};
	struct pass_sums s;

	assert_int_equal(pass_run(NULL, &d, &s, NULL, NULL), 0);
	assert_int_equal(pass_look(NULL, &d, &s, &one, NULL), 0);
	for (unsigned i = 1; i < 4; i++) {
		memset(&got, 0x55, sizeof(got));
		assert_int_equal(pass_look(pool_case[i], &d, &s, &got, NULL),
		    0);
		assert_memory_equal(&got, &one, offsetof(struct pass_detail,
		    best_rows));
		assert_int_equal(got.nbest_rows, one.nbest_rows);
	}
}

static void
near(double x, double want)
{
	if (!(fabs(x - want) <= 1e-9 * fabs(want) + 1e-300))
		fail_msg("%.17g is not %.17g", x, want);
}

/* --- the plain way ------------------------------------------------------- */

static double
square_at(uint64_t i)
{
	float x, y;

	elem_load(old.elem, old.p + i * elem_info(old.elem)->bytes, 1, &x);
	elem_load(new.elem, new.p + i * elem_info(new.elem)->bytes, 1, &y);
	return ((double)y - (double)x) * ((double)y - (double)x);
}

static int
down(const void *x, const void *y)
{
	double u = *(const double *)x, v = *(const double *)y;

	return u < v ? 1 : u > v ? -1 : 0;
}

static double
share(const double *v, uint64_t n, uint64_t top)
{
	double *w = calloc(n, sizeof(*w)), sum = 0, part = 0;

	memcpy(w, v, n * sizeof(*w));
	qsort(w, n, sizeof(*w), down);
	for (uint64_t i = 0; i < n; i++) {
		sum += w[i];
		part += i < top ? w[i] : 0;
	}
	free(w);
	return sum > 0 ? part / sum : 0;
}

static void
lines_are_right(bool by_row)
{
	uint64_t n = by_row ? old.rows : old.cols, changed = 0;
	const uint64_t *best = by_row ? one.best_rows : one.best_cols;
	unsigned nbest = by_row ? one.nbest_rows : one.nbest_cols;
	double *v = calloc(n, sizeof(*v));

	for (uint64_t i = 0; i < old.n; i++)
		v[by_row ? i / old.cols : i % old.cols] += square_at(i);
	for (uint64_t i = 0; i < n; i++)
		changed += v[i] > 0;
	assert_int_equal(by_row ? one.rows_changed : one.cols_changed,
	    changed);
	near(by_row ? one.top_rows_1 : one.top_cols_1,
	    share(v, n, (n + 99) / 100));
	near(by_row ? one.top_rows_10 : one.top_cols_10,
	    share(v, n, (n + 9) / 10));
	assert_int_equal(nbest, changed < 8 ? changed : 8);
	for (unsigned k = 0; k < nbest; k++) {
		uint64_t more = 0;

		for (uint64_t i = 0; i < n; i++)
			more += v[i] > v[best[k]] * (1 + 1e-12);
		assert_true(more <= k);
		assert_true(k == 0 || v[best[k]] <= v[best[k - 1]] *
		    (1 + 1e-12));
	}
	free(v);
}

static void
elements_are_right(void)
{
	uint64_t flips = 0, fresh = 0, lost = 0, zeros = 0, n = 0;
	double d1 = 0, d4 = 0, d2 = 0, cells = 0;
	float x, y;

	for (uint64_t i = 0; i < old.n; i++) {
		unsigned w = elem_info(old.elem)->bytes;
		double d;

		elem_load(old.elem, old.p + i * w, 1, &x);
		elem_load(new.elem, new.p + i * w, 1, &y);
		d = (double)y - (double)x;
		d1 += d;
		d2 += d * d;
		d4 += d * d * d * d;
		flips += (double)x * (double)y < 0;
		fresh += y == 0.0F && x != 0.0F;
		lost += x == 0.0F && y != 0.0F;
		zeros += y == 0.0F;
	}
	assert_true(fabs(one.d1 - d1) < 1e-9 * (double)old.n);
	near(one.d4, d4);
	assert_int_equal(one.sign_flips, flips);
	assert_int_equal(one.new_zeros, fresh);
	assert_int_equal(one.lost_zeros, lost);
	assert_int_equal(one.zeros_b, zeros);
	for (unsigned i = 0; i < PASS_ULP_BINS; i++)
		n += one.ulp[i];
	assert_int_equal(n, old.n);
	for (unsigned i = 0; i < one.grid_rows; i++)
		for (unsigned j = 0; j < one.grid_cols; j++)
			cells += one.grid[i][j];
	near(cells, d2);
}

/* --- tests -------------------------------------------------------------- */

static void
all_shapes_agree_with_the_plain_way(void **state)
{
	static const uint64_t shapes[][2] = {{1, 1}, {1, 31}, {3, 5},
	    {33, 100}, {2000, 64}, {100, 3000}, {4, 75000}, {75000, 4},
	    {1, 300000}, {300000, 1}, {500, 599}};
	static const enum elem types[] = {ELEM_F32, ELEM_BF16, ELEM_F16};

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		shape(types[i % 3], shapes[i][0], shapes[i][1]);
		fill();
		look();
		elements_are_right();
		lines_are_right(true);
		lines_are_right(false);
	}
}

static void
grid_has_the_place_of_a_change(void **state)
{
	(void)state;
	shape(ELEM_F32, 100, 1000);
	for (uint64_t i = 0; i < old.n; i++) {
		set(a, i, 1.0F);
		set(b, i, i == 99 * 1000 + 500 ? 3.0F : 1.0F);
	}
	look();
	assert_true(one.grid_rows == 32 && one.grid_cols == 32);
	assert_true(one.grid[31][16] == 4.0);
	assert_true(one.rows_changed == 1 && one.best_rows[0] == 99);
	assert_true(one.cols_changed == 1 && one.best_cols[0] == 500);
	assert_true(one.top_rows_1 == 1.0 && one.top_cols_10 == 1.0);
	/* A tensor smaller than the grid has a cell an element. */
	shape(ELEM_F32, 2, 3);
	for (uint64_t i = 0; i < 6; i++) {
		set(a, i, 0.0F);
		set(b, i, (float)i);
	}
	look();
	assert_true(one.grid_rows == 2 && one.grid_cols == 3);
	assert_true(one.grid[1][2] == 25.0 && one.grid[0][1] == 1.0);
}

/* One element whose bits are x and y: how far, and in which bin. */
static uint64_t
far(enum elem t, uint64_t x, uint64_t y, unsigned bin)
{
	shape(t, 1, 1);
	memcpy(a + 1, &x, elem_info(t)->bytes);
	memcpy(b + 1, &y, elem_info(t)->bytes);
	look();
	assert_int_equal(one.ulp[bin], 1);
	return one.max_ulp;
}

static void
distance_is_of_the_type_itself(void **state)
{
	(void)state;
	assert_int_equal(far(ELEM_F32, 0x3f800000, 0x3f800001, 1), 1);
	assert_int_equal(far(ELEM_F32, 0x80000001, 0x00000002, 2), 3);
	assert_int_equal(far(ELEM_F32, 0xff7fffff, 0x7f7fffff, 32),
	    2 * UINT64_C(0x7f7fffff));
	assert_int_equal(far(ELEM_BF16, 0x3f80, 0x3f84, 3), 4);
	assert_int_equal(far(ELEM_F16, 0x0001, 0x8001, 2), 2);
	assert_int_equal(far(ELEM_F16_BE, 0x0100, 0x0101, 9), 256);
	assert_int_equal(far(ELEM_F8_E4M3, 0x08, 0x0f, 3), 7);
	assert_int_equal(far(ELEM_I8, 0xff, 0x01, 2), 2);
	assert_int_equal(far(ELEM_U8, 0xff, 0x01, 8), 254);
	assert_int_equal(far(ELEM_I64, 0x8000000000000000U,
	    0x7fffffffffffffffU, PASS_ULP_BINS - 1), UINT64_MAX);
	assert_true(far(ELEM_F64, 0x3ff0000000000000U, 0x3ff0000000000003U,
	    2) == 3);
}

static void
zeros_and_nan_that_change_count_as_lines(void **state)
{
	(void)state;
	shape(ELEM_F32, 300, 4);
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	set(b, 4 * 7 + 1, -0.0F);
	set(b, 4 * 9 + 2, NAN);
	look();
	assert_true(one.rows_changed == 2 && one.cols_changed == 2);
	assert_true(one.nbest_rows == 2 && one.best_rows[0] == 7);
	assert_true(one.d1 == 0 && one.d4 == 0);
	assert_int_equal(one.zeros_b, 1199);
}

static void
nothing_is_no_trouble(void **state)
{
	(void)state;
	shape(ELEM_F32, 0, 0);
	look();
	assert_true(one.grid_rows == 0 && one.nbest_rows == 0);
	shape(ELEM_Q8_0, 2, 64);
	memset(a, 1, sizeof(a));
	memset(b, 1, sizeof(b));
	look();
	assert_true(one.ulp[0] == 128 && one.rows_changed == 0 &&
	    one.top_rows_1 == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_shapes_agree_with_the_plain_way),
	    cmocka_unit_test(grid_has_the_place_of_a_change),
	    cmocka_unit_test(distance_is_of_the_type_itself),
	    cmocka_unit_test(zeros_and_nan_that_change_count_as_lines),
	    cmocka_unit_test(nothing_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, pool_case_setup,
	    pool_case_teardown);
}
