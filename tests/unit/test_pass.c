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

/*
 * Everything is compared with sums made the plain way: one value after the
 * other, in double.
 */

struct side {
	uint8_t *room, *p;	/* p is odd: nothing may rely on alignment */
	struct tensor t;
};

static struct side
side_new(enum elem elem, uint64_t rows, uint64_t cols)
{
	const struct elem_info *x = elem_info(elem);
	uint64_t n = rows * cols;
	struct side s = {0};

	s.t = (struct tensor){.elem = elem, .rank = 2, .n = n, .rows = rows,
	    .cols = cols, .len = n / x->block * x->bytes};
	assert_non_null(s.room = malloc(s.t.len + 2));
	s.p = s.room + 1 + ((uintptr_t)s.room & 1);
	s.t.p = s.p;
	return s;
}

static void
side_free(struct side *s)
{
	free(s->room);
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Numbers like weights; of blocks and integers any bytes at all. */
static void
fill(struct side *s, uint32_t seed)
{
	uint32_t bits;
	float f;

	for (uint64_t i = 0; i < s->t.len; i++)
		s->p[i] = (uint8_t)next(&seed);
	for (uint64_t i = 0; elem_info(s->t.elem)->kind == ELEM_FLOAT &&
	    i < s->t.n; i++) {
		f = ((float)(next(&seed) % 20001) - 10000.0F) / 65536.0F;
		memcpy(&bits, &f, 4);
		if (s->t.elem == ELEM_F32)
			memcpy(s->p + 4 * i, &bits, 4);
		else if (s->t.elem == ELEM_BF16)
			memcpy(s->p + 2 * i, (const char *)&bits + 2, 2);
		else if (s->t.elem == ELEM_F16)
			memcpy(s->p + 2 * i, &(uint16_t){elem_to_f16(f)}, 2);
	}
}

static void
set_f32(struct side *s, uint64_t i, float v)
{
	memcpy(s->p + 4 * i, &v, 4);
}

static bool
same_value(float a, float b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* The plain way. */
static void
plain_changed(const struct delta *d, const float *a, const float *b,
    struct pass_sums *s)
{
	bool raw = d->a->elem == d->b->elem && d->cast == CAST_NONE &&
	    elem_info(d->a->elem)->block == 1;

	for (uint64_t i = 0; i < s->n; i++) {
		uint64_t x = raw ? elem_bits(d->a->elem, d->a->p, i) ^
		    elem_bits(d->b->elem, d->b->p, i) :
		    same_value(a[i], b[i]) ? 0 : UINT64_MAX;

		if (x == 0)
			continue;
		s->first = s->changed++ == 0 ? i : s->first;
		s->last = i;
		s->xor_or |= x;
	}
}

static struct pass_sums
plain(const struct delta *d, double *rows_d2, double *rows_a2)
{
	struct pass_sums s = {.n = d->b->n};
	float *a = calloc(s.n + 1, sizeof(*a)), *b = calloc(s.n + 1, 4);
	uint64_t cols = d->b->cols;

	assert_true(a != NULL && b != NULL);
	delta_block(d, 0, s.n, a, b, NULL, NULL);
	for (uint64_t i = 0; i < s.n; i++) {
		double x = (double)a[i], y = (double)b[i];
		bool fa = isfinite(a[i]), fb = isfinite(b[i]);
		double diff = fa && fb ? y - x : 0;

		s.a2 += fa ? x * x : 0;
		s.b2 += fb ? y * y : 0;
		s.ab += fa && fb ? x * y : 0;
		s.d2 += diff * diff;
		s.max_abs = fabs(diff) > s.max_abs ? fabs(diff) : s.max_abs;
		s.nonfinite_a += !fa;
		s.nonfinite_b += !fb;
		if (rows_d2 != NULL) {
			rows_d2[i / cols] += diff * diff;
			rows_a2[i / cols] += fa ? x * x : 0;
		}
	}
	plain_changed(d, a, b, &s);
	free(a);
	free(b);
	return s;
}

static void
near(double got, double want, double scale)
{
	double off = fabs(got - want);

	if (!(off <= 4e-6 * scale))
		fail_msg("%.17g is not %.17g", got, want);
}

static void
agrees(const struct pass_sums *got, const struct pass_sums *want)
{
	assert_int_equal(got->n, want->n);
	near(got->a2, want->a2, want->a2);
	near(got->b2, want->b2, want->b2);
	near(got->ab, want->ab, sqrt(want->a2) * sqrt(want->b2));
	near(got->d2, want->d2, want->d2);
	near(got->max_abs, want->max_abs, want->max_abs);
	assert_int_equal(got->changed, want->changed);
	assert_int_equal(got->first, want->first);
	assert_int_equal(got->last, want->last);
	assert_true(got->xor_or == want->xor_or);
	assert_int_equal(got->nonfinite_a, want->nonfinite_a);
	assert_int_equal(got->nonfinite_b, want->nonfinite_b);
}

/* Both kernels, no pool and pools of one to three, with rows and without. */
static void
check(const struct delta *d)
{
	uint64_t rows = d->b->rows;
	double *want[2], *got[2], *first[2];
	struct pass_sums truth, s, one;
	struct pass_rows to;

	for (unsigned k = 0; k < 2; k++) {
		want[k] = calloc(rows, sizeof(double));
		got[k] = calloc(rows, sizeof(double));
		first[k] = calloc(rows, sizeof(double));
	}
	truth = plain(d, want[0], want[1]);
	to = (struct pass_rows){got[0], got[1]};
	for (unsigned i = 0; i < 8; i++) {
		(void)pass_select(i >= 4);
		memset(got[0], 0x55, rows * sizeof(double));
		memset(got[1], 0x55, rows * sizeof(double));
		assert_int_equal(pass_run(pool_case[i % 4], d, &s,
		    i % 4 == 1 ? NULL : &to, NULL), 0);
		agrees(&s, &truth);
		assert_true(s.digest_a == pass_digest(NULL, d->a->p,
		    d->a->len));
		assert_true(s.digest_b == pass_digest(pool_case[i % 4], d->b->p,
		    d->b->len));
		for (uint64_t r = 0; r < rows && i % 4 != 1; r++)
			for (unsigned k = 0; k < 2; k++)
				near(got[k][r], want[k][r], want[k][r]);
		/* The same bits on any number of threads. */
		if (i % 4 == 0) {
			one = s;
			memcpy(first[0], got[0], rows * sizeof(double));
			memcpy(first[1], got[1], rows * sizeof(double));
		}
		assert_memory_equal(&s, &one, sizeof(s));
		if (i % 4 != 1) {
			assert_memory_equal(got[0], first[0], rows * 8);
			assert_memory_equal(got[1], first[1], rows * 8);
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		free(want[k]);
		free(got[k]);
		free(first[k]);
	}
	(void)pass_select(false);
}

static void
check_types(enum elem a, enum elem b, uint64_t rows, uint64_t cols)
{
	struct side x = side_new(a, rows, cols), y = side_new(b, rows, cols);
	struct delta d = {&x.t, &y.t, CAST_NONE};

	fill(&x, 3);
	fill(&y, 4);
	/* Of one type, most of it is equal. */
	if (a == b)
		memcpy(y.p, x.p, (size_t)(y.t.len * 7 / 8));
	check(&d);
	side_free(&x);
	side_free(&y);
}

static void
all_pairs_of_types_agree_with_the_plain_way(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ELEM_COUNT; a++)
		for (unsigned b = 0; b < ELEM_COUNT; b++)
			check_types((enum elem)a, (enum elem)b, 5, 1024);
}

static void
any_number_of_elements_is_right(void **state)
{
	static const uint64_t n[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33,
	    4095, 4096, 4097, 8191, 8193, 65535, 65536, 65537, 131072,
	    1048575, 1048577};
	static const enum elem types[] = {ELEM_F32, ELEM_BF16, ELEM_F16,
	    ELEM_I8};

	(void)state;
	for (unsigned i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		for (unsigned t = 0; t < (n[i] > 200000 ? 1 : 4); t++)
			check_types(types[t], types[t], 1, n[i]);
	check_types(ELEM_F32, ELEM_BF16, 1, 70001);
}

static void
rows_of_any_length_are_right(void **state)
{
	static const uint64_t shape[][2] = {{70000, 1}, {23341, 3},
	    {4400, 16}, {1100, 64}, {300, 257}, {17, 4096}, {17, 4100},
	    {5, 20000}, {3, 65536}, {3, 65537}, {2, 150001}, {1, 140000}};

	(void)state;
	for (unsigned i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		check_types(ELEM_F32, ELEM_F32, shape[i][0], shape[i][1]);
		check_types(ELEM_BF16, ELEM_BF16, shape[i][0], shape[i][1]);
		check_types(ELEM_F32, ELEM_F16, shape[i][0], shape[i][1]);
	}
}

static void
no_element_is_no_trouble(void **state)
{
	struct side x = side_new(ELEM_F32, 0, 0);
	struct delta d = {&x.t, &x.t, CAST_NONE};
	double row[2] = {7, 7};
	struct pass_rows rows = {&row[0], &row[1]};
	struct pass_sums s;

	(void)state;
	x.t.rows = 1;
	assert_int_equal(pass_run(pool_case[2], &d, &s, &rows, NULL), 0);
	assert_true(s.n == 0 && s.a2 == 0 && s.changed == 0);
	assert_true(row[0] == 0 && row[1] == 0);
	assert_true(s.digest_a == pass_digest(NULL, x.p, 0));
	assert_true(pass_rel(&s) == 0 && pass_cosine(&s) == 0);
	side_free(&x);
}

static void
values_that_are_not_finite_are_counted_and_left_out(void **state)
{
	struct side x = side_new(ELEM_F32, 100, 150);
	struct side y = side_new(ELEM_F32, 100, 150);
	struct delta d = {&x.t, &y.t, CAST_NONE};

	(void)state;
	fill(&x, 1);
	fill(&y, 2);
	set_f32(&x, 5, NAN);
	set_f32(&y, 5, NAN);
	set_f32(&x, 4097, INFINITY);
	set_f32(&y, 4098, -INFINITY);
	set_f32(&y, 14999, NAN);
	check(&d);
	/* Equal once cast: NaN is NaN, zero is zero. */
	fill(&y, 1);
	set_f32(&y, 5, -NAN);
	set_f32(&y, 4097, INFINITY);
	set_f32(&x, 9, 0.0F);
	set_f32(&y, 9, -0.0F);
	d.cast = CAST_F16;
	check(&d);
	side_free(&x);
	side_free(&y);
}

static void
sums_beyond_single_precision_are_made_again(void **state)
{
	static const float scales[] = {1e30F, 3e38F, 1e-16F, 1e-20F, 1e-30F,
	    1e-38F, 1e-42F};
	struct side x = side_new(ELEM_F32, 90, 101);
	struct side y = side_new(ELEM_F32, 90, 101);
	struct delta d = {&x.t, &y.t, CAST_NONE};

	(void)state;
	for (unsigned k = 0; k < sizeof(scales) / sizeof(scales[0]); k++) {
		fill(&x, 1);
		fill(&y, 2);
		/* A block of each, and one of zeros. */
		for (uint64_t i = 0; i < x.t.n; i++) {
			float f = (float)(i % 19) / 19.0F * scales[k];

			if (i < 5000)
				set_f32(&x, i, f);
			if (i < 5000 && i % 7 > 0)
				set_f32(&y, i, -f);
			if (i >= 5000 && i < 9000) {
				set_f32(&x, i, 0);
				set_f32(&y, i, i == 6000 ? scales[k] : 0);
			}
		}
		check(&d);
	}
	side_free(&x);
	side_free(&y);
}

static void
subnormal_changes_are_changes(void **state)
{
	struct side x = side_new(ELEM_BF16, 1, 5000);
	struct side y = side_new(ELEM_BF16, 1, 5000);
	struct delta d = {&x.t, &y.t, CAST_NONE};
	struct pass_sums s;

	(void)state;
	memset(x.p, 0, x.t.len);
	memset(y.p, 0, y.t.len);
	y.p[2 * 4321] = 1;
	check(&d);
	assert_int_equal(pass_run(NULL, &d, &s, NULL, NULL), 0);
	assert_true(s.changed == 1 && s.first == 4321 && s.xor_or == 1);
	assert_true(s.max_abs > 0 && s.d2 > 0);
	side_free(&x);
	side_free(&y);
}

static void
bits_that_changed_are_told(void **state)
{
	struct side x = side_new(ELEM_F16_BE, 1, 3000);
	struct side y = side_new(ELEM_F16_BE, 1, 3000);
	struct delta d = {&x.t, &y.t, CAST_NONE};
	struct pass_sums s;

	(void)state;
	fill(&x, 1);
	memcpy(y.p, x.p, x.t.len);
	y.p[2 * 100 + 1] ^= 4;	/* low byte of a big-endian one */
	y.p[2 * 2999 + 1] ^= 1;
	assert_int_equal(pass_run(NULL, &d, &s, NULL, NULL), 0);
	assert_true(s.changed == 2 && s.first == 100 && s.last == 2999 &&
	    s.xor_or == 5);
	side_free(&x);
	side_free(&y);
}

static void
large_tensors_are_cut_alike(void **state)
{
	struct side x = side_new(ELEM_BF16, 8192, 1025);
	struct side y = side_new(ELEM_BF16, 8192, 1025);
	struct delta d = {&x.t, &y.t, CAST_NONE};
	struct pass_sums s, t;

	(void)state;
	for (uint64_t i = 0; i < x.t.n; i++) {
		const uint8_t v[2] = {(uint8_t)i, (uint8_t)(0x3c + i % 3)};

		memcpy(x.p + 2 * i, v, 2);
		memcpy(y.p + 2 * i, v, 2);
	}
	y.p[2 * 5000001] ^= 3;
	assert_int_equal(pass_run(NULL, &d, &s, NULL, NULL), 0);
	assert_int_equal(pass_run(pool_case[3], &d, &t, NULL, NULL), 0);
	assert_memory_equal(&s, &t, sizeof(s));
	assert_true(s.changed == 1 && s.first == 5000001 && s.last ==
	    5000001 && s.xor_or == 3 && s.digest_a != s.digest_b);
	assert_true(s.digest_a == pass_digest(pool_case[3], x.p, x.t.len));
	side_free(&x);
	side_free(&y);
}

static void
known_digests_are_taken_over(void **state)
{
	struct side x = side_new(ELEM_U8, 1, 64);
	struct delta d = {&x.t, &x.t, CAST_NONE};
	struct pass_sums s;

	(void)state;
	fill(&x, 1);
	x.t.digested = true;
	x.t.digest = 42;
	assert_int_equal(pass_run(NULL, &d, &s, NULL, NULL), 0);
	assert_true(s.digest_a == 42 && s.digest_b == 42);
	side_free(&x);
}

static void
derived_measures_are_of_the_sums(void **state)
{
	struct pass_sums s = {.a2 = 4, .b2 = 9, .ab = -6, .d2 = 25};

	(void)state;
	assert_true(pass_rel(&s) == 2.5 && pass_cosine(&s) == -1);
	s.a2 = 0;
	assert_true(pass_rel(&s) == 0 && pass_cosine(&s) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_pairs_of_types_agree_with_the_plain_way),
	    cmocka_unit_test(any_number_of_elements_is_right),
	    cmocka_unit_test(rows_of_any_length_are_right),
	    cmocka_unit_test(no_element_is_no_trouble),
	    cmocka_unit_test(
	        values_that_are_not_finite_are_counted_and_left_out),
	    cmocka_unit_test(sums_beyond_single_precision_are_made_again),
	    cmocka_unit_test(subnormal_changes_are_changes),
	    cmocka_unit_test(bits_that_changed_are_told),
	    cmocka_unit_test(large_tensors_are_cut_alike),
	    cmocka_unit_test(known_digests_are_taken_over),
	    cmocka_unit_test(derived_measures_are_of_the_sums),
	};

	return cmocka_run_group_tests(tests, pool_case_setup,
	    pool_case_teardown);
}
