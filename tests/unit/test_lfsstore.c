#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define WEIGHTS "weights"

struct repo {
	struct reg_case c;
	char oid[65], pointer[256], object[256];
};

static void
build(struct repo *k)
{
	reg_case_init(&k->c);
	(void)snprintf(k->oid, sizeof(k->oid), "%s",
	    reg_case_digest(REG_SHA256, "", WEIGHTS, 7));
	(void)snprintf(k->pointer, sizeof(k->pointer),
	    "version https://git-lfs.github.com/spec/v1\noid sha256:%s\n"
	    "size 7\n", k->oid);
	(void)snprintf(k->object, sizeof(k->object),
	    "r/.git/lfs/objects/%.2s/%.2s/%s", k->oid, k->oid + 2, k->oid);
	reg_case_text(&k->c, "r/.gitattributes",
	    "*.bin filter=lfs diff=lfs merge=lfs -text\n");
	reg_case_text(&k->c, "r/m.bin", k->pointer);
	reg_case_text(&k->c, k->object, WEIGHTS);
	reg_case_text(&k->c, "r/readme", "text");
}

static void
a_pointer_and_its_object_agree(void **state)
{
	struct repo k;
	char line[1024];

	(void)state;
	build(&k);
	reg_case_run(&k.c, "git-lfs");
	assert_int_equal(k.c.rc, 0);
	assert_int_equal(k.c.problems, 0);
	(void)snprintf(line, sizeof(line), "artifact source=r/m.bin "
	    "status=pointer artifact=m.bin member=%s size=7 "
	    "algorithm=sha256 digest=%s", k.object, k.oid);
	assert_true(reg_case_has(&k.c, line));
	assert_int_equal(k.c.rows, 2);
	reg_case_release(&k.c);
}

static void
an_object_must_have_its_name(void **state)
{
	struct repo k;
	size_t n;

	(void)state;
	build(&k);
	reg_case_bytes(&k.c, k.object, &n)[0] = 'W';
	reg_case_run(&k.c, "git-lfs");
	assert_int_equal(reg_case_count(&k.c, "DIGEST path=r/.git/lfs/"), 1);
	assert_int_equal(k.c.problems, 1);
	reg_case_text(&k.c, k.object, "weights and more");
	reg_case_run(&k.c, "git-lfs");
	assert_int_equal(reg_case_count(&k.c, "SIZE "), 1);
	assert_int_equal(reg_case_count(&k.c, "DIGEST "), 1);
	reg_case_release(&k.c);
}

static void
a_pointer_without_its_object_is_told(void **state)
{
	struct repo k;
	char line[1024];

	(void)state;
	build(&k);
	reg_case_drop(&k.c, k.object);
	reg_case_text(&k.c, "r/.git/lfs/incomplete/x", "wei");
	reg_case_run(&k.c, "git-lfs");
	(void)snprintf(line, sizeof(line), "POINTER path=r/m.bin sha256=%s",
	    k.oid);
	assert_true(reg_case_has(&k.c, line));
	assert_true(reg_case_has(&k.c, "event source=r/.git/lfs/incomplete/x "
	    "member=r/.git/lfs/incomplete/x size=3 "
	    "key=incomplete-download"));
	reg_case_release(&k.c);
}

/* It may be a pointer: nobody has seen that it is none. */
static void
a_small_file_that_cannot_be_read_is_told(void **state)
{
	struct repo k;

	(void)state;
	build(&k);
	reg_case_refuse(&k.c, "r/other.bin", 130);
	reg_case_refuse(&k.c, "r/large.bin", 5000);
	reg_case_run(&k.c, "git-lfs");
	assert_true(reg_case_has(&k.c, "UNREAD path=r/other.bin "
	    "reason=not found"));
	assert_int_equal(k.c.problems, 1);
	assert_int_equal(k.c.rc, 1);
	reg_case_release(&k.c);
}

static void
attributes_further_down_speak_for_their_folder(void **state)
{
	struct repo k;

	(void)state;
	build(&k);
	reg_case_text(&k.c, "r/sub/.gitattributes", "*.bin filter=lfs\n");
	reg_case_text(&k.c, "r/sub/deep/n.bin", k.pointer);
	reg_case_run(&k.c, "git-lfs");
	/* Once, and below sub/ there is no object of its own. */
	assert_int_equal(reg_case_count(&k.c,
	    "artifact source=r/sub/deep/n.bin"), 1);
	assert_null(reg_case_sweep(&k.c, "git-lfs", "r/m.bin", 300, 3));
	reg_case_release(&k.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pointer_and_its_object_agree),
	    cmocka_unit_test(an_object_must_have_its_name),
	    cmocka_unit_test(a_pointer_without_its_object_is_told),
	    cmocka_unit_test(a_small_file_that_cannot_be_read_is_told),
	    cmocka_unit_test(attributes_further_down_speak_for_their_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
