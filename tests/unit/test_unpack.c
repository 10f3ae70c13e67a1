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

/* A gzip stream of "hello\n" behind the fields that the flags announce. */
static void
run_gzip(uint8_t flags, const char *fields, size_t n)
{
	static const uint8_t body[] = {0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2,
	    0, 0x20, 0x30, 0x3a, 0x36, 6, 0, 0, 0};
	uint8_t p[128] = {0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3};

	memcpy(p + 10, fields, n);
	memcpy(p + 10 + n, body, sizeof(body));
	format_case_run(&c, &format_compressed, p, 10 + n + sizeof(body), 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.member_size[0], 6);
}

static void
fields_of_a_gzip_header_are_looked_at(void **state)
{
	(void)state;
	run_gzip(0, "", 0);
	assert_int_equal(c.anomalies, 0);
	run_gzip(8, "a.txt", 6);
	assert_int_equal(c.anomalies, 0);
	run_gzip(4, "\6\0BC\2\0\x29\0", 8);
	assert_int_equal(c.anomalies, 0);
	run_gzip(4, "\6\0XX\2\0\x29\0", 8);
	assert_true(format_case_has(&c, ANOMALY_GZIP_FIELD));
	run_gzip(4, "\7\0BC\2\0\x29\0!", 9);
	assert_true(format_case_has(&c, ANOMALY_GZIP_FIELD));
	run_gzip(16, "hidden", 7);
	assert_true(format_case_has(&c, ANOMALY_GZIP_FIELD));
	run_gzip(8, "../x", 5);
	assert_true(format_case_has(&c, ANOMALY_NAME_TRAVERSAL));
}

static void
the_tables_of_a_static_library_are_no_paths(void **state)
{
	static const char lib[] = "!<arch>\n"
	    "/               0           0     0     0       4         `\n"
	    "\0\0\0\0"
	    "a.o/            0           0     0     644     2         `\n"
	    "hi";

	(void)state;
	format_case_run(&c, &format_compressed, lib, sizeof(lib) - 1, 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_true(format_case_member(&c, "a.o"));
	assert_true(format_case_member(&c, "/"));
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
	    cmocka_unit_test(the_tables_of_a_static_library_are_no_paths),
	    cmocka_unit_test(a_stream_gives_its_content),
	    cmocka_unit_test(a_stream_without_its_trailer_gives_what_there_is),
	    cmocka_unit_test(a_wrong_checksum_does_not_hide_the_content),
	    cmocka_unit_test(a_zlib_joblib_is_read),
	    cmocka_unit_test(fields_of_a_gzip_header_are_looked_at),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
