#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_tar;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_tar, p, n, 0);
	free(p);
}

static void
a_member_is_a_range(void **state)
{
	(void)state;
	run("tar/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.members, 1);
	assert_int_equal(c.member_flags[0], MEMBER_STORED);
	assert_int_equal(c.member_size[0], 6);
}

static void
a_cut_member_is_told_and_given_as_far_as_it_goes(void **state)
{
	(void)state;
	run("tar/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	assert_int_equal(c.member_size[0], 2);
}

static void
a_link_that_leaves_and_a_file_through_it_are_told(void **state)
{
	(void)state;
	run("tar/hostile");
	assert_true(format_case_has(&c, ANOMALY_LINK_OUTSIDE));
	assert_int_equal(c.anomalies, 2);
	assert_true(format_case_member(&c, "out/x.pkl"));
}

static void
every_byte_is_explained_or_filler(void **state)
{
	size_t n;
	uint8_t *p = format_case_sample("tar/good", &n);
	bool filler = false;

	(void)state;
	format_case_run(&c, &format_tar, p, n, 0);
	assert_int_equal(format_case_unexplained(&c, n), 0);
	/* What fills the member's last block is filler, and nothing else. */
	for (unsigned i = 0; i < c.covers; i++)
		filler |= c.cover[i].padding && c.cover[i].off == 518 &&
		    c.cover[i].len == 506;
	assert_true(filler);
	free(p);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"tar/good",
	    "tar/truncated",
	    "tar/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_tar,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_member_is_a_range),
	    cmocka_unit_test(a_cut_member_is_told_and_given_as_far_as_it_goes),
	    cmocka_unit_test(a_link_that_leaves_and_a_file_through_it_are_told),
	    cmocka_unit_test(every_byte_is_explained_or_filler),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
