#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_octave.h"
#include "tests/lib/weights_case.h"

#define N 65536

static struct weights_case c;
static uint8_t noise[3 * N];

static void
run(const char *dtype, size_t at, size_t n, unsigned lanes)
{
	uint8_t *p = weights_case_make(dtype, N, 5);

	weights_case_noise(noise, sizeof(noise), 7);
	weights_case_hide(p, dtype, at, noise, n, lanes);
	weights_case_run_one(&c, dtype, p, N);
	free(p);
}

static void
six_kib_in_three_bytes_of_float32_are_found(void **state)
{
	int i;

	(void)state;
	run("F32", 20000, 6144, 3);
	i = weights_case_find(&c, FINDING_WGT_OCTAVE);
	assert_true(i >= 0);
	assert_int_equal(c.severity[i], SEVERITY_HIGH);
	/* The place overlaps with what was written. */
	assert_true(c.off[i] < 4 * 22048 && c.off[i] + c.len[i] > 4 * 20000);
	assert_true(c.len[i] <= 4 * 8192);
}

static void
two_kib_in_one_byte_of_bfloat16_are_found(void **state)
{
	(void)state;
	run("BF16", 30001, 2048, 1);
	assert_true(weights_case_find(&c, FINDING_WGT_OCTAVE) >= 0);
	assert_non_null(strstr(c.text[0], "stream=lowest byte "));
}

static void
a_tensor_that_is_payload_from_end_to_end_is_found(void **state)
{
	(void)state;
	run("F32", 0, 3 * N, 3);
	assert_true(weights_case_find(&c, FINDING_WGT_OCTAVE) >= 0);
	assert_non_null(strstr(c.text[0], "whole tensor"));
	run("BF16", 0, N, 1);
	assert_true(weights_case_find(&c, FINDING_WGT_OCTAVE) >= 0);
}

static void
clean_tensors_are_clean(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 40; seed++) {
		const char *dtype = seed % 2 ? "F32" : "BF16";
		size_t n = 4096 + 997 * seed;
		uint8_t *p = weights_case_make(dtype, n, seed);

		weights_case_run_one(&c, dtype, p, n);
		free(p);
		assert_int_equal(weights_case_flags(&c), 0);
	}
}

/* Magnitudes spread evenly over octaves: exponents are, mantissas are not. */
static void
even_octaves_are_not_uniform_mantissas(void **state)
{
	uint16_t n[WEIGHTS_ROWS * WEIGHTS_FIELDS] = {0};
	/* Benford's law of the three top bits, of 1024. */
	static const uint16_t law[] = {174, 156, 141, 129, 118, 109, 102, 95};
	struct weights_fit fit;

	(void)state;
	for (unsigned row = 40; row < 44; row++)
		for (unsigned j = 0; j < 16; j++)
			n[16 * row + j] = (uint16_t)(law[j & 7] / 8);
	weights_octave_fit(n, &fit);
	assert_true(fit.n >= 1000 / 2);
	assert_true(fit.slope < -4.0);
}

static void
uniform_fields_fit(void **state)
{
	uint16_t n[WEIGHTS_ROWS * WEIGHTS_FIELDS] = {0};
	struct weights_fit fit;

	(void)state;
	weights_case_noise(noise, 2048, 3);
	for (unsigned i = 0; i < 1024; i++)
		n[16 * 61 + (noise[i] & 15)]++;
	weights_octave_fit(n, &fit);
	assert_int_equal(fit.n, 1024);
	assert_true(fit.z < 3.5 && fit.z > -3.5);
	assert_true(fit.slope < 4 && fit.slope > -4);
	n[16 * 61] = (uint16_t)(n[16 * 61] + 300);
	weights_octave_fit(n, &fit);
	assert_true(fit.z > 20);
	/* The row of zeros does not count. */
	memset(n, 0, sizeof(n));
	n[3] = 1000;
	weights_octave_fit(n, &fit);
	assert_int_equal(fit.n, 0);
}

static void
a_row_with_and_without_simd(void **state)
{
	uint16_t row[WEIGHTS_FIELDS];
	uint32_t a, b, x, y;

	(void)state;
	weights_case_noise(noise, 32000, 9);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned j = 0; j < WEIGHTS_FIELDS; j++)
			row[j] = (uint16_t)(i % 3 == 0 ? 0 :
			    (noise[32 * i + 2 * j] |
			    noise[32 * i + 2 * j + 1] << 8) & 4095);
		weights_row(row, &a, &b);
		weights_row_scalar(row, &x, &y);
		assert_int_equal(a, x);
		assert_int_equal(b, y);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(six_kib_in_three_bytes_of_float32_are_found),
	    cmocka_unit_test(two_kib_in_one_byte_of_bfloat16_are_found),
	    cmocka_unit_test(
		a_tensor_that_is_payload_from_end_to_end_is_found),
	    cmocka_unit_test(clean_tensors_are_clean),
	    cmocka_unit_test(even_octaves_are_not_uniform_mantissas),
	    cmocka_unit_test(uniform_fields_fit),
	    cmocka_unit_test(a_row_with_and_without_simd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
