#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/around.h"
#include "base/err.h"
#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"

/* Folders with one small model each, and what else is given. */
static struct diff_case told;

struct file {
	const char *path, *text;
};

static void
fill(struct model_case *m, const struct file *v, size_t n)
{
	static const float x[4] = {1, 2, 3, 4};
	static const struct model_tensor w = {"w", "F32", {4}, 1, x, 16};

	model_case_add(m, "model.safetensors", &w, 1);
	for (size_t i = 0; i < n; i++)
		if (v[i].path != NULL)
			model_case_bytes(m, v[i].path, v[i].text,
			    strlen(v[i].text));
}

/* How many changes there are. */
static unsigned
compare(const struct file *a, size_t na, const struct file *b, size_t nb)
{
	struct model_case old = {0}, new = {0};

	fill(&old, a, na);
	fill(&new, b, nb);
	/* A folder has more than one file. */
	model_case_bytes(&old, "z.bin", "same", 4);
	model_case_bytes(&new, "z.bin", "same", 4);
	diff_case_models(&told, &old, &new, DIFF_FULL);
	return told.nchanges;
}

static unsigned
one(const char *path, const char *old, const char *new)
{
	const struct file a = {path, old}, b = {path, new};

	return compare(&a, old != NULL, &b, new != NULL);
}

static void
the_same_files_have_no_changes(void **state)
{
	static const struct file v[] = {{"config.json", "{\"a\": 1}"},
	    {"m.py", "import os\n"}, {"README.md", "words\n"}};

	(void)state;
	assert_int_equal(compare(v, 3, v, 3), 0);
	assert_int_equal(told.findings, 0);
}

static void
each_kind_of_file_is_compared_as_what_it_is(void **state)
{
	static const struct {
		const char *path, *old, *new, *key;
		enum change_area area;
	} v[] = {
	    {"config.json", "{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 2}}",
	    "a.b", CHANGE_CONFIG},
	    {"generation_config.json", "{\"t\": 1}", "{\"t\": 2}", "t",
	    CHANGE_GENERATION},
	    {"tokenizer_config.json", "{\"t\": 1}", "{\"t\": 2}", "t",
	    CHANGE_TOKENIZER},
	    {"sub/m.py", "def f():\n  return 1\n",
	    "def f():\n  return 2\n", "def f", CHANGE_CODE},
	    {"requirements.txt", "torch==2.1\nnumpy\n",
	    "numpy\nTorch == 2.2  # new\n", "torch", CHANGE_DEPENDENCIES},
	    {"LICENSE", "MIT  licence\n", "No licence", "text",
	    CHANGE_LICENCE},
	    {"data.bin", "abc", "abd", "", CHANGE_FILE}};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(one(v[i].path, v[i].old, v[i].new), 1);
		assert_int_equal(told.change[0].area, v[i].area);
		assert_int_equal(told.change[0].what, CHANGE_CHANGED);
		assert_string_equal(told.change[0].key, v[i].key);
		assert_string_equal(told.change[0].path, v[i].path);
	}
}

static void
layout_is_no_change(void **state)
{
	static const struct {
		const char *path, *old, *new;
	} v[] = {{"config.json", "{\"a\":1,\"b\":[2]}",
	    "{\n  \"b\": [ 2 ],\n  \"a\": 1\n}"},
	    {"m.py", "def f(a, b):\n  return a\n",
	    "# why\ndef f(a,\n      b):\n\n\treturn a  # so\n"},
	    {"LICENSE.txt", "a b\nc", "a  b c\n"},
	    {"requirements.txt", "a==1\nb_c\n", "B-C  # x\n\na == 1\n"},
	    {"chat_template.jinja", "{% if a -%} x {% endif %}",
	    "{# c #}{%if a%} x\n{% endif %}"}};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_int_equal(one(v[i].path, v[i].old, v[i].new), 0);
}

static void
files_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(one("x.bin", NULL, "abc"), 1);
	assert_int_equal(told.change[0].what, CHANGE_ADDED);
	assert_int_equal(one("x.bin", "abc", NULL), 1);
	assert_int_equal(told.change[0].what, CHANGE_REMOVED);
	assert_true(one("m.py", NULL, "import os\nos.system('x')\n") >= 2);
	assert_int_equal(diff_case_changes(&told, CHANGE_CODE, "import os"),
	    1);
	assert_true(told.finding[FINDING_DIFF_CODE] > 0);
	/* What goes away is no alarm. */
	(void)one("m.py", "import os\n", NULL);
	assert_int_equal(told.finding[FINDING_DIFF_CODE], 0);
}

static void
a_template_may_move_to_a_file_of_its_own(void **state)
{
	static const struct file inside[] = {{"tokenizer_config.json",
	    "{\"chat_template\": \"{% if a %}{{ b }}{% endif %}\"}"}};
	static const struct file apart[] = {
	    {"tokenizer_config.json", "{}"},
	    {"chat_template.jinja", "{% if a %}{{ b }}{% endif %}"}};
	static const struct file other[] = {
	    {"tokenizer_config.json", "{}"},
	    {"chat_template.jinja", "{% if c %}{{ b }}{% endif %}"}};

	(void)state;
	(void)compare(inside, 1, apart, 2);
	assert_int_equal(diff_case_changes(&told, CHANGE_TEMPLATE, NULL), 0);
	assert_int_equal(told.finding[FINDING_DIFF_TEMPLATE], 0);
	(void)compare(inside, 1, other, 2);
	assert_int_equal(diff_case_changes(&told, CHANGE_TEMPLATE,
	    "default: does if c"), 1);
	assert_true(told.finding[FINDING_DIFF_TEMPLATE] > 0);
}

/* A loader may read the other one. */
static void
a_vocabulary_beside_the_one_that_is_read_is_compared(void **state)
{
	static const struct file old[] = {
	    {"tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": "
	    "{\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}"},
	    {"vocab.json", "{\"a\": 0, \"b\": 1}"},
	    {"merges.txt", "#version: 0.2\n"}};
	static const struct file new[] = {
	    {"tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": "
	    "{\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}"},
	    {"vocab.json", "{\"a\": 1, \"b\": 0}"},
	    {"merges.txt", "#version: 0.2\na b\n"}};

	(void)state;
	assert_int_equal(compare(old, 3, old, 3), 0);
	assert_int_equal(compare(old, 3, new, 3), 2);
	assert_int_equal(told.change[0].area, CHANGE_TOKENIZER);
	assert_int_equal(told.change[1].area, CHANGE_TOKENIZER);
	/* Read with vocab.json: told once, by what they hold. */
	assert_int_equal(compare(old + 1, 1, new + 1, 1), 1);
	assert_true(told.finding[FINDING_DIFF_VOCABULARY] > 0);
	for (unsigned i = 0; i < told.nchanges; i++)
		assert_true(told.change[i].key[0] != '\0');
}

/* Longer than is read, or broken: a change of it is still a change. */
static void
a_template_that_cannot_be_read_is_told_by_its_digest(void **state)
{
	static char x[AROUND_TEXT_MAX + 16], y[sizeof(x)];

	(void)state;
	memset(x, 'x', sizeof(x) - 1);
	memcpy(y, x, sizeof(x));
	assert_int_equal(one("chat_template.jinja", x, y), 0);
	y[5] = 'y';
	assert_int_equal(one("chat_template.jinja", x, y), 1);
	assert_int_equal(told.change[0].area, CHANGE_TEMPLATE);
	assert_int_equal(told.finding[FINDING_DIFF_TEMPLATE], 1);
	assert_int_equal(one("chat_template.json", "{\"chat_template\": 1",
	    "{\"chat_template\": 2"), 1);
	assert_int_equal(told.finding[FINDING_DIFF_TEMPLATE], 1);
}

static void
code_that_is_no_text_is_still_a_change_of_code(void **state)
{
	static char long_line[2 * 1024 * 1024];

	(void)state;
	memset(long_line, 'x', sizeof(long_line) - 1);
	(void)one("m.py", "import os\n", long_line);
	assert_int_equal(told.nchanges, 1);
	assert_int_equal(told.change[0].area, CHANGE_CODE);
	assert_int_equal(told.finding[FINDING_DIFF_CODE], 1);
}

static void
a_folder_and_a_bundle_of_it_are_paired(void **state)
{
	static const struct doc folder[] = {{"config.json", 11, "json",
	    NULL, 0}, {"sub/config.json", 15, "json", NULL, 0}};
	static const struct doc bundle[] = {
	    {"data/weights/m/config.json", 26, "json", NULL, 0},
	    {"data/weights/m/sub/config.json", 30, "json", NULL, 0}};
	const struct docs a = {folder, 2}, b = {bundle, 2};
	struct err e = ERR_INIT;
	size_t to[2];

	(void)state;
	assert_int_equal(around_pair(&a, &b, to, &e), 0);
	assert_int_equal(to[1], 1);
	assert_int_equal(to[0], 0);
	assert_int_equal(around_pair(&b, &a, to, &e), 0);
	assert_int_equal(to[1], 1);
	assert_int_equal(to[0], 0);
}

static void
files_beside_a_lone_model_are_compared_by_role(void **state)
{
	struct model_case old = {0}, new = {0};

	(void)state;
	fill(&old, NULL, 0);
	fill(&new, NULL, 0);
	model_case_bytes(&old, "config.json", "{\"a\": 1}", 8);
	model_case_bytes(&new, "config.json", "{\"a\": 2}", 8);
	model_case_bytes(&old, "notes.bin", "1", 1);
	model_case_bytes(&new, "notes.bin", "2", 1);
	for (size_t i = 1; i < 3; i++)
		old.part[i].flags = new.part[i].flags = PART_BESIDE;
	diff_case_models(&told, &old, &new, DIFF_FULL);
	assert_int_equal(told.nchanges, 1);
	assert_int_equal(told.change[0].area, CHANGE_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_files_have_no_changes),
	    cmocka_unit_test(each_kind_of_file_is_compared_as_what_it_is),
	    cmocka_unit_test(layout_is_no_change),
	    cmocka_unit_test(files_come_and_go),
	    cmocka_unit_test(a_template_may_move_to_a_file_of_its_own),
	    cmocka_unit_test(
		a_vocabulary_beside_the_one_that_is_read_is_compared),
	    cmocka_unit_test(
		a_template_that_cannot_be_read_is_told_by_its_digest),
	    cmocka_unit_test(
		code_that_is_no_text_is_still_a_change_of_code),
	    cmocka_unit_test(a_folder_and_a_bundle_of_it_are_paired),
	    cmocka_unit_test(files_beside_a_lone_model_are_compared_by_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
