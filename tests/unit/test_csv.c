#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_csv;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_csv, p, n, 0);
	free(p);
}

static void
a_table_is_whole(void **state)
{
	(void)state;
	run("csv/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
an_open_quote_is_incomplete(void **state)
{
	(void)state;
	run("csv/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
invisible_characters_are_told(void **state)
{
	(void)state;
	run("csv/hostile");
	assert_true(format_case_has(&c, ANOMALY_TEXT_INVISIBLE));
}

static void
prose_is_no_table(void **state)
{
	(void)state;
	assert_int_equal(format_case_bid(&format_csv, "One, two.\nThree.\nFour, five, six.\n", 34), 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"csv/good",
	    "csv/truncated",
	    "csv/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_csv,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_is_whole),
	    cmocka_unit_test(an_open_quote_is_incomplete),
	    cmocka_unit_test(invisible_characters_are_told),
	    cmocka_unit_test(prose_is_no_table),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
