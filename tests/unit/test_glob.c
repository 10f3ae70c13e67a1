#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "collector/glob.h"

struct row {
	const char *pattern, *text;
	bool want;
};

static void
check(const struct row *rows, size_t n,
    bool (*f)(const char *pattern, const char *text))
{
	for (size_t i = 0; i < n; i++)
		if (f(rows[i].pattern, rows[i].text) != rows[i].want)
			fail_msg("'%s' and '%s'", rows[i].pattern,
			    rows[i].text);
}

static void
elements_match_what_they_say(void **state)
{
	static const struct row rows[] = {{"a", "a", true}, {"a", "b", false},
	    {"", "", true}, {"*", "", true}, {"*", "a/b", true},
	    {"?", "", false}, {"?", "/", true}, {"a*c", "abbc", true},
	    {"a*c", "abbd", false}, {"*.pt", "x.pt", true},
	    {"*.pt", "x.pts", false}, {"*a*b*", "xxaxxbxx", true},
	    {"[abc]", "b", true}, {"[a-c]x", "bx", true},
	    {"[!a-c]", "b", false}, {"[!a-c]", "d", true}, {"[]]", "]", true},
	    {"[a-]", "-", true}, {"\\*", "*", true}, {"\\*", "x", false},
	    {"[", "[", true}, {"\xff*", "\xff\xfe", true},
	    {"[\x80-\xff]", "\x90", true}, {"ab", "abc", false},
	    {"abc", "ab", false}};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), glob_match);
}

static void
a_slash_decides_what_is_compared(void **state)
{
	static const struct row rows[] = {{"*.tmp", "/srv/a.tmp", true},
	    {"srv", "/srv/a", false}, {"/srv/*", "/srv/a/b", true},
	    {"/srv/a", "/srv/a", true}, {"*/cache/*", "/srv/cache/x", true},
	    {"cache/", "/srv/cache", true}, {"/srv/cache/", "/srv/cache",
	    true}, {"cache", "/srv/mycache", false}};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), glob_excludes);
}

static void
patterns_that_cannot_match_are_refused(void **state)
{
	(void)state;
	assert_true(glob_ok("*.pt") && glob_ok("[]a]") && glob_ok("\\["));
	assert_false(glob_ok(""));
	assert_false(glob_ok("[abc"));
	assert_false(glob_ok("[]"));
	assert_false(glob_ok("a\\"));
}

static void
many_stars_cost_no_exponential_time(void **state)
{
	char pattern[2 * 100 + 2], text[2048];
	int64_t began = clock_mono_ns();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	memcpy(pattern + 200, "b", 2);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(glob_match(pattern, text));
	assert_true(clock_mono_ns() - began < 1000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_match_what_they_say),
	    cmocka_unit_test(a_slash_decides_what_is_compared),
	    cmocka_unit_test(patterns_that_cannot_match_are_refused),
	    cmocka_unit_test(many_stars_cost_no_exponential_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
