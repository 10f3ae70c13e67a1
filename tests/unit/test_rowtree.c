#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "formats/rows/rowtree.h"

#define NAME(s) (const uint8_t *)(s), sizeof(s) - 1

/* {"a":[1,{"b.c":"x"},[]],"b":{"c":true}} */
static void
build(struct rowtree *t)
{
	const struct rows_value one = {.type = ROWS_INT, .i = 1};
	const struct rows_value yes = {.type = ROWS_BOOL, .i = 1};
	char x[2] = "x";
	struct rows_value text = {.type = ROWS_TEXT, .p = (uint8_t *)x,
	    .n = 1};
	uint32_t root, a, in;

	rowtree_clear(t);
	root = rowtree_open(t, ROWTREE_OBJECT, NULL, 0);
	a = rowtree_open(t, ROWTREE_LIST, NAME("a"));
	rowtree_add(t, NULL, 0, &one, false);
	in = rowtree_open(t, ROWTREE_OBJECT, NULL, 0);
	rowtree_add(t, NAME("b.c"), &text, true);
	rowtree_close(t, in);
	x[0] = '!';	/* it was copied */
	in = rowtree_open(t, ROWTREE_LIST, NULL, 0);
	rowtree_close(t, in);
	rowtree_close(t, a);
	in = rowtree_open(t, ROWTREE_OBJECT, NAME("b"));
	rowtree_add(t, NAME("c"), &yes, false);
	rowtree_close(t, in);
	rowtree_close(t, root);
}

static void
find(const struct rowtree *t, const char *path, enum rows_value_type type,
    const char *want)
{
	struct rows_value v;
	struct buf b;

	buf_init(&b, 1024);
	assert_true(rowtree_find(t, 0, path, &v, &b));
	assert_int_equal(v.type, type);
	if (want != NULL) {
		assert_int_equal(v.n, strlen(want));
		assert_memory_equal(v.p, want, v.n);
	}
	buf_release(&b);
}

static void
a_tree_is_written_and_found_by_paths(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct rowtree t;
	struct buf b;

	(void)state;
	rowtree_init(&t, a);
	for (int round = 0; round < 2; round++) {
		build(&t);
		buf_init(&b, 1024);
		assert_int_equal(rowtree_json(&t, 0, &b), t.nodes);
		assert_string_equal(buf_str(&b),
		    "{\"a\":[1,{\"b.c\":\"x\"},[]],\"b\":{\"c\":true}}");
		buf_release(&b);
		find(&t, "a.0", ROWS_INT, NULL);
		find(&t, "a.1.b.c", ROWS_TEXT, "x");
		find(&t, "a.1", ROWS_TREE, "{\"b.c\":\"x\"}");
		find(&t, "a.2", ROWS_TREE, "[]");
		find(&t, "b.c", ROWS_BOOL, NULL);
		find(&t, "a.3", ROWS_ABSENT, NULL);
		find(&t, "a.-1", ROWS_ABSENT, NULL);
		find(&t, "b.c.d", ROWS_ABSENT, NULL);
		find(&t, ".", ROWS_ABSENT, NULL);
	}
	arena_free(a);
}

static void
no_memory_makes_it_fail(void **state)
{
	struct arena *a = arena_new(200);
	struct rowtree t;
	struct rows_value v;
	struct buf b;

	(void)state;
	rowtree_init(&t, a);
	build(&t);
	assert_true(t.failed);
	buf_init(&b, 1024);
	assert_true(rowtree_find(&t, 0, "a", &v, &b));
	assert_int_equal(v.type, ROWS_ABSENT);
	(void)rowtree_json(&t, 0, &b);
	assert_int_equal(b.len, 0);
	buf_release(&b);
	arena_free(a);
}

static void
what_is_longer_than_it_may_be_is_not_absent(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct rowtree t;
	struct rows_value v;
	struct buf b;

	(void)state;
	rowtree_init(&t, a);
	build(&t);
	buf_init(&b, 8);
	assert_false(rowtree_find(&t, 0, "a", &v, &b));
	assert_true(rowtree_find(&t, 0, "a.2", &v, &b));
	assert_int_equal(v.type, ROWS_TREE);
	assert_true(rowtree_find(&t, 0, "no", &v, &b));
	buf_release(&b);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tree_is_written_and_found_by_paths),
	    cmocka_unit_test(no_memory_makes_it_fail),
	    cmocka_unit_test(what_is_longer_than_it_may_be_is_not_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
