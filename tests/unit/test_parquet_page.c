#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"
#include "tests/lib/make.h"
#include "tests/lib/parquet_case.h"
#include "tests/lib/rows_case.h"

static const struct make_node int32 = {"v", INT32, 0, 0, -1, 0, 0, 0, 0};
static const struct make_node text = {"v", BYTES, 0, 0, 0, 0, 0, 0, 0};
static const struct make_node maybe = {"v", INT32, 1, 0, -1, 0, 0, 0, 0};
static const struct make_node one[] = {
	{"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	{"v", INT32, 0, 0, -1, 0, 0, 0, 0}};
static const struct make_node two[] = {
	{"schema", -1, 0, 2, -1, 0, 0, 0, 0},
	{"a", INT32, 0, 0, -1, 0, 0, 0, 0},
	{"b", INT32, 0, 0, -1, 0, 0, 0, 0}};

/* int32 values 1, 2, ... */
static struct make_page
ints(unsigned n)
{
	struct buf *b = parquet_case_buf();

	for (unsigned i = 1; i <= n; i++)
		make_u32(b, i);
	return parquet_case_data(n, PLAIN, b);
}

static void
a_wrong_checksum_is_told_and_the_page_is_read(void **state)
{
	struct make_page p = ints(2);

	(void)state;
	p.wrong_crc = true;
	parquet_case_column(&int32, &p, 1, 2);
	parquet_case_check(
	    "! the checksum of a page does not fit its bytes\n"
	    "- {\"v\":1}\n- {\"v\":2}\n= 0\n");
	p.wrong_crc = false;
	p.crc = true;
	parquet_case_column(&int32, &p, 1, 2);
	parquet_case_told(NULL);
}

static void
bytes_of_no_value_are_told(void **state)
{
	struct make_page p = ints(3);

	(void)state;
	p.values = 2;
	parquet_case_column(&int32, &p, 0, 2);
	parquet_case_told("bytes of a page belong to no value\n");
}

static void
a_short_page_costs_its_rows_and_no_others(void **state)
{
	struct make_page p = ints(2), q = ints(2);

	(void)state;
	p.values = 4;
	parquet_make_begin(&parquet_case, two, 3);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
	parquet_make_page(&parquet_case, &q);
	(void)parquet_make_chunk(&parquet_case, 0);
	p = ints(6);
	parquet_make_page(&parquet_case, &p);
	parquet_make_group(&parquet_case, 6);
	parquet_make_end(&parquet_case);
	parquet_case_check("- {\"a\":1,\"b\":1}\n- {\"a\":2,\"b\":2}\n"
	    "! a page has fewer values than it states\nd -\nd -\n"
	    "- {\"a\":1,\"b\":5}\n- {\"a\":2,\"b\":6}\n= 0\n");
}

static void
columns_of_different_length_are_told(void **state)
{
	struct make_page p = ints(3), q = ints(1);

	(void)state;
	parquet_make_begin(&parquet_case, two, 3);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &q);
	parquet_make_group(&parquet_case, 2);
	parquet_make_end(&parquet_case);
	parquet_case_check("- {\"a\":1,\"b\":1}\n"
	    "! a column has fewer rows than its row group\nd -\n"
	    "! a column has more rows than its row group\n= 0\n");
}

/* A dictionary with ${count} as its number of values, and two indices. */
static void
dictionary(int64_t count, int twice, unsigned index, int width)
{
	struct buf *b = parquet_case_buf();
	struct make_page p = ints(3);
	uint32_t v[] = {0, index};

	parquet_make_begin(&parquet_case, one, 2);
	(void)parquet_make_chunk(&parquet_case, 0);
	p.type = 2;
	p.values = count;
	for (int i = 0; i < twice; i++)
		parquet_make_page(&parquet_case, &p);
	buf_putc(b, (char)width);
	make_hybrid(b, v, 2, (unsigned)width, false);
	p = parquet_case_data(2, RLE_DICT, b);
	parquet_make_page(&parquet_case, &p);
	parquet_make_group(&parquet_case, 2);
	parquet_make_end(&parquet_case);
}

static void
lies_about_dictionaries_are_told(void **state)
{
	(void)state;
	dictionary(3, 1, 2, 2);
	parquet_case_check("- {\"v\":1}\n- {\"v\":3}\n= 0\n");
	dictionary(-1, 1, 2, 2);
	parquet_case_told("the header of a page makes no sense\n");
	dictionary(1 << 30, 1, 2, 2);
	parquet_case_told("a dictionary is not the values that it states\n");
	dictionary(2, 1, 0, 2);
	parquet_case_told("a dictionary is not the values that it states\n");
	dictionary(3, 2, 2, 2);
	parquet_case_told("a column has two dictionaries\n");
	dictionary(3, 0, 2, 2);
	parquet_case_told("a page needs a dictionary that is not there\n");
	dictionary(3, 1, 3, 2);
	parquet_case_check("- {\"v\":1}\n"
	    "! an index is beyond the dictionary\nd -\n= 0\n");
	dictionary(3, 1, 0, 0);
	parquet_case_check("! indices of no bits stand for a dictionary of "
	    "several values\n- {\"v\":1}\n- {\"v\":1}\n= 0\n");
	dictionary(3, 1, 0, 33);
	parquet_case_told("indices have more than 32 bits\n");
}

static void
sizes_that_lie_are_told(void **state)
{
	static const struct {
		int64_t plain, packed;
		const char *want;
	} cases[] = {
	    {9, 0, "a page does not decompress to the size that is stated\n"},
	    {1 << 29, 0, "a page is larger than is read\n"},
	    {100 << 20, 0,
	    "a page would become too large for what it is\n"},
	    {-1, 0, "the header of a page makes no sense\n"},
	    {0, 4000, "a page is longer than its column\n"},
	    {0, -4, "the header of a page makes no sense\n"},
	};
	struct make_page p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int codec = 0; codec <= 7; codec++) {
			if (codec == 3)
				continue;
			p = ints(2);
			p.plain = cases[i].plain;
			p.packed = cases[i].packed;
			parquet_case_column(&int32, &p, codec, 2);
			parquet_case_told(cases[i].want);
		}
}

static void
levels_that_lie_are_told(void **state)
{
	static const uint32_t def[] = {1, 0, 1, 3};
	struct buf *levels = parquet_case_buf();
	struct make_page p = ints(2);

	(void)state;
	make_hybrid(levels, def, 3, 1, true);
	p.def = levels;
	p.values = 4;
	parquet_case_column(&maybe, &p, 0, 4);
	parquet_case_check("- {\"v\":1}\n- {\"v\":null}\n- {\"v\":2}\n"
	    "! a page has fewer levels than values\nd -\n= 0\n");
	p.values = 3;
	p.type = 3;
	p.rows = 3;
	p.nulls = 2;
	parquet_case_column(&maybe, &p, 0, 3);
	parquet_case_told(
	    "a page has another number of nulls than it states\n");
	p.nulls = 1;
	p.rows = 2;
	parquet_case_column(&maybe, &p, 0, 3);
	parquet_case_told(
	    "a page has another number of rows than it states\n");
	/* Nulls where none may be. */
	p = ints(2);
	p.type = 3;
	p.values = p.rows = 3;
	p.nulls = 1;
	parquet_case_column(&int32, &p, 0, 3);
	parquet_case_told(
	    "a page has another number of nulls than it states\n");
	p = ints(2);
	p.values = 3;
	parquet_case_column(&int32, &p, 0, 3);
	parquet_case_told("a page has fewer values than it states\n");
}

static void
a_row_that_begins_within_a_list_is_told(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"v", INT32, 2, 0, -1, 0, 0, 0, 0}};
	static const uint32_t rep[] = {1, 1, 0}, def[] = {1, 1, 1};
	struct buf *r = parquet_case_buf(), *d = parquet_case_buf();
	struct make_page p = ints(3);

	(void)state;
	make_hybrid(r, rep, 3, 1, false);
	make_hybrid(d, def, 3, 1, false);
	p.rep = r;
	p.def = d;
	parquet_case_column(&node[1], &p, 0, 2);
	parquet_case_told("a row begins within a list\n");
	p.type = 3;
	p.rows = 1;
	parquet_case_column(&node[1], &p, 0, 1);
	parquet_case_told("a page begins within a row\n");
}

static void
encodings_that_do_not_fit_are_told(void **state)
{
	static const struct {
		const struct make_node *node;
		int encoding;
		const char *want;
	} cases[] = {
	    {&int32, RLE, "an encoding does not fit its type\n"},
	    {&text, DELTA, "an encoding does not fit its type\n"},
	    {&int32, DELTA_LENGTH, "an encoding does not fit its type\n"},
	    {&text, SPLIT, "an encoding does not fit its type\n"},
	    {&int32, 4, "an encoding of values is not known\n"},
	    {&int32, 10, "an encoding of values is not known\n"},
	    {&int32, -1, "an encoding of values is not known\n"},
	    {&int32, DELTA, "the deltas of a page make no sense\n"},
	    {&text, DELTA_STRINGS,
	    "the lengths of a page make no sense\n"},
	    {&text, PLAIN, "a value is longer than its page\n"},
	};
	struct make_page p;
	struct buf *b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = parquet_case_buf();
		buf_put(b, "\x90\1\2\3\4\5\6\7", 8);
		p = parquet_case_data(2, cases[i].encoding, b);
		parquet_case_column(cases[i].node, &p, 0, 2);
		parquet_case_told(cases[i].want);
	}
}

static void
prefixes_beyond_the_value_before_are_told(void **state)
{
	struct buf *b = parquet_case_buf();
	struct make_page p;

	(void)state;
	make_delta(b, (const int64_t[]){0, 5}, 2);
	make_delta(b, (const int64_t[]){3, 1}, 2);
	buf_puts(b, "abcd");
	p = parquet_case_data(2, DELTA_STRINGS, b);
	parquet_case_column(&text, &p, 0, 2);
	parquet_case_check("- {\"v\":\"abc\"}\n! a value begins with more "
	    "than the one before it has\nd -\n= 0\n");
}

static void
note(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	(void)file;
	(void)off;
	buf_puts(ctx, what);
}

/* What is told while record ${index} is skipped to. */
static void
check_skip(uint64_t index, const char *want)
{
	struct rows_file f = {"a.parquet", 9, NULL};
	struct rows_params p = {.file = &f, .files = 1, .tell = note};
	struct buf told;
	struct bytesrc *src = bytesrc_mem(parquet_case.out.p,
	    parquet_case.out.len, NULL);
	struct rowset *r = NULL;

	buf_init(&told, 1024);
	f.src = src;
	p.ctx = &told;
	p.arena = arena_new(64 * MIB);
	assert_int_equal(rowset_open(&p, &r, NULL), 0);
	assert_int_equal(rowset_skip_to(r, index, NULL), 0);
	assert_string_equal(buf_str(&told), want);
	rowset_close(r);
	arena_free(p.arena);
	bytesrc_free(src);
	buf_release(&told);
}

static void
an_index_that_leads_elsewhere_is_told(void **state)
{
	static const char *const told[] = {"",
	    "the offset index leads to other rows than the pages",
	    "the offset index of a column lies outside of the file",
	    "the offset index of a column is longer than is read",
	    "the offset index of a column does not fit its pages"};
	struct make_page p = ints(8);
	struct rows_case_file f;
	uint64_t place[3][3];
	char *got;

	(void)state;
	for (int lie = 0; lie < 5; lie++) {
		parquet_make_begin(&parquet_case, one, 2);
		(void)parquet_make_chunk(&parquet_case, 0);
		for (uint64_t i = 0; i < 3; i++) {
			place[i][0] = parquet_case.out.len;
			parquet_make_page(&parquet_case, &p);
			place[i][1] = parquet_case.out.len - place[i][0];
			place[i][2] = 8 * i;
		}
		place[1][2] -= lie == 1;
		place[1][1] += lie == 4;
		parquet_make_index(&parquet_case, 0,
		    (const uint64_t(*)[3])place, 3);
		if (lie == 2)
			parquet_case.chunk[0].index = UINT32_MAX;
		if (lie == 3) {
			for (size_t i = 0; i < 4 * MIB; i++)
				buf_putc(&parquet_case.out, '\0');
			parquet_case.chunk[0].index_len += 4 * MIB;
		}
		parquet_make_group(&parquet_case, 24);
		parquet_make_end(&parquet_case);
		f = (struct rows_case_file){"a.parquet", parquet_case.out.p,
		    parquet_case.out.len};
		got = rows_case_field("parquet", &f, 1, 9, "v");
		assert_string_equal(got, "int:2");
		free(got);
		check_skip(9, told[lie]);
		parquet_case_told(NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_wrong_checksum_is_told_and_the_page_is_read),
	    cmocka_unit_test(bytes_of_no_value_are_told),
	    cmocka_unit_test(a_short_page_costs_its_rows_and_no_others),
	    cmocka_unit_test(columns_of_different_length_are_told),
	    cmocka_unit_test(lies_about_dictionaries_are_told),
	    cmocka_unit_test(sizes_that_lie_are_told),
	    cmocka_unit_test(levels_that_lie_are_told),
	    cmocka_unit_test(a_row_that_begins_within_a_list_is_told),
	    cmocka_unit_test(encodings_that_do_not_fit_are_told),
	    cmocka_unit_test(prefixes_beyond_the_value_before_are_told),
	    cmocka_unit_test(an_index_that_leads_elsewhere_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
