#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_zip;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_zip, p, n, 0);
	free(p);
}

static void
a_plain_archive_gives_its_members(void **state)
{
	(void)state;
	run("zip/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.members, 2);
	assert_true(format_case_member(&c, "readme.txt"));
	assert_int_equal(c.member_size[1], 9);
}

static void
a_cut_archive_is_incomplete(void **state)
{
	(void)state;
	run("zip/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
a_name_that_leaves_the_root_is_told(void **state)
{
	(void)state;
	run("zip/hostile");
	assert_true(format_case_has(&c, ANOMALY_NAME_TRAVERSAL));
}

static void
a_real_torch_archive_has_nothing_odd(void **state)
{
	(void)state;
	run("benign/digits_state_dict.pt");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_string_equal(c.name, "torch_zip");
	assert_int_equal(c.members, 11);
	assert_int_equal(c.tensors, 9);
}

static void
two_data_pkl_are_told_and_both_given(void **state)
{
	(void)state;
	run("torch_zip/hostile");
	assert_true(format_case_has(&c, ANOMALY_ZIP_DUPLICATE));
	assert_true(format_case_has(&c, ANOMALY_TORCH_MULTIPLE_PICKLES));
	assert_int_equal(c.members, 3);
}

static void
a_compressed_npz_is_read(void **state)
{
	(void)state;
	run("benign/arrays_compressed.npz");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_true(c.members >= 2);
}

static void
every_byte_of_an_honest_archive_is_explained(void **state)
{
	static const char *const samples[] = {"zip/good",
	    "torch_zip/good",
	    "benign/digits_state_dict.pt",
	    "benign/arrays_compressed.npz"};
	uint8_t *p;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		p = format_case_sample(samples[i], &n);
		format_case_run(&c, &format_zip, p, n, 0);
		assert_true(c.covers > 0);
		assert_int_equal(format_case_unexplained(&c, n), 0);
		free(p);
	}
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"zip/good",
	    "zip/truncated",
	    "zip/hostile",
	    "torch_zip/good",
	    "torch_zip/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_zip,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_archive_gives_its_members),
	    cmocka_unit_test(a_cut_archive_is_incomplete),
	    cmocka_unit_test(a_name_that_leaves_the_root_is_told),
	    cmocka_unit_test(a_real_torch_archive_has_nothing_odd),
	    cmocka_unit_test(two_data_pkl_are_told_and_both_given),
	    cmocka_unit_test(a_compressed_npz_is_read),
	    cmocka_unit_test(every_byte_of_an_honest_archive_is_explained),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
