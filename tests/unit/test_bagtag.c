#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_bag_tag;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_bag_tag, p, n, 0);
	free(p);
}

static void
a_declaration_is_whole(void **state)
{
	(void)state;
	run("bag_tag/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_line_without_a_name_is_malformed(void **state)
{
	(void)state;
	run("bag_tag/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
an_upper_case_digest_is_malformed(void **state)
{
	(void)state;
	run("bag_tag/hostile");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_int_equal(c.anomaly_off[0], 73);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"bag_tag/good",
	    "bag_tag/truncated",
	    "bag_tag/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_bag_tag,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_declaration_is_whole),
	    cmocka_unit_test(a_line_without_a_name_is_malformed),
	    cmocka_unit_test(an_upper_case_digest_is_malformed),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
