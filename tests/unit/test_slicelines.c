#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/intake/slicelines.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

static const char good[] =
    "{\"index\":7,\"sha256\":\"00ff\",\"damaged\":true,\"in\":null,"
    "\"list\":[{\"index\":9}],\"source\":{\"path_hex\":\"2f61\","
    "\"deep\":{\"x\":1}}}\n{\"index\":8}\n";

static int
open_text(struct slicelines *l, const char *p, size_t n)
{
	return slicelines_open(l, bytesrc_mem(p, n, NULL), NULL);
}

static void
values_are_found_by_key(void **state)
{
	struct arena *a = arena_new(MIB);
	struct slicelines l;
	const char *hex;
	uint64_t v;
	size_t n;

	(void)state;
	assert_int_equal(open_text(&l, good, sizeof(good) - 1), 0);
	assert_int_equal(slicelines_next(&l, NULL), 1);
	assert_true(slicelines_u64(&l, "index", &v));
	assert_int_equal(v, 7);
	assert_true(slicelines_true(&l, "damaged"));
	assert_null(slicelines_str(&l, "in"));
	assert_false(slicelines_u64(&l, "list.index", &v));
	assert_false(slicelines_u64(&l, "source.deep.x", &v));
	assert_string_equal(slicelines_str(&l, "source.path_hex"), "2f61");
	hex = slicelines_hex(&l, "sha256", a, &n);
	assert_non_null(hex);
	assert_int_equal(n, 2);
	assert_memory_equal(hex, "\0\377", 2);
	assert_int_equal(slicelines_next(&l, NULL), 1);
	assert_true(slicelines_u64(&l, "index", &v));
	assert_int_equal(v, 8);
	assert_false(slicelines_true(&l, "damaged"));
	assert_int_equal(slicelines_next(&l, NULL), 0);
	slicelines_close(&l);
	arena_free(a);
}

static void
what_is_cut_is_no_line(void **state)
{
	struct slicelines l;
	int r;

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		unsigned lines = 0;

		assert_int_equal(open_text(&l, good, n), 0);
		while ((r = slicelines_next(&l, NULL)) > 0)
			lines++;
		/* Nothing, or the first line alone, is whole. */
		assert_int_equal(r == 0, n == 0 || n ==
		    sizeof(good) - 1 - strlen("{\"index\":8}\n"));
		assert_true(lines <= 1);
		slicelines_close(&l);
	}
}

static void
other_things_are_refused(void **state)
{
	static const char *const bad[] = {"[1]\n", "7\n", "{\"a\":1} \n",
	    "{\"a\":1}{\"a\":2}\n", "\n", "{\"a\":01}\n", "x"};
	struct slicelines l;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(open_text(&l, bad[i], strlen(bad[i])), 0);
		assert_true(slicelines_next(&l, NULL) < 0);
		slicelines_close(&l);
	}
}

static void
too_many_keys_are_refused(void **state)
{
	char text[16 * SLICELINES_KEYS], *p = text;
	struct slicelines l;

	(void)state;
	*p++ = '{';
	for (unsigned i = 0; i <= SLICELINES_KEYS; i++)
		p += snprintf(p, 8, "%s\"a\":1", i > 0 ? "," : "");
	(void)snprintf(p, 8, "}\n");
	assert_int_equal(open_text(&l, text, strlen(text)), 0);
	assert_int_equal(slicelines_next(&l, NULL), ERR_FORMAT);
	slicelines_close(&l);
}

static void
hex_must_be_hex(void **state)
{
	static const char text[] =
	    "{\"a\":\"0\",\"b\":\"0g\",\"c\":\"FF\",\"d\":7,\"e\":\"\"}\n";
	struct arena *a = arena_new(MIB);
	struct slicelines l;
	size_t n = 1;

	(void)state;
	assert_int_equal(open_text(&l, text, sizeof(text) - 1), 0);
	assert_int_equal(slicelines_next(&l, NULL), 1);
	assert_null(slicelines_hex(&l, "a", a, &n));
	assert_null(slicelines_hex(&l, "b", a, &n));
	assert_null(slicelines_hex(&l, "c", a, &n));
	assert_null(slicelines_hex(&l, "d", a, &n));
	assert_non_null(slicelines_hex(&l, "e", a, &n));
	assert_int_equal(n, 0);
	slicelines_close(&l);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_found_by_key),
	    cmocka_unit_test(what_is_cut_is_no_line),
	    cmocka_unit_test(other_things_are_refused),
	    cmocka_unit_test(too_many_keys_are_refused),
	    cmocka_unit_test(hex_must_be_hex)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
