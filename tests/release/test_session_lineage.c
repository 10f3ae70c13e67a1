#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/job.h"
#include "analyzer/diff/session.h"
#include "base/err.h"
#include "tests/lib/parent.h"

/* --against: which of the known versions a model came from. */
#define TEXT(s) {(s), sizeof(s) - 1}

/* As far apart as their first parts differ in size; "dead" kills. */
static int
measures(void *arg, int fd)
{
	const struct diff_job *job = arg;
	double a = (double)job->side[ROW_OLD].v[0].size;
	double b = (double)job->side[ROW_NEW].v[0].size;
	struct row_version v = {.path = TEXT(""), .shared = a == 7 ? 0 : 10,
	    .distance = a == 7 ? 1.0 / 0.0 : (a > b ? a - b : b - a) / 100};

	parent_begin(fd);
	if (job->mode == DIFF_CLOSENESS) {
		if (a == 13)
			(void)raise(SIGSEGV);
		(void)parent_rows.version(parent_rows.ctx, &v);
	} else {
		parent_tensor();
	}
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static void
known_versions_are_ranked_and_the_closest_compared(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = parent_at("known/new.npy"), .against = parent_at("known"),
	    .worker = measures};

	(void)state;
	assert_int_equal(mkdir(parent_at("known"), 0700), 0);
	assert_int_equal(mkdir(parent_at("known/v3"), 0700), 0);
	assert_int_equal(mkdir(parent_at("known/notes"), 0700), 0);
	parent_put("known/new.npy", 100);
	parent_put("known/v1.npy", 140);
	parent_put("known/v2-00001-of-00002.npy", 110);
	parent_put("known/v2-00002-of-00002.npy", 110);
	parent_put("known/v3/m.npy", 200);
	parent_put("known/v4.npy", 7);
	parent_put("known/v5.npy", 13);
	parent_put("known/readme", 1);
	parent_put("known/notes/x", 1);
	assert_int_equal(parent_run(&o, NULL), 0);
	assert_string_equal(parent_told, "header diff - known/new.npy\n"
	    "finding SCAN-CRASH known/v5.npy SIGSEGV\n"
	    "version known/v2-00001-of-00002.npy #1 0.10 parent rollback\n"
	    "version known/v1.npy #2 0.40\n"
	    "version known/v3 #3 1.00\n"
	    "version known/v4.npy #4 nan\n"
	    "tensor known/v2-00001-of-00002.npy known/new.npy\n"
	    "summary 1 incomplete, 1 high\n");
	assert_int_equal(parent_sum.sums.versions, 4);
}

static void
what_is_far_from_all_has_no_parent(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = parent_at("alien.npy"), .against = parent_at("known"),
	    .worker = measures};

	(void)state;
	parent_put("alien.npy", 300);
	assert_int_equal(parent_run(&o, NULL), 0);
	assert_non_null(strstr(parent_told, "#1 1.00 rollback\n"));
	assert_null(strstr(parent_told, "parent"));
}

/* Root opens everything: the test drops to nobody where it must. */
static void
a_version_that_cannot_be_opened_is_named(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = parent_at("shut/new.npy"), .against = parent_at("shut"),
	    .worker = measures};
	int r;

	(void)state;
	assert_int_equal(mkdir(parent_at("shut"), 0755), 0);
	parent_put("shut/new.npy", 100);
	parent_put("shut/v1.npy", 140);
	parent_put("shut/v2.npy", 110);
	assert_int_equal(chmod(parent_top, 0755), 0);
	assert_int_equal(chmod(parent_at("shut"), 0755), 0);
	assert_int_equal(chmod(parent_at("shut/new.npy"), 0644), 0);
	assert_int_equal(chmod(parent_at("shut/v1.npy"), 0644), 0);
	assert_int_equal(chmod(parent_at("shut/v2.npy"), 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	r = parent_run(&o, NULL);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, 0);
	assert_non_null(strstr(parent_told,
	    "finding DIFF-UNREAD shut/v2.npy "));
	assert_non_null(strstr(parent_told, "version shut/v1.npy #1 0.40"));
	assert_int_equal(parent_sum.base.incomplete, 1);
}

static void
of_a_case_the_bundles_are_the_versions(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = parent_at("alien.npy"), .against = parent_at("case"),
	    .worker = measures};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdir(parent_at("case"), 0700), 0);
	assert_int_equal(mkdir(parent_at("case/bundles"), 0700), 0);
	parent_put("case/case.db", 1);
	parent_put("case/x.npy", 300);
	assert_int_equal(parent_run(&o, &e), ERR_NOTFOUND);
	parent_put("case/bundles/E01.tar", 280);
	assert_int_equal(parent_run(&o, NULL), 0);
	assert_non_null(strstr(parent_told,
	    "version case/bundles/E01.tar #1 0.20 parent rollback\n"));
	assert_null(strstr(parent_told, "x.npy"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    known_versions_are_ranked_and_the_closest_compared),
		cmocka_unit_test(what_is_far_from_all_has_no_parent),
		cmocka_unit_test(a_version_that_cannot_be_opened_is_named),
		cmocka_unit_test(of_a_case_the_bundles_are_the_versions),
	};

	return cmocka_run_group_tests(tests, parent_setup, parent_teardown);
}
