#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_compressed;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_compressed, p, n, 0);
	free(p);
}

static void
a_stream_gives_its_content(void **state)
{
	(void)state;
	run("compressed/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.members, 1);
	assert_int_equal(c.member_size[0], 9);
}

static void
a_stream_without_its_trailer_gives_what_there_is(void **state)
{
	(void)state;
	run("compressed/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_int_equal(c.member_size[0], 9);
}

static void
a_wrong_checksum_does_not_hide_the_content(void **state)
{
	(void)state;
	run("compressed/hostile");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_int_equal(c.member_size[0], 33);
}

static void
a_zlib_joblib_is_read(void **state)
{
	(void)state;
	run("benign/pipeline_zlib.joblib");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.members, 1);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"compressed/good",
	    "compressed/truncated",
	    "compressed/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_compressed,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream_gives_its_content),
	    cmocka_unit_test(a_stream_without_its_trailer_gives_what_there_is),
	    cmocka_unit_test(a_wrong_checksum_does_not_hide_the_content),
	    cmocka_unit_test(a_zlib_joblib_is_read),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
