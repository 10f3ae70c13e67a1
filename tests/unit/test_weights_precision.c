#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_precision.h"
#include "tests/lib/weights_case.h"

#define N 65536

static struct weights_case c;
static uint8_t noise[4096];

static uint8_t *
cast_up(unsigned bits, uint32_t seed)
{
	uint8_t *p = weights_case_make("F32", N, seed);

	weights_case_noise(noise, sizeof(noise), seed);
	weights_case_clear(p, "F32", N, bits);
	return p;
}

static void
sixteen_bytes_in_a_tensor_that_was_cast_up_are_found(void **state)
{
	static const unsigned bits[] = {16, 13, 8};

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		uint8_t *p = cast_up(bits[k], 20 + k);
		struct weights_case_tensor t = {"F32", p, N, 256};

		weights_case_run(&c, &t, 1);
		assert_int_equal(weights_case_flags(&c), 0);
		weights_case_hide(p, "F32", 1000, noise, 16, 1);
		weights_case_run(&c, &t, 1);
		assert_int_equal(weights_case_flags(&c), 1);
		assert_int_equal(c.id[0], FINDING_WGT_PRECISION);
		assert_int_equal(c.severity[0], SEVERITY_HIGH);
		assert_int_equal(c.off[0] / 4, 1000);
		free(p);
	}
}

static void
whole_rows_of_full_precision_are_a_note(void **state)
{
	uint8_t *p = cast_up(16, 30), *full = weights_case_make("F32", N, 31);
	struct weights_case_tensor t = {"F32", p, N, 256};

	(void)state;
	memcpy(p + 4 * 256 * 200, full, 4 * 256 * 3);
	weights_case_run(&c, &t, 1);
	assert_int_equal(weights_case_flags(&c), 0);
	assert_true(weights_case_find(&c, FINDING_WGT_PRECISION_ROWS) >= 0);
	/* Rows that are not known cannot excuse it. */
	t.row = 0;
	weights_case_run(&c, &t, 1);
	assert_int_equal(weights_case_flags(&c), 1);
	assert_int_equal(c.severity[0], SEVERITY_MEDIUM);
	/* Nor rows that the span does not fill. */
	t.row = 1024;
	weights_case_run(&c, &t, 1);
	assert_int_equal(c.severity[0], SEVERITY_HIGH);
	free(p);
	free(full);
}

/* Whole numbers need more bits the larger they are. */
static void
heights_are_no_payload(void **state)
{
	uint8_t *p = malloc(4 * N);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < N; i++) {
		float v = i > 1000 && i < 1600 ? (float)(2001 + 7 * i) :
		    (float)(i % 1900) - 300;

		memcpy(p + 4 * i, &v, 4);
	}
	weights_case_run_one(&c, "F32", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	/* Bits below one are. */
	p[4 * 5000] |= 1;
	p[4 * 5001] |= 1;
	p[4 * 5002] |= 1;
	p[4 * 5003] |= 1;
	weights_case_run_one(&c, "F32", p, N);
	assert_int_equal(weights_case_flags(&c), 1);
	free(p);
}

static void
a_native_tensor_has_no_class(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 40);
	struct weights_precision x;
	struct weights_count n = {0};

	(void)state;
	weights_precision_begin(&x);
	weights_count(WEIGHTS_F32, p, 4096, &n);
	weights_precision_window(&x, &n);
	assert_int_equal(weights_precision_of(&x), WEIGHTS_CLASSES);
	weights_case_clear(p, "F32", N, 13);
	memset(&n, 0, sizeof(n));
	weights_precision_begin(&x);
	weights_count(WEIGHTS_F32, p, 4096, &n);
	weights_precision_window(&x, &n);
	assert_int_equal(weights_precision_of(&x), 1);
	free(p);
}

static void
a_tensor_more_precise_than_its_siblings_is_a_note(void **state)
{
	uint8_t *a = cast_up(16, 50), *b = cast_up(16, 51);
	uint8_t *d = weights_case_make("F32", 8192, 52);
	const struct weights_case_tensor t[] = {{"F32", a, N, 256},
	    {"F32", b, N, 256}, {"F32", d, 8192, 64}};

	(void)state;
	weights_case_run(&c, t, 3);
	assert_int_equal(weights_case_flags(&c), 0);
	assert_int_equal(c.findings, 1);
	assert_int_equal(c.id[0], FINDING_WGT_PRECISION_ROWS);
	free(a);
	free(b);
	free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		sixteen_bytes_in_a_tensor_that_was_cast_up_are_found),
	    cmocka_unit_test(whole_rows_of_full_precision_are_a_note),
	    cmocka_unit_test(heights_are_no_payload),
	    cmocka_unit_test(a_native_tensor_has_no_class),
	    cmocka_unit_test(
		a_tensor_more_precise_than_its_siblings_is_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
