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
#include "formats/flatjson.h"
#include "formats/pyoutline.h"

static struct arena *arena;
static struct flat_list list;

static void
outline(const char *text)
{
	struct flatjson f = {0};
	struct err e = ERR_INIT;

	arena_free(arena);
	arena = arena_new(16 * MIB);
	f.a = arena;
	assert_int_equal(pyoutline_put(&f, (const uint8_t *)text,
	    strlen(text), &e), 0);
	assert_int_equal(flatjson_done(&f, &list, &e), 0);
}

static const char *
value(const char *key)
{
	const struct flat *f = flatjson_find(list.v, list.n, key);

	return f != NULL ? f->p : NULL;
}

static void
definitions_have_dotted_names_and_bodies(void **state)
{
	(void)state;
	outline("import os\nfrom a import b\n"
	    "class M(nn.Module):\n"
	    "    def forward(self, x):\n"
	    "        return x  # same\n"
	    "    k = 1\n"
	    "print('loaded')\n");
	assert_int_equal(list.n, 5);
	assert_string_equal(value("import os"), "import");
	assert_string_equal(value("from a import b"), "import");
	assert_string_equal(value("def M.forward"),
	    "def forward(self, x):\n return x\n");
	assert_non_null(strstr(value("class M"), "k = 1"));
	assert_non_null(value("run print('loaded')"));
}

static void
layout_and_comments_make_no_difference(void **state)
{
	char one[512];

	(void)state;
	outline("def f(a,\n      b):\n    return (a +\n        b)\n");
	(void)snprintf(one, sizeof(one), "%s", value("def f"));
	outline("# a comment\n\ndef f(a, # first\n  b):\n\n"
	    "\treturn (a + b)  # sum\n");
	assert_string_equal(value("def f"), one);
}

static void
strings_keep_their_blanks_and_hashes(void **state)
{
	(void)state;
	outline("x = 'a  # b'\ny = \"\"\"one\n  def not_a_function():\n\"\"\"\n"
	    "z = 'it\\'s'\n");
	assert_non_null(value("run x = 'a  # b'"));
	assert_null(value("def not_a_function"));
	assert_non_null(value("run z = 'it\\'s'"));
}

static void
imports_inside_functions_are_told(void **state)
{
	(void)state;
	outline("def f():\n    import socket\n    pass\n");
	assert_non_null(value("import inside: import socket"));
	assert_non_null(strstr(value("def f"), "import socket"));
}

static void
what_leaves_its_block_is_another_line(void **state)
{
	char one[512];

	(void)state;
	outline("def f(x):\n  if x:\n    a()\n    b()\n");
	(void)snprintf(one, sizeof(one), "%s", value("def f"));
	outline("def f(x):\n  if x:\n    a()\n  b()\n");
	assert_string_not_equal(value("def f"), one);
	/* Wider indents are layout. */
	outline("def f(x):\n\tif x:\n\t\ta()\n\t\tb()\n");
	assert_string_equal(value("def f"), one);
	outline("if x:\n  a()\n");
	assert_non_null(value("run  a()"));
	outline("if x:\n  pass\na()\n");
	assert_non_null(value("run a()"));
}

static void
what_does_not_fit_is_said(void **state)
{
	struct flatjson f = {0};
	struct err e = ERR_INIT;
	size_t n = 2 * MIB;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	arena_free(arena);
	arena = arena_new(64 * MIB);
	f.a = arena;
	/* Nothing can stand behind a long line, or in a long function. */
	memset(text, 'x', n);
	assert_int_equal(pyoutline_put(&f, (uint8_t *)text, n, &e), 1);
	memcpy(text, "def f():", 8);
	for (size_t i = 8; i + 4 <= n; i += 4)
		memcpy(text + i, "\n  x", 4);
	assert_int_equal(pyoutline_put(&f, (uint8_t *)text, n, &e), 1);
	free(text);
}

static void
lines_may_end_as_on_windows(void **state)
{
	(void)state;
	outline("x = 1 + \\\r\n  2\r\ny = 3\r\n");
	assert_non_null(value("run x = 1 + 2"));
	assert_non_null(value("run y = 3"));
}

static void
what_no_interpreter_takes_ends(void **state)
{
	static const char *const bad[] = {"", "\n\n", "def", "def (",
	    "class :", "'''never closed", "x = (((\n\n", "\\", "'a\\",
	    "\t \t", "))))", "#"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		outline(bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(definitions_have_dotted_names_and_bodies),
	    cmocka_unit_test(layout_and_comments_make_no_difference),
	    cmocka_unit_test(strings_keep_their_blanks_and_hashes),
	    cmocka_unit_test(imports_inside_functions_are_told),
	    cmocka_unit_test(what_leaves_its_block_is_another_line),
	    cmocka_unit_test(what_does_not_fit_is_said),
	    cmocka_unit_test(lines_may_end_as_on_windows),
	    cmocka_unit_test(what_no_interpreter_takes_ends),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	arena_free(arena);
	return r;
}
