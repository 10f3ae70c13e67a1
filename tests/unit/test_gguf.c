#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tests/lib/format_case.h"

extern const struct format format_gguf;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_gguf, p, n, 0);
	free(p);
	assert_false(c.outside);
}

/* --- files that are put together here ----------------------------------- */

static struct buf b;
static bool big;

static void
put(uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_putc(&b, (char)(uint8_t)(v >> 8 * (big ? n - 1 - i : i)));
}

static void
put_str(const char *s)
{
	put(strlen(s), 8);
	buf_puts(&b, s);
}

static void
begin(uint64_t tensors, uint64_t pairs)
{
	buf_release(&b);
	buf_init(&b, 64 * MIB);
	buf_puts(&b, "GGUF");
	put(3, 4);
	put(tensors, 8);
	put(pairs, 8);
}

static void
info(const char *name, unsigned dims, uint64_t a, uint64_t d, unsigned type,
    uint64_t off)
{
	put_str(name);
	put(dims, 4);
	for (unsigned i = 0; i < dims; i++)
		put(i == 0 ? a : i == 1 ? d : 1, 8);
	put(type, 4);
	put(off, 8);
}

static void
pad(size_t n)
{
	while (b.len % n != 0)
		buf_putc(&b, 0);
}

static void
data(size_t n)
{
	pad(32);
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, 0x3f);
}

static void
finish(void)
{
	assert_int_equal(buf_failed(&b), 0);
	format_case_run(&c, &format_gguf, b.p, b.len, 0);
	assert_true(c.rc >= 0);
	assert_false(c.outside);
}

static void
a_good_file_has_nothing_odd(void **state)
{
	(void)state;
	run("gguf/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.anomaly[0], ANOMALY_JINJA_TEMPLATE);
	assert_int_equal(c.tensors, 2);
	assert_int_equal(c.metas, 2);
}

static void
every_byte_is_explained(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	p = format_case_sample("gguf/good", &n);
	format_case_run(&c, &format_gguf, p, n, 0);
	assert_true(c.covers > 0);
	assert_int_equal(format_case_unexplained(&c, n), 0);
	free(p);
}

static void
big_endian_files_are_read_as_such(void **state)
{
	(void)state;
	big = true;
	begin(1, 1);
	put_str("general.alignment");
	put(4, 4);
	put(64, 4);
	info("a", 1, 4, 0, 0, 0);
	pad(64);
	data(16);
	big = false;
	finish();
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.anomaly[0], ANOMALY_GGUF_BIG_ENDIAN);
	assert_int_equal(c.tensors, 1);
}

static void
sizes_that_wrap_are_told(void **state)
{
	static const uint64_t sides[][2] = {{1ULL << 33, 1ULL << 33},
	    {1ULL << 32, 1ULL << 32}, {1ULL << 62, 4}, {1ULL << 61, 3},
	    {INT64_MAX, INT64_MAX}, {1ULL << 40, 1ULL << 40}};

	(void)state;
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		begin(1, 0);
		info("a", 2, sides[i][0], sides[i][1], 0, 0);
		data(16);
		finish();
		assert_true(format_case_has(&c, ANOMALY_GGUF_OVERFLOW));
		assert_int_equal(c.tensors, 0);
	}
	/* no bytes at all, honestly */
	begin(1, 0);
	info("a", 2, 1ULL << 40, 0, 0, 0);
	data(0);
	finish();
	assert_false(format_case_has(&c, ANOMALY_GGUF_OVERFLOW));
	assert_int_equal(c.rc, 0);
}

static void
counts_are_held_against_what_is_left(void **state)
{
	static const uint64_t counts[] = {UINT64_MAX, INT64_MAX, 1ULL << 32,
	    100};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		begin(counts[i], 0);
		data(32);
		finish();
		assert_true(format_case_has(&c, ANOMALY_GGUF_COUNT));
		begin(0, counts[i]);
		data(32);
		finish();
		assert_true(format_case_has(&c, ANOMALY_GGUF_COUNT));
		begin(0, 1);
		put(counts[i], 8);
		data(32);
		finish();
		assert_true(format_case_has(&c, ANOMALY_GGUF_COUNT));
		begin(0, 1);
		put_str("a");
		put(9, 4);
		put(8, 4);
		put(counts[i], 8);
		data(32);
		finish();
		assert_true(format_case_has(&c, ANOMALY_GGUF_COUNT));
	}
}

/* Each kind of tensor: one row of blocks, and the bytes that it takes. */
static void
every_type_has_its_size(void **state)
{
	static const struct {
		unsigned type, block, bytes;
	} t[] = {{0, 1, 4}, {1, 1, 2}, {2, 32, 18}, {3, 32, 20}, {6, 32, 22},
	    {7, 32, 24}, {8, 32, 34}, {9, 32, 36}, {10, 256, 84},
	    {11, 256, 110}, {12, 256, 144}, {13, 256, 176}, {14, 256, 210},
	    {15, 256, 292}, {16, 256, 66}, {17, 256, 74}, {18, 256, 98},
	    {19, 256, 50}, {20, 32, 18}, {21, 256, 110}, {22, 256, 82},
	    {23, 256, 136}, {24, 1, 1}, {25, 1, 2}, {26, 1, 4}, {27, 1, 8},
	    {28, 1, 8}, {29, 256, 56}, {30, 1, 2}, {34, 256, 54},
	    {35, 256, 66}, {39, 32, 17}, {40, 64, 36}, {41, 128, 18},
	    {42, 64, 18}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(1, 0);
		info("a", 2, 2 * t[i].block, 3, t[i].type, 0);
		data(6 * (size_t)t[i].bytes);
		finish();
		if (c.anomalies != 0 || c.tensors != 1)
			fail_msg("type %u", t[i].type);
		if (t[i].block == 1)
			continue;
		begin(1, 0);
		info("a", 1, t[i].block + 1, 0, t[i].type, 0);
		data(2 * (size_t)t[i].bytes);
		finish();
		if (!format_case_has(&c, ANOMALY_GGUF_BLOCK))
			fail_msg("blocks of type %u", t[i].type);
	}
	for (unsigned type = 0; type < 50; type++) {
		static const unsigned gone[] = {4, 5, 31, 32, 33, 36, 37, 38};
		bool bad = type > 42;

		for (size_t i = 0; i < 8; i++)
			bad = bad || type == gone[i];
		begin(1, 0);
		info("a", 1, 256, 0, type, 0);
		data(4096);
		finish();
		assert_int_equal(format_case_has(&c, ANOMALY_GGUF_TYPE), bad);
	}
}

static void
places_of_tensors_are_checked(void **state)
{
	(void)state;
	begin(2, 0);		/* the second too far */
	info("a", 1, 8, 0, 0, 0);
	info("b", 1, 8, 0, 0, 64);
	data(96);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_OFFSET));
	assert_int_equal(format_case_unexplained(&c, b.len), 32);
	begin(2, 0);		/* upon the first */
	info("a", 1, 16, 0, 0, 0);
	info("b", 1, 8, 0, 0, 32);
	data(64);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_OVERLAP));
	begin(1, 0);		/* beyond the end */
	info("a", 1, 64, 0, 0, 0);
	data(64);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_OUT_OF_FILE));
	assert_int_equal(format_case_unexplained(&c, b.len), 0);
	begin(1, 0);
	info("a", 1, 8, 0, 0, UINT64_MAX - 31);
	data(64);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_OUT_OF_FILE));
	begin(1, 0);		/* something behind */
	info("a", 1, 8, 0, 0, 0);
	data(65);
	finish();
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
	begin(2, 0);		/* five dimensions, and a negative one */
	info("a", 5, 8, 1, 0, 0);
	info("b", 1, UINT64_MAX, 0, 0, 32);
	data(64);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_DIMS));
}

static void
the_tokenizers_arrays_must_fit(void **state)
{
	(void)state;
	begin(0, 3);
	put_str("tokenizer.ggml.tokens");
	put(9, 4);
	put(8, 4);
	put(3, 8);
	put_str("a");
	put_str("b");
	put_str("a");
	put_str("tokenizer.ggml.scores");
	put(9, 4);
	put(6, 4);
	put(2, 8);
	put(0, 8);
	put_str("tokenizer.ggml.eos_token_id");
	put(4, 4);
	put(3, 4);
	finish();
	assert_true(format_case_has(&c, ANOMALY_GGUF_TOKENS_SHORT));
	assert_true(format_case_has(&c, ANOMALY_GGUF_TOKEN_ID));
	assert_true(format_case_has(&c, ANOMALY_GGUF_TOKENS));
}

static void
a_large_vocabulary_is_read_in_one_pass(void **state)
{
	char token[32];

	(void)state;
	begin(0, 1);
	put_str("tokenizer.ggml.tokens");
	put(9, 4);
	put(8, 4);
	put(200000, 8);
	for (unsigned i = 0; i < 200000; i++) {
		(void)snprintf(token, sizeof(token), "token%u", i);
		put_str(token);
	}
	finish();
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
odd_pairs_are_told(void **state)
{
	(void)state;
	run("gguf/hostile");
	assert_true(format_case_has(&c, ANOMALY_GGUF_DUPLICATE));
	assert_true(format_case_has(&c, ANOMALY_GGUF_NUL));
	assert_true(format_case_has(&c, ANOMALY_JINJA_ESCAPE));
	assert_true(format_case_has(&c, ANOMALY_GGUF_OVERFLOW));
	run("gguf/truncated");
	assert_true(format_case_has(&c, ANOMALY_GGUF_OUT_OF_FILE));
	assert_int_equal(c.tensors, 1);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"gguf/good", "gguf/truncated",
	    "gguf/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_gguf,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file_has_nothing_odd),
	    cmocka_unit_test(every_byte_is_explained),
	    cmocka_unit_test(big_endian_files_are_read_as_such),
	    cmocka_unit_test(sizes_that_wrap_are_told),
	    cmocka_unit_test(counts_are_held_against_what_is_left),
	    cmocka_unit_test(every_type_has_its_size),
	    cmocka_unit_test(places_of_tensors_are_checked),
	    cmocka_unit_test(the_tokenizers_arrays_must_fit),
	    cmocka_unit_test(a_large_vocabulary_is_read_in_one_pass),
	    cmocka_unit_test(odd_pairs_are_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};
	int r;

	r = cmocka_run_group_tests(tests, NULL, NULL);
	buf_release(&b);
	return r;
}
