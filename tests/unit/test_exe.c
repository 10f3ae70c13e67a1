#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_elf, format_pe, format_macho, format_wasm;

static const struct {
	const struct format *f;
	const char *name;
} kinds[] = {{&format_elf, "elf"}, {&format_pe, "pe"},
    {&format_macho, "macho"}, {&format_wasm, "wasm"}};

static struct format_case c;

static void
run(const struct format *f, const char *kind, const char *which)
{
	char sample[64];
	uint8_t *p;
	size_t n;

	(void)snprintf(sample, sizeof(sample), "%s%s", kind, which);
	p = format_case_sample(sample, &n);
	assert_true(format_case_bid(f, p, n) >= 64);
	format_case_run(&c, f, p, n, 0);
	free(p);
}

static void
a_program_ends_where_its_headers_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		run(kinds[i].f, kinds[i].name, "/good");
		assert_int_equal(c.rc, 0);
		assert_int_equal(c.anomalies, 1);
		assert_int_equal(c.anomaly[0], ANOMALY_EXE_PROGRAM);
		assert_int_equal(c.members, 0);
	}
}

static void
a_cut_program_is_incomplete(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		run(kinds[i].f, kinds[i].name, "/truncated");
		assert_int_equal(c.rc, 1);
		assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	}
}

static void
what_stands_behind_the_end_is_a_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		run(kinds[i].f, kinds[i].name, "/hostile");
		assert_int_equal(c.rc, 0);
		assert_true(format_case_has(&c, ANOMALY_EXE_OVERLAY));
		assert_int_equal(c.members, 1);
		assert_string_equal(c.member[0], "overlay");
		assert_true(c.member_size[0] > 20);
	}
}

static void
zeros_behind_the_end_are_a_note(void **state)
{
	size_t n;
	uint8_t *p = format_case_sample("elf/good", &n), *q;

	(void)state;
	q = calloc(1, n + 100);
	assert_non_null(q);
	memcpy(q, p, n);
	format_case_run(&c, &format_elf, q, n + 100, 0);
	assert_true(format_case_has(&c, ANOMALY_TRAILING_ZERO));
	assert_int_equal(c.members, 0);
	free(q);
	free(p);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const which[] = {"/good", "/hostile"};
	const char *broken;
	char sample[64];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		(void)snprintf(sample, sizeof(sample), "%s%s",
		    kinds[i / 2].name, which[i % 2]);
		if ((broken = format_case_sweep(kinds[i / 2].f, sample)) !=
		    NULL)
			fail_msg("%s: %s", sample, broken);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_ends_where_its_headers_say),
	    cmocka_unit_test(a_cut_program_is_incomplete),
	    cmocka_unit_test(what_stands_behind_the_end_is_a_member),
	    cmocka_unit_test(zeros_behind_the_end_are_a_note),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
