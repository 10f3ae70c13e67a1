#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_carve.h"
#include "tests/lib/weights_case.h"

#define N 40000

static struct weights_case c;

/* The head of a program, of 64 bits, with one segment that is 4 KiB long. */
static const uint8_t elf[4096] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0,
    [16] = 2, 0, 62, 0, 1, 0, 0, 0, [32] = 64, [52] = 64, 0, 56, 0, 1, 0, 64,
    0, 0, 0, [64] = 1, 0, 0, 0, 5, 0, 0, 0, [96] = 0, 0x10};
static const char script[] = "import os\nimport socket\n\ndef run():\n"
    "    os.system('echo hello')\n\nrun()\n";
static const uint8_t pickled[] = "\x80\x02" "cos\nsystem\nX\x0a\0\0\0"
    "echo hello\x85R.";

static const char *
member(void)
{
	return c.members > 0 ? c.member[0] : "nothing";
}

static void
each_stream_of_float32_is_searched(void **state)
{
	static const struct {
		unsigned lanes;
		const char *name;
	} rows[] = {{1, "w#lane0+1003"}, {2, "w#low2+1003"},
	    {3, "w#low3+1003"}, {4, "w#raw+1003"}};

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		uint8_t *p = weights_case_make("F32", N, k);

		weights_case_hide(p, "F32", 1003, elf, sizeof(elf),
		    rows[k].lanes);
		weights_case_run_one(&c, "F32", p, N);
		assert_string_equal(member(), rows[k].name);
		assert_int_equal(c.member_len[0], 4096);
		assert_memory_equal(c.head[0], elf, 16);
		assert_true(weights_case_find(&c, FINDING_WGT_PAYLOAD) >= 0);
		free(p);
	}
}

/* At every alignment, over the edges of blocks, in both orders. */
static void
each_plane_is_searched(void **state)
{
	static const char *const name[] = {"bit0", "bits2", "bits4"};
	char want[64];

	(void)state;
	for (unsigned k = 0; k < 48; k++) {
		unsigned bits = 1u << k % 3, per = 8 / bits;
		size_t at = (k < 24 ? 200 : 16384 - 70) + k * 5;
		uint8_t *p = weights_case_make("F32", N, k), turned[256];
		bool high = k % 2 == 0;

		for (size_t i = 0; i < 256; i++) {
			unsigned v = 0;

			for (unsigned b = 0; b < 8; b += bits)
				v |= (elf[i] >> b & ((1u << bits) - 1)) <<
				    (8 - bits - b);
			turned[i] = (uint8_t)v;
		}
		weights_case_hide_bits(p, "F32", at, high ? elf : turned, 256,
		    bits);
		weights_case_run_one(&c, "F32", p, N);
		(void)snprintf(want, sizeof(want), at % per == 0 ?
		    "w#%s%s+%zu" : "w#%s%s:%zu+%zu", name[k % 3],
		    high ? "-high-first" : "", at % per == 0 ? at : at % per,
		    at);
		assert_string_equal(member(), want);
		free(p);
	}
}

static void
lanes_over_the_edges_of_blocks(void **state)
{
	(void)state;
	for (size_t at = 16384 - 70; at < 16384 + 3; at++) {
		uint8_t *p = weights_case_make("F32", N, 3);

		weights_case_hide(p, "F32", at, elf, 256, 1);
		weights_case_run_one(&c, "F32", p, N);
		assert_int_equal(c.members, 1);
		free(p);
	}
}

static void
other_types_have_their_streams(void **state)
{
	static const struct {
		const char *dtype;
		unsigned lanes;
		const char *name;
	} rows[] = {{"F16", 1, "w#lane0+77"}, {"BF16", 1, "w#lane0+77"},
	    {"BF16", 2, "w#raw+77"}, {"F64", 3, "w#low3+77"},
	    {"F64", 6, "w#low6+77"}, {"U8", 1, "w#raw+77"}};

	(void)state;
	for (unsigned k = 0; k < 6; k++) {
		const char *dtype = rows[k].dtype;
		uint8_t *p = malloc(8 * N);

		assert_non_null(p);
		weights_case_noise(p, 8 * N, 12 + k);
		weights_case_hide(p, dtype, 77, elf, sizeof(elf),
		    rows[k].lanes);
		weights_case_run_one(&c, dtype, p, N);
		assert_string_equal(member(), rows[k].name);
		free(p);
	}
}

static void
one_key_hides_nothing(void **state)
{
	static uint8_t x[4096];

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		uint8_t *p = weights_case_make("F32", N, 9);

		for (size_t i = 0; i < sizeof(x); i++)
			x[i] = elf[i] ^ 0xa7;
		weights_case_hide(p, "F32", 500, x, sizeof(x), k ? 4 : 1);
		weights_case_run_one(&c, "F32", p, N);
		assert_string_equal(member(), k ? "w#raw^a7+500" :
		    "w#lane0^a7+500");
		assert_memory_equal(c.head[0], elf, 16);
		free(p);
	}
}

static void
scripts_and_pickles_are_found(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 21);
	int i;

	(void)state;
	weights_case_hide(p, "F32", 64, (const uint8_t *)script,
	    sizeof(script) - 1, 1);
	weights_case_run_one(&c, "F32", p, N);
	assert_string_equal(member(), "w#lane0+64");
	assert_true(c.member_len[0] >= sizeof(script) - 1);
	assert_true(weights_case_find(&c, FINDING_WGT_PAYLOAD) >= 0);
	free(p);
	p = weights_case_make("F32", N, 22);
	weights_case_hide(p, "F32", 64, pickled, sizeof(pickled) - 1, 2);
	weights_case_run_one(&c, "F32", p, N);
	assert_string_equal(member(), "w#low2+64");
	i = weights_case_find(&c, FINDING_WGT_ARCHIVE);
	assert_true(i >= 0);
	assert_int_equal(c.severity[i], SEVERITY_HIGH);
	free(p);
}

/* Integers hold what a program stores: texts and archives are notes there. */
static void
stored_bytes_are_a_note(void **state)
{
	uint8_t *p = malloc(N);

	(void)state;
	assert_non_null(p);
	weights_case_noise(p, N, 30);
	weights_case_hide(p, "U8", 100, (const uint8_t *)script,
	    sizeof(script) - 1, 1);
	weights_case_run_one(&c, "U8", p, N);
	assert_int_equal(weights_case_flags(&c), 0);
	assert_true(weights_case_find(&c, FINDING_WGT_EMBEDDED) >= 0);
	free(p);
}

static void
signs_of_zeros_are_a_plane(void **state)
{
	uint8_t *p = weights_case_make("F32", N, 40);
	size_t bit = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		unsigned v = (unsigned)i;

		if (bit / 8 < 256)
			v = (unsigned)elf[bit / 8] >> (7 - bit % 8);

		if (i % 3 == 0)
			continue;
		memset(p + 4 * i, 0, 4);
		p[4 * i + 3] = (uint8_t)((v & 1) << 7);
		bit++;
	}
	weights_case_run_one(&c, "F32", p, N);
	assert_string_equal(member(), "w#zeros.bit0-high-first+0");
	assert_true(weights_case_find(&c, FINDING_WGT_PAYLOAD) >= 0);
	assert_true(weights_case_find(&c, FINDING_WGT_CHANNELS) >= 0);
	free(p);
}

/* Megabytes of noise and of weights hold no file. */
static void
noise_holds_nothing(void **state)
{
	const size_t n = 4 << 20;
	uint8_t *p = malloc(n);

	(void)state;
	assert_non_null(p);
	weights_case_noise(p, n, 50);
	weights_case_run_one(&c, "U8", p, n);
	assert_int_equal(c.findings, 0);
	weights_case_noise(p, n, 51);
	weights_case_run_one(&c, "F64", p, n / 8);
	assert_int_equal(c.members, 0);
	free(p);
	p = weights_case_make("F32", n / 4, 52);
	weights_case_run_one(&c, "F32", p, n / 4);
	assert_int_equal(c.findings, 0);
	free(p);
}

/* A tensor of nothing but beginnings ends, and says that it was cut. */
static void
a_tensor_full_of_beginnings_is_cut(void **state)
{
	const size_t n = 1 << 20;
	uint8_t *p = malloc(n);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = i % 64 < 2 ? (uint8_t)"MZ"[i % 64] : i % 64 == 60 ?
		    64 : 0;
	weights_case_run_one(&c, "U8", p, n);
	assert_true(weights_case_find(&c, FINDING_LIMIT) >= 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_stream_of_float32_is_searched),
	    cmocka_unit_test(each_plane_is_searched),
	    cmocka_unit_test(lanes_over_the_edges_of_blocks),
	    cmocka_unit_test(other_types_have_their_streams),
	    cmocka_unit_test(one_key_hides_nothing),
	    cmocka_unit_test(scripts_and_pickles_are_found),
	    cmocka_unit_test(stored_bytes_are_a_note),
	    cmocka_unit_test(signs_of_zeros_are_a_plane),
	    cmocka_unit_test(noise_holds_nothing),
	    cmocka_unit_test(a_tensor_full_of_beginnings_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
