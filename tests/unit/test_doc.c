#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"

static struct arena *arena;
static struct doc_fault fault;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(512 * MIB);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static int
read_n(const char *text, size_t n, const struct doc **ret)
{
	struct err e = ERR_INIT;
	char *copy = malloc(n > 0 ? n : 1);
	int r;

	/* A block of its own, so that a read past the end is caught. */
	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, text, n);
	r = doc_json(copy, n, arena, ret, &fault, &e);
	free(copy);
	assert_int_equal(r < 0, e.code != ERR_OK);
	return r;
}

static const struct doc *
json(const char *text)
{
	const struct doc *d = NULL;

	assert_int_equal(read_n(text, strlen(text), &d), 0);
	assert_non_null(d);
	return d;
}

static void
keys_stand_in_the_order_of_the_document(void **state)
{
	const struct doc *d = json("{\"z\":1,\"a\":2,\"m\":3}");
	const struct doc *k = doc_kids(d);

	(void)state;
	assert_int_equal(d->n, 3);
	assert_string_equal(k->key, "z");
	assert_string_equal(k->next->key, "a");
	assert_string_equal(k->next->next->key, "m");
	assert_null(k->next->next->next);
	assert_int_equal(k->next->off, 11);
	assert_int_equal(k->next->key_off, 7);
}

static void
a_key_that_comes_twice_is_kept_and_counted(void **state)
{
	const struct doc *d = json("{\"a\":1,\"b\":{},\"a\":2,\"a\":3}");
	int64_t v;

	(void)state;
	assert_int_equal(d->doubles, 2);
	assert_int_equal(doc_count(d, "a", 1), 3);
	assert_int_equal(doc_count(d, "b", 1), 1);
	assert_int_equal(doc_count(d, "c", 1), 0);
	assert_true(doc_i64(doc_key(d, "a"), &v));
	assert_int_equal(v, 3);
	assert_int_equal(doc_kids(d)->i, 1);
}

static void
a_path_leads_through_maps_and_lists(void **state)
{
	const struct doc *d = json("{\"a\":{\"b\":[10,{\"c\":\"x\"}]},"
	    "\"a.b\":5,\"\":{\"\":7}}");
	size_t n;

	(void)state;
	assert_string_equal(doc_str(doc_get(d, "a.b.1.c"), &n), "x");
	assert_int_equal(n, 1);
	assert_int_equal(doc_get(d, "a.b.0")->i, 10);
	assert_null(doc_get(d, "a.b.2"));
	assert_null(doc_get(d, "a.b.x"));
	assert_null(doc_get(d, "a.b.0.c"));
	assert_null(doc_get(d, "nowhere.b"));
	assert_int_equal(doc_key(d, "a.b")->i, 5);
	assert_int_equal(doc_get(d, ".")->i, 7);
	assert_null(doc_get(NULL, "a"));
	assert_null(doc_at(d, 3));
	assert_int_equal(doc_at(d, 1)->i, 5);
}

static void
a_number_keeps_its_text_and_says_whether_it_fits(void **state)
{
	const struct doc *d = json("[9223372036854775807,"
	    "9223372036854775808,-9223372036854775808,1.5e3,1E400,-0]");
	int64_t v;
	uint64_t u;

	(void)state;
	assert_true(doc_i64(doc_at(d, 0), &v));
	assert_true(v == INT64_MAX);
	assert_int_equal(doc_at(d, 1)->type, DOC_INT);
	assert_false(doc_at(d, 1)->fits);
	assert_false(doc_i64(doc_at(d, 1), &v));
	assert_true(doc_at(d, 1)->d > 9.2e18);
	assert_true(doc_i64(doc_at(d, 2), &v));
	assert_true(v == INT64_MIN);
	assert_false(doc_u64(doc_at(d, 2), &u));
	assert_true(doc_i64(doc_at(d, 3), &v));
	assert_int_equal(v, 1500);
	assert_string_equal(doc_at(d, 3)->str, "1.5e3");
	assert_false(doc_i64(doc_at(d, 4), &v));
	assert_true(doc_i64(doc_at(d, 5), &v));
	assert_int_equal(v, 0);
}

static void
a_string_of_digits_is_an_integer_to_who_asks(void **state)
{
	const struct doc *d = json("[\"1754589500399\",\"-3\",\"\",\"-\","
	    "\"1x\",\"0.5\",true,null,\"99999999999999999999\"]");
	int64_t v;
	bool b;
	size_t n;

	(void)state;
	assert_true(doc_i64(doc_at(d, 0), &v));
	assert_true(v == 1754589500399);
	assert_true(doc_i64(doc_at(d, 1), &v));
	assert_int_equal(v, -3);
	for (uint32_t i = 2; i < d->n; i++)
		assert_false(doc_i64(doc_at(d, i), &v));
	assert_true(doc_bool(doc_at(d, 6), &b) && b);
	assert_string_equal(doc_text(doc_at(d, 6), &n), "true");
	assert_null(doc_text(doc_at(d, 7), &n));
	assert_null(doc_text(d, &n));
}

static void
a_fault_says_line_and_column(void **state)
{
	const struct doc *d = NULL;
	static const char *const bad = "{\n \"a\": 1,\n \"b\": trx}\n}\n";
	static const char *const behind = "{}\n  x";

	(void)state;
	assert_int_equal(read_n(bad, strlen(bad), &d), ERR_FORMAT);
	assert_int_equal(fault.line, 3);
	assert_in_range(fault.column, 7, 10);
	assert_int_equal(read_n(behind, strlen(behind), &d), ERR_FORMAT);
	assert_int_equal(fault.line, 2);
	assert_string_equal(fault.what, "bytes stand behind the value");
	assert_null(d);
}

static void
every_truncation_is_told_and_never_read_past(void **state)
{
	static const char text[] = "{\"a\":[1,2.5e-3,true,null,\"x\\u00e9\"],"
	    "\"b\":{\"c\":\"\\\\\"}} ";
	const struct doc *d;

	(void)state;
	for (size_t n = 0; n + 2 < sizeof(text); n++) {
		int r = read_n(text, n, &d);

		assert_true(r == ERR_TRUNC || r == ERR_FORMAT);
		assert_non_null(fault.what);
		assert_true(fault.off <= n);
	}
	assert_int_equal(read_n(text, sizeof(text) - 1, &d), 0);
}

static void
more_values_than_the_limit_are_refused(void **state)
{
	size_t n = 2 * (size_t)LIMIT_DOC_NODES + 1;
	char *text = malloc(n);
	const struct doc *d = NULL;

	(void)state;
	assert_non_null(text);
	text[0] = '[';
	for (size_t i = 1; i < n; i += 2) {
		text[i] = '1';
		text[i + 1] = ',';
	}
	text[n - 1] = ']';
	assert_int_equal(read_n(text, n, &d), ERR_LIMIT);
	assert_string_equal(fault.what, "more values than the limit");
	assert_null(d);
	free(text);
}

static void
a_map_of_many_keys_is_searched_fast(void **state)
{
	enum { KEYS = 100000 };
	char *text = malloc(KEYS * 16 + 2), *p = text, key[16];
	const struct doc *d = NULL;

	(void)state;
	assert_non_null(text);
	*p++ = '{';
	for (int i = 0; i < KEYS; i++)
		p += snprintf(p, 16, "%s\"%d\":%d", i > 0 ? "," : "",
		    i ^ 0x155, i & 1023);
	*p++ = '}';
	assert_int_equal(read_n(text, (size_t)(p - text), &d), 0);
	for (int i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "%d", i ^ 0x155);
		assert_int_equal(doc_key(d, key)->i, i & 1023);
	}
	assert_int_equal(d->doubles, 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_stand_in_the_order_of_the_document),
	    cmocka_unit_test(a_key_that_comes_twice_is_kept_and_counted),
	    cmocka_unit_test(a_path_leads_through_maps_and_lists),
	    cmocka_unit_test(a_number_keeps_its_text_and_says_whether_it_fits),
	    cmocka_unit_test(a_string_of_digits_is_an_integer_to_who_asks),
	    cmocka_unit_test(a_fault_says_line_and_column),
	    cmocka_unit_test(every_truncation_is_told_and_never_read_past),
	    cmocka_unit_test(more_values_than_the_limit_are_refused),
	    cmocka_unit_test(a_map_of_many_keys_is_searched_fast),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
