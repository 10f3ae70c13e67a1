#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

static void
names_are_found_in_byte_order(void **state)
{
	struct reg_case c;
	struct reg_tree t = {0};
	size_t first, end;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "a/b", "1");
	reg_case_text(&c, "a-b", "2");
	reg_case_text(&c, "a/c/d", "3");
	reg_case_text(&c, "a", "4");
	reg_case_text(&c, "a0", "5");
	reg_case_run(&c, "none");
	assert_int_equal(c.rc, 0);
	t.file = c.file;
	t.files = c.files;
	assert_ptr_equal(reg_find(&t, "a", 1), &c.file[0]);
	assert_ptr_equal(reg_find(&t, "a/c/d", 5), &c.file[3]);
	assert_null(reg_find(&t, "a/c", 3));
	assert_null(reg_find(&t, "a/c/dd", 6));
	reg_below(&t, "a", 1, &first, &end);
	assert_int_equal(first, 2);
	assert_int_equal(end, 4);
	reg_below(&t, "", 0, &first, &end);
	assert_int_equal(end - first, 5);
	reg_below(&t, "zz", 2, &first, &end);
	assert_int_equal(end - first, 0);
	reg_case_release(&c);
}

static const struct reg_file *
follow(const struct reg_case *c, const char *path)
{
	struct reg_tree t = {c->file, c->files, NULL, NULL, NULL};

	return reg_follow(&t, reg_find(&t, path, strlen(path)));
}

static void
links_are_followed_within_the_tree_alone(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "m/blobs/00", "x");
	reg_case_link(&c, "m/snapshots/c/f", "../../blobs/00");
	reg_case_link(&c, "m/twice", "./snapshots//c/f");
	reg_case_link(&c, "m/round", "round");
	reg_case_link(&c, "m/out", "../../m/blobs/00");
	reg_case_link(&c, "m/absolute", "/m/blobs/00");
	reg_case_link(&c, "m/none", "blobs/01");
	reg_case_link(&c, "top", "m/blobs/00");
	reg_case_run(&c, "none");
	assert_string_equal(follow(&c, "m/snapshots/c/f")->path,
	    "m/blobs/00");
	assert_string_equal(follow(&c, "m/twice")->path, "m/blobs/00");
	assert_string_equal(follow(&c, "top")->path, "m/blobs/00");
	assert_string_equal(follow(&c, "m/blobs/00")->path, "m/blobs/00");
	assert_null(follow(&c, "m/round"));
	assert_null(follow(&c, "m/out"));
	assert_null(follow(&c, "m/absolute"));
	assert_null(follow(&c, "m/none"));
	reg_case_release(&c);
}

static void
digests_are_those_of_the_standards(void **state)
{
	(void)state;
	assert_string_equal(reg_case_digest(REG_MD5, "", "abc", 3),
	    "900150983cd24fb0d6963f7d28e17f72");
	assert_string_equal(reg_case_digest(REG_SHA1, "", "abc", 3),
	    "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_string_equal(reg_case_digest(REG_SHA1, "", "hello\n", 6),
	    "f572d396fae9206628714fb2ce00f72e94f2258f");
	assert_string_equal(reg_case_digest(REG_SHA256, "a", "bc", 2),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
	    "d");
	assert_string_equal(reg_case_digest(REG_BLAKE2B, "", "abc", 3),
	    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d"
	    "17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd40099"
	    "23");
	assert_string_equal(reg_case_digest(REG_SHA512, "", "abc", 3),
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39"
	    "a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca4"
	    "9f");
}

/* The process that asks so must not read what it is asked about. */
static void
a_tree_without_operations_is_asked_by_names_alone(void **state)
{
	static const char *const perhaps[] = {"web/model.json", "r/run.json",
	    "x/experiment.json", "mlflow.db", "a/data.sqlite3",
	    "metadata.db", "kubeflow/versions.json"};
	static const char *const never[] = {"a/b.json", "package.json",
	    "db", "a/b.txt", "w/n02-metadata.onnx", "g/mlflow-pyfunc.raw"};
	struct reg_file f = {0};
	struct reg_tree t = {&f, 1, NULL, NULL, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(perhaps) / sizeof(*perhaps); i++) {
		f.path = perhaps[i];
		f.path_len = strlen(f.path);
		assert_true(reg_any(&t));
		f.size = 1 << 20;
		assert_true(reg_any(&t));
		f.size = 0;
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		f.path = never[i];
		f.path_len = strlen(f.path);
		assert_false(reg_any(&t));
	}
}

/* Names that promise a registry, and bytes that are none. */
static const struct {
	const char *path, *text;
} shared[] = {
    {"web/model.json", "{\"modelTopology\": {}}"},
    {"run.json", "{}"},
    {"kubeflow.json", "{\"a\": 1}"},
    {"app.db", "no database, but as long as its head"},
    {"app.db", "short"},
    {".gitattributes", "*.txt text\n"},
    {"seldon.yaml", "apiVersion: v1\nkind: ConfigMap\n"},
    {"disk-snapshot.cfg", "disk=sda\n"},
};

static void
a_name_alone_makes_no_registry(void **state)
{
	struct reg_case c;

	(void)state;
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		reg_case_init(&c);
		reg_case_text(&c, shared[i].path, shared[i].text);
		reg_case_run(&c, NULL);
		assert_int_equal(c.rc, 0);
		assert_true(c.none);
		assert_int_equal(c.rows + c.problems, 0);
		/* One among them is enough. */
		reg_case_text(&c, "r/oci-layout", "{}");
		reg_case_run(&c, NULL);
		assert_false(c.none);
		reg_case_release(&c);
	}
}

static void
a_shared_name_that_cannot_be_read_is_told_once(void **state)
{
	static const char *const names[] = {"web/model.json",
	    "kubeflow.json", "app.db", "metadata.db", ".gitattributes",
	    "seldon.yaml"};
	struct reg_case c;
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		reg_case_init(&c);
		reg_case_refuse(&c, names[i], 100);
		reg_case_run(&c, NULL);
		assert_int_equal(c.rc, 1);
		assert_false(c.none);
		(void)snprintf(line, sizeof(line), "UNREAD path=%s "
		    "reason=not found", names[i]);
		assert_true(reg_case_has(&c, line));
		assert_int_equal(c.problems, 1);
		reg_case_release(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_found_in_byte_order),
	    cmocka_unit_test(links_are_followed_within_the_tree_alone),
	    cmocka_unit_test(digests_are_those_of_the_standards),
	    cmocka_unit_test(
		a_tree_without_operations_is_asked_by_names_alone),
	    cmocka_unit_test(a_name_alone_makes_no_registry),
	    cmocka_unit_test(a_shared_name_that_cannot_be_read_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
