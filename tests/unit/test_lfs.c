#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_lfs_pointer;

static struct format_case c;

#define BID(text) \
	format_case_bid(&format_lfs_pointer, text, sizeof(text) - 1)

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_lfs_pointer, p, n, 0);
	free(p);
}

static void
a_pointer_is_told_with_what_it_points_to(void **state)
{
	(void)state;
	run("lfs_pointer/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_LFS_POINTER));
	assert_true(BID("version https://git-lfs.github.com/spec/v1\n")
	    >= 24);
	assert_int_equal(BID("version https://git-lfs.github.com/spec/v2\n"),
	    0);
}

static void
a_cut_pointer_is_incomplete(void **state)
{
	(void)state;
	run("lfs_pointer/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
}

static void
bytes_behind_the_size_are_told(void **state)
{
	(void)state;
	run("lfs_pointer/hostile");
	assert_true(format_case_has(&c, ANOMALY_LFS_POINTER));
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"lfs_pointer/good",
	    "lfs_pointer/truncated", "lfs_pointer/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_lfs_pointer,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pointer_is_told_with_what_it_points_to),
	    cmocka_unit_test(a_cut_pointer_is_incomplete),
	    cmocka_unit_test(bytes_behind_the_size_are_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
