#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "formats/reg/pbtext.h"
#include "tests/lib/reg_case.h"

#define CONFIG "name: \"m\"\nbackend: \"onnxruntime\" # a comment\n" \
    "max_batch_size: 8\ninput [ { name: \"x\" dims: [ 1, 2 ] } ]\n" \
    "parameters { key: \"k\" value { string_value: \"a\" \"b\\n\" } }\n"

static void
build(struct reg_case *c)
{
	reg_case_init(c);
	reg_case_text(c, "repo/m/config.pbtxt", CONFIG);
	reg_case_text(c, "repo/m/1/model.onnx", "a");
	reg_case_text(c, "repo/m/12/model.onnx", "b");
	reg_case_text(c, "repo/m/labels.txt", "b");
	reg_case_text(c, "repo/m/0/model.onnx", "b");
}

static void
a_model_has_versions_and_settings(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "triton");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.problems, 0);
	assert_true(reg_case_has(&c, "model source=repo/m/config.pbtxt "
	    "model=m key=backend value=onnxruntime"));
	assert_true(reg_case_has(&c, "model source=repo/m/config.pbtxt "
	    "model=m key=k value=ab\\x0A"));
	assert_true(reg_case_has(&c, "version source=repo/m/12/model.onnx "
	    "model=m version=12"));
	assert_true(reg_case_has(&c, "artifact source=repo/m/1/model.onnx "
	    "model=m version=1 artifact=1/model.onnx "
	    "member=repo/m/1/model.onnx size=1"));
	assert_int_equal(reg_case_count(&c, "version "), 2);
	reg_case_release(&c);
}

static void
code_of_its_own_is_told(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "repo/m/1/model.py", "import os");
	reg_case_text(&c, "repo/m/libtriton_x.so", "x");
	reg_case_run(&c, "triton");
	assert_true(reg_case_has(&c, "CODE path=repo/m/1/model.py "
	    "reason=the python backend runs it"));
	assert_true(reg_case_has(&c, "CODE path=repo/m/libtriton_x.so "
	    "reason=a backend of its own"));
	reg_case_text(&c, "repo/m/config.pbtxt", "name: \"other\" parameters: {"
	    "key: \"EXECUTION_ENV_PATH\", value: { string_value: \"x.tgz\" } "
	    "}");
	reg_case_run(&c, "triton");
	assert_true(reg_case_has(&c, "CODE path=repo/m/config.pbtxt "
	    "reason=an environment of its own"));
	assert_true(reg_case_has(&c, "DISAGREES path=repo/m/config.pbtxt "
	    "config=other folder=m"));
	reg_case_release(&c);
}

static void
texts_that_are_none_are_malformed(void **state)
{
	static const char *const bad[] = {"name \"m\"", "name: ", "a {",
	    "name: \"m", "x: \"\\q\"", "}", "a: [ 1, { b: 2 ]"};
	struct reg_case c;

	(void)state;
	build(&c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		reg_case_text(&c, "repo/m/config.pbtxt", bad[i]);
		reg_case_run(&c, "triton");
		assert_int_equal(c.rc, 1);
		assert_int_equal(reg_case_count(&c, "MALFORMED "), 1);
	}
	reg_case_text(&c, "repo/m/config.pbtxt", CONFIG);
	assert_null(reg_case_sweep(&c, "triton", "repo/m/config.pbtxt", 1000,
	    1));
	reg_case_release(&c);
}

static void
leaves_come_with_their_paths(void **state)
{
	static const char in[] = "a: 1 b { c: [ 'x', \"y\" ] d < e: true > } "
	    "f: [ { g: -1.5 }, { g: 2 } ]";
	static const char *const want[] = {"a=1", "b.c=x", "b.c=y",
	    "b.d.e=true", "f.g=-1.5", "f.g=2"};
	struct arena *a = arena_new(MIB);
	struct pbtext_leaf l;
	struct pbtext t;
	char line[64];

	(void)state;
	assert_non_null(a);
	pbtext_init(&t, in, strlen(in), a);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(pbtext_next(&t, &l), PBTEXT_LEAF);
		(void)snprintf(line, sizeof(line), "%s=%s", l.path, l.value);
		assert_string_equal(line, want[i]);
	}
	assert_int_equal(pbtext_next(&t, &l), PBTEXT_END);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_model_has_versions_and_settings),
	    cmocka_unit_test(code_of_its_own_is_told),
	    cmocka_unit_test(texts_that_are_none_are_malformed),
	    cmocka_unit_test(leaves_come_with_their_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
