#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define COMMIT "2439f60ef33a0d46d85da5001d52aeda5b00ce9f"
#define BLOB "ce013625030ba8dba906f756967f9e9ca394464a"	/* "hello\n" */
#define META "m/.cache/huggingface/download/"

static void
build(struct reg_case *c)
{
	reg_case_init(c);
	reg_case_text(c, "m/sub/f", "hello\n");
	reg_case_text(c, META "sub/f.metadata",
	    COMMIT "\n" BLOB "\n1722870000.25\n");
	reg_case_text(c, META "sub/f.lock", "");
}

static void
a_download_agrees_with_its_record(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "hf-local");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.problems, 0);
	assert_true(reg_case_has(&c, "artifact source=" META
	    "sub/f.metadata version=" COMMIT " commit=" COMMIT
	    " artifact=sub/f member=m/sub/f algorithm=git-sha1 digest=" BLOB
	    " recomputed=" BLOB " agrees=true created=1722870000250000000"));
	reg_case_release(&c);
}

static void
a_record_of_the_plain_sha1_agrees(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, META "sub/f.metadata", COMMIT
	    "\nf572d396fae9206628714fb2ce00f72e94f2258f\n1\n");
	reg_case_run(&c, "hf-local");
	assert_int_equal(c.problems, 0);
	assert_non_null(strstr(buf_str(&c.out), "algorithm=sha1"));
	reg_case_release(&c);
}

static void
what_was_changed_added_or_removed_is_told(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "m/sub/f", "hellO\n");
	reg_case_text(&c, "m/evil.py", "1");
	reg_case_text(&c, "m/other.py", "1");
	reg_case_text(&c, META "gone.metadata", COMMIT "\n" BLOB "\n1\n");
	reg_case_run(&c, "hf-local");
	assert_int_equal(reg_case_count(&c, "DIGEST path=m/sub/f "), 1);
	assert_true(reg_case_has(&c, "MISSING path=" META
	    "gone.metadata named=gone"));
	assert_true(reg_case_has(&c, "EXTRA path=m/evil.py files=2"));
	assert_int_equal(c.problems, 3);
	reg_case_release(&c);
}

static void
a_tree_that_names_another_digest_disagrees(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "m/.cache/huggingface/trees/" COMMIT ".json",
	    "{\"files\":{\"sub/f\":{\"size\":6,\"blob_id\":\"" COMMIT
	    "\"}}}");
	reg_case_run(&c, "hf-local");
	assert_true(reg_case_has(&c, "DISAGREES path=" META
	    "sub/f.metadata tree=" COMMIT " metadata=" BLOB));
	assert_int_equal(c.problems, 1);
	reg_case_release(&c);
}

static void
records_that_are_none_are_malformed(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	assert_null(reg_case_sweep(&c, "hf-local", META "sub/f.metadata", 300,
	    1));
	reg_case_text(&c, META "sub/f.metadata", COMMIT "\n\"etag\"\n1\n");
	reg_case_run(&c, "hf-local");
	assert_int_equal(c.rc, 1);
	assert_true(reg_case_has(&c, "MALFORMED path=" META
	    "sub/f.metadata reason=not a digest"));
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_download_agrees_with_its_record),
	    cmocka_unit_test(a_record_of_the_plain_sha1_agrees),
	    cmocka_unit_test(what_was_changed_added_or_removed_is_told),
	    cmocka_unit_test(a_tree_that_names_another_digest_disagrees),
	    cmocka_unit_test(records_that_are_none_are_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
