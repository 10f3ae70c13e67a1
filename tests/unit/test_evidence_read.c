#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "custody/evidence_read.h"
#include "custody/tarhdr.h"
#include "custody/taritem.h"
#include "tests/unit/bundle_fixture.h"

static struct bundle_keys keys;
static struct bundle b;

static int
setup(void **state)
{
	(void)state;
	bundle_keys_make(&keys);
	bundle_make(&b, &keys, DIGEST_SHA256 | DIGEST_SHA512, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bundle_release(&b);
	bundle_keys_release(&keys);
	return 0;
}

/* Walk to the end; *count members. */
static int
walk(const uint8_t *p, size_t n, unsigned *count, struct err *e)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_member m;
	struct evidence_walk *w;
	int r, again;

	MUST(src != NULL && a != NULL);
	*count = 0;
	MUST(evidence_walk_new(src, a, &w, NULL) == 0);
	while ((r = evidence_walk_next(w, &m, e)) > 0)
		++*count;
	/* The end stays the end. */
	again = evidence_walk_next(w, &m, NULL);
	MUST(again == r);
	arena_free(a);
	bytesrc_free(src);
	return r;
}

static void
a_sound_bundle_is_walked_to_its_end(void **state)
{
	static const char *const want[] = {BAG_BAGIT, BAG_ACQUISITION,
	    BAG_HOWTO, "data/weights/src/m.bin",
	    "data/weights/src/dir=20x/=C3=BC", "data/training/empty", NULL,
	    "data/other/block", BAG_FILES, BAG_LOG, BAG_PKI "examiner.pem",
	    BAG_PKI "tsa.pem", BAG_MANIFEST256, BAG_MANIFEST512, BAG_INFO,
	    BAG_CONTAINER, BAG_SEAL, BAG_P7S, BAG_TSR, BAG_TAGMANIFEST256,
	    BAG_TAGMANIFEST512};
	struct bytesrc *src = bytesrc_mem(b.p, b.n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_member m;
	struct evidence_walk *w;
	uint64_t end = 0;
	size_t i = 0;

	(void)state;
	assert_non_null(src);
	assert_non_null(a);
	assert_int_equal(evidence_walk_new(src, a, &w, NULL), 0);
	while (evidence_walk_next(w, &m, NULL) > 0) {
		assert_true(i < sizeof(want) / sizeof(want[0]));
		if (want[i] != NULL)
			assert_string_equal(m.name, want[i]);
		assert_int_equal(strlen(m.name), m.name_len);
		assert_true(m.header_offset == end);
		end = m.data_offset + m.size + tarhdr_padding(m.size);
		i++;
	}
	assert_int_equal(i, sizeof(want) / sizeof(want[0]));
	assert_true(end + 1024 == b.n);
	assert_string_equal(evidence_walk_bag(w), "CASE-E01");
	arena_free(a);
	bytesrc_free(src);
}

/* Content belongs to digests; every other byte belongs to the walk. */
static void
every_byte_outside_of_content_is_checked(void **state)
{
	struct bytesrc *src = bytesrc_mem(b.p, b.n, NULL);
	struct arena *a = arena_new(MIB);
	bool *is_content = calloc(b.n, 1);
	struct evidence_member m;
	struct evidence_walk *w;
	unsigned count;

	(void)state;
	assert_non_null(src);
	assert_non_null(a);
	assert_non_null(is_content);
	assert_int_equal(evidence_walk_new(src, a, &w, NULL), 0);
	while (evidence_walk_next(w, &m, NULL) > 0)
		for (uint64_t i = 0; i < m.size; i++)
			is_content[m.data_offset + i] =
			    strcmp(m.name, BAG_BAGIT) != 0;
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= (uint8_t)(1U << i % 8);
		if (is_content[i])
			assert_int_equal(walk(b.p, b.n, &count, NULL), 0);
		else
			assert_true(walk(b.p, b.n, &count, NULL) < 0);
		b.p[i] ^= (uint8_t)(1U << i % 8);
	}
	free(is_content);
	arena_free(a);
	bytesrc_free(src);
}

static void
a_truncated_bundle_is_truncated_or_malformed(void **state)
{
	struct err e;
	unsigned count;
	int r;

	(void)state;
	for (size_t n = 0; n < b.n; n += 97) {
		e = (struct err)ERR_INIT;
		r = walk(b.p, n, &count, &e);
		assert_true(r == ERR_TRUNC || r == ERR_FORMAT);
		assert_true(e.off <= n);
		assert_true(e.msg[0] != '\0');
	}
}

/* Members one after the other, then the end. */
static size_t
build(uint8_t *p, const char *const *names, size_t count)
{
	char path[300];
	size_t at = 0, n, size;

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "B/%s", names[i]);
		size = i == 0 ? strlen(bag_bagit_txt) : 0;
		MUST(taritem_put(p + at, &(struct taritem){path,
		    strlen(path), size, 5}, &n, NULL) == 0);
		at += n;
		if (size == 0)
			continue;
		memset(p + at, 0, 512);
		memcpy(p + at, bag_bagit_txt, size);
		at += 512;
	}
	memset(p + at, 0, 1024);
	return at + 1024;
}

static int
walk_names(const char *const *names, size_t count)
{
	static uint8_t p[64 * 1024];
	unsigned seen;
	size_t n = build(p, names, count);

	return walk(p, n, &seen, NULL);
}

#define WALK(...) \
	walk_names((const char *const[]){__VA_ARGS__}, \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define HEAD BAG_BAGIT, BAG_ACQUISITION, BAG_HOWTO
#define TAIL \
	BAG_MANIFEST256, BAG_INFO, BAG_CONTAINER, BAG_SEAL, BAG_P7S, \
	    BAG_TAGMANIFEST256

static void
the_order_of_members_is_fixed(void **state)
{
	(void)state;
	assert_int_equal(WALK(HEAD, "data/a", TAIL), 0);
	assert_int_equal(WALK(HEAD, "data/a", "data/b", "metadata/x", TAIL),
	    0);
	assert_int_equal(WALK(HEAD, BAG_KEEP, TAIL), 0);
	assert_int_equal(WALK(HEAD, "data/a", BAG_MANIFEST256,
	    BAG_MANIFEST512, BAG_INFO, BAG_CONTAINER, BAG_SEAL, BAG_P7S,
	    BAG_TSR, BAG_TAGMANIFEST256, BAG_TAGMANIFEST512), 0);
	/* Without payload, without acquisition, without HOW-TO. */
	assert_int_equal(WALK(HEAD, TAIL), ERR_FORMAT);
	assert_int_equal(WALK(BAG_BAGIT, BAG_HOWTO, "data/a", TAIL),
	    ERR_FORMAT);
	assert_int_equal(WALK(BAG_BAGIT, BAG_ACQUISITION, "data/a", TAIL),
	    ERR_FORMAT);
	/* Payload late, metadata early, unknown names, twice. */
	assert_int_equal(WALK(HEAD, "data/a", "metadata/x", "data/b", TAIL),
	    ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "metadata/x", "data/a", TAIL),
	    ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a", "other.txt", TAIL),
	    ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a", "data/a", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a", "metadata/x", "metadata/x",
	    TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a", TAIL, "data/b"), ERR_FORMAT);
	/* .keep with others. */
	assert_int_equal(WALK(HEAD, "data/a", BAG_KEEP, TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, BAG_KEEP, "data/a", TAIL), ERR_FORMAT);
	/* One SHA-512 manifest without the other. */
	assert_int_equal(WALK(HEAD, "data/a", TAIL, BAG_TAGMANIFEST512),
	    ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a", BAG_MANIFEST256,
	    BAG_MANIFEST512, BAG_INFO, BAG_CONTAINER, BAG_SEAL, BAG_P7S,
	    BAG_TAGMANIFEST256), ERR_FORMAT);
	/* An early end. */
	assert_int_equal(WALK(HEAD, "data/a"), ERR_FORMAT);
	assert_int_equal(WALK(BAG_BAGIT), ERR_FORMAT);
}

static void
names_that_no_writer_writes_are_refused(void **state)
{
	(void)state;
	assert_int_equal(WALK(HEAD, "data/a b", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/../a", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data//a", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a\x1b[2J", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "data/a=2", TAIL), ERR_FORMAT);
	assert_int_equal(WALK(HEAD, "/data/a", TAIL), ERR_FORMAT);
}

static void
a_member_of_another_bag_is_refused(void **state)
{
	static const char *const names[] = {HEAD, "data/a", TAIL};
	static uint8_t p[64 * 1024];
	size_t n = build(p, names, sizeof(names) / sizeof(names[0])), k;
	unsigned count;

	(void)state;
	assert_int_equal(walk(p, n, &count, NULL), 0);
	/* data/a is the fifth header block: bagit.txt has a content block. */
	assert_int_equal(taritem_put(p + 4 * 512,
	    &(struct taritem){"C/data/a", 8, 0, 5}, &k, NULL), 0);
	assert_int_equal(walk(p, n, &count, NULL), ERR_FORMAT);
	assert_int_equal(count, 3);
	/* A time later than the bundle's own, and none. */
	assert_int_equal(taritem_put(p + 4 * 512,
	    &(struct taritem){"B/data/a", 8, 0, 6}, &k, NULL), 0);
	assert_int_equal(walk(p, n, &count, NULL), ERR_FORMAT);
	assert_int_equal(taritem_put(p + 4 * 512,
	    &(struct taritem){"B/data/a", 8, 0, 0}, &k, NULL), 0);
	assert_int_equal(walk(p, n, &count, NULL), ERR_FORMAT);
	assert_int_equal(taritem_put(p + 4 * 512,
	    &(struct taritem){"B/data/a", 8, 0, 4}, &k, NULL), 0);
	assert_int_equal(walk(p, n, &count, NULL), 0);
	/* A size that reaches behind the end. */
	assert_int_equal(taritem_put(p + 4 * 512,
	    &(struct taritem){"B/data/a", 8, 1 << 30, 4}, &k, NULL), 0);
	assert_int_equal(walk(p, n, &count, NULL), ERR_TRUNC);
}

static void
a_head_is_recognised(void **state)
{
	uint8_t head[1024];

	(void)state;
	memcpy(head, b.p, 1024);
	assert_true(evidence_is_bundle(head, 1024));
	assert_false(evidence_is_bundle(head, 1023));
	for (size_t i = 0; i < 1024; i++) {
		head[i] ^= 1;
		assert_false(evidence_is_bundle(head, 1024));
		head[i] ^= 1;
	}
}

static void
a_member_is_found_by_name(void **state)
{
	struct bytesrc *src = bytesrc_mem(b.p, b.n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_member m;

	(void)state;
	assert_non_null(src);
	assert_non_null(a);
	assert_int_equal(evidence_find(src, a, "data/other/block", &m, NULL),
	    1);
	assert_true(m.size == 512);
	assert_memory_equal(b.p + m.data_offset, "\0\7\16", 3);
	assert_int_equal(evidence_find(src, a, "data/other", &m, NULL), 0);
	assert_int_equal(evidence_find(src, a, "", &m, NULL), 0);
	arena_free(a);
	bytesrc_free(src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_bundle_is_walked_to_its_end),
	    cmocka_unit_test(every_byte_outside_of_content_is_checked),
	    cmocka_unit_test(a_truncated_bundle_is_truncated_or_malformed),
	    cmocka_unit_test(the_order_of_members_is_fixed),
	    cmocka_unit_test(names_that_no_writer_writes_are_refused),
	    cmocka_unit_test(a_member_of_another_bag_is_refused),
	    cmocka_unit_test(a_head_is_recognised),
	    cmocka_unit_test(a_member_is_found_by_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
