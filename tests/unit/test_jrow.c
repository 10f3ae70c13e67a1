#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/jrow.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"

static int
read_one(struct arena *a, const char *text, struct jrow **ret,
    struct err *e)
{
	struct bytesrc *src = bytesrc_mem(text, strlen(text), NULL);
	struct reader r;
	int got;

	assert_int_equal(reader_init(&r, src, 0, 3, a, NULL), 0);
	got = jrow_read(&r, a, ret, e);
	bytesrc_free(src);
	return got;
}

static void
nested_values_get_dotted_names(void **state)
{
	struct arena *a = arena_new(MIB);
	struct jrow *row;

	(void)state;
	assert_int_equal(read_one(a, "{\"a\":{\"b\":1,\"c\":[\"x\",{\"y\":"
	    "true}]},\"d\":null,\"e\":\"q\\\"\"}\n", &row, NULL), 1);
	assert_string_equal(jrow_get(row, "a.b"), "1");
	assert_string_equal(jrow_get(row, "a.c.0"), "x");
	assert_string_equal(jrow_get(row, "a.c.1.y"), "true");
	assert_string_equal(jrow_get(row, "d"), "");
	assert_non_null(jrow_find(row, "d"));
	assert_null(jrow_find(row, "a.c.2"));
	assert_string_equal(jrow_get(row, "e"), "q\"");
	assert_int_equal(jrow_u64(row, "a.b"), 1);
	arena_free(a);
}

static void
a_cut_line_is_not_a_row(void **state)
{
	static const char *const bad[] = {"{\"a\":1}", "{\"a\":1", "[1]\n",
	    "{\"a\":}\n", "{\"a\":1} x\n", "\n", "x\n", NULL};
	struct arena *a = arena_new(MIB);
	struct jrow *row;

	(void)state;
	for (const char *const *t = bad; *t != NULL; t++)
		assert_int_equal(read_one(a, *t, &row, NULL), ERR_FORMAT);
	assert_int_equal(read_one(a, "", &row, NULL), 0);
	arena_free(a);
}

static void
nesting_and_size_are_bounded(void **state)
{
	struct arena *a = arena_new(16 * MIB);
	static char text[70000];
	struct jrow *row;
	size_t n = 0;

	(void)state;
	memset(text, '[', 64);
	text[0] = '{';
	memcpy(text + 1, "\"a\":", 4);
	assert_true(read_one(a, text, &row, NULL) < 0);
	n += (size_t)snprintf(text, sizeof(text), "{\"a\":[0");
	for (unsigned i = 0; i < 33000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",1");
	(void)snprintf(text + n, sizeof(text) - n, "]}\n");
	assert_int_equal(read_one(a, text, &row, NULL), ERR_LIMIT);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nested_values_get_dotted_names),
	    cmocka_unit_test(a_cut_line_is_not_a_row),
	    cmocka_unit_test(nesting_and_size_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
