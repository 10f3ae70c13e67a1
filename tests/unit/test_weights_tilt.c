#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_tilt.h"
#include "tests/lib/weights_case.h"

#define N 262144

static struct weights_case c;
static uint8_t noise[N];

static void
a_float16_tensor_with_noise_in_its_low_bytes_is_found(void **state)
{
	uint8_t *p = weights_case_make("F16", N, 5);
	int i;

	(void)state;
	weights_case_run_one(&c, "F16", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	weights_case_noise(noise, N, 6);
	weights_case_hide(p, "F16", 0, noise, N, 1);
	weights_case_run_one(&c, "F16", p, N);
	i = weights_case_find(&c, FINDING_WGT_TILT);
	assert_true(i >= 0);
	assert_int_equal(c.severity[i], SEVERITY_HIGH);
	free(p);
}

static void
a_window_of_noise_is_found(void **state)
{
	uint8_t *p = weights_case_make("F16", N, 7);
	int i;

	(void)state;
	weights_case_noise(noise, N, 8);
	weights_case_hide(p, "F16", 65536, noise, 65536, 1);
	weights_case_run_one(&c, "F16", p, N);
	i = weights_case_find(&c, FINDING_WGT_TILT);
	assert_true(i >= 0);
	assert_int_equal(c.severity[i], SEVERITY_MEDIUM);
	assert_true(c.off[i] >= 2 * 65536 && c.off[i] < 2 * 131072);
	free(p);
}

/* The float16 next to x towards zero; normal numbers only. */
static uint16_t
half(float x)
{
	uint32_t u;

	memcpy(&u, &x, sizeof(u));
	return (uint16_t)((u >> 16 & 0x8000) |
	    (((u & 0x7fffffff) - (112U << 23)) >> 13));
}

/* Quantised to a few hundred steps: its low bytes tell nothing. */
static void
steps_of_a_quantiser_are_no_noise(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 10), *q = malloc(2 * N);

	(void)state;
	assert_non_null(q);
	for (unsigned k = 0; k < 20; k++) {
		float x, step = 0.0004F + 0.00003F * (float)k;

		for (size_t i = 0; i < N; i++) {
			uint16_t h = 0;

			memcpy(&x, p + 4 * i, 4);
			if (fabsf(x) > step)
				h = half(roundf(x / step) * step);
			memcpy(q + 2 * i, &h, 2);
		}
		weights_case_run_one(&c, "F16", q, N);
		assert_int_equal(weights_case_flags(&c), 0);
	}
	free(p);
	free(q);
}

static void
small_and_odd_tensors_are_clean(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 20; seed++) {
		size_t n = 4096 + 3001 * seed;
		uint8_t *p = weights_case_make("F16", n, seed + 50);

		weights_case_run_one(&c, "F16", p, n);
		free(p);
		assert_int_equal(weights_case_flags(&c), 0);
	}
}

/* What the filter expects of honest weights is what it finds. */
static void
the_statistic_is_what_it_expects(void **state)
{
	static struct weights_tilt t;
	struct weights_lane low = {{0}};
	uint8_t *p = weights_case_make("F16", N, 9);
	double value, expected;

	(void)state;
	weights_tilt_begin(&t);
	for (size_t i = 0; i < N; i += WEIGHTS_WINDOW) {
		weights_hist_f16(p + 2 * i, WEIGHTS_WINDOW, &t.cells, &low);
		weights_tilt_window(&t);
	}
	weights_tilt_statistic(&t, &value, &expected);
	assert_true(expected > 20);
	assert_true(value > 0.8 * expected && value < 1.2 * expected);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_float16_tensor_with_noise_in_its_low_bytes_is_found),
	    cmocka_unit_test(a_window_of_noise_is_found),
	    cmocka_unit_test(steps_of_a_quantiser_are_no_noise),
	    cmocka_unit_test(small_and_odd_tensors_are_clean),
	    cmocka_unit_test(the_statistic_is_what_it_expects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
