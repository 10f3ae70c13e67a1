#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_image;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_image, p, n, 0);
	free(p);
}

static void
a_picture_is_walked_to_its_end(void **state)
{
	(void)state;
	run("image/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_cut_picture_is_incomplete(void **state)
{
	(void)state;
	run("image/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
what_stands_behind_is_told(void **state)
{
	(void)state;
	run("image/hostile");
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.members, 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"image/good",
	    "image/truncated",
	    "image/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_image,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_picture_is_walked_to_its_end),
	    cmocka_unit_test(a_cut_picture_is_incomplete),
	    cmocka_unit_test(what_stands_behind_is_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
