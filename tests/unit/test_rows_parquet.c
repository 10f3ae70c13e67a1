#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/lib/make.h"
#include "tests/lib/parquet_case.h"

static const struct make_node int32 = {"v", INT32, 0, 0, -1, 0, 0, 0, 0};
static const struct make_node int64 = {"v", INT64, 0, 0, -1, 0, 0, 0, 0};
static const struct make_node text = {"v", BYTES, 0, 0, 0, 0, 0, 0, 0};
static const struct make_node maybe = {"v", INT32, 1, 0, -1, 0, 0, 0, 0};

static void
check_page(const struct make_node *leaf, int64_t rows, int encoding,
    const struct buf *b, const char *want)
{
	struct make_page p = parquet_case_data(rows, encoding, b);

	parquet_case_column(leaf, &p, 0, rows);
	parquet_case_check(want);
}

static void
plain_values_of_all_types_are_read(void **state)
{
	static const struct make_node node[] = {
	    {"boolean", BOOLEAN, 0, 0, -1, 0, 0, 0, 0},
	    {"int96", INT96, 0, 0, -1, 0, 0, 0, 0},
	    {"float", FLOAT, 0, 0, -1, 0, 0, 0, 0},
	    {"double", DOUBLE, 0, 0, -1, 0, 0, 0, 0},
	    {"fixed", FIXED, 0, 0, -1, 3, 0, 0, 0},
	};
	struct buf *b;

	(void)state;
	b = parquet_case_buf();
	buf_putc(b, 5);
	check_page(&node[0], 3, PLAIN, b, "- {\"boolean\":true}\n"
	    "- {\"boolean\":false}\n- {\"boolean\":true}\n= 0\n");
	b = parquet_case_buf();
	make_u64(b, 1500000000);
	make_u32(b, 2440589);
	check_page(&node[1], 1, PLAIN, b,
	    "- {\"int96\":\"1970-01-02T00:00:01.500000000Z\"}\n= 0\n");
	b = parquet_case_buf();
	make_u32(b, 0x3fc00000);
	make_u32(b, 0x7fc00000);
	check_page(&node[2], 2, PLAIN, b,
	    "- {\"float\":1.5}\n- {\"float\":\"NaN\"}\n= 0\n");
	b = parquet_case_buf();
	make_u64(b, 0xbfe0000000000000);
	check_page(&node[3], 1, PLAIN, b, "- {\"double\":-0.5}\n= 0\n");
	b = parquet_case_buf();
	buf_put(b, "\0\1\2", 3);
	check_page(&node[4], 1, PLAIN, b,
	    "- {\"fixed\":{\"base64\":\"AAEC\"}}\n= 0\n");
	b = parquet_case_buf();
	make_u32(b, UINT32_MAX);
	check_page(&int32, 1, PLAIN, b, "- {\"v\":-1}\n= 0\n");
	b = parquet_case_buf();
	make_u64(b, INT64_MAX);
	check_page(&int64, 1, PLAIN, b, "- {\"v\":9223372036854775807}\n= 0\n");
	b = parquet_case_buf();
	make_strings(b, (const char *const[]){"", "ab\n"}, 2);
	check_page(&text, 2, PLAIN, b,
	    "- {\"v\":\"\"}\n- {\"v\":\"ab\\n\"}\n= 0\n");
}

static void
logical_types_are_shown_as_what_they_mean(void **state)
{
	static const struct {
		struct make_node node;
		uint64_t v;
		const char *want;
	} cases[] = {
	    {{"v", INT32, 0, 0, 6, 0, 0, 0, 0}, 1,
	    "- {\"v\":\"1970-01-02T00:00:00.000000000Z\"}\n= 0\n"},
	    {{"v", INT32, 0, 0, 5, 0, 2, 0, 0}, (uint32_t)-5,
	    "- {\"v\":\"-0.05\"}\n= 0\n"},
	    {{"v", INT32, 0, 0, 13, 0, 0, 0, 0}, UINT32_MAX,
	    "- {\"v\":4294967295}\n= 0\n"},
	    {{"v", INT32, 0, 0, 7, 0, 0, 0, 0}, 3600001,
	    "- {\"v\":\"01:00:00.001\"}\n= 0\n"},
	    {{"v", INT64, 0, 0, 14, 0, 0, 0, 0}, UINT64_MAX,
	    "- {\"v\":18446744073709551615}\n= 0\n"},
	    {{"v", INT64, 0, 0, -1, 0, 0, 10, 1}, UINT64_MAX,
	    "- {\"v\":18446744073709551615}\n= 0\n"},
	    {{"v", INT64, 0, 0, 9, 0, 0, 0, 0}, 1,
	    "- {\"v\":\"1970-01-01T00:00:00.001000000Z\"}\n= 0\n"},
	    {{"v", INT64, 0, 0, 10, 0, 0, 0, 0}, UINT64_MAX,
	    "- {\"v\":\"1969-12-31T23:59:59.999999000Z\"}\n= 0\n"},
	    {{"v", INT64, 0, 0, -1, 0, 0, 8, 3}, 7,
	    "- {\"v\":\"1970-01-01T00:00:00.000000007Z\"}\n= 0\n"},
	    {{"v", INT64, 0, 0, -1, 0, 0, 8, 1}, INT64_MAX / 1000,
	    "- {\"v\":\"+294247-01-10T04:00:54.775000000Z\"}\n= 0\n"},
	    {{"v", INT64, 0, 0, -1, 0, 0, 7, 2}, 1000000,
	    "- {\"v\":\"00:00:01.000000\"}\n= 0\n"},
	    {{"v", FIXED, 0, 0, 5, 8, 3, 0, 0}, 0x40e2010000000000,
	    "- {\"v\":\"123.456\"}\n= 0\n"},
	    {{"v", FIXED, 0, 0, -1, 2, 0, 15, 0}, 0x3e00,
	    "- {\"v\":1.5}\n= 0\n"},
	};
	struct buf *b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = parquet_case_buf();
		make_u64(b, cases[i].v);
		b->len = cases[i].node.type == INT32 ? 4 :
		    cases[i].node.type == INT64 ? 8 :
		    (size_t)cases[i].node.width;
		/* 123456 big-endian, written as if it were little-endian */
		if (cases[i].node.type == FIXED && cases[i].node.width == 8)
			memcpy(b->p, "\0\0\0\0\0\1\xe2\x40", 8);
		check_page(&cases[i].node, 1, PLAIN, b, cases[i].want);
	}
}

static void
encodings_of_numbers_are_read(void **state)
{
	static const int64_t v[] = {7, 5, 3, 1, -100, INT64_MAX, INT64_MIN, 0};
	static const uint32_t bits[] = {1, 1, 1, 0, 1, 0, 0, 0, 1};
	const struct make_node boolean = {"v", BOOLEAN, 0, 0, -1, 0, 0, 0, 0};
	struct buf *b = parquet_case_buf(), *runs;

	(void)state;
	make_delta(b, v, 8);
	check_page(&int64, 8, DELTA, b, "- {\"v\":7}\n- {\"v\":5}\n"
	    "- {\"v\":3}\n- {\"v\":1}\n- {\"v\":-100}\n"
	    "- {\"v\":9223372036854775807}\n- {\"v\":-9223372036854775808}\n"
	    "- {\"v\":0}\n= 0\n");
	b = parquet_case_buf();
	make_delta(b, v, 5);
	check_page(&int32, 5, DELTA, b, "- {\"v\":7}\n- {\"v\":5}\n"
	    "- {\"v\":3}\n- {\"v\":1}\n- {\"v\":-100}\n= 0\n");
	b = parquet_case_buf();
	buf_put(b, "\1\2\0\0\0\0\0\0", 8);
	check_page(&int32, 2, SPLIT, b, "- {\"v\":1}\n- {\"v\":2}\n= 0\n");
	for (int i = 0; i < 2; i++) {
		b = parquet_case_buf();
		runs = parquet_case_buf();
		make_hybrid(runs, bits, 9, 1, i == 1);
		make_u32(b, (uint32_t)runs->len);
		buf_put(b, runs->p, runs->len);
		check_page(&boolean, 9, RLE, b, "- {\"v\":true}\n"
		    "- {\"v\":true}\n- {\"v\":true}\n- {\"v\":false}\n"
		    "- {\"v\":true}\n- {\"v\":false}\n- {\"v\":false}\n"
		    "- {\"v\":false}\n- {\"v\":true}\n= 0\n");
	}
}

static void
encodings_of_text_are_read(void **state)
{
	static const int64_t len[] = {3, 0, 2}, prefix[] = {0, 3, 1},
	    suffix[] = {3, 2, 1};
	const struct make_node fixed = {"v", FIXED, 0, 0, -1, 3, 0, 0, 0};
	static const int64_t pre3[] = {0, 2}, suf3[] = {3, 1};
	struct buf *b = parquet_case_buf();

	(void)state;
	make_delta(b, len, 3);
	buf_puts(b, "abcde");
	check_page(&text, 3, DELTA_LENGTH, b,
	    "- {\"v\":\"abc\"}\n- {\"v\":\"\"}\n- {\"v\":\"de\"}\n= 0\n");
	b = parquet_case_buf();
	make_delta(b, prefix, 3);
	make_delta(b, suffix, 3);
	buf_puts(b, "abcdex");
	check_page(&text, 3, DELTA_STRINGS, b, "- {\"v\":\"abc\"}\n"
	    "- {\"v\":\"abcde\"}\n- {\"v\":\"ax\"}\n= 0\n");
	b = parquet_case_buf();
	make_delta(b, pre3, 2);
	make_delta(b, suf3, 2);
	buf_puts(b, "abcd");
	check_page(&fixed, 2, DELTA_STRINGS, b,
	    "- {\"v\":{\"base64\":\"YWJj\"}}\n- {\"v\":{\"base64\":\"YWJk\"}}\n"
	    "= 0\n");
}

/* Two pages with a dictionary of three, in all codecs and both versions. */
static void
write_dict(int codec, int version, int encoding, bool crc)
{
	static const uint32_t def[] = {1, 0, 1, 1, 0, 1, 1, 1, 1, 1};
	static const uint32_t at[] = {0, 1, 2, 0, 1, 2, 2, 2};
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"v", BYTES, 1, 0, 0, 0, 0, 0, 0}};
	struct buf *words = parquet_case_buf(), *levels = parquet_case_buf(), *b = parquet_case_buf();
	struct make_page page = {.type = 2, .values = 3, .encoding = PLAIN,
	    .crc = crc};

	make_strings(words, (const char *const[]){"one", "two", "three"}, 3);
	parquet_make_begin(&parquet_case, node, 2);
	(void)parquet_make_chunk(&parquet_case, codec);
	page.p = words->p;
	page.n = words->len;
	parquet_make_page(&parquet_case, &page);
	make_hybrid(levels, def, 10, 1, version == 2);
	buf_putc(b, 2);
	make_hybrid(b, at, 8, 2, version == 1);
	page = parquet_case_data(10, encoding, b);
	page.type = version == 2 ? 3 : 0;
	page.rows = 10;
	page.nulls = 2;
	page.def = levels;
	page.crc = crc;
	parquet_make_page(&parquet_case, &page);
	page.stored = version == 2;
	parquet_make_page(&parquet_case, &page);
	parquet_make_group(&parquet_case, 20);
	parquet_make_end(&parquet_case);
}

static void
codecs_and_versions_of_pages_give_the_same(void **state)
{
	static const int codecs[] = {0, 1, 2, 4, 5, 6, 7};
	static const char half[] = "- {\"v\":\"one\"}\n- {\"v\":null}\n"
	    "- {\"v\":\"two\"}\n- {\"v\":\"three\"}\n- {\"v\":null}\n"
	    "- {\"v\":\"one\"}\n- {\"v\":\"two\"}\n- {\"v\":\"three\"}\n"
	    "- {\"v\":\"three\"}\n- {\"v\":\"three\"}\n";
	char want[2 * sizeof(half) + 8];

	(void)state;
	(void)snprintf(want, sizeof(want), "%s%s= 0\n", half, half);
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		for (int version = 1; version <= 2; version++) {
			write_dict(codecs[i], version,
			    version == 1 ? DICT : RLE_DICT, i % 2 == 0);
			parquet_case_check(want);
		}
}

static void
old_levels_are_read(void **state)
{
	static const uint32_t def[] = {1, 0, 1};
	struct buf *levels = parquet_case_buf(), *b = parquet_case_buf();
	struct make_page p;

	(void)state;
	make_old_bits(levels, def, 3, 1);
	make_u32(b, 8);
	make_u32(b, 9);
	p = parquet_case_data(3, PLAIN, b);
	p.def = levels;
	p.level_encoding = 4;
	parquet_case_column(&maybe, &p, 0, 3);
	parquet_case_check("- {\"v\":8}\n- {\"v\":null}\n- {\"v\":9}\n= 0\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_values_of_all_types_are_read),
	    cmocka_unit_test(logical_types_are_shown_as_what_they_mean),
	    cmocka_unit_test(encodings_of_numbers_are_read),
	    cmocka_unit_test(encodings_of_text_are_read),
	    cmocka_unit_test(codecs_and_versions_of_pages_give_the_same),
	    cmocka_unit_test(old_levels_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
