#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

/*
 * Of python's json.dumps, md5 as DVC 3 makes them:
 * [{"md5": "b1946ac92492d2347c6235b4d2611184", "relpath": "a.txt"},
 *  {"md5": "9dd4e461268c8034f5c8564e155c67a6", "relpath": "sub/\u00e9.bin"}]
 */
#define DIR_MD5 "367df4d8caf73293b5c271213c0fad1c"
#define HELLO "b1946ac92492d2347c6235b4d2611184"	/* "hello\n" */
#define X "9dd4e461268c8034f5c8564e155c67a6"		/* "x" */

static void
build(struct reg_case *c)
{
	reg_case_init(c);
	reg_case_text(c, "p/.dvc/config", "[core]\n    remote = s\n"
	    "['remote \"s\"']\n    url = https://me:secret@host/x\n"
	    "    password = secret\n");
	reg_case_text(c, "p/data.dvc", "outs:\n- md5: " DIR_MD5 ".dir\n"
	    "  nfiles: 2\n  hash: md5\n  path: data\n");
	reg_case_text(c, "p/data/a.txt", "hello\n");
	reg_case_text(c, "p/data/sub/\xc3\xa9.bin", "x");
	reg_case_text(c, "p/sub/dvc.lock", "schema: '2.0'\nstages:\n"
	    "  train:\n    cmd: python t.py\n    deps:\n"
	    "    - path: ../data/a.txt\n      hash: md5\n      md5: " HELLO
	    "\n      size: 6\n    outs:\n    - path: m.pkl\n"
	    "      hash: md5\n      md5: " X "\n      size: 1\n");
	reg_case_text(c, "p/sub/m.pkl", "x");
	reg_case_text(c, "p/dvc.yaml",
	    "artifacts:\n  best:\n    path: sub/m.pkl\n    type: model\n");
	reg_case_text(c, "p/.dvc/cache/files/md5/9d/"
	    "d4e461268c8034f5c8564e155c67a6", "x");
}

static void
a_clean_project_agrees(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "dvc");
	assert_int_equal(c.rc, 0);
	assert_int_equal(reg_case_count(&c, "artifact source=p/data.dvc "
	    "artifact=p/data member=p/data algorithm=md5 digest=" DIR_MD5
	    ".dir recomputed=" DIR_MD5 ".dir agrees=true"), 1);
	assert_true(reg_case_has(&c, "artifact source=p/sub/dvc.lock "
	    "run=train artifact=p/sub/m.pkl member=p/sub/m.pkl size=1 "
	    "algorithm=md5 digest=" X " recomputed=" X " agrees=true"));
	assert_true(reg_case_has(&c, "dataset source=p/sub/dvc.lock "
	    "run=train artifact=p/data/a.txt member=p/data/a.txt size=6 "
	    "algorithm=md5 digest=" HELLO " recomputed=" HELLO
	    " agrees=true"));
	assert_true(reg_case_has(&c,
	    "model source=p/dvc.yaml model=best artifact=sub/m.pkl"));
	assert_int_equal(c.problems, 0);
	reg_case_release(&c);
}

static void
secrets_of_the_config_are_left_out(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "dvc");
	assert_true(reg_case_has(&c, "event source=p/.dvc/config "
	    "key='remote \"s\"'.url value=https://host/x"));
	assert_null(memmem(c.out.p, c.out.len, "secret", 6));
	reg_case_release(&c);
}

static void
other_bytes_are_told_by_file(void **state)
{
	static const char list[] = "[{\"md5\": \"" HELLO
	    "\", \"relpath\": \"a.txt\"}, {\"md5\": \"" X
	    "\", \"relpath\": \"sub/\\u00e9.bin\"}]";
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "p/sub/m.pkl", "y");
	reg_case_text(&c, "p/data/a.txt", "hellO\n");
	reg_case_text(&c, "p/data/planted.py", "1");
	reg_case_run(&c, "dvc");
	/* No list in the cache: the folder as a whole. */
	assert_int_equal(reg_case_count(&c, "DIGEST path=p/data.dvc "), 1);
	assert_int_equal(reg_case_count(&c, "DIGEST path=p/sub/m.pkl "), 1);
	assert_int_equal(c.problems, 2);
	reg_case_text(&c, "p/.dvc/cache/files/md5/36/"
	    "7df4d8caf73293b5c271213c0fad1c.dir", list);
	reg_case_run(&c, "dvc");
	assert_int_equal(reg_case_count(&c, "DIGEST path=p/data/a.txt "), 1);
	assert_true(reg_case_has(&c, "EXTRA path=p/data/planted.py"));
	assert_int_equal(c.problems, 3);
	reg_case_drop(&c, "p/data/sub/\xc3\xa9.bin");
	reg_case_run(&c, "dvc");
	assert_int_equal(reg_case_count(&c, "MISSING path=p/.dvc/cache"), 1);
	reg_case_release(&c);
}

static void
text_of_older_versions_is_tried_both_ways(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	/* md5 of "hello\n"; the file has CR LF. */
	reg_case_text(&c, "p/.dvc/cache/b1/946ac92492d2347c6235b4d2611184",
	    "hello\r\n");
	reg_case_text(&c, "p/t.txt", "hello\r\n");
	reg_case_text(&c, "p/t.txt.dvc",
	    "outs:\n- md5: " HELLO "\n  path: t.txt\n");
	reg_case_run(&c, "dvc");
	assert_int_equal(c.problems, 0);
	assert_int_equal(c.rows, 2);
	reg_case_text(&c, "p/t.txt.dvc", "outs:\n- md5: " HELLO
	    "\n  path: t.txt\n  hash: md5\n");
	reg_case_run(&c, "dvc");
	assert_int_equal(reg_case_count(&c, "DIGEST path=p/t.txt "), 1);
	/* With a NUL it is no text. */
	reg_case_put(&c, "p/t.txt", "hello\r\n\0", 8);
	reg_case_text(&c, "p/t.txt.dvc",
	    "outs:\n- md5: " HELLO "\n  path: t.txt\n");
	reg_case_run(&c, "dvc");
	assert_int_equal(reg_case_count(&c, "DIGEST path=p/t.txt "), 1);
	reg_case_release(&c);
}

static void
what_is_not_fetched_is_in_the_cache_or_missing(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_drop(&c, "p/sub/m.pkl");
	reg_case_run(&c, "dvc");
	assert_int_equal(c.problems, 0);
	reg_case_drop(&c, "p/.dvc/cache/files/md5/9d/"
	    "d4e461268c8034f5c8564e155c67a6");
	reg_case_run(&c, "dvc");
	assert_true(reg_case_has(&c,
	    "MISSING path=p/sub/dvc.lock named=p/sub/m.pkl"));
	reg_case_text(&c, "p/x.dvc",
	    "outs:\n- md5: " X "\n  path: ../../etc/passwd\n");
	reg_case_run(&c, "dvc");
	assert_int_equal(reg_case_count(&c, "MALFORMED path=p/x.dvc"), 1);
	reg_case_release(&c);
}

static void
documents_that_end_early_are_survived(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	assert_null(reg_case_sweep(&c, "dvc", "p/data.dvc", 200, 1));
	assert_null(reg_case_sweep(&c, "dvc", "p/sub/dvc.lock", 200, 2));
	assert_null(reg_case_sweep(&c, "dvc", "p/.dvc/config", 200, 3));
	assert_null(reg_case_sweep(&c, "dvc", "p/dvc.yaml", 100, 4));
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_clean_project_agrees),
	    cmocka_unit_test(secrets_of_the_config_are_left_out),
	    cmocka_unit_test(other_bytes_are_told_by_file),
	    cmocka_unit_test(text_of_older_versions_is_tried_both_ways),
	    cmocka_unit_test(what_is_not_fetched_is_in_the_cache_or_missing),
	    cmocka_unit_test(documents_that_end_early_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
