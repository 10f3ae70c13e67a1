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
#include "tests/lib/rows_case.h"
#include "tests/lib/rows_pack.h"

static const char two[] = "{\"a\":1}\n{\"a\":2}\n";

static void
compressed_files_count_their_decompressed_bytes(void **state)
{
	static const char *const names[][2] = {{"gzip", "a.jsonl.gz"},
	    {"xz", "a.jsonl.xz"}, {"bzip2", "a.jsonl.bz2"},
	    {"zstd", "a.jsonl.zst"}, {"lz4", "a.jsonl.lz4"}};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct rows_case_file f = {names[i][1], NULL, 0};
		uint8_t *p = rows_pack_filter(two, 16, names[i][0], &f.n);

		f.p = p;
		rows_case_check(NULL, &f, 1,
		    "0 0 0 7 vu {\"a\":1}\n1 0 8 7 vu {\"a\":2}\n= 0\n");
		rows_case_truncate("jsonl", &f, 1);
		free(p);
	}
}

static void
compressed_files_are_known_by_what_they_hold(void **state)
{
	struct rows_case_file f = {"x", NULL, 0};
	uint8_t *p = rows_pack_filter(two, 16, "gzip", &f.n);

	(void)state;
	f.p = p;
	assert_string_equal(rows_case_bid(&f, 1), "jsonl");
	free(p);
	f.p = p = rows_pack_filter("\0\1\2", 3, "gzip", &f.n);
	assert_null(rows_case_bid(&f, 1));
	free(p);
}

static void
cut_stream_is_told_and_its_records_stand(void **state)
{
	struct rows_case_file f = {"a.jsonl.gz", NULL, 0};
	uint8_t *p = rows_pack_filter(two, 16, "gzip", &f.n);
	char *got;

	(void)state;
	f.p = p;
	f.n -= 4;
	got = rows_case_text(NULL, &f, 1, 0);
	assert_non_null(strstr(got, " the compressed file is cut\n"
	    "0 0 0 7 vu {\"a\":1}\n1 0 8 7 vu {\"a\":2}\n= 0\n"));
	free(got);
	free(p);
}

static void
bomb_is_cut_and_told(void **state)
{
	const size_t n = LIMIT_INFLATE_RATIO_FROM + 4 * MIB;
	struct rows_case_file f = {"a.jsonl.gz", NULL, 0};
	char *zeros = malloc(n), *got;
	uint8_t *p;

	(void)state;
	assert_non_null(zeros);
	memset(zeros, '0', n);
	f.p = p = rows_pack_filter(zeros, n, "gzip", &f.n);
	got = rows_case_text(NULL, &f, 1, 0);
	assert_non_null(strstr(got,
	    " the file decompresses out of all proportion\n"));
	free(got);
	free(zeros);
	free(p);
}

/* A source that counts what is read of it. */
struct counted {
	const uint8_t *p;
	uint64_t bytes;
};

static int
count_read(void *ctx, uint64_t off, void *dst, size_t n, struct err *e)
{
	struct counted *c = ctx;

	(void)e;
	memcpy(dst, c->p + off, n);
	c->bytes += n;
	return 0;
}

/* Each record again from the source, as who copies it does. */
static void
read_records_again(struct rowset *r, size_t lines)
{
	struct rows_record rec;
	char again[64];

	for (size_t i = 0; i < lines; i++) {
		assert_int_equal(rowset_next(r, &rec, NULL), 1);
		assert_true(rec.unpacked && rec.len < sizeof(again));
		assert_int_equal(bytesrc_read(rowset_source(r), rec.off, again,
		    (size_t)rec.len + 1, NULL), 0);
		assert_memory_equal(again, rowset_raw(r), (size_t)rec.len);
		assert_int_equal(again[rec.len], '\n');
	}
}

static void
record_is_read_again_without_decompressing_all_before_it(void **state)
{
	enum { LINES = 20000 };
	static char text[LINES * 40];
	struct rows_file f = {"a.jsonl.gz", 10, NULL};
	struct rows_params p = {.file = &f, .files = 1};
	struct rowset *r = NULL;
	struct bytesrc *src;
	struct counted c = {0};
	size_t n = 0, packed;
	uint8_t *gz;

	(void)state;
	for (uint32_t i = 0; i < LINES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "{\"n\":%u,\"x\":%u}\n", (unsigned)i,
		    (unsigned)(i * 2654435761U));
	gz = rows_pack_filter(text, n, "gzip", &packed);
	c.p = gz;
	src = bytesrc_call(count_read, NULL, &c, packed, NULL);
	f.src = src;
	p.arena = arena_new(16 * MIB);
	assert_int_equal(rowset_open(&p, &r, NULL), 0);
	read_records_again(r, LINES);
	/* To choose a reader, to measure, to read; not for each record. */
	assert_true(c.bytes < 4 * packed);
	rowset_close(r);
	arena_free(p.arena);
	bytesrc_free(src);
	free(gz);
}

static void
file_of_several_that_breaks_is_one_error(void **state)
{
	static const struct rows_case_file f[] = {{"a.json", "{", 1},
	    {"b.json", "[1,2", 4}, {"c.json", "[3]", 3}};

	(void)state;
	rows_case_check("jsonarray", f, 3,
	    "! 0 0 the file is no array\n= -5\n"
	    "0 1 1 1 v {\"value\":1}\n"
	    "! 1 4 the array is cut\n= -5\n"
	    "1 2 1 1 v {\"value\":3}\n= 0\n");
}

static void
first_file_that_cannot_be_opened_is_heard_of(void **state)
{
	static const struct rows_case_file f[] = {{"a.npy", "x", 1},
	    {"b.npy", "\x93NUMPY\1\0\x32\0{'descr':'|u1','fortran_order':"
	    "False,'shape':(1,)}\x05", 61}};
	char *got = rows_case_text("npy", f, 2, 0);

	(void)state;
	assert_non_null(strstr(got, "! 0 0 no array of NumPy\n= -5\n"));
	assert_non_null(strstr(got, "0 1 "));
	free(got);
}

static void
what_nobody_knows_is_not_found(void **state)
{
	static const struct rows_case_file f = {"x", "\1\2\3", 3};
	char *got = rows_case_text(NULL, &f, 1, 0);

	(void)state;
	assert_string_equal(got, "= -7\n");
	free(got);
	got = rows_case_text("no such", &f, 1, 0);
	assert_string_equal(got, "= -12\n");
	free(got);
}

static void
each(void *ctx, const char *name, const char *type)
{
	size_t n = strlen(ctx);

	(void)snprintf((char *)ctx + n, 256 - n, "%s:%s ", name, type);
}

static void
fields_are_named_before_anything_is_read(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
	    {"a.jsonl", "x\n{\"a\":1,\"b\":{},\"c\":[],\"d\":null,\"e\":true}",
	    "a:number b:object c:array d:null e:boolean "},
	    {"a.json", "[{\"a\":\"x\"}]", "a:string "},
	    {"a.csv", "x,y z\n", "x:string y z:string "},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rows_file f = {cases[i].name, strlen(cases[i].name),
		    NULL};
		struct rows_params p = {.file = &f, .files = 1};
		struct bytesrc *src = bytesrc_mem(cases[i].text,
		    strlen(cases[i].text), NULL);
		struct rowset *r = NULL;
		char names[256] = "";

		f.src = src;
		p.arena = arena_new(16 * MIB);
		assert_int_equal(rowset_open(&p, &r, NULL), 0);
		assert_int_equal(rowset_fields(r, each, names, NULL), 0);
		assert_string_equal(names, cases[i].want);
		rowset_close(r);
		arena_free(p.arena);
		bytesrc_free(src);
	}
}

static void
memory_has_its_limit(void **state)
{
	struct rows_file f = {"a.jsonl", 7, NULL};
	struct rows_params p = {.file = &f, .files = 1};
	struct bytesrc *src = bytesrc_mem("{}", 2, NULL);
	struct rowset *r = NULL;

	(void)state;
	f.src = src;
	p.arena = arena_new(4096);
	assert_int_equal(rowset_open(&p, &r, NULL), ERR_NOMEM);
	rowset_close(r);
	arena_free(p.arena);
	bytesrc_free(src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compressed_files_count_their_decompressed_bytes),
	    cmocka_unit_test(compressed_files_are_known_by_what_they_hold),
	    cmocka_unit_test(cut_stream_is_told_and_its_records_stand),
	    cmocka_unit_test(bomb_is_cut_and_told),
	    cmocka_unit_test(
	        record_is_read_again_without_decompressing_all_before_it),
	    cmocka_unit_test(file_of_several_that_breaks_is_one_error),
	    cmocka_unit_test(first_file_that_cannot_be_opened_is_heard_of),
	    cmocka_unit_test(what_nobody_knows_is_not_found),
	    cmocka_unit_test(fields_are_named_before_anything_is_read),
	    cmocka_unit_test(memory_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
