#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch.h"
#include "analyzer/diff/sketch_exact.h"
#include "analyzer/diff/sketch_kernel.h"
#include "analyzer/diff/sketch_noise.h"
#include "base/err.h"
#include "tests/unit/spectrum_fixture.h"

static struct tensor old, new;
static struct delta d = {&old, &new, CAST_NONE};

static void
pair(const float *a, const float *b, const uint64_t shape[2])
{
	old = fixture_tensor(ELEM_F32, (const uint8_t *)a, shape);
	new = fixture_tensor(ELEM_F32, (const uint8_t *)b, shape);
}

static struct sketch_ask
ask_for(unsigned q)
{
	struct sketch_noise noise;

	assert_int_equal(sketch_noise_find(NULL, &d, &noise, NULL), 0);
	return (struct sketch_ask){.d = &d, .q = q, .top = noise.top,
	    .d2 = noise.d2};
}

static void
both_kernels_multiply_alike(void **state)
{
	static const size_t shapes[][3] = {{1, 1, 8}, {3, 5, 24}, {4, 256, 24},
	    {9, 17, 80}, {66, 33, 40}, {5, 2, 272}};
	float *a = fixture_weights(66, 300), *x = fixture_weights(300, 272);
	float *c1 = fixture_alloc(66 * 272 * sizeof(*c1));
	float *c2 = fixture_alloc(66 * 272 * sizeof(*c2));

	(void)state;
	for (unsigned k = 0; k < 12; k++) {
		const size_t *s = shapes[k / 2];
		struct sketch_mul m = {.a = a, .ri = k % 2 ? 1 : 300,
		    .rl = k % 2 ? 66 : 1, .x = x, .ldx = 272, .c = c1,
		    .ldc = 272, .rows = s[0], .depth = s[1], .width = s[2]};

		memset(c1, 0, 66 * 272 * sizeof(*c1));
		memset(c2, 0, 66 * 272 * sizeof(*c2));
		sketch_kernels(false)->mul(&m);
		m.c = c2;
		sketch_kernels(true)->mul(&m);
		for (size_t i = 0; i < 66 * 272; i++) {
			double v = 0;

			for (size_t l = 0; i / 272 < s[0] && i % 272 < s[2] &&
			    l < s[1]; l++)
				v += (double)a[i / 272 * m.ri + l * m.rl] *
				    (double)x[l * 272 + i % 272];
			assert_true(fabs((double)c1[i] - v) < 1e-6);
			assert_true(fabs((double)c2[i] - v) < 1e-6);
		}
	}
	free(a);
	free(x);
	free(c1);
	free(c2);
}

static void
both_kernels_give_the_same_values(void **state)
{
	static const uint64_t shape[2] = {301, 257};
	float *a = fixture_weights(301, 257);
	float *b = fixture_update(a, 301, 257, 200, 1e-2, 0.5);
	struct sketch fast, slow;
	struct sketch_ask ask;

	(void)state;
	pair(a, b, shape);
	ask = ask_for(40);
	assert_int_equal(sketch_find(&ask, &fast, NULL), 0);
	ask.portable = true;
	assert_int_equal(sketch_find(&ask, &slow, NULL), 0);
	assert_int_equal(fast.q, 40);
	for (unsigned k = 0; k < 40; k++)
		assert_true(fabs(fast.s[k] - slow.s[k]) < 1e-5 * fast.s[0]);
	assert_true(fabs(fast.resid2 - slow.resid2) < 1e-5 * ask.d2);
	free(a);
	free(b);
}

/* Singular values 8, 4, 2, 1 along known vectors, and what is left. */
static void
known_singular_values_and_vectors_are_found(void **state)
{
	static const uint64_t shape[2] = {400, 300};
	float *a = fixture_alloc(400 * 300 * 4), *b = fixture_alloc(400 * 300 *
	    4);
	struct sketch_ask ask;
	struct sketch s;

	(void)state;
	/* Columns of a Hadamard-like matrix: disjoint supports. */
	for (size_t k = 0; k < 4; k++)
		for (size_t i = 0; i < 25; i++)
			for (size_t j = 0; j < 16; j++)
				b[(k * 25 + i) * 300 + k * 16 + j] =
				    (float)((8 >> k) / 20.0);
	pair(a, b, shape);
	ask = ask_for(8);
	assert_int_equal(sketch_vectors(&ask, 6, &s, NULL), 0);
	assert_int_equal(s.vectors, 6);
	for (unsigned k = 0; k < 4; k++) {
		double u = 0, v = 0;

		assert_true(fabs(s.s[k] - (8 >> k)) < 1e-5);
		for (size_t i = 0; i < 25; i++)
			u += (double)s.u[k * 400 + k * 25 + i] / 5;
		for (size_t j = 0; j < 16; j++)
			v += (double)s.v[k * 300 + k * 16 + j] / 4;
		/* Same sign on both sides: their product is D. */
		assert_true(fabs(u * v - 1) < 1e-5);
	}
	assert_true(s.s[4] < 1e-5 && s.resid2 < 1e-8);
	sketch_release(&s);
	free(a);
	free(b);
}

static void
a_sketch_agrees_with_all_values(void **state)
{
	static const uint64_t tall[2] = {3000, 100}, wide[2] = {100, 3000};
	float *a = fixture_weights(3000, 100);
	float *b = fixture_update(a, 3000, 100, 60, 1e-2, 1);
	struct sketch all, some;
	struct sketch_ask ask;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		double rest = 0;

		pair(a, b, k == 0 ? tall : wide);
		ask = ask_for(24);
		assert_true(sketch_exact_fits(new.rows, new.cols));
		assert_int_equal(sketch_find(&ask, &all, NULL), 0);
		assert_true(all.exact && all.q == 100);
		/* sketch_vectors always takes the other way. */
		assert_int_equal(sketch_vectors(&ask, 1, &some, NULL), 0);
		assert_false(some.exact);
		for (unsigned i = 0; i < 12; i++)
			assert_true(fabs(all.s[i] - some.s[i]) <
			    2e-2 * all.s[i]);
		for (unsigned i = 24; i < 100; i++)
			rest += all.s[i] * all.s[i];
		/* 24 columns see a little less than the best 24 would. */
		assert_true(some.resid2 > 0.999 * rest &&
		    some.resid2 < 1.1 * rest);
		sketch_release(&some);
	}
	free(a);
	free(b);
}

/* The rest is a millionth of D: not what cancellation leaves of 1 - 1. */
static void
a_tiny_rest_is_summed_and_not_subtracted(void **state)
{
	static const uint64_t shape[2] = {350, 250};
	size_t n = 350 * 250;
	float *a = fixture_alloc(n * 4), *b = fixture_alloc(n * 4);
	struct sketch_ask ask;
	struct sketch s;
	double rest = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		double noise = 1e-6 * fixture_gauss();

		b[i] = (float)(((i / 250) % 2 ? 1 : -1) + noise);
		noise = (double)b[i] - ((i / 250) % 2 ? 1 : -1);
		rest += noise * noise;
	}
	pair(a, b, shape);
	ask = ask_for(8);
	assert_int_equal(sketch_find(&ask, &s, NULL), 0);
	assert_true(fabs(s.s[0] - sqrt((double)n)) < 1e-3);
	/* Single precision leaves as much again; a difference of squares
	 * would leave a million times it. */
	assert_true(s.resid2 > 0.7 * rest && s.resid2 < 4 * rest);
	free(a);
	free(b);
}

static void
noise_of_storage_is_what_rounding_makes(void **state)
{
	static const uint64_t shape[2] = {256, 256};
	static const enum elem types[] = {ELEM_F16, ELEM_BF16, ELEM_Q8_0,
	    ELEM_Q4_0};
	float *w = fixture_weights(256, 256);
	struct sketch_noise noise;

	(void)state;
	old = fixture_tensor(ELEM_F32, (const uint8_t *)w, shape);
	for (unsigned k = 0; k < 4; k++) {
		uint8_t *p = fixture_store(types[k], w, 256 * 256);
		double ratio;

		new = fixture_tensor(types[k], p, shape);
		assert_int_equal(sketch_noise_find(NULL, &d, &noise, NULL), 0);
		ratio = sqrt(noise.d2 / noise.nf_b);
		assert_true(ratio > 0.93 && ratio < 1.03);
		assert_true(noise.row > 0.5 && noise.col > 0.5);
		free(p);
	}
	free(w);
}

static void
rows_that_no_unit_divides_are_read_once(void **state)
{
	static const uint64_t shapes[][2] = {{1000, 3}, {3, 1000},
	    {77, 4099}, {5000, 301}, {1, 7}};
	size_t most = 5000 * 301;
	float *a = fixture_weights(5000, 301), *b = fixture_weights(5000, 301);
	struct sketch_noise noise;
	struct pool *pool = pool_new(3, NULL);

	(void)state;
	for (unsigned k = 0; k < 5; k++) {
		size_t n = (size_t)(shapes[k][0] * shapes[k][1]);
		double d2 = 0;

		assert_true(n <= most);
		for (size_t i = 0; i < n; i++)
			d2 += pow((double)(b[i] - a[i]), 2);
		pair(a, b, shapes[k]);
		assert_int_equal(sketch_noise_find(pool, &d, &noise, NULL), 0);
		assert_true(fabs(noise.d2 / d2 - 1) < 1e-9);
	}
	pool_free(pool);
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_kernels_multiply_alike),
	    cmocka_unit_test(both_kernels_give_the_same_values),
	    cmocka_unit_test(known_singular_values_and_vectors_are_found),
	    cmocka_unit_test(a_sketch_agrees_with_all_values),
	    cmocka_unit_test(a_tiny_rest_is_summed_and_not_subtracted),
	    cmocka_unit_test(noise_of_storage_is_what_rounding_makes),
	    cmocka_unit_test(rows_that_no_unit_divides_are_read_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
