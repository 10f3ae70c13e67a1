#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/text.h"

#define MAX 100000

/* The same document in whatever style. */
static void
write_document(struct json_write *w)
{
	json_begin_object(w);
	json_kstr(w, "a", "x");
	json_key(w, "b");
	json_begin_array(w);
	json_u64(w, 1);
	json_i64(w, -2);
	json_begin_object(w);
	json_end_object(w);
	json_begin_array(w);
	json_end_array(w);
	json_begin_object(w);
	json_kbool(w, "t", true);
	json_kbool(w, "u", false);
	json_end_object(w);
	json_end_array(w);
	json_knull(w, "c");
	json_khex(w, "d", "\x00\xff", 2);
	json_key(w, "e");
	json_raw(w, "[7]");
	json_end_object(w);
}

static void
gives(enum json_style style, const char *want)
{
	struct json_write w;
	struct buf b;

	buf_init(&b, MAX);
	json_init(&w, &b, style);
	write_document(&w);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void
commas_and_nesting_are_kept(void **state)
{
	static const char compact[] = "{\"a\":\"x\",\"b\":[1,-2,{},[],"
	    "{\"t\":true,\"u\":false}],\"c\":null,\"d\":\"00ff\",\"e\":[7]}";

	(void)state;
	gives(JSON_COMPACT, compact);
	gives(JSON_CANONICAL, compact);
	gives(JSON_PRETTY,
	    "{\n \"a\": \"x\",\n \"b\": [\n  1,\n  -2,\n  {},\n  [],\n"
	    "  {\n   \"t\": true,\n   \"u\": false\n  }\n ],\n"
	    " \"c\": null,\n \"d\": \"00ff\",\n \"e\": [7]\n}");
}

static void
our_text_is_quoted(void **state)
{
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_array(&w);
	json_str(&w, "");
	json_str(&w, NULL);
	json_str(&w, "a\"b\\c\nd\te/\xc3\xa9");
	json_end_array(&w);
	assert_string_equal(buf_str(&b),
	    "[\"\",null,\"a\\\"b\\\\c\\nd\\te/\xc3\xa9\"]");
	buf_release(&b);
}

static void
hostile_text_comes_out_printable(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		unsigned flags;
		const char *out;
	} rows[] = {
	    {"", 0, TEXT_PLAIN, "\"\""},
	    {"a\"b", 3, TEXT_PLAIN, "\"a\\\"b\""},
	    {"\\", 1, TEXT_PLAIN, "\"\\\\x5C\""},
	    {"\x1b[31m", 5, TEXT_PLAIN, "\"\\\\x1B[31m\""},
	    {"a\0b", 3, TEXT_PLAIN, "\"a\\\\x00b\""},
	    {"\xff\xc3\xa9", 3, TEXT_PLAIN, "\"\\\\xFF\xc3\xa9\""},
	    {"\xe2\x80\xae", 3, TEXT_PLAIN, "\"\\\\xE2\\\\x80\\\\xAE\""},
	    {"a\nb\t", 4, TEXT_PLAIN, "\"a\\\\x0Ab\\\\x09\""},
	    {"a\nb\t", 4, TEXT_LINES, "\"a\\nb\\t\""},
	    {"a!b", 3, TEXT_PLAIN, "\"a!b\""},
	    {"a!b", 3, TEXT_PATH, "\"a\\\\x21b\""},
	};
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		json_init(&w, &b, JSON_COMPACT);
		json_text(&w, rows[i].in, rows[i].n, rows[i].flags);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_clear(&b);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	json_ktext(&w, "k", "\x01", 1);
	json_end_object(&w);
	assert_string_equal(buf_str(&b), "{\"k\":\"\\\\x01\"}");
	buf_release(&b);
}

/* The pieces in which text is made printable must leave no seam. */
static void
long_text_has_no_seams(void **state)
{
	static uint8_t in[5000];
	struct json_write w;
	struct buf b;
	const char *s;

	(void)state;
	buf_init(&b, MAX);
	for (size_t shift = 0; shift < 9; shift++) {
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = i < shift ? 'x' : (uint8_t)"\xc3\xa9\x01"
			    [(i - shift) % 3];
		buf_clear(&b);
		json_init(&w, &b, JSON_COMPACT);
		json_text(&w, in, shift + 3 * 1500, TEXT_PLAIN);
		s = buf_str(&b);
		assert_int_equal(strlen(s), 2 + shift + 1500 * 7);
		s += 1 + shift;
		for (size_t i = 0; i < 1500; i++, s += 7)
			assert_memory_equal(s, "\xc3\xa9\\\\x01", 7);
		assert_string_equal(s, "\"");
	}
	buf_release(&b);
}

static void
integers_keep_64_bits(void **state)
{
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	json_init(&w, &b, JSON_CANONICAL);
	json_begin_object(&w);
	json_ki64(&w, "a", INT64_MIN);
	json_ki64(&w, "b", INT64_MAX);
	json_ku64(&w, "c", UINT64_MAX);
	json_ku64(&w, "d", 0);
	json_end_object(&w);
	assert_string_equal(buf_str(&b), "{\"a\":-9223372036854775808,"
	    "\"b\":9223372036854775807,\"c\":18446744073709551615,\"d\":0}");
	buf_release(&b);
}

static void
doubles_read_back_the_same_and_short(void **state)
{
	static const struct {
		double v;
		const char *out;
	} rows[] = {{0.1, "0.1"}, {0.1 + 0.2, "0.30000000000000004"},
	    {5e-324, "4.94065645841247e-324"}, {1.0 / 3, "0.3333333333333333"},
	    {3, "3"}, {-0.5, "-0.5"}, {1e300, "1e+300"},
	    {9007199254740993.0, "9007199254740992"},
	    {(double)NAN, "null"}, {(double)INFINITY, "null"},
	    {-(double)INFINITY, "null"}};
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		json_init(&w, &b, JSON_COMPACT);
		json_double(&w, rows[i].v);
		assert_string_equal(buf_str(&b), rows[i].out);
		if (isfinite(rows[i].v))
			assert_true(fabs(strtod(buf_str(&b), NULL) -
			    rows[i].v) == 0);
	}
	buf_release(&b);
}

static void
full_buffer_is_noticed(void **state)
{
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, 20);
	json_init(&w, &b, JSON_COMPACT);
	write_document(&w);
	assert_int_equal(buf_failed(&b), ERR_LIMIT);
	buf_release(&b);
}

static void
value_without_key(struct json_write *w)
{
	json_begin_object(w);
	json_u64(w, 1);
}

static void
key_in_array(struct json_write *w)
{
	json_begin_array(w);
	json_key(w, "a");
}

static void
two_keys(struct json_write *w)
{
	json_begin_object(w);
	json_key(w, "a");
	json_key(w, "b");
}

static void
key_without_value(struct json_write *w)
{
	json_begin_object(w);
	json_key(w, "a");
	json_end_object(w);
}

static void
wrong_end(struct json_write *w)
{
	json_begin_object(w);
	json_end_array(w);
}

static void
end_too_many(struct json_write *w)
{
	json_begin_array(w);
	json_end_array(w);
	json_end_array(w);
}

static void
too_deep(struct json_write *w)
{
	for (unsigned i = 0; i < JSON_WRITE_DEPTH; i++)
		json_begin_array(w);
}

static void
keys_out_of_order(struct json_write *w)
{
	json_begin_object(w);
	json_kstr(w, "b", "");
	json_kstr(w, "a", "");
}

static void
key_twice(struct json_write *w)
{
	json_begin_object(w);
	json_kstr(w, "a", "");
	json_kstr(w, "a", "");
}

static void
canonical_double(struct json_write *w)
{
	json_double(w, 1);
}

static void
control_in_our_text(struct json_write *w)
{
	json_str(w, "\x1b");
}

/* Exit code of a child that misuses the writer. */
static int
misuse(void (*fn)(struct json_write *w), enum json_style style)
{
	struct json_write w;
	struct buf b;
	int status;
	pid_t pid;

	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		buf_init(&b, MAX);
		json_init(&w, &b, style);
		fn(&w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
misuse_is_a_bug(void **state)
{
	static void (*const always[])(struct json_write *) = {
	    value_without_key, key_in_array, two_keys, key_without_value,
	    wrong_end, end_too_many, too_deep, control_in_our_text};
	static void (*const canonical[])(struct json_write *) = {
	    keys_out_of_order, key_twice, canonical_double};

	(void)state;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		assert_int_equal(misuse(always[i], JSON_COMPACT), 70);
		assert_int_equal(misuse(always[i], JSON_CANONICAL), 70);
		assert_int_equal(misuse(always[i], JSON_PRETTY), 70);
	}
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]);
	    i++) {
		assert_int_equal(misuse(canonical[i], JSON_CANONICAL), 70);
		assert_int_equal(misuse(canonical[i], JSON_COMPACT), 0);
	}
}

/* Order is kept for each object of its own, also after a child has ended. */
static void
order_of_keys_is_kept_for_each_object(void **state)
{
	struct json_write w;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	json_init(&w, &b, JSON_CANONICAL);
	json_begin_object(&w);
	json_key(&w, "m");
	json_begin_object(&w);
	json_kstr(&w, "z", NULL);
	json_end_object(&w);
	json_key(&w, "n");
	json_begin_object(&w);
	json_kstr(&w, "A", NULL);
	json_kstr(&w, "a", NULL);
	json_end_object(&w);
	json_end_object(&w);
	assert_string_equal(buf_str(&b),
	    "{\"m\":{\"z\":null},\"n\":{\"A\":null,\"a\":null}}");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commas_and_nesting_are_kept),
	    cmocka_unit_test(our_text_is_quoted),
	    cmocka_unit_test(hostile_text_comes_out_printable),
	    cmocka_unit_test(long_text_has_no_seams),
	    cmocka_unit_test(integers_keep_64_bits),
	    cmocka_unit_test(doubles_read_back_the_same_and_short),
	    cmocka_unit_test(full_buffer_is_noticed),
	    cmocka_unit_test(misuse_is_a_bug),
	    cmocka_unit_test(order_of_keys_is_kept_for_each_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
