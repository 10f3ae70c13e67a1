#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_gitattributes;

static struct format_case c;

#define BID(text) \
	format_case_bid(&format_gitattributes, text, sizeof(text) - 1)

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_gitattributes, p, n, 0);
	free(p);
}

static void
filters_of_lfs_are_usual(void **state)
{
	(void)state;
	run("gitattributes/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
another_filter_is_told(void **state)
{
	(void)state;
	run("gitattributes/hostile");
	assert_true(format_case_has(&c, ANOMALY_GIT_FILTER));
	run("gitattributes/truncated");
	assert_true(format_case_has(&c, ANOMALY_GIT_FILTER));
}

static void
every_line_must_have_an_attribute(void **state)
{
	(void)state;
	assert_true(BID("# x\n*.bin filter=lfs -text\n") > 12);
	assert_int_equal(BID("*.bin filter=lfs\nsome words\n"), 0);
	assert_int_equal(BID("some text\n"), 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"gitattributes/good",
	    "gitattributes/truncated", "gitattributes/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_gitattributes,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters_of_lfs_are_usual),
	    cmocka_unit_test(another_filter_is_told),
	    cmocka_unit_test(every_line_must_have_an_attribute),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
