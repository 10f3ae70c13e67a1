#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/elem_wide.h"

static uint8_t bytes[65536 * 2 + 1];
static float out[65536];

static uint32_t
bits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

/* What the fields of a small float say, in double. */
static double
value_of(unsigned v, unsigned exponent, unsigned mantissa)
{
	unsigned e = v >> mantissa & ((1U << exponent) - 1);
	unsigned m = v & ((1U << mantissa) - 1);
	int bias = (1 << (exponent - 1)) - 1;
	double one = (double)(1U << mantissa);
	double x = e == 0 ? ldexp(m / one, 1 - bias) :
	    ldexp(1 + m / one, (int)e - bias);

	return v >> (exponent + mantissa) != 0 ? -x : x;
}

/* --- 16 bits ------------------------------------------------------------- */

static void
all_of_16_bits_are_loaded(enum elem t)
{
	for (unsigned i = 0; i < 65536; i++) {
		bytes[1 + 2 * i] = (uint8_t)i;
		bytes[2 + 2 * i] = (uint8_t)(i >> 8);
	}
	elem_load(t, bytes + 1, 65536, out);
	for (unsigned i = 0; i < 65536; i++) {
		if (t == ELEM_BF16) {
			assert_int_equal(bits_of(out[i]), i << 16);
			continue;
		}
		if ((i & 0x7c00U) != 0x7c00U)
			assert_true((double)out[i] == value_of(i, 5, 10));
		else if ((i & 0x3ffU) == 0)
			assert_true(isinf(out[i]));
		else
			assert_true(isnan(out[i]));
		assert_int_equal(signbit(out[i]) != 0, i >> 15);
		if (!isnan(out[i]))
			assert_int_equal(bits_of(elem_from_f16((uint16_t)i)),
			    bits_of(out[i]));
	}
	/* Any number of them, at any place. */
	for (size_t n = 0; n < 40; n++) {
		static float part[41];

		part[n] = 7;
		elem_load(t, bytes + 1 + 2 * 30000, n, part);
		assert_memory_equal(part, out + 30000, n * sizeof(*part));
		assert_true(part[n] == 7);
	}
}

static void
both_16_bit_floats_are_exact_in_four_lanes_and_in_eight(void **state)
{
	(void)state;
	for (unsigned portable = 0; portable < 2; portable++) {
		bool wide = elem_wide_select(portable);

		assert_true(!wide || !portable);
		all_of_16_bits_are_loaded(ELEM_F16);
		all_of_16_bits_are_loaded(ELEM_BF16);
	}
	(void)elem_wide_select(false);
}

static float
beside(float f, float to)
{
	return nextafterf(f, to);
}

/* Between two neighbours the middle goes to the even one. */
static void
single_precision_becomes_binary16_by_rounding_to_even(void **state)
{
	(void)state;
	for (uint16_t h = 0; h < 0x7c00; h++) {
		float low = elem_from_f16(h);
		float high = h == 0x7bff ? 65536.0F :
		    elem_from_f16((uint16_t)(h + 1));
		float middle = (low + high) / 2;
		uint16_t up = (uint16_t)(h + 1);

		assert_int_equal(elem_to_f16(low), h);
		assert_int_equal(elem_to_f16(middle), h % 2 == 0 ? h : up);
		assert_int_equal(elem_to_f16(beside(middle, 0)), h);
		assert_int_equal(elem_to_f16(beside(middle, 1e9F)), up);
		assert_int_equal(elem_to_f16(-middle), 0x8000 |
		    (h % 2 == 0 ? h : up));
	}
	assert_int_equal(elem_to_f16(INFINITY), 0x7c00);
	assert_int_equal(elem_to_f16(-3e38F), 0xfc00);
	assert_int_equal(elem_to_f16(1e-45F), 0);
	assert_true((elem_to_f16(NAN) & 0x7fff) > 0x7c00);
}

/* --- 8 bits and integers -------------------------------------------------- */

static void
all_of_8_bits_are_exact(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	elem_load(ELEM_F8_E4M3, bytes, 256, out);
	for (unsigned i = 0; i < 256; i++)
		if ((i & 0x7fU) == 0x7fU)
			assert_true(isnan(out[i]));
		else
			assert_true((double)out[i] == value_of(i, 4, 3));
	assert_true(out[0x7e] == 448.0F);
	elem_load(ELEM_F8_E5M2, bytes, 256, out);
	for (unsigned i = 0; i < 256; i++)
		if ((i & 0x7cU) != 0x7cU)
			assert_true((double)out[i] == value_of(i, 5, 2));
		else
			assert_true((i & 3U) == 0 ? isinf(out[i]) :
			    isnan(out[i]));
	elem_load(ELEM_I8, bytes, 256, out);
	assert_true(out[0x80] == -128.0F && out[0x7f] == 127.0F);
	elem_load(ELEM_U8, bytes, 256, out);
	assert_true(out[0x80] == 128.0F && out[255] == 255.0F);
}

static void
loads(enum elem t, uint64_t bits, double want)
{
	uint8_t v[8];

	for (unsigned i = 0; i < elem_info(t)->bytes; i++)
		v[i] = (uint8_t)(bits >> 8 * i);
	elem_load(t, v, 1, out);
	assert_true((double)out[0] == want);
}

static void
wider_types_are_read_in_either_order(void **state)
{
	(void)state;
	loads(ELEM_I16, 0xfffe, -2);
	loads(ELEM_U16, 0xfffe, 65534);
	loads(ELEM_I32, 0xfffffffe, -2);
	loads(ELEM_U32, 0xff000000, 4278190080.0);
	loads(ELEM_I64, 0xfffffffffffffffeU, -2);
	loads(ELEM_U64, 0x8000000000000000U, 9223372036854775808.0);
	loads(ELEM_BOOL, 1, 1);
	loads(ELEM_F32, 0xbfc00000, -1.5);
	loads(ELEM_F32_BE, 0x0000c0bf, -1.5);
	loads(ELEM_F64, 0xbff8000000000000U, -1.5);
	loads(ELEM_F64_BE, 0x000000000000f8bfU, -1.5);
	loads(ELEM_F16_BE, 0x00be, -1.5);
}

static void
bits_are_in_the_order_of_the_host(void **state)
{
	static const uint8_t v[] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_true(elem_bits(ELEM_U16, v, 1) == 0x0403);
	assert_true(elem_bits(ELEM_F16_BE, v, 1) == 0x0304);
	assert_true(elem_bits(ELEM_F32, v, 1) == 0x08070605);
	assert_true(elem_bits(ELEM_F32_BE, v, 0) == 0x01020304);
	assert_true(elem_bits(ELEM_F64_BE, v, 0) == 0x0102030405060708U);
	assert_true(elem_bits(ELEM_I8, v, 7) == 8);
}

/* --- blocks -------------------------------------------------------------- */

/*
 * 64 blocks of any bytes whose scales are finite, and the FNV-1a of what they
 * are worth.  The sums were made with the format's own Python package
 * (gguf, quants.py) from the same bytes.
 */
static const struct {
	enum elem elem;
	unsigned scale[2];	/* where in the block */
	uint64_t sum;
} blocks[] = {
    {ELEM_Q4_0, {0, 0}, 0x37738405a718096d},
    {ELEM_Q4_1, {0, 2}, 0x029a8e48f4c6de30},
    {ELEM_Q5_0, {0, 0}, 0xe9d2f2743e9ab438},
    {ELEM_Q5_1, {0, 2}, 0x6224d0509f9a880c},
    {ELEM_Q8_0, {0, 0}, 0x0aed3a1c3f929309},
    {ELEM_Q2_K, {80, 82}, 0xc56cf3e2acc3aba3},
    {ELEM_Q3_K, {108, 108}, 0x3af529648424f978},
    {ELEM_Q4_K, {0, 2}, 0xa6750bf0ddf174e9},
    {ELEM_Q5_K, {0, 2}, 0x1cc67014c9d8afd4},
    {ELEM_Q6_K, {208, 208}, 0x4046047c4cf59561}};

static uint64_t
fnv(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 1099511628211U;
	return h;
}

static void
blocks_are_worth_what_their_format_says(void **state)
{
	(void)state;
	for (unsigned k = 0; k < sizeof(blocks) / sizeof(blocks[0]); k++) {
		const struct elem_info *x = elem_info(blocks[k].elem);
		uint32_t seed = 19 + k;

		for (unsigned i = 0; i < 64 * x->bytes; i++) {
			seed = seed * 1664525U + 1013904223U;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		for (unsigned i = 0; i < 128; i++)
			bytes[i / 2 * x->bytes + blocks[k].scale[i % 2] + 1] &=
			    0xbf;
		elem_load(blocks[k].elem, bytes, 64 * x->block, out);
		assert_true(fnv(out, 64 * x->block * sizeof(*out)) ==
		    blocks[k].sum);
	}
}

/* --- names --------------------------------------------------------------- */

static void
names_of_parsers_are_known(void **state)
{
	(void)state;
	for (unsigned t = 0; t < ELEM_COUNT; t++)
		assert_int_equal(elem_find(elem_info((enum elem)t)->name), t);
	assert_int_equal(elem_find("<f2"), ELEM_F16);
	assert_int_equal(elem_find("|b1"), ELEM_BOOL);
	assert_int_equal(elem_find("IQ2_XXS"), ELEM_BYTES);
	assert_int_equal(elem_find(""), ELEM_BYTES);
	assert_string_equal(elem_info(ELEM_COUNT)->name, "bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
	        both_16_bit_floats_are_exact_in_four_lanes_and_in_eight),
	    cmocka_unit_test(
	        single_precision_becomes_binary16_by_rounding_to_even),
	    cmocka_unit_test(all_of_8_bits_are_exact),
	    cmocka_unit_test(wider_types_are_read_in_either_order),
	    cmocka_unit_test(bits_are_in_the_order_of_the_host),
	    cmocka_unit_test(blocks_are_worth_what_their_format_says),
	    cmocka_unit_test(names_of_parsers_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
