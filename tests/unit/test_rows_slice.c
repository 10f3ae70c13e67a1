#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"
#include "formats/rows/slice.h"
#include "formats/rows/slicetime.h"

static const char rows[] =
    "{\"id\":1,\"t\":\"2026-11-24T10:45:00Z\",\"text\":\"hello a&b\"}\n"
    "{\"id\":2,\"t\":1795517100,\"text\":\"HELLO\",\"x\":true}\n"
    "{\"id\":\"three\",\"t\":1795517100500,\"x\":{\"y\": [1]}}\n"
    "{\"id\":4.5,\n"
    "{\"id\":5,\"t\":\"2026-11-25\",\"text\":\"a@b,c\",\"x\":null}";

/* A stand-in: the first eight bytes are a plain mix of the input. */
static void
mix(const void *p, size_t n, uint8_t ret[32])
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) *
		    UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	memset(ret, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		ret[i] = (uint8_t)(h >> (56 - 8 * i));
}

/* A letter for each record: t taken, . left, ? undecided. */
static void
check(const char *spec, const char *want)
{
	struct rows_file f = {"a.jsonl", 7, NULL};
	struct bytesrc *src = bytesrc_mem(rows, sizeof(rows) - 1, NULL);
	struct rows_params p = {.file = &f, .files = 1};
	struct rows_slice *s = NULL;
	struct rows_record rec;
	struct rowset *r = NULL;
	uint8_t key[32];
	char got[8] = "";

	f.src = src;
	p.arena = arena_new(16 * MIB);
	assert_int_equal(rows_slice_parse(spec, strlen(spec), p.arena, &s,
	    NULL), 0);
	if (rows_slice_file(s, 0) != NULL)
		assert_int_equal(rows_slice_ids(s, 0, "5\r\n\nthree", 9,
		    p.arena, NULL), 0);
	assert_int_equal(rowset_open(&p, &r, NULL), 0);
	while (rowset_next(r, &rec, NULL) == 1) {
		memset(key, (int)rec.index, sizeof(key));
		got[rec.index] = ".t?"[rows_slice_takes(s, r, &rec, key, mix,
		    NULL)];
	}
	assert_string_equal(got, want);
	rowset_close(r);
	arena_free(p.arena);
	bytesrc_free(src);
}

static void
check_bad(const char *spec, uint64_t off)
{
	struct arena *a = arena_new(1 * MIB);
	struct rows_slice *s = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(rows_slice_parse(spec, strlen(spec), a, &s, &e),
	    ERR_ARG);
	assert_null(s);
	assert_int_equal(e.off, off);
	arena_free(a);
}

static void
rows_are_taken_by_number(void **state)
{
	(void)state;
	check("rows=1..3", ".tt..");
	check("rows=..2", "tt...");
	check("rows=3..", "...tt");
	check("rows=2..2", ".....");
	check("rows=1..4&rows=2..5", "..tt.");
}

static void
rows_are_taken_by_time(void **state)
{
	(void)state;
	check("time=2026-11-24T10:45:00Z..2026-11-25@t", "ttt?.");
	check("time=2026-11-24T11:45:00.2+01:00..@t", "..t?t");
	check("time=..2026-11-24 10:45:01@t", "ttt?.");
	check("time=2026-11-24..@text", "...?.");
}

static void
rows_are_taken_by_value(void **state)
{
	(void)state;
	check("where=id=2", ".t.?.");
	check("where=id=three", "..t?.");
	check("where=x=true", ".t.?.");
	check("where=x=null", "...?t");
	check("where=x=%7B\"y\":[1]}", "..t?.");
	check("where=x.y.0=1", "..t?.");
	check("ids=1,three,9@id", "t.t?.");
	check("ids=a%40b%2Cc@text", "...?t");
	check("ids=file:x%20y@id", "..t?t");
	check("match=a%26b@text", "t..?.");
	check("match=hex:48454c@text", ".t.?.");
	check("match=l@none", "...?.");
}

static void
part_that_leaves_a_row_decides(void **state)
{
	(void)state;
	check("where=id=2&rows=0..3", ".t...");
	check("match=a@text&rows=..4", "t..?.");
}

static void
samples_are_the_same_every_time(void **state)
{
	(void)state;
	check("hash=0", ".....");
	check("hash=1", "ttttt");
	check("hash=1.000@x", "ttttt");
	check("hash=0.000000000000000001@x", ".....");
}

/* Counted over many keys, the share is the fraction. */
static void
sample_has_the_size_of_its_fraction(void **state)
{
	struct arena *a = arena_new(1 * MIB);
	const struct rows_record rec = {0};
	struct rows_slice *s[3] = {NULL};
	unsigned taken[3] = {0}, both = 0;
	uint8_t key[32] = {0};

	(void)state;
	assert_int_equal(rows_slice_parse("hash=0.25", 9, a, &s[0], NULL), 0);
	assert_int_equal(rows_slice_parse("hash=0.5", 8, a, &s[1], NULL), 0);
	assert_int_equal(rows_slice_parse("hash=0.25@s", 11, a, &s[2], NULL),
	    0);
	for (unsigned i = 0; i < 20000; i++) {
		int r[3];

		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(i >> 8);
		for (unsigned k = 0; k < 3; k++)
			taken[k] += (unsigned)(r[k] = rows_slice_takes(s[k],
			    NULL, &rec, key, mix, NULL));
		/* A smaller fraction is a part of a larger one. */
		assert_true(r[0] <= r[1]);
		both += r[0] == 1 && r[2] == 1;
	}
	assert_in_range(taken[0], 4700, 5300);
	assert_in_range(taken[1], 9700, 10300);
	assert_in_range(taken[2], 4700, 5300);
	assert_in_range(both, 1000, 1500);
	arena_free(a);
}

static void
first_and_last_rows_are_known(void **state)
{
	struct arena *a = arena_new(1 * MIB);
	struct rows_slice *s = NULL;

	(void)state;
	assert_int_equal(rows_slice_parse("rows=5..&rows=..9&hash=1", 24, a,
	    &s, NULL), 0);
	assert_int_equal(rows_slice_first(s), 5);
	assert_int_equal(rows_slice_last(s), 9);
	assert_true(rows_slice_samples(s));
	assert_null(rows_slice_file(s, 0));
	arena_free(a);
}

static void
errors_have_their_place(void **state)
{
	(void)state;
	check_bad("", 0);
	check_bad("rows", 0);
	check_bad("row=1..2", 0);
	check_bad("rows=1-2", 5);
	check_bad("rows=x..2", 5);
	check_bad("rows=1..x", 8);
	check_bad("rows=3..2", 5);
	check_bad("rows=1..2&", 10);
	check_bad("rows=1..2&where=a", 17);
	check_bad("time=2026-13-01..@t", 5);
	check_bad("time=..2026-02-30@t", 7);
	check_bad("time=2026-01-02..2026-01-01@t", 5);
	check_bad("time=..", 7);
	check_bad("time=..@", 8);
	check_bad("hash=1.5", 5);
	check_bad("hash=2", 5);
	check_bad("hash=.5", 5);
	check_bad("hash=0.1234567890123456789", 5);
	check_bad("hash=0.5@%zz", 9);
	check_bad("match=@t", 6);
	check_bad("match=hex:4@t", 6);
	check_bad("ids=a%4@id", 5);
}

static void
times_are_read_in_their_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"1970-01-01", 0}, {"1970-01-01T00:00:01Z", 1000000000},
	    {"1969-12-31T23:59:59.999999999z", -1},
	    {"2000-02-29 00:00", 951782400000000000},
	    {"2026-11-24t10:45:00+0100", 1795513500000000000},
	    {"1970-01-01T00:00:00-01", 3600000000000}};
	static const char *const bad[] = {"", "1970", "1970-1-1",
	    "2100-02-29", "1970-01-01T", "1970-01-01T24:00:00",
	    "1970-01-01T00:00:00.", "1970-01-01Z", "1970-01-01T00:00:00+",
	    "1970-01-01T00:00:00Zx", "9999-01-01"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(slicetime_text(good[i].text,
		    strlen(good[i].text), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(slicetime_text(bad[i], strlen(bad[i]), &ns));
	assert_true(slicetime_integer(-5, &ns));
	assert_int_equal(ns, -5000000000);
	assert_true(slicetime_integer(INT64_C(1795517100000000), &ns));
	assert_int_equal(ns, 1795517100000000000);
	assert_false(slicetime_integer(INT64_C(99999999999), &ns));
	assert_true(slicetime_number(0.5, &ns));
	assert_int_equal(ns, 500000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_taken_by_number),
	    cmocka_unit_test(rows_are_taken_by_time),
	    cmocka_unit_test(rows_are_taken_by_value),
	    cmocka_unit_test(part_that_leaves_a_row_decides),
	    cmocka_unit_test(samples_are_the_same_every_time),
	    cmocka_unit_test(sample_has_the_size_of_its_fraction),
	    cmocka_unit_test(first_and_last_rows_are_known),
	    cmocka_unit_test(errors_have_their_place),
	    cmocka_unit_test(times_are_read_in_their_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
