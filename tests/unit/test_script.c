#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_script;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_script, p, n, 0);
	free(p);
}

static void
a_script_is_text_with_a_note(void **state)
{
	(void)state;
	run("script/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.anomaly[0], ANOMALY_EXE_SCRIPT);
}

static void
a_cut_character_is_malformed(void **state)
{
	(void)state;
	run("script/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
}

static void
what_hides_in_a_comment_is_told(void **state)
{
	(void)state;
	run("script/hostile");
	assert_true(format_case_has(&c, ANOMALY_TEXT_INVISIBLE));
}

static void
binary_is_no_script(void **state)
{
	(void)state;
	assert_int_equal(format_case_bid(&format_script, "#!/bin/sh\n\0", 11),
	    0);
	assert_int_equal(format_case_bid(&format_script, "a\n", 2), 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"script/good",
	    "script/truncated", "script/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_script,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_is_text_with_a_note),
	    cmocka_unit_test(a_cut_character_is_malformed),
	    cmocka_unit_test(what_hides_in_a_comment_is_told),
	    cmocka_unit_test(binary_is_no_script),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
