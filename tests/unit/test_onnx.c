#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_onnx;

static struct format_case c;
static uint8_t file[1 << 20];
static size_t size;

static void
run(const char *sample)
{
	uint8_t *p = format_case_sample(sample, &size);

	assert_true(size <= sizeof(file));
	memcpy(file, p, size);
	free(p);
	format_case_run(&c, &format_onnx, file, size, 0);
}

/* Bytes of a message, put together by hand. */
static void
put(const void *p, size_t n)
{
	assert_true(n <= sizeof(file) - size);
	memcpy(file + size, p, n);
	size += n;
}

static void
put_len(unsigned field, uint64_t n)
{
	uint8_t tag[12];
	size_t i = 0;

	for (uint64_t v = field << 3 | 2; ; v >>= 7) {
		tag[i++] = (uint8_t)(v < 0x80 ? v : v | 0x80);
		if (v < 0x80)
			break;
	}
	for (uint64_t v = n; ; v >>= 7) {
		tag[i++] = (uint8_t)(v < 0x80 ? v : v | 0x80);
		if (v < 0x80)
			break;
	}
	put(tag, i);
}

static void
a_good_model_is_explained_to_its_last_byte(void **state)
{
	(void)state;
	run("onnx/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.tensors, 2);
	assert_int_equal(c.metas, 1);
	assert_int_equal(format_case_unexplained(&c, size), 0);
	assert_true(format_case_bid(&format_onnx, file, size) >= 24);
}

static void
a_cut_model_says_so_once(void **state)
{
	(void)state;
	run("onnx/truncated");
	assert_int_equal(c.rc, 1);
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
}

static void
each_thing_in_a_hostile_model_is_told(void **state)
{
	static const enum anomaly told[] = {ANOMALY_ONNX_SURPLUS,
	    ANOMALY_ONNX_EXTERNAL_PATH, ANOMALY_ONNX_FOREIGN_OP,
	    ANOMALY_ONNX_DEFINED_TWICE, ANOMALY_ONNX_TRIGGER};

	(void)state;
	run("onnx/hostile");
	assert_int_equal(c.rc, 0);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		assert_true(format_case_has(&c, told[i]));
}

static void
text_pickles_and_noise_are_not_claimed(void **state)
{
	static const char *const others[] = {"pickle/good", "json/good",
	    "text/good", "safetensors/good", "zip/good", "npy/good",
	    "yaml/good", "csv/good", "torch_legacy/good", "tar/good",
	    "xml/good", "jinja/good"};
	static const char *const lines[] = {":hello world", "\n\n# notes\n",
	    "2\x05tests\n", "(lp0\nI1\na.", "BZh91AY&SY", "r\nr\n", "*\n*\n"};
	uint32_t seed = 20261127;
	unsigned claimed = 0;
	uint8_t *p;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		p = format_case_sample(others[i], &n);
		assert_int_equal(format_case_bid(&format_onnx, p, n), 0);
		free(p);
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(format_case_bid(&format_onnx, lines[i],
		    strlen(lines[i])), 0);
	for (unsigned k = 0; k < 20000; k++) {
		for (size_t i = 0; i < 8192; i++) {
			seed = seed * 1664525 + 1013904223;
			file[i] = (uint8_t)(seed >> 24);
		}
		claimed += format_case_bid(&format_onnx, file, 8192) > 0;
	}
	/* Weak bids by chance, which the parser then does not follow. */
	assert_true(claimed <= 20);
}

/* graph{node{attribute{graph{...}}}}, put together from the inside. */
static void
nested(unsigned levels)
{
	static const uint8_t tags[] = {0x32, 0x2a, 0x0a};
	static uint8_t back[4096];
	size_t at = sizeof(back), n;

	for (unsigned i = 0; i < 3 * levels; i++) {
		n = sizeof(back) - at;
		if (n >= 0x80)
			back[--at] = (uint8_t)(n >> 7);
		back[--at] = (uint8_t)(n >= 0x80 ? n | 0x80 : n);
		back[--at] = tags[i % 3];
	}
	size = 0;
	put("\x08\x08", 2);
	put_len(7, sizeof(back) - at);
	put(back + at, sizeof(back) - at);
	format_case_run(&c, &format_onnx, file, size, 0);
	assert_int_equal(c.rc, 0);
}

static void
graphs_deeper_than_the_limit_are_said_to_be(void **state)
{
	(void)state;
	nested(20);
	assert_false(format_case_has(&c, ANOMALY_LIMIT));
	nested(40);
	assert_true(format_case_has(&c, ANOMALY_LIMIT));
}

/* More nodes than are kept: said, and nothing is guessed from the rest. */
static void
a_table_that_is_full_is_said_to_be(void **state)
{
	(void)state;
	size = 0;
	put("\x08\x08", 2);
	put_len(7, 2 * 100000);
	for (unsigned i = 0; i < 100000; i++)
		put("\x0a\x00", 2);
	format_case_run(&c, &format_onnx, file, size, 0);
	assert_int_equal(c.rc, 0);
	assert_true(format_case_has(&c, ANOMALY_LIMIT));
}

/* One tensor of four floats in a file, [offset, length) as given. */
static void
external(const char *location, const char *offset, const char *length)
{
	size_t inner, l = strlen(location), o = strlen(offset),
	    n = strlen(length);

	size = 0;
	inner = 2 + 2 + 3 + 2 + (2 + 10 + 2 + l) + (2 + 8 + 2 + o) +
	    (2 + 8 + 2 + n);
	put("\x08\x08", 2);
	put_len(7, inner + 2);
	put_len(5, inner);
	put("\x08\x04\x10\x01\x42\x01w\x70\x01", 9);
	put_len(13, 10 + 2 + l);
	put("\x0a\x08location", 10);
	put_len(2, l);
	put(location, l);
	put_len(13, 8 + 2 + o);
	put("\x0a\x06offset", 8);
	put_len(2, o);
	put(offset, o);
	put_len(13, 8 + 2 + n);
	put("\x0a\x06length", 8);
	put_len(2, n);
	put(length, n);
	format_case_run(&c, &format_onnx, file, size, 0);
	assert_int_equal(c.rc, 0);
	assert_false(c.outside);
	assert_null(format_case_laws(&format_onnx, file, size));
}

static void
files_beside_the_model_are_covered_or_told(void **state)
{
	static const char data[32] = {0, 0, '\x80', '?', 1, 2, 3, '>', 0, 0, 0,
	    '@', 0, 0, 0, '@', 0, 0, 0, 0, 'M', 'Z'};
	static const struct format_case_file files[] = {
	    {"w.bin", data, 32, false}, {"exact.bin", data, 16, false},
	    {"zero.bin", data, 20, false}, {"link.bin", data, 16, true},
	    {NULL, NULL, 0, false}};

	(void)state;
	format_case_siblings(files);
	external("exact.bin", "0", "16");
	assert_int_equal(c.tensors, 1);
	assert_false(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_GAP));
	external("zero.bin", "0", "16");
	assert_false(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_GAP));
	external("w.bin", "0", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_GAP));
	external("w.bin", "24", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_RANGE));
	external("w.bin", "0", "24");
	assert_true(format_case_has(&c, ANOMALY_ONNX_SURPLUS));
	external("w.bin", "16", "8");
	assert_true(format_case_has(&c, ANOMALY_ONNX_DATA_SHORT));
	external("w.bin", "9223372036854775807", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_RANGE));
	external("link.bin", "0", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_LINK));
	external("none.bin", "0", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_MISSING));
	external("w.bin", "+0", "1e3");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_NUMBER));
	format_case_siblings(NULL);
	external("w.bin", "0", "16");
	assert_true(format_case_has(&c, ANOMALY_ONNX_EXTERNAL_UNSEEN));
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"onnx/good", "onnx/truncated",
	    "onnx/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_onnx,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_model_is_explained_to_its_last_byte),
	    cmocka_unit_test(a_cut_model_says_so_once),
	    cmocka_unit_test(each_thing_in_a_hostile_model_is_told),
	    cmocka_unit_test(text_pickles_and_noise_are_not_claimed),
	    cmocka_unit_test(graphs_deeper_than_the_limit_are_said_to_be),
	    cmocka_unit_test(a_table_that_is_full_is_said_to_be),
	    cmocka_unit_test(files_beside_the_model_are_covered_or_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
