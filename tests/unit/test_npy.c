#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_npy;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_npy, p, n, 0);
	free(p);
}

static void
an_array_of_numbers_is_complete(void **state)
{
	(void)state;
	run("npy/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.tensors, 1);
}

static void
missing_data_are_told(void **state)
{
	(void)state;
	run("npy/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_true(format_case_has(&c, ANOMALY_NPY_SIZE));
}

static void
an_object_array_gives_its_pickle(void **state)
{
	(void)state;
	run("npy/hostile");
	assert_true(format_case_has(&c, ANOMALY_NPY_OBJECT));
	assert_true(format_case_member(&c, "objects"));
}

static void
a_real_object_array_is_read(void **state)
{
	(void)state;
	run("benign/objects.npy");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.members, 1);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"npy/good",
	    "npy/truncated",
	    "npy/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_npy,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_array_of_numbers_is_complete),
	    cmocka_unit_test(missing_data_are_told),
	    cmocka_unit_test(an_object_array_gives_its_pickle),
	    cmocka_unit_test(a_real_object_array_is_read),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
