#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/flatjson.h"
#include "formats/jinja_outline.h"

static struct arena *arena;

static void
outline(const char *text, struct flat_list *ret)
{
	struct flatjson f = {.a = arena};
	struct err e = ERR_INIT;

	assert_int_equal(jinja_outline_put(&f, "t: ",
	    (const uint8_t *)text, strlen(text), &e), 0);
	assert_int_equal(flatjson_done(&f, ret, &e), 0);
}

static bool
same(const char *x, const char *y)
{
	struct flat_list a, b;
	bool equal;

	outline(x, &a);
	outline(y, &b);
	equal = a.n == b.n;
	for (size_t i = 0; i < a.n && equal; i++)
		equal = strcmp(a.v[i].key, b.v[i].key) == 0 &&
		    flatjson_equal(&a.v[i], &b.v[i]);
	return equal;
}

static void
parts_are_named_by_what_they_do(void **state)
{
	struct flat_list l;

	(void)state;
	outline("{% for m in messages %}<|{{ m.role }}|>{{m['text']}}"
	    "{{ m.role }}{% endfor %}", &l);
	assert_int_equal(l.n, 7);
	assert_non_null(flatjson_find(l.v, l.n,
	    "t: does for m in messages"));
	assert_string_equal(flatjson_find(l.v, l.n, "t: prints m.role")->p,
	    "2");
	assert_non_null(flatjson_find(l.v, l.n, "t: prints m['text']"));
	assert_non_null(flatjson_find(l.v, l.n, "t: writes <|"));
	assert_non_null(flatjson_find(l.v, l.n, "t: order"));
}

static void
layout_and_comments_make_no_difference(void **state)
{
	(void)state;
	assert_true(same("{%- if  a -%} x  y {%- endif %}",
	    "{# why #}{% if a %}\n x y{% endif %}"));
	assert_true(same("{{ a }}", "{{-a-}}"));
}

static void
strings_and_order_make_one(void **state)
{
	(void)state;
	assert_false(same("{{ 'a  b' }}", "{{ 'a b' }}"));
	assert_false(same("{{ a }}{{ b }}", "{{ b }}{{ a }}"));
	assert_false(same("{{ a }}", "{{ a }}{% if x %}y{% endif %}"));
	/* A closing mark in a string closes nothing. */
	assert_true(same("{{ '}}' }}z", "{{'}}'}}z"));
	assert_false(same("{{ '}}' }}z", "{{'}}'}}y"));
}

static void
what_is_cut_off_ends(void **state)
{
	static const char *const bad[] = {"", "{", "{{", "{%", "{#", "{{ '",
	    "{{ 'a\\", "{%-", "{{-", "%}", "{{}}", "{%%}"};
	struct flat_list l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		outline(bad[i], &l);
}

static void
nothing_is_too_long_to_make_a_difference(void **state)
{
	static char a[100000], b[100000];

	(void)state;
	assert_false(same("{% x %}{{ x }}", "{{ x }}{% x %}"));
	memset(a, 'x', sizeof(a) - 1);
	memcpy(b, a, sizeof(b));
	b[sizeof(b) - 2] = 'y';
	assert_false(same(a, b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_too_long_to_make_a_difference),
	    cmocka_unit_test(parts_are_named_by_what_they_do),
	    cmocka_unit_test(layout_and_comments_make_no_difference),
	    cmocka_unit_test(strings_and_order_make_one),
	    cmocka_unit_test(what_is_cut_off_ends),
	};
	int r;

	arena = arena_new(16 * MIB);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return r;
}
