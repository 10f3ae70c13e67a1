#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/cast.h"
#include "analyzer/diff/elem.h"

/*
 * Three blocks of 32 and what numpy, following ggml's quantize_row_*_ref in
 * single precision, stores of them.  The second block has values at half.
 */
static const uint32_t values[] = {
    0x37ce62af, 0x3bc3c92f, 0xbbb3a8b3, 0xbc91ea21, 0xbc14fc8d, 0xbca278ac,
    0x3a9da9b0, 0x3cdb94b4, 0xbc214947, 0xbc4b5135, 0x3c2082ee, 0x3be9e3b4,
    0x3b0a2b27, 0xbc9872a9, 0xba195d22, 0x3c63d642, 0xbcdc3c72, 0xbc15f398,
    0xbd1bbf88, 0xbcd34722, 0xbd16dffc, 0xbb9a11bf, 0xbccfa88f, 0x3bb1c69b,
    0x3b4d74f0, 0xbb75039e, 0xbd4e2c47, 0xbc3084d6, 0xba7e48de, 0x3b148430,
    0xbcfab28c, 0xbc1c8cd9, 0xbfbc0000, 0xbf9c0000, 0x3fcc0000, 0xbf9c0000,
    0xbd800000, 0xc0fe0000, 0xbf600000, 0xbe200000, 0x3e200000, 0x3dc00000,
    0xbfec0000, 0x3e000000, 0x40020000, 0xc0140000, 0x3fa40000, 0x3e400000,
    0xbf780000, 0x40400000, 0x3f940000, 0xbfe80000, 0x3e000000, 0x3f600000,
    0xbe900000, 0x3f840000, 0xbdc00000, 0x3f800000, 0x400a0000, 0xbf800000,
    0x3ea00000, 0xbf300000, 0x3e400000, 0xbfe40000, 0xb6c261a1, 0xb603aa36,
    0x3716c99d, 0x374022e9, 0xb75e0d16, 0xb70551a1, 0x36d91095, 0xb7a722e4,
    0xb69b69fd, 0xb5829388, 0x3752e462, 0x36e75358, 0xb65b96d6, 0xb67758db,
    0xb627e73e, 0x377f9b17, 0xb68f9f10, 0xb64bcbe5, 0x366c9e57, 0xb5a21869,
    0xb604652c, 0xb73ae8d2, 0xb3f76bf1, 0xb694d756, 0x3743a4ce, 0x36db23e0,
    0xb4819ebb, 0x36e0457e, 0xb6641525, 0x3730847c, 0xb367e8cc, 0x36c3c02a,};
static const uint8_t q8_0[] = {
    126, 14, 0, 15, 242, 211, 233, 206, 3, 68, 231, 225, 25, 18, 5, 209, 255,
    35, 188, 233, 160, 191, 163, 244, 192, 14, 8, 247, 129, 229, 254, 6, 179,
    232, 0, 44, 232, 236, 26, 236, 255, 129, 242, 253, 3, 2, 226, 2, 33, 219,
    21, 3, 240, 48, 19, 227, 2, 14, 251, 17, 254, 16, 35, 240, 5, 245, 3, 227,
    3, 0, 219, 243, 57, 73, 172, 205, 41, 129, 226, 250, 80, 44, 235, 233,
    240, 97, 229, 237, 22, 248, 243, 185, 255, 228, 74, 42, 254, 43, 234, 67,
    0, 37,};
static const uint8_t q4_0[] = {
    113, 30, 72, 121, 39, 69, 39, 117, 72, 156, 134, 118, 10, 105, 136, 133,
    56, 106, 240, 59, 119, 183, 154, 103, 136, 144, 135, 152, 136, 152, 166,
    120, 138, 118, 137, 104, 42, 0, 102, 119, 156, 141, 115, 69, 139, 96, 214,
    184, 141, 187, 119, 199, 135, 174,};

static float
bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

static uint32_t
raw(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static float
cast_one(enum cast c, float v)
{
	float y;

	cast_block(c, &v, &y, 1);
	return y;
}

static const struct {
	enum elem elem;
	enum cast cast, saturating;
	unsigned width;
} types[] = {{ELEM_BF16, CAST_BF16_EVEN, CAST_BF16_EVEN, 16},
    {ELEM_F16, CAST_F16, CAST_F16_SAT, 16},
    {ELEM_F8_E4M3, CAST_F8_E4M3, CAST_F8_E4M3_SAT, 8},
    {ELEM_F8_E5M2, CAST_F8_E5M2, CAST_F8_E5M2_SAT, 8}};
#define TYPES (sizeof(types) / sizeof(types[0]))

static float
stored(enum elem t, uint32_t code)
{
	const uint8_t p[2] = {(uint8_t)code, (uint8_t)(code >> 8)};
	float f;

	elem_load(t, p, 1, &f);
	return f;
}

/* Every pattern of every type, and what lies between it and the next. */
static void
between_two_neighbours_the_nearer_wins_and_half_goes_to_even(void **state)
{
	(void)state;
	for (size_t k = 0; k < TYPES; k++)
		for (uint32_t c = 0; c < 1U << (types[k].width - 1); c++) {
			float lo = stored(types[k].elem, c);
			float hi = stored(types[k].elem, c + 1), mid;

			if (!isfinite(lo))
				continue;
			assert_true(cast_one(types[k].cast, lo) == lo);
			assert_true(cast_one(types[k].saturating, -lo) == -lo);
			if (!isfinite(hi) || c + 1 == 1U << (types[k].width -
			    1))
				continue;
			mid = (float)(((double)lo + (double)hi) / 2);
			/* The finest steps of bf16 have no middle here. */
			if (!(mid > lo && mid < hi))
				continue;
			assert_true(cast_one(types[k].cast, mid) ==
			    (c % 2 == 0 ? lo : hi));
			assert_true(cast_one(types[k].cast, -nextafterf(mid,
			    0)) == -lo);
			assert_true(cast_one(types[k].cast, nextafterf(mid,
			    INFINITY)) == hi);
			assert_true(cast_one(types[k].saturating,
			    nextafterf(mid, INFINITY)) == hi);
		}
}

static void
each_type_ends_where_its_standard_says(void **state)
{
	static const struct {
		enum cast c;
		float in, out;
	} ends[] = {{CAST_BF16_EVEN, FLT_MAX, INFINITY},
	    {CAST_BF16_CUT, FLT_MAX, 0x1.fep127F},
	    {CAST_F16, 65519.996F, 65504}, {CAST_F16, 65520, INFINITY},
	    {CAST_F16, -INFINITY, -INFINITY},
	    {CAST_F16_SAT, 65520, 65504}, {CAST_F16_SAT, -FLT_MAX, -65504},
	    {CAST_F16_SAT, INFINITY, 65504}, {CAST_F8_E4M3, 464, 448},
	    {CAST_F8_E4M3_SAT, 464.1F, 448}, {CAST_F8_E4M3_SAT, INFINITY, 448},
	    {CAST_F8_E5M2, 61439, 57344}, {CAST_F8_E5M2, 61440, INFINITY},
	    {CAST_F8_E5M2_SAT, 61440, 57344}, {CAST_F16, 0x1p-25F, 0},
	    {CAST_F16, 0x1.8p-24F, 0x1p-23F}, {CAST_F8_E4M3, 0x1p-10F, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		assert_true(cast_one(ends[i].c, ends[i].in) == ends[i].out);
	assert_true(isnan(cast_one(CAST_F8_E4M3, 465)));
	assert_true(isnan(cast_one(CAST_F8_E4M3, INFINITY)));
	for (int c = CAST_NONE; c < CAST_Q8_0; c++) {
		assert_true(isnan(cast_one((enum cast)c, NAN)));
		assert_int_equal(raw(cast_one((enum cast)c, -0.0F)),
		    0x80000000U);
	}
}

static void
the_three_ways_to_bf16_differ_at_half_only_or_in_half_of_all(void **state)
{
	static const uint32_t in[] = {0x3f808000, 0x3f818000, 0x3f80ffff,
	    0xbf808000};
	static const uint32_t want[][4] = {
	    [CAST_BF16_EVEN] = {0x3f800000, 0x3f820000, 0x3f810000,
	    0xbf800000},
	    [CAST_BF16_AWAY] = {0x3f810000, 0x3f820000, 0x3f810000,
	    0xbf810000},
	    [CAST_BF16_CUT] = {0x3f800000, 0x3f810000, 0x3f800000,
	    0xbf800000}};

	(void)state;
	for (int c = CAST_BF16_EVEN; c <= CAST_BF16_CUT; c++)
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(raw(cast_one((enum cast)c,
			    bits(in[i]))), want[c][i]);
}

static void
load(float *x)
{
	for (size_t i = 0; i < 96; i++)
		x[i] = bits(values[i]);
}

static void
blocks_are_those_of_the_reference(void **state)
{
	uint8_t wrong[sizeof(q8_0)];
	float x[96], y[96], z[96];

	(void)state;
	load(x);
	assert_true(cast_stored(CAST_Q8_0, x, q8_0, 96));
	assert_true(cast_stored(CAST_Q4_0, x, q4_0, 96));
	elem_load(ELEM_Q8_0, q8_0, 96, y);
	assert_true(cast_equal(CAST_Q8_0, x, y, 96));
	cast_block(CAST_Q8_0, x, z, 96);
	assert_memory_equal(y, z, sizeof(y));
	elem_load(ELEM_Q4_0, q4_0, 96, y);
	assert_true(cast_equal(CAST_Q4_0, x, y, 96));
	assert_false(cast_equal(CAST_Q8_0, x, y, 96));
	for (size_t i = 0; i < sizeof(q8_0); i++) {
		memcpy(wrong, q8_0, sizeof(wrong));
		wrong[i] ^= 1;
		assert_false(cast_stored(CAST_Q8_0, x, wrong, 96));
	}
	for (size_t i = 0; i < sizeof(q4_0); i++) {
		memcpy(wrong, q4_0, sizeof(q4_0));
		wrong[i] ^= 0x10;
		assert_false(cast_stored(CAST_Q4_0, x, wrong, 96));
	}
}

/*
 * Near 1/2 - 2^-21 the sum lies half way between two floats below and at 9:
 * rounding the product first moves it over.
 */
static float
torn(float most, float *id)
{
	float v;

	*id = 1.0F / (most / -8.0F);
	v = (0.5F - 0x1p-21F) / *id;
	v = nextafterf(nextafterf(v, 0), 0);
	for (int k = 0; k < 4; k++, v = nextafterf(v, 1))
		if ((int)(v * *id + 8.5F) != (int)fmaf(v, *id, 8.5F))
			return v;
	return 0;
}

static void
both_compilations_of_q4_0_are_accepted(void **state)
{
	uint8_t p[18] = {0};
	float x[32] = {0}, id = 0, v = 0;

	(void)state;
	for (x[0] = -1.7F; x[0] > -2; x[0] -= 0x1p-12F)
		if ((v = torn(x[0], &id)) != 0)
			break;
	assert_true(v != 0);
	x[1] = v;
	memset(p + 2, 0x88, 16);
	p[0] = (uint8_t)elem_to_f16(x[0] / -8.0F);
	p[1] = (uint8_t)(elem_to_f16(x[0] / -8.0F) >> 8);
	p[2] = 0x80;
	p[3] = (uint8_t)(0x80 | (int)(v * id + 8.5F));
	assert_true(cast_stored(CAST_Q4_0, x, p, 32));
	p[3] = (uint8_t)(0x80 | (int)fmaf(v, id, 8.5F));
	assert_true(cast_stored(CAST_Q4_0, x, p, 32));
	p[3] ^= 2;
	assert_false(cast_stored(CAST_Q4_0, x, p, 32));
}

static void
blocks_of_nothing_and_of_infinities_end_well(void **state)
{
	static const float odd[] = {0, -0.0F, 1e-45F, 1e-39F, FLT_MIN,
	    FLT_MAX, INFINITY, NAN};
	float x[32], y[32];

	(void)state;
	for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
		for (size_t i = 0; i < 32; i++)
			x[i] = i % 3 == 0 ? odd[k] : -odd[k];
		for (int c = CAST_Q8_0; c <= CAST_Q4_0; c++) {
			cast_block((enum cast)c, x, y, 32);
			if (k < 4)
				for (size_t i = 0; i < 32; i++)
					assert_true(y[i] == 0);
		}
	}
}

static void
tails_and_places_do_not_matter(void **state)
{
	float x[300], y[300], one;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		x[i] = bits(0x3a000000U + (uint32_t)i * 0x12345U);
	for (int c = CAST_NONE; c < CAST_Q8_0; c++)
		for (size_t n = 0; n <= 300; n += 1 + n / 4) {
			memcpy(y, x, sizeof(y));
			cast_block((enum cast)c, y, y, n);
			for (size_t i = 0; i < n; i++) {
				cast_block((enum cast)c, &x[i], &one, 1);
				assert_int_equal(raw(one), raw(y[i]));
			}
			for (size_t i = n; i < 300; i++)
				assert_int_equal(raw(x[i]), raw(y[i]));
			assert_true(cast_equal((enum cast)c, x, y, n));
			if (n == 0)
				continue;
			y[n - 1] = bits(raw(y[n - 1]) ^ 0x00800000U);
			assert_false(cast_equal((enum cast)c, x, y, n));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		between_two_neighbours_the_nearer_wins_and_half_goes_to_even),
	    cmocka_unit_test(each_type_ends_where_its_standard_says),
	    cmocka_unit_test(
		the_three_ways_to_bf16_differ_at_half_only_or_in_half_of_all),
	    cmocka_unit_test(blocks_are_those_of_the_reference),
	    cmocka_unit_test(both_compilations_of_q4_0_are_accepted),
	    cmocka_unit_test(blocks_of_nothing_and_of_infinities_end_well),
	    cmocka_unit_test(tails_and_places_do_not_matter)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
