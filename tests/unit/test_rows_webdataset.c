#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"
#include "tests/lib/rows_pack.h"

static const struct rows_case_file members[] = {
    {"__meta__", "x", 1},
    {"d/0001.JPG", "\xff\xd8", 2},
    {"d/0001.cls", "7\n", 2},
    {"d/README", "no dot", 6},
    {"d/0001.json", "{\"a\": {\"b\": [1]}}", 17},
    {"d/0002.seg.png", "png", 3},
    {"d/0002.txt", "hello", 5},
    {"d/0002.pyd", "\x80\3N.", 4},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static struct rows_case_file
pack(const struct rows_case_file *m, size_t n, bool pax)
{
	struct rows_case_file f = {"a.tar", NULL, 0};

	f.p = rows_pack_tar(m, n, pax, &f.n);
	return f;
}

static void
drop(struct rows_case_file *f)
{
	union {
		const void *p;
		void *mine;
	} u = {f->p};

	free(u.mine);
}

static void
consecutive_members_of_one_base_are_a_sample(void **state)
{
	struct rows_case_file f = pack(members, MEMBERS, false);

	(void)state;
	rows_case_check(NULL, &f, 1,
	    "0 0 1024 4096 v {\"__key__\":\"d/0001\","
	    "\"jpg\":{\"base64\":\"/9g=\"},\"cls\":7,"
	    "\"json\":{\"a\":{\"b\":[1]}}}\n"
	    "! 0 7168 a member runs code when it is decoded\n"
	    "1 0 5120 3072 v {\"__key__\":\"d/0002\",\"seg.png\":"
	    "{\"base64\":\"cG5n\"},\"txt\":\"hello\","
	    "\"pyd\":{\"base64\":\"gANOLg==\"}}\n= 0\n");
	drop(&f);
}

static void
extended_headers_belong_to_their_member(void **state)
{
	struct rows_case_file f = pack(members + 5, 2, true);

	(void)state;
	rows_case_check(NULL, &f, 1,
	    "0 0 0 4096 v {\"__key__\":\"d/0002\",\"seg.png\":"
	    "{\"base64\":\"cG5n\"},\"txt\":\"hello\"}\n= 0\n");
	drop(&f);
}

static void
cut_archive_is_told_wherever_it_ends(void **state)
{
	struct rows_case_file f = pack(members + 1, 4, true);
	const char *why;

	(void)state;
	for (; f.n > 0; f.n -= f.n % 64 == 0 ? 63 : 1)
		if (!rows_case_laws("webdataset", &f, 1, f.n % 2 * 7, &why))
			fail_msg("cut at %zu: %s", f.n, why);
	drop(&f);
}

/* What came before stands; who knows what the sample would have had. */
static void
sample_that_breaks_off_is_damaged(void **state)
{
	struct rows_case_file f = pack(members + 1, 2, false);

	(void)state;
	f.n = 1024 + 512 + 1;
	rows_case_check("webdataset", &f, 1,
	    "! 0 1024 a member is cut\n"
	    "0 0 0 1024 vd -\n= -5\n= 0\n");
	drop(&f);
}

static void
check_field(const char *path, uint64_t row, const char *want)
{
	struct rows_case_file f = pack(members, MEMBERS, false);
	char *got = rows_case_field(NULL, &f, 1, row, path);

	assert_string_equal(got, want);
	free(got);
	drop(&f);
}

static void
paths_name_extensions_and_go_into_json(void **state)
{
	(void)state;
	check_field("__key__", 0, "text:d/0001");
	check_field("jpg", 0, "bytes:\xff\xd8");
	check_field("cls", 0, "int:7");
	check_field("json", 0, "tree:{\"a\":{\"b\":[1]}}");
	check_field("json.a.b.0", 0, "int:1");
	check_field("json.x", 0, "absent");
	check_field("seg.png", 1, "bytes:png");
	check_field("png", 1, "absent");
	check_field("txt", 1, "text:hello");
	check_field("txt.0", 1, "absent");
}

/* Neither there nor absent: whoever asks must hear it. */
static void
paths_into_json_that_is_none_are_unreadable(void **state)
{
	static const struct rows_case_file m[] = {{"a.json", "{\"x\":1", 6},
	    {"b.json", "{\"x\":1,\"x\":2}", 13}};
	struct rows_case_file f = pack(m, 2, false);
	char *got;

	(void)state;
	got = rows_case_field(NULL, &f, 1, 0, "json.x");
	assert_string_equal(got, "! 0 0 a member is not JSON\nunreadable");
	free(got);
	got = rows_case_field(NULL, &f, 1, 0, "json");
	assert_string_equal(got, "bytes:{\"x\":1");
	free(got);
	got = rows_case_field(NULL, &f, 1, 1, "json.x");
	assert_string_equal(got, "! 0 1024 a key occurs twice\nint:2");
	free(got);
	drop(&f);
}

static void
equal_extensions_are_told(void **state)
{
	static const struct rows_case_file twice[] = {{"a.txt", "1", 1},
	    {"a.TXT", "2", 1}};
	struct rows_case_file f = pack(twice, 2, false);

	(void)state;
	rows_case_check(NULL, &f, 1,
	    "! 0 1024 two members of a sample have one extension\n"
	    "0 0 0 2048 v {\"__key__\":\"a\",\"txt\":\"1\"}\n= 0\n");
	drop(&f);
}

static void
hidden_names_split_as_the_library_splits_them(void **state)
{
	static const struct rows_case_file m[] = {{".hidden", "1", 1},
	    {"d/.h", "1", 1}, {"a.b/.h", "1", 1}, {"x.y/z/.h", "1", 1},
	    {"e/", NULL, 0}};
	struct rows_case_file f = pack(m, 5, false);

	(void)state;
	rows_case_check(NULL, &f, 1,
	    "0 0 1024 1024 v {\"__key__\":\"d/\",\"h\":"
	    "{\"base64\":\"MQ==\"}}\n"
	    "1 0 3072 1024 v {\"__key__\":\"x.y/z/\",\"h\":"
	    "{\"base64\":\"MQ==\"}}\n= 0\n");
	drop(&f);
}

static void
compressed_shards_are_read_through(void **state)
{
	struct rows_case_file f = pack(members + 6, 1, false);
	struct rows_case_file z = {"a.tar.gz", NULL, 0};
	uint8_t *p = rows_pack_filter(f.p, f.n, "gzip", &z.n);

	(void)state;
	z.p = p;
	rows_case_check(NULL, &z, 1,
	    "0 0 0 1024 vu {\"__key__\":\"d/0002\",\"txt\":\"hello\"}\n"
	    "= 0\n");
	free(p);
	drop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(consecutive_members_of_one_base_are_a_sample),
	    cmocka_unit_test(extended_headers_belong_to_their_member),
	    cmocka_unit_test(cut_archive_is_told_wherever_it_ends),
	    cmocka_unit_test(sample_that_breaks_off_is_damaged),
	    cmocka_unit_test(paths_name_extensions_and_go_into_json),
	    cmocka_unit_test(paths_into_json_that_is_none_are_unreadable),
	    cmocka_unit_test(equal_extensions_are_told),
	    cmocka_unit_test(hidden_names_split_as_the_library_splits_them),
	    cmocka_unit_test(compressed_shards_are_read_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
