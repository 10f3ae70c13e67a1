#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_text;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_text, p, n, 0);
	free(p);
}

static void
prose_is_text(void **state)
{
	(void)state;
	run("text/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_cut_character_is_malformed(void **state)
{
	(void)state;
	run("text/truncated");
	assert_int_equal(c.rc, 1);
	assert_int_equal(c.anomaly_off[0], 25);
}

static void
a_bidi_override_is_told(void **state)
{
	(void)state;
	run("text/hostile");
	assert_true(format_case_has(&c, ANOMALY_TEXT_INVISIBLE));
}

static void
an_older_encoding_is_a_note(void **state)
{
	static const char latin[] = "Gr\xfc\xdf" "e aus K\xf6ln, und mehr "
	    "Text, der genug davon hat\n";

	(void)state;
	assert_true(format_case_bid(&format_text, latin,
	    sizeof(latin) - 1) > 0);
	format_case_run(&c, &format_text, latin, sizeof(latin) - 1, 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_int_equal(c.anomaly[0], ANOMALY_TEXT_ENCODING);
	assert_int_equal(c.anomaly_off[0], 2);
	assert_null(format_case_laws(&format_text, latin,
	    sizeof(latin) - 1));
}

static void
binary_is_no_text(void **state)
{
	(void)state;
	assert_int_equal(format_case_bid(&format_text, "a\0b", 3), 0);
	assert_int_equal(format_case_bid(&format_text, "\xff\xfe", 2), 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	const char *broken = format_case_sweep(&format_text, "text/hostile");

	(void)state;
	if (broken != NULL)
		fail_msg("%s", broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prose_is_text),
	    cmocka_unit_test(a_cut_character_is_malformed),
	    cmocka_unit_test(a_bidi_override_is_told),
	    cmocka_unit_test(an_older_encoding_is_a_note),
	    cmocka_unit_test(binary_is_no_text),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
