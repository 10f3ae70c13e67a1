#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_torch_legacy;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_torch_legacy, p, n, 0);
	free(p);
}

static void
five_pickles_are_read(void **state)
{
	(void)state;
	run("torch_legacy/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_missing_object_is_incomplete(void **state)
{
	(void)state;
	run("torch_legacy/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
a_payload_in_the_fourth_pickle_is_told(void **state)
{
	(void)state;
	run("torch_legacy/hostile");
	assert_true(format_case_called(&c, "subprocess.Popen('id')"));
}

static void
a_real_file_has_nothing_odd(void **state)
{
	(void)state;
	run("benign/digits_state_dict_legacy.pt");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.tensors, 9);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"torch_legacy/good",
	    "torch_legacy/truncated",
	    "torch_legacy/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_torch_legacy,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_pickles_are_read),
	    cmocka_unit_test(a_missing_object_is_incomplete),
	    cmocka_unit_test(a_payload_in_the_fourth_pickle_is_told),
	    cmocka_unit_test(a_real_file_has_nothing_odd),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
