#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
	    cmocka_unit_test(what_no_interpreter_takes_ends),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	arena_free(arena);
	return r;
}
