#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_safetensors;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_safetensors, p, n, 0);
	free(p);
}

static void
a_good_file_gives_its_tensors(void **state)
{
	(void)state;
	run("safetensors/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.tensors, 1);
}

static void
a_real_file_has_nothing_odd(void **state)
{
	(void)state;
	run("benign/digits.safetensors");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_true(c.tensors > 4);
}

static void
a_tensor_beyond_the_end_is_told(void **state)
{
	(void)state;
	run("safetensors/truncated");
	assert_true(format_case_has(&c, ANOMALY_ST_OUT_OF_FILE));
}

static void
a_name_twice_a_gap_and_a_tail_are_told(void **state)
{
	(void)state;
	run("safetensors/hostile");
	assert_true(format_case_has(&c, ANOMALY_ST_DUPLICATE_KEY));
	assert_true(format_case_has(&c, ANOMALY_ST_GAP));
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
	assert_int_equal(c.tensors, 2);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"safetensors/good",
	    "safetensors/truncated",
	    "safetensors/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_safetensors,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file_gives_its_tensors),
	    cmocka_unit_test(a_real_file_has_nothing_odd),
	    cmocka_unit_test(a_tensor_beyond_the_end_is_told),
	    cmocka_unit_test(a_name_twice_a_gap_and_a_tail_are_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
