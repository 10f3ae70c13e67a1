#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "analyzer/diff/leaves.h"
#include "analyzer/diff/spill.h"
#include "base/arena.h"
#include "tests/lib/model_case.h"
#include "tests/unit/bundle_fixture.h"

/* A walk, and what it told. */
struct bench {
	struct model_case m;
	struct leaves l;
	struct spill *spill;
	struct model_told told;
	struct rows rows;
	int spool;
};

static void
walk(struct bench *b, const char *member)
{
	struct err e = ERR_INIT;

	model_rows(&b->rows, &b->told);
	b->spool = model_case_spool();
	b->spill = spill_new(b->spool, &e);
	b->l = (struct leaves){.side = ROW_NEW, .arena = arena_new(64 * MIB),
	    .spill = b->spill, .rows = &b->rows};
	b->m.side.member = member;
	assert_int_equal(leaves_find(&b->l, &b->m.side, &e), 0);
	assert_int_equal(e.code, ERR_OK);
}

static void
end(struct bench *b)
{
	leaves_release(&b->l);
	arena_free(b->l.arena);
	spill_free(b->spill);
	(void)close(b->spool);
	model_case_free(&b->m);
	memset(b, 0, sizeof(*b));
}

static const struct leaf *
leaf(const struct bench *b, const char *path)
{
	for (size_t i = 0; i < b->l.n; i++)
		if (b->l.v[i].path_len == strlen(path) &&
		    memcmp(b->l.v[i].path, path, strlen(path)) == 0)
			return &b->l.v[i];
	for (size_t i = 0; i < b->l.n; i++)
		print_message("there is: %.*s\n", (int)b->l.v[i].path_len,
		    b->l.v[i].path);
	fail_msg("no leaf %s", path);
	return NULL;
}

/* Its bytes, by its source and by its place in its file. */
static void
assert_holds(const struct leaf *x, const void *p, size_t n)
{
	struct err e = ERR_INIT;
	uint8_t *got = malloc(n + 1);

	assert_non_null(got);
	assert_int_equal(x->size, n);
	assert_int_equal(bytesrc_read(x->src, 0, got, n, &e), 0);
	assert_memory_equal(got, p, n);
	assert_int_equal(pread(x->fd, got, n, (off_t)x->off), (ssize_t)n);
	assert_memory_equal(got, p, n);
	free(got);
}

struct file {
	const char *name;
	const void *p;
	size_t n;
};

/* An archive by libarchive: "ustar", "zip", and a filter or NULL. */
static size_t
pack(const char *format, const char *filter, const struct file *v, size_t n,
    uint8_t *dst, size_t cap)
{
	struct archive *a = archive_write_new();
	struct archive_entry *x;
	size_t used = 0;

	assert_int_equal(archive_write_set_format_by_name(a, format), 0);
	if (filter != NULL)
		assert_int_equal(archive_write_add_filter_by_name(a, filter),
		    0);
	assert_int_equal(archive_write_open_memory(a, dst, cap, &used), 0);
	for (size_t i = 0; i < n; i++) {
		x = archive_entry_new();
		archive_entry_set_pathname(x, v[i].name);
		archive_entry_set_size(x, (la_int64_t)v[i].n);
		archive_entry_set_filetype(x, AE_IFREG);
		archive_entry_set_perm(x, 0644);
		assert_int_equal(archive_write_header(a, x), 0);
		assert_int_equal(archive_write_data(a, v[i].p, v[i].n),
		    (la_ssize_t)v[i].n);
		archive_entry_free(x);
	}
	assert_int_equal(archive_write_close(a), 0);
	(void)archive_write_free(a);
	return used;
}

static uint8_t outer[256 * 1024], inner[128 * 1024];
static const struct file two[] = {{"b/config.json", "{\"a\": 1}", 8},
    {"a.txt", "words of a text\n", 16}};

static void
files_are_leaves_in_order(void **state)
{
	struct bench b = {0};

	(void)state;
	model_case_bytes(&b.m, "z.txt", "zz", 2);
	model_case_bytes(&b.m, "a/x.json", "{}", 2);
	walk(&b, NULL);
	assert_int_equal(b.l.n, 2);
	assert_memory_equal(b.l.v[0].path, "a/x.json", 8);
	assert_string_equal(b.l.v[0].format, "json");
	assert_int_equal(b.l.v[0].box_len, 0);
	assert_int_equal(b.told.findings, 0);
	end(&b);
}

static void
members_of_a_tar_stay_where_they_are(void **state)
{
	struct bench b = {0};
	size_t n = pack("ustar", NULL, two, 2, outer, sizeof(outer));

	(void)state;
	model_case_bytes(&b.m, "m.tar", outer, n);
	walk(&b, NULL);
	assert_int_equal(b.l.n, 2);
	assert_holds(leaf(&b, "m.tar!a.txt"), two[1].p, two[1].n);
	assert_holds(leaf(&b, "m.tar!b/config.json"), two[0].p, two[0].n);
	assert_int_equal(spill_size(b.spill), 0);
	assert_string_equal(leaf(&b, "m.tar!b/config.json")->format, "json");
	assert_memory_equal(leaf(&b, "m.tar!a.txt")->box, "m.tar", 5);
	end(&b);
}

static void
what_is_compressed_is_unpacked_once(void **state)
{
	struct bench b = {0};
	size_t n = pack("zip", NULL, two, 2, outer, sizeof(outer));

	(void)state;
	model_case_bytes(&b.m, "", outer, n);
	walk(&b, NULL);
	assert_int_equal(b.l.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_holds(&b.l.v[i], two[1 - i].p, two[1 - i].n);
	assert_int_equal(b.told.findings, 0);
	end(&b);
}

static void
archives_in_archives_are_seen_through(void **state)
{
	struct bench b = {0};
	const struct file box = {"in.zip", inner,
	    pack("zip", NULL, two, 2, inner, sizeof(inner))};
	size_t n = pack("ustar", "gzip", &box, 1, outer, sizeof(outer));
	const struct leaf *x;

	(void)state;
	model_case_bytes(&b.m, "m.tar.gz", outer, n);
	walk(&b, NULL);
	assert_int_equal(b.l.n, 2);
	x = &b.l.v[0];
	assert_int_equal(x->inner_len, 5);
	assert_memory_equal(x->inner, "a.txt", 5);
	assert_holds(x, two[1].p, two[1].n);
	assert_true(spill_size(b.spill) > 0);
	end(&b);
}

static void
a_member_may_be_chosen(void **state)
{
	struct bench b = {0};
	size_t n = pack("ustar", NULL, two, 2, outer, sizeof(outer));

	(void)state;
	model_case_bytes(&b.m, "", outer, n);
	walk(&b, "b");
	assert_int_equal(b.l.n, 1);
	assert_int_equal(b.l.v[0].inner_len, 13);
	end(&b);
	model_case_bytes(&b.m, "", outer, n);
	walk(&b, "b/config");
	assert_int_equal(b.l.n, 0);
	end(&b);
}

static void
what_stands_beside_is_not_looked_into(void **state)
{
	struct bench b = {0};
	size_t n = pack("ustar", NULL, two, 2, outer, sizeof(outer));

	(void)state;
	model_case_bytes(&b.m, "", "{}", 2);
	model_case_bytes(&b.m, "other.tar", outer, n);
	b.m.part[1].flags = PART_BESIDE;
	walk(&b, NULL);
	assert_int_equal(b.l.n, 2);
	assert_string_equal(leaf(&b, "other.tar")->format, "tar");
	end(&b);
}

static void
a_name_leads_to_the_file_of_the_same_archive(void **state)
{
	struct bench b = {0};
	const struct file v[] = {{"d/m.onnx", "abc", 3},
	    {"d/w.bin", "defg", 4}, {"w.bin", "hi", 2}};
	size_t n = pack("ustar", NULL, v, 3, outer, sizeof(outer));
	const struct leaf *m, *x;

	(void)state;
	model_case_bytes(&b.m, "t.tar", outer, n);
	model_case_bytes(&b.m, "w.bin", "outside", 7);
	walk(&b, NULL);
	m = leaf(&b, "t.tar!d/m.onnx");
	assert_non_null(x = leaves_beside(&b.l, m, "w.bin", 5));
	assert_int_equal(x->size, 4);
	assert_non_null(x = leaves_beside(&b.l, m, "../w.bin", 8));
	assert_int_equal(x->size, 2);
	assert_null(leaves_beside(&b.l, m, "../../w.bin", 11));
	assert_null(leaves_beside(&b.l, m, "/w.bin", 6));
	end(&b);
}

static void
a_bundle_gives_what_its_manifest_vouches_for(void **state)
{
	struct bench b = {0};
	struct bundle_keys k = {0};
	struct bundle bag;
	const struct leaf *x;
	unsigned vouched = 0;

	(void)state;
	bundle_keys_make(&k);
	bundle_make(&bag, &k, DIGEST_SHA256, false);
	model_case_bytes(&b.m, "", bag.p, bag.n);
	walk(&b, NULL);
	assert_int_equal(b.told.findings, 0);
	assert_int_equal(b.l.n, 5);
	for (size_t i = 0; i < b.l.n; i++) {
		vouched += b.l.v[i].has_sha256;
		assert_memory_equal(b.l.v[i].inner, "data/", 5);
	}
	assert_int_equal(vouched, 5);
	end(&b);
	model_case_bytes(&b.m, "", bag.p, bag.n);
	walk(&b, "data/weights");
	assert_int_equal(b.l.n, 2);
	x = &b.l.v[1];
	assert_int_equal(x->size, 1500);
	assert_memory_equal(bag.p + x->off, "\0\x07\x0e", 3);
	end(&b);
	/* Cut, it gives no less than its parser can read, and says so. */
	model_case_bytes(&b.m, "", bag.p, bag.n / 2);
	walk(&b, NULL);
	assert_true(b.told.findings > 0);
	end(&b);
	bundle_release(&bag);
	bundle_keys_release(&k);
}

static void
a_broken_archive_is_told(void **state)
{
	struct bench b = {0};
	size_t n = pack("zip", NULL, two, 2, outer, sizeof(outer));

	(void)state;
	model_case_bytes(&b.m, "", outer, n * 2 / 3);
	walk(&b, NULL);
	assert_true(b.told.findings > 0 || b.l.n == 1);
	end(&b);
	n = pack("ustar", "gzip", two, 2, outer, sizeof(outer));
	model_case_bytes(&b.m, "", outer, n / 2);
	walk(&b, NULL);
	assert_int_equal(b.told.last, FINDING_DIFF_UNREAD);
	end(&b);
	n = pack("ustar", NULL, two, 2, outer, sizeof(outer));
	model_case_bytes(&b.m, "", outer, 520);
	walk(&b, NULL);
	assert_int_equal(b.told.last, FINDING_DIFF_UNREAD);
	end(&b);
	(void)n;
}

/* Four bytes for each that no terminal shows, at every level. */
static void
a_path_that_is_too_long_leaves_the_rest(void **state)
{
	static char name[4001];
	struct bench b = {0};
	struct file v[] = {{name, inner, 0}, {"rest.txt", "rest of it\n", 11}};
	size_t n;

	(void)state;
	memset(name, 1, sizeof(name) - 1);
	v[0].n = pack("pax", NULL, two, 2, inner, sizeof(inner));
	for (unsigned i = 0; i < 5; i++) {
		n = pack("pax", NULL, v, 2, outer, sizeof(outer));
		assert_true(n <= sizeof(inner));
		memcpy(inner, outer, n);
		v[0].n = n;
	}
	model_case_bytes(&b.m, "", inner, v[0].n);
	walk(&b, NULL);
	assert_int_equal(b.told.last, FINDING_LIMIT);
	assert_true(b.l.n >= 4);
	end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_leaves_in_order),
	    cmocka_unit_test(members_of_a_tar_stay_where_they_are),
	    cmocka_unit_test(what_is_compressed_is_unpacked_once),
	    cmocka_unit_test(archives_in_archives_are_seen_through),
	    cmocka_unit_test(a_member_may_be_chosen),
	    cmocka_unit_test(what_stands_beside_is_not_looked_into),
	    cmocka_unit_test(a_name_leads_to_the_file_of_the_same_archive),
	    cmocka_unit_test(a_bundle_gives_what_its_manifest_vouches_for),
	    cmocka_unit_test(a_broken_archive_is_told),
	    cmocka_unit_test(a_path_that_is_too_long_leaves_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
