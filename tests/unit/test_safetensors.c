#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_safetensors;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_safetensors, p, n, 0);
	free(p);
}

static void
a_good_file_gives_its_tensors(void **state)
{
	(void)state;
	run("safetensors/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.tensors, 1);
}

static void
a_real_file_has_an_order_of_its_own(void **state)
{
	(void)state;
	run("benign/digits.safetensors");
	assert_int_equal(c.rc, 0);
	/* Written by hand after the layout, not by the library. */
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_ST_ORDER));
	assert_true(c.tensors > 4);
}

static void
a_tensor_beyond_the_end_is_told(void **state)
{
	(void)state;
	run("safetensors/truncated");
	assert_true(format_case_has(&c, ANOMALY_ST_OUT_OF_FILE));
	/* A file that was cut has no hidden tail. */
	assert_int_equal(c.anomalies, 1);
}

static void
a_name_twice_a_gap_and_a_tail_are_told(void **state)
{
	(void)state;
	run("safetensors/hostile");
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	assert_true(format_case_has(&c, ANOMALY_ST_GAP));
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
	assert_int_equal(c.tensors, 2);
}

/* A file of this header and so many bytes of 1. */
static void
made(const char *header, size_t header_len, size_t data)
{
	static uint8_t file[8192];

	assert_true(8 + header_len + data <= sizeof(file));
	memset(file, 1, sizeof(file));
	for (unsigned i = 0; i < 8; i++)
		file[i] = (uint8_t)((uint64_t)header_len >> (8 * i));
	memcpy(file + 8, header, header_len);
	format_case_run(&c, &format_safetensors, file,
	    8 + header_len + data, 0);
	assert_false(c.outside);
	assert_true(c.rc == 0 || c.rc == 1);
	assert_null(format_case_laws(&format_safetensors, file,
	    8 + header_len + data));
}

#define W "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"
#define MADE(header, data) made(header, sizeof(header) - 1, data)

static void
a_name_twice_by_escapes_is_told(void **state)
{
	(void)state;
	MADE("{\"w\":{" W "},\"\\u0077\":{\"dtype\":\"F32\",\"shape\":[1],"
	    "\"data_offsets\":[4,8]}}", 8);
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	assert_int_equal(c.tensors, 2);
	MADE("{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"2\"},\"w\":{" W
	    "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	MADE("{\"__metadata__\":{},\"w\":{" W "},\"\\u005f_metadata__\":{}}",
	    4);
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	MADE("{\"w\":{" W ",\"dtype\":\"I32\"}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	MADE("{\"w\":{" W ",\"shape\":[1]}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	MADE("{\"w\":{" W "},\"W\":{\"dtype\":\"F32\",\"shape\":[0],"
	    "\"data_offsets\":[4,4]}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_CASE_TWIN));
	assert_false(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
}

static void
names_that_nobody_sees_are_told(void **state)
{
	(void)state;
	MADE("{\"w\\u0000x\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_NAME_DECEPTIVE));
	MADE("{\"w\\u202e\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_NAME_DECEPTIVE));
	MADE("{\"__metadata__\":{\"a\\u200b\":\"1\"},\"w\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_NAME_DECEPTIVE));
}

static void
entries_that_the_reference_refuses_are_told(void **state)
{
	static const char *const headers[] = {
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],"
	    "\"data_offsets\":[0,4.0]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[1e0],"
	    "\"data_offsets\":[0,4]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
	    "{\"w\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}",
	    "{\"w\":{\"dtype\":{\"a\":[1]},\"shape\":[1],"
	    "\"data_offsets\":[0,4]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}",
	    "{\"w\":[0,4]}",
	    "{\"w\":7}",
	    "{\"__metadata__\":[\"a\"],\"w\":{" W "}}",
	    "{\"__metadata__\":{\"a\":1},\"w\":{" W "}}",
	    "{\"__metadata__\":{\"a\":{\"b\":\"c\"}},\"w\":{" W "}}",
	    "{\"w\":{" W "},\"e\":{\"dtype\":\"U8\",\"shape\":[0],"
	    "\"data_offsets\":[2,2]}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		made(headers[i], strlen(headers[i]), 4);
		if (!format_case_has(&c, ANOMALY_ST_BAD_ENTRY))
			fail_msg("%s", headers[i]);
	}
}

static void
what_readers_ignore_is_told(void **state)
{
	(void)state;
	MADE("{\"w\":{" W ",\"note\":{\"a\":[1,2]}}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_UNKNOWN_FIELD));
	assert_int_equal(c.tensors, 1);
	/* "cos\nsystem\n(S'echo ...'\ntR." in base64 */
	MADE("{\"__metadata__\":{\"a\":\"Y29zCnN5c3RlbQooUydlY2hvIGhhcm1sZXNzI"
	    "GVjaG8gaGFybWxlc3MgZWNobyBoYXJtbGVzcycKdFIu\"},\"w\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_CONFIG_BLOB));
	assert_true(format_case_member(&c, "a"));
	MADE("{\"__metadata__\":null,\"w\":{" W "}}", 4);
	assert_int_equal(c.anomalies, 0);
}

static void
every_dtype_has_its_bits(void **state)
{
	static const struct {
		const char *dtype;
		unsigned count, bytes;
	} rows[] = {{"BOOL", 3, 3}, {"F4", 4, 2}, {"F6_E2M3", 4, 3},
	    {"F6_E3M2", 8, 6}, {"U8", 1, 1}, {"I8", 1, 1},
	    {"F8_E5M2", 2, 2}, {"F8_E4M3", 2, 2}, {"F8_E8M0", 2, 2},
	    {"F8_E4M3FNUZ", 2, 2}, {"F8_E5M2FNUZ", 2, 2}, {"I16", 1, 2},
	    {"U16", 1, 2}, {"F16", 1, 2}, {"BF16", 1, 2}, {"I32", 1, 4},
	    {"U32", 1, 4}, {"F32", 1, 4}, {"C64", 1, 8}, {"F64", 1, 8},
	    {"I64", 1, 8}, {"U64", 1, 8}};
	char header[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(header, sizeof(header), "{\"w\":{\"dtype\":"
		    "\"%s\",\"shape\":[%u],\"data_offsets\":[0,%u]}}",
		    rows[i].dtype, rows[i].count, rows[i].bytes);
		made(header, strlen(header), rows[i].bytes);
		if (c.rc != 0 || c.anomalies != 0 || c.tensors != 1)
			fail_msg("%s", header);
		(void)snprintf(header, sizeof(header), "{\"w\":{\"dtype\":"
		    "\"%s\",\"shape\":[%u],\"data_offsets\":[0,%u]}}",
		    rows[i].dtype, rows[i].count, rows[i].bytes + 1);
		made(header, strlen(header), rows[i].bytes + 1);
		if (!format_case_has(&c, ANOMALY_ST_SIZE_MISMATCH))
			fail_msg("%s", header);
	}
	/* Three elements of four bits end within a byte. */
	MADE("{\"w\":{\"dtype\":\"F4\",\"shape\":[3],"
	    "\"data_offsets\":[0,1]}}", 1);
	assert_true(format_case_has(&c, ANOMALY_ST_SIZE_MISMATCH));
}

static void
products_beyond_64_bits_are_told(void **state)
{
	(void)state;
	MADE("{\"w\":{\"dtype\":\"F32\",\"shape\":[8589934592,8589934592],"
	    "\"data_offsets\":[0,0]}}", 0);
	assert_true(format_case_has(&c, ANOMALY_ST_SIZE_MISMATCH));
	MADE("{\"w\":{\"dtype\":\"F32\",\"shape\":[8589934592,8589934592,0],"
	    "\"data_offsets\":[0,0]}}", 0);
	assert_true(format_case_has(&c, ANOMALY_ST_SIZE_MISMATCH));
	MADE("{\"w\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],"
	    "\"data_offsets\":[0,0]}}", 0);
	assert_true(format_case_has(&c, ANOMALY_ST_SIZE_MISMATCH));
}

static void
no_element_and_no_dimension_are_fine(void **state)
{
	(void)state;
	MADE("{\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],"
	    "\"data_offsets\":[0,0]},\"w\":{\"dtype\":\"F32\",\"shape\":[],"
	    "\"data_offsets\":[0,4]}}", 4);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	MADE("{}", 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
the_padding_has_one_letter(void **state)
{
	(void)state;
	MADE("{\"w\":{" W "}}   ", 4);
	assert_int_equal(c.anomalies, 0);
	MADE("{\"w\":{" W "}} \t ", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_PADDING));
	MADE(" {\"w\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_PADDING));
	MADE("{\"w\":{" W "}}x", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_HEADER_JSON));
	assert_int_equal(c.rc, 1);
}

static void
blanks_between_tokens_follow_one_rule(void **state)
{
	static const char *const fine[] = {
	    "{\"w\": {\"dtype\": \"F32\", \"shape\": [1, 1], "
	    "\"data_offsets\": [0, 4]}}",
	    "{\n  \"w\": {\n    \"dtype\": \"F32\",\n    \"shape\": [\n"
	    "      1\n    ],\n    \"data_offsets\": [\n      0,\n"
	    "      4\n    ]\n  }\n}",
	    "{\n\t\"w\": {\n\t\t\"dtype\": \"F32\",\n\t\t\"shape\": [1],\n"
	    "\t\t\"data_offsets\": [0, 4]\n\t}\n}"};
	static const char *const odd[] = {
	    "{\"w\": {\"dtype\":\t\"F32\", \"shape\": [1], "
	    "\"data_offsets\": [0, 4]}}",
	    "{\"w\":{\"dtype\":\"F32\", \"shape\":[1],\"data_offsets\":[0,4]}}",
	    "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4 ]}}",
	    "{\"w\":{\"dtype\":\"F32\" ,\"shape\":[1],\"data_offsets\":[0,4]}}",
	    "{\n \"w\": {\n  \"dtype\": \"F32\",\n  \"shape\": [1],\n   "
	    "\"data_offsets\": [0, 4]\n }\n}"};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		made(fine[i], strlen(fine[i]), 4);
		if (c.rc != 0 || c.anomalies != 0)
			fail_msg("%s", fine[i]);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		made(odd[i], strlen(odd[i]), 4);
		if (!format_case_has(&c, ANOMALY_ST_PADDING))
			fail_msg("%s", odd[i]);
	}
}

static void
another_order_than_the_library_s_is_a_note(void **state)
{
	(void)state;
	MADE("{\"b\":{" W "},\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
	    "\"data_offsets\":[4,8]}}", 8);
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_ST_ORDER));
	MADE("{\"b\":{" W "},\"a\":{\"dtype\":\"F16\",\"shape\":[2],"
	    "\"data_offsets\":[4,8]}}", 8);
	assert_int_equal(c.anomalies, 0);
}

static void
every_byte_is_explained_or_told(void **state)
{
	size_t n;
	uint8_t *p;

	(void)state;
	p = format_case_sample("safetensors/hostile", &n);
	format_case_run(&c, &format_safetensors, p, n, 0);
	assert_true(c.covers > 3);
	assert_int_equal(format_case_unexplained(&c, n), 0);
	free(p);
	/* Two tensors in the same four bytes. */
	MADE("{\"w\":{" W "},\"v\":{" W "}}", 4);
	assert_true(format_case_has(&c, ANOMALY_ST_OVERLAP));
}

static void
a_header_that_does_not_fit_is_told(void **state)
{
	static const uint8_t long_header[] = {200, 0, 0, 0, 0, 0, 0, 0, '{',
	    '}'}, huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    '{', '}'};

	(void)state;
	format_case_run(&c, &format_safetensors, long_header,
	    sizeof(long_header), 0);
	assert_true(format_case_has(&c, ANOMALY_ST_HEADER_LENGTH));
	format_case_run(&c, &format_safetensors, huge, sizeof(huge), 0);
	assert_true(format_case_has(&c, ANOMALY_ST_HEADER_LENGTH));
	format_case_run(&c, &format_safetensors, huge, 7, 0);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"safetensors/good",
	    "safetensors/truncated",
	    "safetensors/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_safetensors,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file_gives_its_tensors),
	    cmocka_unit_test(a_real_file_has_an_order_of_its_own),
	    cmocka_unit_test(a_tensor_beyond_the_end_is_told),
	    cmocka_unit_test(a_name_twice_a_gap_and_a_tail_are_told),
	    cmocka_unit_test(a_name_twice_by_escapes_is_told),
	    cmocka_unit_test(names_that_nobody_sees_are_told),
	    cmocka_unit_test(entries_that_the_reference_refuses_are_told),
	    cmocka_unit_test(what_readers_ignore_is_told),
	    cmocka_unit_test(every_dtype_has_its_bits),
	    cmocka_unit_test(products_beyond_64_bits_are_told),
	    cmocka_unit_test(no_element_and_no_dimension_are_fine),
	    cmocka_unit_test(the_padding_has_one_letter),
	    cmocka_unit_test(blanks_between_tokens_follow_one_rule),
	    cmocka_unit_test(another_order_than_the_library_s_is_a_note),
	    cmocka_unit_test(every_byte_is_explained_or_told),
	    cmocka_unit_test(a_header_that_does_not_fit_is_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
