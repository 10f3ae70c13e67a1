#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_lanes.h"
#include "tests/lib/weights_case.h"

#define N 65536

static struct weights_case c;
static uint8_t text[N];

/* Letters with the frequencies of a program text, more or less. */
static void
make_text(void)
{
	static const char sample[] = "import os, sys\ndef run(x):\n    for i "
	    "in range(10):\n        print(x[i] * 2 + sum(x))\n    return 0\n";

	for (size_t i = 0; i < N; i++)
		text[i] = (uint8_t)(sample[i % (sizeof(sample) - 1)] ^ 0x55);
}

static void
text_in_the_low_byte_is_found(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 5);
	int i;

	(void)state;
	make_text();
	weights_case_hide(p, "F32", 20000, text, 4096, 1);
	weights_case_run_one(&c, "F32", p, N);
	i = weights_case_find(&c, FINDING_WGT_LANE);
	assert_true(i >= 0);
	assert_int_equal(c.severity[i], SEVERITY_MEDIUM);
	assert_true(c.off[i] <= 4 * 24096 && c.off[i] + c.len[i] > 4 * 20000);
	free(p);
}

static void
text_in_the_low_byte_of_float16_is_found(void **state)
{
	uint8_t *p = weights_case_make("F16", N, 6);

	(void)state;
	make_text();
	weights_case_hide(p, "F16", 20000, text, 4096, 1);
	weights_case_run_one(&c, "F16", p, N);
	assert_true(weights_case_find(&c, FINDING_WGT_LANE) >= 0);
	free(p);
}

static void
text_in_half_of_a_tensor_is_found_by_its_siblings(void **state)
{
	struct weights_case_tensor t[4];
	uint8_t *p[4];
	int i;

	(void)state;
	make_text();
	for (unsigned k = 0; k < 4; k++) {
		p[k] = weights_case_make("F32", N, 10 + k);
		t[k] = (struct weights_case_tensor){"F32", p[k], N, 0};
	}
	weights_case_hide(p[2], "F32", 0, text, 50000, 1);
	weights_case_run(&c, t, 4);
	i = weights_case_find(&c, FINDING_WGT_LANE);
	assert_true(i >= 0);
	assert_non_null(strstr(c.text[i], "siblings"));
	for (unsigned k = 0; k < 4; k++)
		free(p[k]);
}

/* Weights that repeat have low bytes that repeat: no payload. */
static void
constant_rows_are_no_payload(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 8);

	(void)state;
	for (size_t i = 8192; i < 12288; i++)
		memcpy(p + 4 * i, p + 4 * (i % 64), 4);
	weights_case_run_one(&c, "F32", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	free(p);
}

static void
put(uint8_t *p, size_t i, float x)
{
	memcpy(p + 4 * i, &x, 4);
}

/*
 * Positions of a transformer: the cosines of slow waves crowd below 1, where
 * the second byte is hardly free.
 */
static void
a_table_of_cosines_is_no_payload(void **state)
{
	uint8_t *p = weights_case_make("F32", 4 * N, 12);

	(void)state;
	for (unsigned i = 0; i < 4 * N; i++) {
		unsigned k = i % 256;
		double x = i / 256 / pow(1e4, (k - k % 2) / 256.0);

		put(p, i, (float)(k % 2 == 0 ? sin(x) : cos(x)));
	}
	weights_case_run_one(&c, "F32", p, 4 * N);
	assert_int_equal(weights_case_flags(&c), 0);
	free(p);
}

/* The same text in the second byte does not know the bits above. */
static void
text_in_the_second_byte_is_found(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 13);

	(void)state;
	make_text();
	for (size_t i = 0; i < 8192; i++)
		p[4 * (20000 + i) + 1] = text[i];
	weights_case_run_one(&c, "F32", p, N);
	assert_true(weights_case_find(&c, FINDING_WGT_LANE) >= 0);
	free(p);
}

/* Rows on a coarser grid end in zeros: no payload either. */
static void
a_window_of_trailing_zeros_is_no_payload(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 9);

	(void)state;
	weights_case_clear(p + 4 * 8192, "F32", 4096, 12);
	weights_case_run_one(&c, "F32", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	free(p);
}

/* Every third weight ends in zeros; a window that does not was written to. */
static void
a_gap_in_the_fingerprint_is_found(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 11);
	uint8_t noise[4096];
	int i;

	(void)state;
	for (size_t k = 0; k < N; k += 3)
		p[4 * k] &= 0xe0;
	weights_case_run_one(&c, "F32", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	weights_case_noise(noise, sizeof(noise), 3);
	weights_case_hide(p, "F32", 16384, noise, sizeof(noise), 1);
	weights_case_run_one(&c, "F32", p, N);
	i = weights_case_find(&c, FINDING_WGT_LANE);
	assert_true(i >= 0);
	assert_non_null(strstr(c.text[i], "trailing zeros"));
	assert_int_equal(c.off[i], 4 * 16384);
	assert_int_equal(c.len[i], 4 * 4096);
	free(p);
}

static void
odd_bytes_of_noise_are_noise(void **state)
{
	struct weights_lane l = {{0}};
	uint8_t noise[4096];

	(void)state;
	weights_case_noise(noise, sizeof(noise), 1);
	for (unsigned i = 0; i < 4096; i++)
		l.n[noise[i]]++;
	assert_true(weights_lane_odd(&l) < 4);
	assert_true(weights_lane_odd(&l) > -4);
	l.n[0x65] = (uint16_t)(l.n[0x65] + 300);
	assert_true(weights_lane_odd(&l) > 30);
	memset(&l, 0, sizeof(l));
	l.n[64] = 4096;
	assert_true(weights_lane_odd(&l) < -90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_in_the_low_byte_is_found),
	    cmocka_unit_test(text_in_the_low_byte_of_float16_is_found),
	    cmocka_unit_test(
		text_in_half_of_a_tensor_is_found_by_its_siblings),
	    cmocka_unit_test(constant_rows_are_no_payload),
	    cmocka_unit_test(a_table_of_cosines_is_no_payload),
	    cmocka_unit_test(text_in_the_second_byte_is_found),
	    cmocka_unit_test(a_window_of_trailing_zeros_is_no_payload),
	    cmocka_unit_test(a_gap_in_the_fingerprint_is_found),
	    cmocka_unit_test(odd_bytes_of_noise_are_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
