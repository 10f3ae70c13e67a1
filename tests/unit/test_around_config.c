#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/around_config.h"
#include "analyzer/diff/docs.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/change_case.h"

static struct change_case told;
static const struct rows rows = {.change = change_case_take, .ctx = &told};

static int
compare_bytes(const void *old, size_t nold, const void *new, size_t nnew,
    bool gguf)
{
	struct err e = ERR_INIT;
	struct doc x = {.path = "config.json", .path_len = 11,
	    .src = bytesrc_mem(old, nold, &e), .size = nold};
	struct doc y = {.path = "config.json", .path_len = 11,
	    .src = bytesrc_mem(new, nnew, &e), .size = nnew};
	int r;

	change_case_forget(&told);
	r = gguf ? around_gguf(&x, &y, &rows, told.arena, &e) :
	    around_json(&x, &y, CHANGE_CONFIG, &rows, told.arena, &e);
	bytesrc_free((struct bytesrc *)(uintptr_t)x.src);
	bytesrc_free((struct bytesrc *)(uintptr_t)y.src);
	return r;
}

static int
compare(const char *old, const char *new)
{
	return compare_bytes(old, strlen(old), new, strlen(new), false);
}

static void
expect(const char *old, const char *new, const char *want)
{
	assert_int_equal(compare(old, new), 0);
	assert_string_equal(buf_str(&told.text), want);
}

static void
layout_and_spelling_are_no_change(void **state)
{
	(void)state;
	expect("{\"eps\": 1e-5, \"n\": 12, \"t\": \"\\u0041\"}",
	    "{ \"t\" : \"A\",\n \"n\": 12.0, \"eps\": 0.00001 }\n", "");
}

static void
values_are_added_removed_and_changed(void **state)
{
	(void)state;
	expect("{\"a\": {\"x\": 1, \"gone\": null}, \"l\": [1, 2]}",
	    "{\"a\": {\"x\": 2, \"new\": true}, \"l\": [1, 3, 4]}",
	    "a.gone removed null -> -\n"
	    "a.new added - -> true\n"
	    "a.x changed 1 -> 2\n"
	    "l[1] changed 2 -> 3\n"
	    "l[2] added - -> 4\n");
}

static void
the_type_of_a_value_counts(void **state)
{
	(void)state;
	expect("{\"a\": 1}", "{\"a\": \"1\"}", "a changed 1 -> 1\n");
	expect("{\"a\": []}", "{\"a\": {}}", "a changed [] -> {}\n");
}

static void
sets_have_no_order(void **state)
{
	(void)state;
	expect("{\"suppress_tokens\": [1, 2, 3]}",
	    "{\"suppress_tokens\": [3, 1, 2, 2]}", "");
	expect("{\"x\": {\"target_modules\": [\"q\", \"v\"]}}",
	    "{\"x\": {\"target_modules\": [\"k\", \"q\"]}}",
	    "x.target_modules{k} added - -> k | effect an adapter can act "
	    "elsewhere, or with another strength\n"
	    "x.target_modules{v} removed v -> - | effect an adapter can act "
	    "elsewhere, or with another strength\n");
	/* other lists do */
	expect("{\"l\": [1, 2]}", "{\"l\": [2, 1]}",
	    "l[0] changed 1 -> 2\nl[1] changed 2 -> 1\n");
	/* a name that ends like a set's is none */
	expect("{\"my_tags\": [1, 2]}", "{\"my_tags\": [2, 1]}",
	    "my_tags[0] changed 1 -> 2\nmy_tags[1] changed 2 -> 1\n");
}

static void
what_runs_code_comes_first_and_says_so(void **state)
{
	(void)state;
	expect("{\"a\": 1, \"temperature\": 1.0, \"eos_token_id\": 2}",
	    "{\"a\": 2, \"temperature\": 0.1, \"eos_token_id\": 7,"
	    " \"auto_map\": {\"AutoModel\": \"x.Y\"}}",
	    "auto_map.AutoModel added - -> x.Y | effect code from a "
	    "repository can run when the model is loaded\n"
	    "eos_token_id changed 2 -> 7 | effect answers can begin or end "
	    "elsewhere\n"
	    "temperature changed 1.0 -> 0.1 | effect answers can differ with "
	    "the same weights\n"
	    "a changed 1 -> 2\n");
}

static void
a_known_name_is_known_wherever_it_stands(void **state)
{
	(void)state;
	assert_int_equal(compare("{\"text_config\": {\"rope_scaling\": "
	    "{\"factor\": 1}}}", "{\"text_config\": {\"rope_scaling\": "
	    "{\"factor\": 2}}}"), 0);
	assert_non_null(strstr(buf_str(&told.text), "compute something else"));
	/* but not as a part of another name */
	assert_int_equal(compare("{\"my_temperature\": 1}",
	    "{\"my_temperature\": 2}"), 0);
	assert_null(strstr(buf_str(&told.text), "effect"));
}

static void
many_harmless_changes_hide_no_grave_one(void **state)
{
	struct buf x, y;

	(void)state;
	buf_init(&x, MIB);
	buf_init(&y, MIB);
	buf_puts(&x, "{");
	buf_puts(&y, "{");
	for (unsigned i = 0; i < 1000; i++) {
		buf_printf(&x, "\"a%03u\": 1, ", i);
		buf_printf(&y, "\"a%03u\": 2, ", i);
	}
	buf_puts(&x, "\"z\": 1}");
	buf_puts(&y, "\"trust_remote_code\": true, \"z\": 1}");
	assert_int_equal(compare(buf_str(&x), buf_str(&y)), 0);
	assert_int_equal(told.rows, 1 + AROUND_ROWS + 1);
	assert_memory_equal(told.text.p, "trust_remote_code added", 23);
	assert_non_null(strstr(buf_str(&told.text),
	    "(more changes) changed - -> - | listed 100, in all 1000\n"));
	buf_release(&x);
	buf_release(&y);
}

static void
a_name_that_occurs_twice_is_told(void **state)
{
	(void)state;
	assert_int_equal(compare("{\"a\": 1, \"b\": 1}",
	    "{\"a\": 2, \"b\": 1, \"a\": 1}"), 0);
	assert_int_equal(told.rows, 1);
	assert_memory_equal(told.text.p, "(repeated names) changed", 24);
	assert_non_null(strstr(buf_str(&told.text), "new count 1"));
}

static void
a_long_value_is_shown_where_it_differs(void **state)
{
	struct buf x, y;

	(void)state;
	buf_init(&x, MIB);
	buf_init(&y, MIB);
	for (unsigned i = 0; i < 2; i++) {
		struct buf *b = i == 0 ? &x : &y;

		buf_puts(b, "{\"k\": \"");
		for (unsigned k = 0; k < 5000; k++)
			buf_puts(b, "\xc3\xa9");
		buf_puts(b, i == 0 ? "old" : "new");
		for (unsigned k = 0; k < 5000; k++)
			buf_puts(b, "z");
		buf_puts(b, "\"}");
	}
	assert_int_equal(compare(buf_str(&x), buf_str(&y)), 0);
	assert_int_equal(told.rows, 1);
	assert_non_null(strstr(buf_str(&told.text), "old bytes 15003, "
	    "new bytes 15003, shown from 9936"));
	assert_non_null(strstr(buf_str(&told.text), "\xc3\xa9oldz"));
	assert_non_null(strstr(buf_str(&told.text), "\xc3\xa9newz"));
	assert_true(told.text.len < 3 * AROUND_VALUE);
	buf_release(&x);
	buf_release(&y);
}

static void
no_json_is_somebody_elses(void **state)
{
	(void)state;
	assert_int_equal(compare("{\"a\": 1}", "{\"a\": 2"), 1);
	assert_int_equal(compare("{\"a\": 1} x", "{\"a\": 2}"), 1);
	assert_int_equal(compare("a: 1", "{\"a\": 2}"), 1);
	assert_int_equal(told.rows, 0);
}

static void
one_side_alone_is_all_added_or_removed(void **state)
{
	static const char text[] = "{\"a\": 1}";
	struct err e = ERR_INIT;
	struct doc x = {.path = "c", .path_len = 1, .src = bytesrc_mem(text,
	    sizeof(text) - 1, &e), .size = sizeof(text) - 1};

	(void)state;
	assert_int_equal(around_json(NULL, &x, CHANGE_CONFIG, &rows, told.arena,
	    &e), 0);
	assert_int_equal(around_json(&x, NULL, CHANGE_CONFIG, &rows, told.arena,
	    &e), 0);
	assert_string_equal(buf_str(&told.text),
	    "a added - -> 1\na removed 1 -> -\n");
	bytesrc_free((struct bytesrc *)(uintptr_t)x.src);
}

static void
who_takes_the_rows_can_end_it(void **state)
{
	(void)state;
	told.answer = ERR_STOP;
	assert_int_equal(compare("{\"a\": 1, \"b\": 1}",
	    "{\"a\": 2, \"b\": 2}"), ERR_STOP);
	assert_int_equal(told.rows, 1);
}

/* --- GGUF --- */

static void
put_le(struct buf *b, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(b, (char)v);
}

static void
put_string(struct buf *b, const char *s)
{
	put_le(b, strlen(s), 8);
	buf_puts(b, s);
}

static void
make_gguf(struct buf *b, float base, int32_t layers, unsigned last)
{
	uint32_t bits;

	memcpy(&bits, &base, sizeof(bits));
	buf_puts(b, "GGUF");
	put_le(b, 3, 4);
	put_le(b, 0, 8);
	put_le(b, 5, 8);
	put_string(b, "llama.rope.freq_base");
	put_le(b, 6, 4);
	put_le(b, bits, 4);
	put_string(b, "llama.block_count");
	put_le(b, 5, 4);
	put_le(b, (uint32_t)layers, 4);
	put_string(b, "general.tags");
	put_le(b, 9, 4);
	put_le(b, 8, 4);
	put_le(b, 2, 8);
	put_string(b, last == 7 ? "chat" : "text");
	put_string(b, last == 7 ? "text" : "chat");
	put_string(b, "long");
	put_le(b, 9, 4);
	put_le(b, 0, 4);
	put_le(b, 20, 8);
	for (unsigned i = 0; i < 20; i++)
		put_le(b, i < 19 ? 1 : last, 1);
	put_string(b, "tokenizer.ggml.tokens");
	put_le(b, 9, 4);
	put_le(b, 8, 4);
	put_le(b, 1, 8);
	put_string(b, layers < 0 ? "a" : "b");
}

static void
pairs_of_a_gguf_are_compared_numbers_too(void **state)
{
	struct buf x, y;

	(void)state;
	buf_init(&x, MIB);
	buf_init(&y, MIB);
	make_gguf(&x, 10000.0f, -3, 7);
	make_gguf(&y, 500000.0f, 4, 8);
	assert_int_equal(compare_bytes(x.p, x.len, y.p, y.len, true), 0);
	assert_string_equal(buf_str(&told.text),
	    "llama.rope.freq_base changed 10000 -> 500000 | effect the same "
	    "weights can compute something else\n"
	    "llama.block_count changed -3 -> 4\n"
	    "long changed [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,7] -> "
	    "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8]\n");
	assert_int_equal(compare_bytes(x.p, x.len, y.p, y.len - 30, true), 1);
	assert_int_equal(compare_bytes("GGUX", 4, y.p, y.len, true), 1);
	buf_release(&x);
	buf_release(&y);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, \
	change_case_setup, change_case_teardown, &told)
	const struct CMUnitTest tests[] = {
		TEST(layout_and_spelling_are_no_change),
		TEST(values_are_added_removed_and_changed),
		TEST(the_type_of_a_value_counts),
		TEST(sets_have_no_order),
		TEST(what_runs_code_comes_first_and_says_so),
		TEST(a_known_name_is_known_wherever_it_stands),
		TEST(many_harmless_changes_hide_no_grave_one),
		TEST(a_name_that_occurs_twice_is_told),
		TEST(a_long_value_is_shown_where_it_differs),
		TEST(no_json_is_somebody_elses),
		TEST(one_side_alone_is_all_added_or_removed),
		TEST(who_takes_the_rows_can_end_it),
		TEST(pairs_of_a_gguf_are_compared_numbers_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
