#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_ggml_legacy;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_ggml_legacy, p, n, 0);
	free(p);
}

static void
every_magic_is_known_and_bounded(void **state)
{
	static const char *const yes[] = {"lmgg\x00\x7d\x00\x00",
	    "fmgg\x01\x00\x00\x00", "tjgg\x03\x00\x00\x00",
	    "algg\x01\x00\x00\x00", "nsgg\x01\x00\x00\x00"};
	static const char *const no[] = {"ggml\x00\x7d\x00\x00",
	    "tjgg\x04\x00\x00\x00", "lmggtext", "lmgh\x00\x7d\x00\x00"};
	uint8_t buf[64] = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		memcpy(buf, yes[i], 8);
		assert_true(format_case_bid(&format_ggml_legacy, buf,
		    sizeof(buf)) >= 40);
	}
	for (size_t i = 0; i < 4; i++) {
		memcpy(buf, no[i], 8);
		assert_int_equal(format_case_bid(&format_ggml_legacy, buf,
		    sizeof(buf)), 0);
	}
}

static void
it_is_said_to_be_unread_and_handed_on(void **state)
{
	(void)state;
	run("ggml_legacy/good");
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_UNSUPPORTED));
	assert_int_equal(c.members, 1);
	run("ggml_legacy/hostile");
	assert_true(format_case_member(&c, "weights"));
	assert_int_equal(c.member_flags[0], MEMBER_VIRTUAL);
	run("ggml_legacy/truncated");
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	assert_int_equal(c.members, 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"ggml_legacy/good",
	    "ggml_legacy/truncated", "ggml_legacy/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_ggml_legacy,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_magic_is_known_and_bounded),
	    cmocka_unit_test(it_is_said_to_be_unread_and_handed_on),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
