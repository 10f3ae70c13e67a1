#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

/*
 * A data.mdb of eight pages of 512 bytes: two meta pages; 2 a branch over
 * the leaves 3 (keys a, b) and 4 (c, whose value of 600 bytes is in 5 and 6).
 */
#define PAGE 512
#define PAGES 8
static uint8_t file[PAGES * PAGE];

static void
put(size_t at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		file[at + i] = (uint8_t)(v >> 8 * i);
}

static void
put_meta(unsigned page, uint64_t txn)
{
	size_t at = page * PAGE;

	put(at, page, 8);
	put(at + 10, 8, 2);
	put(at + 16, 0xbeefc0de, 4);
	put(at + 20, 1, 4);
	put(at + 40, PAGE, 4);
	put(at + 88 + 6, 2, 2);
	put(at + 88 + 32, 3, 8);
	put(at + 88 + 40, 2, 8);
	put(at + 144, txn, 8);
}

static void
put_page(unsigned page, unsigned flags, unsigned nodes)
{
	size_t at = page * PAGE;

	put(at, page, 8);
	put(at + 10, flags, 2);
	put(at + 12, 16 + 2 * nodes, 2);
	put(at + 14, 100, 2);
}

/* A node at ${off} of its page. */
static void
put_node(unsigned page, unsigned i, unsigned off, uint64_t size,
    unsigned flags, const char *key, const void *value, size_t n)
{
	size_t at = page * PAGE;

	put(at + 16 + 2 * i, off, 2);
	put(at + off, size, 4);
	put(at + off + 4, flags, 2);
	put(at + off + 6, strlen(key), 2);
	memcpy(file + at + off + 8, key, strlen(key));
	memcpy(file + at + off + 8 + strlen(key), value, n);
}

static void
build(void)
{
	static const uint8_t big[8] = {5};

	memset(file, 0, sizeof(file));
	put_meta(0, 7);
	put_meta(1, 6);
	put(PAGE + 88 + 40, 99, 8);	/* the older one's root is no page */
	put_page(2, 1, 2);
	put_node(2, 0, 100, 3, 0, "", "", 0);
	put_node(2, 1, 200, 4, 0, "c", "", 0);
	put_page(3, 2, 2);
	put_node(3, 0, 100, 1, 0, "a", "1", 1);
	put_node(3, 1, 200, 0, 0, "b", "", 0);
	put_page(4, 2, 1);
	put_node(4, 0, 100, 600, 1, "c", big, 8);
	put(5 * PAGE, 5, 8);
	put(5 * PAGE + 10, 4, 2);
	put(5 * PAGE + 12, 2, 4);
	memset(file + 5 * PAGE + 16, 'x', 600);
}

static void
check_end(const char *want)
{
	struct rows_case_file f = {"data.mdb", file, sizeof(file)};
	char *got = rows_case_text("lmdb", &f, 1, 0);
	const char *why;

	if (!rows_case_laws("lmdb", &f, 1, 0, &why))
		fail_msg("%s", why);
	if (strstr(got, want) == NULL)
		fail_msg("'%s' is not in\n%s", want, got);
	free(got);
}

static void
keys_in_their_order_are_the_records(void **state)
{
	struct rows_case_file f = {"data.mdb", file, sizeof(file)};
	char *got;

	(void)state;
	build();
	assert_string_equal(rows_case_bid(&f, 1), "lmdb");
	check_end("0 0 1645 1 - {\"key\":{\"base64\":\"YQ==\"},"
	    "\"value\":{\"base64\":\"MQ==\"}}\n"
	    "1 0 1745 0 - {\"key\":{\"base64\":\"Yg==\"},"
	    "\"value\":{\"base64\":\"\"}}\n"
	    "2 0 2576 600 - {\"key\":{\"base64\":\"Yw==\"},");
	got = rows_case_field(NULL, &f, 1, 2, "key");
	assert_string_equal(got, "bytes:c");
	free(got);
	got = rows_case_field(NULL, &f, 1, 2, "value");
	assert_int_equal(strlen(got), 606);
	free(got);
}

static void
trees_that_lie_are_told(void **state)
{
	static const struct {
		size_t at;
		uint64_t v;
		unsigned n;
		const char *want;
	} cases[] = {
	    {16, 0, 4, "a meta page makes no sense"},
	    {40, 100, 4, "the size of pages makes no sense"},
	    {120, 9, 8, "another number of records than is stated"},
	    {128, 8, 8, "a page has a number that is not in the file"},
	    {2 * PAGE + 100, 2, 4, "a page is below itself"},
	    {2 * PAGE + 104, 1, 2, "a number that is not in the file"},
	    {2 * PAGE + 16, 600, 2, "a node lies outside of its page"},
	    {3 * PAGE, 4, 8, "a page of the tree makes no sense"},
	    {3 * PAGE + 10, 3, 2, "a page of the tree makes no sense"},
	    {3 * PAGE + 12, 300, 2, "a page of the tree makes no sense"},
	    {3 * PAGE + 100, 500, 4, "a value is longer than its page"},
	    {3 * PAGE + 106, 500, 2, "a node lies outside of its page"},
	    {3 * PAGE + 104, 2, 2, "a database within this one is not read"},
	    {4 * PAGE + 100, 2000, 4, "the pages of a value make no sense"},
	    {4 * PAGE + 109, 9, 8, "a value has a page that is not there"},
	    {5 * PAGE + 12, 9, 4, "the pages of a value make no sense"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build();
		put(cases[i].at, cases[i].v, cases[i].n);
		check_end(cases[i].want);
	}
}

static void
cuts_and_flips_keep_the_laws(void **state)
{
	struct rows_case_file f = {"data.mdb", file, sizeof(file)};
	const char *why;

	(void)state;
	build();
	rows_case_truncate("lmdb", &f, 1);
	for (size_t i = 0; i < sizeof(file); i++) {
		file[i] ^= (uint8_t)(1 << i % 8);
		if (!rows_case_laws("lmdb", &f, 1, 0, &why))
			fail_msg("byte %zu: %s", i, why);
		file[i] ^= (uint8_t)(1 << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_in_their_order_are_the_records),
	    cmocka_unit_test(trees_that_lie_are_told),
	    cmocka_unit_test(cuts_and_flips_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
