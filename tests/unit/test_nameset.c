#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/nameset.h"

static int
add(struct nameset *s, unsigned i)
{
	char name[24];
	int n = snprintf(name, sizeof(name), "data/other/%u", i);

	return nameset_add(s, name, (size_t)n, NULL);
}

static void
each_name_is_new_once(void **state)
{
	struct arena *a = arena_new(16 * MIB);
	struct nameset *s;

	(void)state;
	assert_non_null(a);
	assert_non_null(s = nameset_new(a));
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(add(s, i), 1);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(add(s, i), 0);
	assert_int_equal(nameset_add(s, "", 0, NULL), 1);
	assert_int_equal(nameset_add(s, "", 0, NULL), 0);
	assert_int_equal(nameset_add(s, "a", 1, NULL), 1);
	assert_int_equal(nameset_add(s, "a\0", 2, NULL), 1);
	arena_free(a);
}

static void
a_full_arena_is_a_limit_and_loses_nothing(void **state)
{
	struct arena *a = arena_new(64 * KIB);
	struct nameset *s;
	unsigned n = 0;
	int r;

	(void)state;
	assert_non_null(a);
	assert_non_null(s = nameset_new(a));
	while ((r = add(s, n)) == 1)
		n++;
	assert_int_equal(r, ERR_LIMIT);
	assert_true(n > 256);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(add(s, i), 0);
	assert_int_equal(add(s, n), ERR_LIMIT);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_name_is_new_once),
	    cmocka_unit_test(a_full_arena_is_a_limit_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
