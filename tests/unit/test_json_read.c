#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/reader.h"

#define LOG_MAX (4 * MIB)

static const size_t windows[] = {1, 2, 3, 7, 4096};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))
#define ROWS(x) (sizeof(x) / sizeof((x)[0]))

static void
log_token(struct buf *b, const struct json_token *t)
{
	static const char *const names[] = {"END", "{", "}", "[", "]", "K", "S",
	    "N", "true", "false", "null"};

	buf_printf(b, "%s%s@%llu/%u", b->len > 0 ? " " : "", names[t->type],
	    (unsigned long long)t->off, t->depth);
	if (t->str != NULL) {
		buf_putc(b, '=');
		for (size_t i = 0; i < t->len; i++)
			buf_printf(b, t->str[i] < 0x20 || t->str[i] > 0x7e ?
			    "<%02x>" : "%c", (unsigned char)t->str[i]);
		assert_int_equal(t->str[t->len], 0);
	}
	if (t->escaped)
		buf_puts(b, "/esc");
	if (t->is_u64)
		buf_printf(b, "/%llu", (unsigned long long)t->u64);
}

/* All tokens of a document as text, its error and the error's place last. */
static int
read_all(const void *doc, size_t n, size_t window, struct buf *b)
{
	struct arena *a = arena_new(256 * MIB);
	struct bytesrc *s = bytesrc_mem(doc, n, NULL);
	struct err e = ERR_INIT;
	struct json_token t;
	struct reader r;
	struct json j;
	int rc;

	assert_non_null(a);
	assert_non_null(s);
	assert_int_equal(reader_init(&r, s, 0, window, a, NULL), 0);
	json_open(&j, &r, a);
	buf_clear(b);
	while ((rc = json_next(&j, &t, &e)) == 0) {
		log_token(b, &t);
		if (t.type == JSON_END)
			break;
	}
	if (rc < 0) {
		assert_int_equal(e.code, rc);
		buf_printf(b, " error %d@%llu %s", rc,
		    (unsigned long long)e.off, e.msg);
	}
	assert_int_equal(buf_failed(b), 0);
	bytesrc_free(s);
	arena_free(a);
	return rc;
}

static void
tokens_come_in_order_with_place_and_depth(void **state)
{
	static const char doc[] =
	    " {\"a\" : [1,-2.5e+3 , true,false,\tnull, {}, []],\r\n"
	    "\"b\":\"x\", \"b\":{\"\":0}}\n";
	static const char want[] =
	    "{@1/0 K@2/1=a [@8/1 N@9/2=1/1 N@11/2=-2.5e+3 true@21/2 "
	    "false@26/2 null@33/2 {@39/2 }@40/2 [@43/2 ]@44/2 ]@45/1 "
	    "K@49/1=b S@53/1=x K@58/1=b {@62/1 K@63/2= N@66/2=0/0 }@67/1 "
	    "}@68/0 END@69/0";
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t w = 0; w < WINDOWS; w++) {
		assert_int_equal(read_all(doc, sizeof(doc) - 1, windows[w],
		    &b), 0);
		assert_string_equal(buf_str(&b), want);
	}
	buf_release(&b);
}

static void
scalars_may_be_the_whole(void **state)
{
	static const char *const rows[][2] = {
	    {"0", "N@0/0=0/0 END@1/0"},
	    {" true ", "true@1/0 END@5/0"},
	    {"\"\"", "S@0/0= END@2/0"},
	    {"null", "null@0/0 END@4/0"},
	    {"[]", "[@0/0 ]@1/0 END@2/0"},
	    {"-0", "N@0/0=-0 END@2/0"},
	    {"0.0", "N@0/0=0.0 END@3/0"},
	    {"1E9", "N@0/0=1E9 END@3/0"},
	    {"10e-01", "N@0/0=10e-01 END@6/0"},
	    {"18446744073709551615",
		"N@0/0=18446744073709551615/18446744073709551615 END@20/0"},
	    {"18446744073709551616", "N@0/0=18446744073709551616 END@20/0"},
	    /* What follows the outermost value is json_trailing's. */
	    {"null x", "null@0/0 END@4/0"},
	    {"0x10", "N@0/0=0/0 END@1/0"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(read_all(rows[i][0], strlen(rows[i][0]), 3,
		    &b), 0);
		assert_string_equal(buf_str(&b), rows[i][1]);
	}
	buf_release(&b);
}

static void
escapes_become_utf_8(void **state)
{
	static const char *const rows[][2] = {
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"S@0/0=\"\\/<08><0c><0a><0d><09>/esc END@18/0"},
	    {"\"\\u0041\\u00e9\\u20AC\"",
		"S@0/0=A<c3><a9><e2><82><ac>/esc END@20/0"},
	    {"\"a\\u0000b\"", "S@0/0=a<00>b/esc END@10/0"},
	    {"\"\\ud83d\\ude00\"", "S@0/0=<f0><9f><98><80>/esc END@14/0"},
	    {"\"\\uDBFF\\uDFFF\"", "S@0/0=<f4><8f><bf><bf>/esc END@14/0"},
	    {"\"\\ud800\\udc00\"", "S@0/0=<f0><90><80><80>/esc END@14/0"},
	    {"\"\\u07ff\\u0800\\uffff\\u007F\\u0080\"",
		"S@0/0=<df><bf><e0><a0><80><ef><bf><bf><7f><c2><80>/esc "
		"END@32/0"},
	    {"\"\xf0\x9f\x98\x80\x7f\"", "S@0/0=<f0><9f><98><80><7f> END@7/0"},
	    {"{\"\\u0061\":1}",
		"{@0/0 K@1/1=a/esc N@10/1=1/1 }@11/0 END@12/0"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t w = 0; w < WINDOWS; w++) {
			assert_int_equal(read_all(rows[i][0],
			    strlen(rows[i][0]), windows[w], &b), 0);
			assert_string_equal(buf_str(&b), rows[i][1]);
		}
	buf_release(&b);
}

static void
what_rfc_8259_does_not_allow_is_refused(void **state)
{
	static const char *const rows[] = {
	    /* values */
	    "x", "tru!", "True", "nul1", "NaN", "Infinity", "-Infinity", "'a'",
	    "undefined", "/**/1", "#", "\xef\xbb\xbf{}", "\v1",
	    "\xc2\xa0 1", "]", "}", ",", ":",
	    /* numbers */
	    "01", "-01", "00", "+1", ".5", "1.", "1.e5", "1e", "1e+", "-",
	    "--1", "1.2.3", "1e5e5", "1-2", "-a", "1+1",
	    /* containers */
	    "[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "[1}", "{\"a\":1]",
	    "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\",1}", "{\"a\" 1}",
	    "{a:1}", "{1:2}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{\"a\":1,,}",
	    "{null:1}", "[\"a\":1]", "{\"a\"::1}", "[1;2]", "[0x1]", "[1//\n]",
	    /* strings */
	    "\"\n\"", "\"\t\"", "\"\x1f\"", "\"\\x41\"", "\"\\a\"", "\"\\'\"",
	    "\"\\u12g4\"", "\"\\u+123\"", "\"\\u 123\"", "\"\\U0041\"",
	    "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"",
	    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\udc00\"",
	    "\"\\udc00\\ud800\"",
	    /* UTF-8 */
	    "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
	    "\"\xf4\x90\x80\x80\"", "\"\x80\"", "{\"\xff\":1}", "\"\xe2\x82\"",
	};
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		if (read_all(rows[i], strlen(rows[i]), 4096, &b) !=
		    ERR_FORMAT)
			fail_msg("'%s' gives %s", rows[i], buf_str(&b));
	}
	assert_int_equal(read_all("[\0]", 3, 2, &b), ERR_FORMAT);
	assert_int_equal(read_all("\"\\\0\"", 4, 2, &b), ERR_FORMAT);
	assert_int_equal(read_all("\"\0\"", 3, 2, &b), ERR_FORMAT);
	buf_release(&b);
}

static void
error_says_where(void **state)
{
	static const char *const rows[][2] = {
	    {"[1, x]", "[@0/0 N@1/1=1/1 error -5@4 a malformed number"},
	    {"{\"a\" 1}", "{@0/0 error -5@5 a colon is missing"},
	    {"[1 2]", "[@0/0 N@1/1=1/1 error -5@3 a comma is missing"},
	    {"[\"a", "[@0/0 error -4@3 the bytes end early"},
	    {"", " error -4@0 the bytes end early"},
	    {"   ", " error -4@3 the bytes end early"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t w = 0; w < WINDOWS; w++) {
			assert_true(read_all(rows[i][0], strlen(rows[i][0]),
			    windows[w], &b) < 0);
			assert_string_equal(buf_str(&b), rows[i][1]);
		}
	buf_release(&b);
}

static const char sample[] = "{\"k\\u00e9y\":[-1.5e3,true,null,\"\\ud83d"
    "\\ude00\xc3\xa9\"],\"n\":{\"a\":[[]],\"b\":false}}";

static void
no_truncated_document_is_whole(void **state)
{
	struct buf b;
	int rc;

	(void)state;
	buf_init(&b, LOG_MAX);
	assert_int_equal(read_all(sample, sizeof(sample) - 1, 7, &b), 0);
	for (size_t n = 0; n < sizeof(sample) - 1; n++) {
		rc = read_all(sample, n, 7, &b);
		assert_true(rc == ERR_TRUNC || rc == ERR_FORMAT);
	}
	buf_release(&b);
}

/* Each byte replaced by what matters to the grammar; every window agrees. */
static void
windows_agree_on_damaged_documents(void **state)
{
	static const char with[] = "\"\\{}[]:,0-.eu \n\x80\xff";
	char doc[sizeof(sample)], *seen;
	unsigned refused = 0;
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	for (size_t i = 0; i < sizeof(sample) - 1; i++)
		for (size_t k = 0; k < sizeof(with); k++) {
			memcpy(doc, sample, sizeof(doc));
			doc[i] = with[k];
			refused += read_all(doc, sizeof(doc) - 1, 4096, &b) <
			    0;
			assert_non_null(seen = strdup(buf_str(&b)));
			for (size_t w = 0; w < WINDOWS - 1; w++) {
				(void)read_all(doc, sizeof(doc) - 1,
				    windows[w], &b);
				assert_string_equal(buf_str(&b), seen);
			}
			free(seen);
		}
	assert_true(refused > 500);
	buf_release(&b);
}

static void
depth_is_limited_exactly(void **state)
{
	char doc[2 * (LIMIT_JSON_DEPTH + 1)];
	struct buf b;

	(void)state;
	buf_init(&b, LOG_MAX);
	memset(doc, '[', LIMIT_JSON_DEPTH + 1);
	memset(doc + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_int_equal(read_all(doc + 1, 2 * LIMIT_JSON_DEPTH, 4096, &b),
	    0);
	assert_int_equal(read_all(doc, sizeof(doc), 4096, &b), ERR_LIMIT);
	buf_release(&b);
}

static int
long_token(char fill, size_t n, const char *ends)
{
	char *doc = malloc(n + 2);
	struct buf b;
	int rc;

	assert_non_null(doc);
	buf_init(&b, 64 * MIB);
	memset(doc, fill, n + 2);
	if (*ends != '\0')
		doc[0] = doc[n + 1] = *ends;
	rc = read_all(doc, *ends != '\0' ? n + 2 : n, 0, &b);
	free(doc);
	buf_release(&b);
	return rc;
}

static void
length_of_strings_and_numbers_is_limited(void **state)
{
	(void)state;
	assert_int_equal(long_token('x', 100000, "\""), 0);
	assert_int_equal(long_token('x', LIMIT_JSON_STRING, "\""), 0);
	assert_int_equal(long_token('x', LIMIT_JSON_STRING + 1, "\""),
	    ERR_LIMIT);
	assert_int_equal(long_token('7', 100000, ""), 0);
	assert_int_equal(long_token('7', LIMIT_JSON_STRING + 1, ""),
	    ERR_LIMIT);
}

static void
small_arena_is_out_of_memory(void **state)
{
	static const char doc[] = "\"0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789\"";
	struct arena *a = arena_new(4096), *small = arena_new(64);
	struct bytesrc *s = bytesrc_mem(doc, sizeof(doc) - 1, NULL);
	struct json_token t;
	struct reader r;
	struct json j;

	(void)state;
	assert_non_null(a);
	assert_non_null(small);
	assert_non_null(s);
	assert_int_equal(reader_init(&r, s, 0, 16, a, NULL), 0);
	json_open(&j, &r, small);
	assert_int_equal(json_next(&j, &t, NULL), ERR_NOMEM);
	bytesrc_free(s);
	arena_free(small);
	arena_free(a);
}

struct fixture {
	struct arena *a;
	struct bytesrc *s;
	struct reader r;
	struct json j;
};

static void
open_text(struct fixture *f, const char *doc)
{
	assert_non_null(f->a = arena_new(MIB));
	assert_non_null(f->s = bytesrc_mem(doc, strlen(doc), NULL));
	assert_int_equal(reader_init(&f->r, f->s, 0, 3, f->a, NULL), 0);
	json_open(&f->j, &f->r, f->a);
}

static void
close_text(struct fixture *f)
{
	bytesrc_free(f->s);
	arena_free(f->a);
}

static void
expect(struct fixture *f, struct json_token *t, enum json_type type,
    const char *str)
{
	assert_int_equal(json_next(&f->j, t, NULL), 0);
	assert_int_equal(t->type, type);
	if (str != NULL)
		assert_string_equal(t->str, str);
}

static void
skip_passes_over_one_value(void **state)
{
	struct fixture f;
	struct json_token t;

	(void)state;
	open_text(&f, "{\"a\":{\"x\":[1,{\"y\":2}]},\"b\":[3,[4]],\"c\":5,"
	    "\"d\":\"e\",\"f\":{}}");
	expect(&f, &t, JSON_OBJECT, NULL);
	expect(&f, &t, JSON_KEY, "a");
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_KEY, "b");
	expect(&f, &t, JSON_ARRAY, NULL);
	expect(&f, &t, JSON_NUMBER, "3");
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_ARRAY, NULL);
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_ARRAY_END, NULL);
	expect(&f, &t, JSON_KEY, "c");
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_KEY, "d");
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_KEY, "f");
	assert_int_equal(json_skip(&f.j, &t, NULL), 0);
	expect(&f, &t, JSON_OBJECT_END, NULL);
	expect(&f, &t, JSON_END, NULL);
	expect(&f, &t, JSON_END, NULL);
	close_text(&f);

	open_text(&f, "[{\"a\":[}]");
	expect(&f, &t, JSON_ARRAY, NULL);
	assert_int_equal(json_skip(&f.j, &t, NULL), ERR_FORMAT);
	close_text(&f);
}

static void
trailing_bytes_are_told(void **state)
{
	static const struct {
		const char *doc;
		uint64_t n;
		bool blanks;
	} rows[] = {{"[]", 0, true}, {"[] \n\t\r", 4, true}, {"[]x", 1, false},
	    {"[]  \v", 3, false}, {"[] []", 3, false}};
	struct fixture f;
	struct json_token t;
	uint64_t n;
	bool blanks;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		open_text(&f, rows[i].doc);
		expect(&f, &t, JSON_ARRAY, NULL);
		expect(&f, &t, JSON_ARRAY_END, NULL);
		expect(&f, &t, JSON_END, NULL);
		assert_int_equal(json_trailing(&f.j, &n, &blanks, NULL), 0);
		assert_int_equal(n, rows[i].n);
		assert_int_equal(blanks, rows[i].blanks);
		close_text(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tokens_come_in_order_with_place_and_depth),
	    cmocka_unit_test(scalars_may_be_the_whole),
	    cmocka_unit_test(escapes_become_utf_8),
	    cmocka_unit_test(what_rfc_8259_does_not_allow_is_refused),
	    cmocka_unit_test(error_says_where),
	    cmocka_unit_test(no_truncated_document_is_whole),
	    cmocka_unit_test(windows_agree_on_damaged_documents),
	    cmocka_unit_test(depth_is_limited_exactly),
	    cmocka_unit_test(length_of_strings_and_numbers_is_limited),
	    cmocka_unit_test(small_arena_is_out_of_memory),
	    cmocka_unit_test(skip_passes_over_one_value),
	    cmocka_unit_test(trailing_bytes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
