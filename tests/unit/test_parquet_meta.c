#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/make.h"
#include "tests/lib/parquet_case.h"
#include "tests/lib/rows_case.h"

static const struct make_node root = {"schema", -1, 0, 1, -1, 0, 0, 0, 0};
static const struct make_node int32 = {"v", INT32, 0, 0, -1, 0, 0, 0, 0};
static struct make_node node[64];

/* A file of one column of one row, not yet ended. */
static struct make_chunk *
begin(void)
{
	struct buf *b = parquet_case_buf();
	struct make_chunk *c;
	struct make_page p;

	make_u32(b, 1);
	p = parquet_case_data(1, PLAIN, b);
	node[0] = root;
	node[1] = int32;
	parquet_make_begin(&parquet_case, node, 2);
	c = parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
	parquet_make_group(&parquet_case, 1);
	return c;
}

static void
check_chunk(const char *want)
{
	parquet_make_end(&parquet_case);
	parquet_case_told(want);
}

static void
columns_that_cannot_be_read_are_told(void **state)
{
	(void)state;
	(void)begin();
	check_chunk(NULL);
	begin()->external = true;
	check_chunk("a column is in another file, which is not read\n");
	begin()->encrypted = true;
	check_chunk("a column is encrypted\n");
	begin()->codec = 3;
	check_chunk("a column is compressed by LZO, which is not read\n");
	begin()->codec = 8;
	check_chunk("a column is compressed in a way that is not known\n");
	begin()->type = INT64;
	check_chunk("a column has another type than the schema says\n");
	begin()->data = 1;
	check_chunk("a column lies outside of the pages\n");
	begin()->len = 4000;
	check_chunk("a column lies outside of the pages\n");
	begin()->len = (uint64_t)INT64_MAX;
	check_chunk("a column lies outside of the pages\n");
	begin()->len = 6;
	check_chunk("the header of a page makes no sense\n");
	begin()->len = 0;
	check_chunk("a column ends before its last page\n");
	begin()->values = 2;
	check_chunk("a column has more rows than its row group\n");
	begin()->values = 0;
	check_chunk("a column has fewer rows than its row group\n");
}

static void
an_encrypted_file_says_so(void **state)
{
	(void)state;
	(void)begin();
	parquet_case.encrypted = true;
	parquet_make_end(&parquet_case);
	parquet_case_check("! the metadata are encrypted\n= -5\n");
	(void)begin();
	parquet_case.is_signed = true;
	parquet_make_end(&parquet_case);
	parquet_case_check("- {\"v\":1}\n= 0\n");
}

static void
row_counts_that_differ_are_told(void **state)
{
	(void)state;
	(void)begin();
	parquet_case.rows = 7;
	check_chunk("the row groups have another number of rows than is "
	    "stated\n");
}

static void
rows_of_which_nothing_is_left_come_to_an_end(void **state)
{
	struct rows_case_file f;
	char *got;

	(void)state;
	begin()->external = true;
	parquet_case.group_rows[0] = INT64_MAX / 8;
	parquet_make_end(&parquet_case);
	f = (struct rows_case_file){"a.parquet", parquet_case.out.p,
	    parquet_case.out.len};
	got = rows_case_text("parquet", &f, 1, 0);
	assert_non_null(strstr(got,
	    "of too many rows nothing can be read\n= -5\n"));
	free(got);
	parquet_make_release(&parquet_case);
}

static void
check_schema(unsigned nodes, const char *want)
{
	parquet_make_begin(&parquet_case, node, nodes);
	parquet_make_end(&parquet_case);
	parquet_case_told(want);
}

static void
schemas_that_make_no_sense_are_told(void **state)
{
	(void)state;
	node[0] = root;
	check_schema(1, "there is no schema\n");
	node[0].children = 2;
	node[1] = int32;
	check_schema(2, "the schema makes no sense\n");
	node[0].children = 1;
	node[2] = int32;
	check_schema(3, "the schema makes no sense\n");
	node[0].children = -1;
	check_schema(2, "the schema makes no sense\n");
	node[0].children = 1;
	node[1].type = 8;
	check_schema(2, "the schema makes no sense\n");
	node[1].type = -1;
	check_schema(2, "a column of the schema has no type\n");
	node[1] = int32;
	node[1].repetition = 3;
	check_schema(2, "the schema makes no sense\n");
	node[1] = int32;
	node[1].type = FIXED;
	check_schema(2, "a fixed length of the schema makes no sense\n");
	for (unsigned i = 0; i < 62; i++)
		node[i] = root;
	node[62] = int32;
	check_schema(63, "the schema is nested too deep\n");
}

static void
ends_that_are_none_are_told(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		const char *want;
	} cases[] = {
	    {"PAR1", 4, "! 0 0 it is too short for a Parquet file\n= -5\n"},
	    {"PAR1\0\0\0\0\0PAR2", 13, "! 0 9 it does not end as a Parquet "
	    "file: cut off, or another format\n= -5\n"},
	    {"PARX\0\0\0\0PAR1", 12,
	    "! 0 0 it does not begin as a Parquet file\n= -5\n"},
	    {"PAR1\1\0\0\0PAR1", 12,
	    "! 0 4 the metadata are longer than the file\n= -5\n"},
	    {"PAR1\0\0\0\0PAR1", 12,
	    "! 0 4 the metadata make no sense\n= -5\n"},
	    {"PAR1\0\1\0\0\0PAR1", 13,
	    "! 0 4 the metadata are not complete\n= -5\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rows_case_file f = {"a.parquet", cases[i].p,
		    cases[i].n};

		rows_case_check("parquet", &f, 1, cases[i].want);
	}
}

/* The laws of rows_case.h at every length, and with every byte changed. */
static void
cuts_and_flips_keep_the_laws(void **state)
{
	struct rows_case_file f = {"a.parquet", NULL, 0};
	const char *why;
	uint8_t *p;

	(void)state;
	parquet_case_sample();
	f.p = p = parquet_case.out.p;
	f.n = parquet_case.out.len;
	rows_case_truncate("parquet", &f, 1);
	for (size_t i = 0; i < f.n; i++)
		for (unsigned bit = 0; bit < 8; bit += 1 + (unsigned)i % 3) {
			p[i] ^= (uint8_t)(1 << bit);
			if (!rows_case_laws("parquet", &f, 1, 0, &why))
				fail_msg("bit %u of byte %zu: %s", bit, i,
				    why);
			p[i] ^= (uint8_t)(1 << bit);
		}
	parquet_make_release(&parquet_case);
}

static void
it_is_known_by_its_first_bytes(void **state)
{
	struct rows_case_file f = {"a.bin", NULL, 0};

	(void)state;
	parquet_case_sample();
	f.p = parquet_case.out.p;
	f.n = parquet_case.out.len;
	assert_string_equal(rows_case_bid(&f, 1), "parquet");
	parquet_case_told(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_that_cannot_be_read_are_told),
	    cmocka_unit_test(an_encrypted_file_says_so),
	    cmocka_unit_test(row_counts_that_differ_are_told),
	    cmocka_unit_test(rows_of_which_nothing_is_left_come_to_an_end),
	    cmocka_unit_test(schemas_that_make_no_sense_are_told),
	    cmocka_unit_test(ends_that_are_none_are_told),
	    cmocka_unit_test(cuts_and_flips_keep_the_laws),
	    cmocka_unit_test(it_is_known_by_its_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
