#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "formats/rows/flatbuf.h"
#include "tests/lib/arrow_sample.h"
#include "tests/lib/rows_case.h"

#define N sizeof(arrow_sample)

static uint8_t copy[N + 64];

static char *
text(const void *p, size_t n)
{
	struct rows_case_file f = {"a.arrow", p, n};

	return rows_case_text("arrow", &f, 1, 0);
}

static void
check_has(const void *p, size_t n, const char *want)
{
	char *got = text(p, n);

	if (strstr(got, want) == NULL)
		fail_msg("'%s' is not in\n%s", want, got);
	free(got);
}

static void
a_stream_gives_its_records(void **state)
{
	static const char *const want[] = {
	    " - {\"d\":\"x\",\"l\":[1,null],\"s\":{\"a\":true}}\n",
	    " - {\"d\":null,\"l\":null,\"s\":{\"a\":null}}\n",
	    " - {\"d\":\"y\",\"l\":[],\"s\":null}\n",
	    " - {\"d\":\"x\",\"l\":[2],\"s\":{\"a\":false}}\n= 0\n"};
	struct rows_case_file f = {"a", arrow_sample, N};
	char *got;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		check_has(arrow_sample, N, want[i]);
	assert_string_equal(rows_case_bid(&f, 1), "arrow");
	got = rows_case_field(NULL, &f, 1, 3, "l.0");
	assert_string_equal(got, "int:2");
	free(got);
	got = rows_case_field(NULL, &f, 1, 0, "s");
	assert_string_equal(got, "tree:{\"a\":true}");
	free(got);
}

static void
a_file_is_a_stream_with_an_end(void **state)
{
	(void)state;
	memcpy(copy, "ARROW1\0\0", 8);
	memcpy(copy + 8, arrow_sample, N);
	memcpy(copy + 8 + N, "\0\0\0\0ARROW1", 10);
	check_has(copy, N + 18, "{\"d\":\"y\",\"l\":[],\"s\":null}\n");
	check_has(copy, N + 8, "the file has no end: cut off");
}

static void
what_is_cut_or_behind_is_told(void **state)
{
	(void)state;
	memcpy(copy, arrow_sample, N);
	memcpy(copy + N, "more", 4);
	check_has(copy, N + 4, "bytes behind the end belong to nothing");
	check_has(arrow_sample, 40, "a message is longer than the file");
	check_has("", 0, "there is no schema");
}

static void
cuts_and_flips_keep_the_laws(void **state)
{
	struct rows_case_file f = {"a.arrow", copy, N};
	const char *why;

	(void)state;
	memcpy(copy, arrow_sample, N);
	rows_case_truncate("arrow", &f, 1);
	for (size_t i = 0; i < N; i++)
		for (unsigned bit = 0; bit < 8; bit += 1 + (unsigned)i % 3) {
			copy[i] ^= (uint8_t)(1 << bit);
			if (!rows_case_laws("arrow", &f, 1, 0, &why))
				fail_msg("bit %u of %zu: %s", bit, i, why);
			copy[i] ^= (uint8_t)(1 << bit);
		}
}

static void
tables_that_lead_outside_are_refused(void **state)
{
	/* A root at 12, its vtable at 4: field 0 is an i32 at 4 of it. */
	uint8_t p[] = {12, 0, 0, 0, 6, 0, 8, 0, 4, 0, 0, 0, 8, 0, 0, 0,
	    0xfe, 0xff, 0xff, 0xff};
	struct flatbuf b = {p, sizeof(p)};
	struct flattable t;
	struct flatvec v;
	int64_t got;

	(void)state;
	assert_true(flatbuf_root(&b, &t));
	assert_true(flatbuf_int(&b, &t, 0, 4, 9, &got));
	assert_int_equal(got, -2);
	assert_true(flatbuf_int(&b, &t, 1, 4, 9, &got));
	assert_int_equal(got, 9);
	assert_false(flatbuf_int(&b, &t, 0, 8, 9, &got));
	assert_int_equal(flatbuf_table(&b, &t, 0, &t), -1);
	assert_int_equal(flatbuf_vector(&b, &t, 0, 1, &v), -1);
	assert_int_equal(flatbuf_vector(&b, &t, 5, 1, &v), 0);
	for (size_t n = 0; n < sizeof(p); n++) {
		b.n = n;
		assert_false(flatbuf_root(&b, &t));
	}
	b.n = sizeof(p);
	p[12] = 13;
	assert_false(flatbuf_root(&b, &t));
	p[12] = 8;
	p[4] = 3;
	assert_false(flatbuf_root(&b, &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream_gives_its_records),
	    cmocka_unit_test(a_file_is_a_stream_with_an_end),
	    cmocka_unit_test(what_is_cut_or_behind_is_told),
	    cmocka_unit_test(cuts_and_flips_keep_the_laws),
	    cmocka_unit_test(tables_that_lead_outside_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
