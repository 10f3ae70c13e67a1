#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_count.h"

static uint32_t seed = 20261124;

static uint8_t
next_byte(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static void
put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void
zeros_nans_and_denormals_are_told_apart(void **state)
{
	static const uint32_t v[] = {0, 0x80000000, 0x80000000, 0x00000001,
	    0x807fffff, 0x7f800000, 0x7fc00000, 0xffc00000, 0x7fc00001,
	    0x7f812345, 0x3f800000, 0x00800000};
	struct weights_count c = {0};
	uint8_t p[sizeof(v)];

	(void)state;
	for (size_t i = 0; i < 12; i++)
		put32(p + 4 * i, v[i]);
	weights_count(WEIGHTS_F32, p, 12, &c);
	assert_int_equal(c.n, 12);
	assert_int_equal(c.zero, 3);
	assert_int_equal(c.negative_zero, 2);
	assert_int_equal(c.denormal, 2);
	assert_int_equal(c.nan, 4);
	assert_int_equal(c.nan_payload, 2);
}

static void
a_bfloat16_in_a_float32_is_seen(void **state)
{
	struct weights_count c = {0};
	uint8_t p[4 * 64];

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		put32(p + 4 * i, 0x3e000000 + (i << 16));
	weights_count(WEIGHTS_F32, p, 64, &c);
	assert_int_equal(c.clear[0], 64);
	put32(p + 4 * 17, 0x3e112000);	/* a float16 */
	put32(p + 4 * 18, 0x3e112345);
	memset(&c, 0, sizeof(c));
	weights_count(WEIGHTS_F32, p, 64, &c);
	assert_int_equal(c.clear[0], 62);
	assert_int_equal(c.clear[1], 63);
	assert_int_equal(c.clear[2], 63);
	assert_int_equal(c.clear[3], 63);
}

static void
halves_and_doubles_have_their_own_places(void **state)
{
	static const uint8_t half[] = {0x01, 0x7c, 0x00, 0x7e, 0x00, 0x80,
	    0x01, 0x00};
	static const uint8_t brain[] = {0xc0, 0x7f, 0x81, 0x7f, 0x00, 0x80,
	    0x7f, 0x00};
	static const uint8_t twice[] = {0, 0, 0, 0x20, 0, 0, 0xf0, 0x3f};
	struct weights_count c = {0};

	(void)state;
	weights_count(WEIGHTS_F16, half, 4, &c);
	weights_count(WEIGHTS_BF16, brain, 4, &c);
	assert_int_equal(c.nan, 4);
	assert_int_equal(c.nan_payload, 2);
	assert_int_equal(c.negative_zero, 2);
	assert_int_equal(c.denormal, 2);
	assert_int_equal(c.clear[0], 0);
	weights_count(WEIGHTS_F64, twice, 1, &c);
	assert_int_equal(c.clear[0], 0);
	assert_int_equal(c.clear[2], 1);
}

/* Bits that matter come often: exponents of zero and of all ones. */
static void
simd_and_scalar_count_the_same(void **state)
{
	static const uint8_t tops[] = {0x00, 0x80, 0x7f, 0xff, 0x3f, 0xbe};
	static uint8_t p[4 * 1000];
	struct weights_count a, b;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = round % 1000;

		for (size_t i = 0; i < 4 * n; i++)
			p[i] = next_byte() < 100 ? 0 : next_byte();
		for (size_t i = 0; i < n; i++) {
			p[4 * i + 3] = tops[next_byte() % 6];
			if (next_byte() < 64)
				p[4 * i + 2] = next_byte() < 128 ? 0xc0 : 0x80;
		}
		for (enum weights_class k = WEIGHTS_F16; k <= WEIGHTS_F32;
		    k++) {
			memset(&a, 0, sizeof(a));
			memset(&b, 0, sizeof(b));
			weights_count(k, p, n, &a);
			weights_count_scalar(k, p, n, &b);
			assert_memory_equal(&a, &b, sizeof(a));
		}
	}
	assert_true(a.nan_payload > 0 && a.denormal > 0 && a.clear[3] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeros_nans_and_denormals_are_told_apart),
	    cmocka_unit_test(a_bfloat16_in_a_float32_is_seen),
	    cmocka_unit_test(halves_and_doubles_have_their_own_places),
	    cmocka_unit_test(simd_and_scalar_count_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
