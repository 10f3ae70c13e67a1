#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_yaml;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_yaml, p, n, 0);
	free(p);
}

static void
a_document_is_whole(void **state)
{
	(void)state;
	run("yaml/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_cut_character_is_told(void **state)
{
	(void)state;
	run("yaml/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
a_python_tag_is_told(void **state)
{
	(void)state;
	run("yaml/hostile");
	assert_true(format_case_has(&c, ANOMALY_YAML_TAG));
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"yaml/good",
	    "yaml/truncated",
	    "yaml/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_yaml,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_is_whole),
	    cmocka_unit_test(a_cut_character_is_told),
	    cmocka_unit_test(a_python_tag_is_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
