#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "custody/evidence_read.h"
#include "tests/unit/bundle_fixture.h"

static struct bundle_keys keys;

static int
setup(void **state)
{
	(void)state;
	bundle_keys_make(&keys);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bundle_keys_release(&keys);
	return 0;
}

/* The content of a member, or NULL; *n its size. */
static const uint8_t *
content(const struct bundle *b, const char *name, size_t *n,
    struct evidence_member *m)
{
	struct bytesrc *src = bytesrc_mem(b->p, b->n, NULL);
	struct arena *a = arena_new(MIB);
	int r;

	MUST(src != NULL && a != NULL);
	r = evidence_find(src, a, name, m, NULL);
	m->name = NULL;	/* it went with the arena */
	arena_free(a);
	bytesrc_free(src);
	if (r != 1)
		return NULL;
	*n = (size_t)m->size;
	return b->p + m->data_offset;
}

static void
what_is_put_is_read_back(void **state)
{
	struct evidence_member m;
	const uint8_t *p;
	struct bundle b;
	size_t n;

	(void)state;
	bundle_make(&b, &keys, DIGEST_SHA256, true);
	p = content(&b, "data/weights/src/dir=20x/=C3=BC", &n, &m);
	assert_non_null(p);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "ue\n", 3);
	assert_true(m.mtime == FIXTURE_TIME - 1000);
	p = content(&b, BAG_ACQUISITION, &n, &m);
	assert_non_null(p);
	assert_memory_equal(p, "{}\n", 3);
	assert_true(m.mtime == FIXTURE_TIME);
	assert_null(content(&b, "data/other/none", &n, &m));
	assert_null(content(&b, BAG_MANIFEST512, &n, &m));
	assert_true(b.sealed.has_token);
	assert_true(b.sealed.members == 5);
	assert_true(b.sealed.payload_bytes == 2020);
	assert_true(b.sealed.size == b.n);
	bundle_release(&b);
}

static void
the_same_input_gives_the_same_prefix(void **state)
{
	struct evidence_member m;
	struct bundle b[2];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		bundle_make(&b[i], &keys, DIGEST_SHA256 | DIGEST_SHA512,
		    true);
	assert_non_null(content(&b[0], BAG_SEAL, &n, &m));
	assert_memory_equal(b[0].p, b[1].p, m.header_offset + 512 + n);
	for (unsigned i = 0; i < 2; i++)
		bundle_release(&b[i]);
}

static void
places_and_digests_are_those_of_the_file(void **state)
{
	struct evidence_writer *w;
	struct evidence_place place;
	struct digests d;
	uint8_t big[600 * 1024];
	int fd = bundle_fd();

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i % 251);
	w = bundle_writer(fd, DIGEST_SHA256 | DIGEST_SHA512);
	place = bundle_member(w, "data/weights/big", big, sizeof(big));
	assert_int_equal(digest_mem(big, sizeof(big),
	    DIGEST_SHA256 | DIGEST_SHA512, &d, NULL), 0);
	assert_memory_equal(place.digests.sha256, d.sha256, 32);
	assert_memory_equal(place.digests.sha512, d.sha512, 64);
	assert_true(place.data_offset == place.header_offset + 512);
	assert_true(evidence_written(w) > sizeof(big));
	evidence_writer_free(w);
	assert_int_equal(close(fd), 0);
}

static void
a_short_member_is_filled_with_zeros_and_said(void **state)
{
	struct evidence_writer *w;
	struct evidence_place place;
	struct evidence_member m;
	struct verify_result r;
	struct verify *v;
	const uint8_t *p;
	struct bundle b;
	uint64_t short_by = 0;
	size_t n;
	int fd = bundle_fd();

	(void)state;
	w = bundle_writer(fd, DIGEST_SHA256);
	assert_int_equal(evidence_begin(w, "data/other/s", 10000, 1, NULL),
	    0);
	assert_int_equal(evidence_put(w, "abc", 3, NULL), 0);
	assert_int_equal(evidence_put(w, "defg", 4, NULL), 0);
	assert_int_equal(evidence_end(w, &place, &short_by, NULL), 0);
	assert_true(short_by == 10000 - 7);
	assert_int_equal(evidence_finish(w, keys.signer, NULL, &b.sealed,
	    NULL), 0);
	evidence_writer_free(w);
	bundle_read(&b, fd);
	p = content(&b, "data/other/s", &n, &m);
	assert_non_null(p);
	assert_int_equal(n, 10000);
	assert_memory_equal(p, "abcdefg", 7);
	for (size_t i = 7; i < n; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(verify_prepare(&v, NULL), 0);
	assert_int_equal(bundle_verify(v, b.p, b.n, &keys, &r), 2);
	assert_int_equal(r.st[VERIFY_DIGESTS].outcome, VERIFY_HOLDS);
	verify_done(v);
	bundle_release(&b);
	assert_int_equal(close(fd), 0);
}

static void
a_name_is_taken_once_and_refusal_writes_nothing(void **state)
{
	struct evidence_writer *w;
	struct evidence_sealed s;
	struct err e = ERR_INIT;
	uint64_t before;
	int fd = bundle_fd();

	(void)state;
	w = bundle_writer(fd, DIGEST_SHA256);
	(void)bundle_member(w, "data/other/a", "x", 1);
	before = evidence_written(w);
	assert_int_equal(evidence_begin(w, "data/other/a", 1, 1, &e),
	    ERR_EXISTS);
	assert_int_equal(evidence_begin(w, "bagit.txt", 1, 1, NULL), ERR_ARG);
	assert_int_equal(evidence_begin(w, "data/a b", 1, 1, NULL), ERR_ARG);
	assert_int_equal(evidence_begin(w, "data/../a", 1, 1, NULL), ERR_ARG);
	assert_int_equal(evidence_begin(w, BAG_KEEP, 0, 1, NULL), ERR_ARG);
	assert_int_equal(evidence_tag(w, BAG_CONTAINER, "", 0, NULL),
	    ERR_ARG);
	assert_int_equal(evidence_tag(w, "seal/x", "", 0, NULL), ERR_ARG);
	assert_true(evidence_written(w) == before);
	/* It goes on all the same. */
	(void)bundle_member(w, "data/other/b", "x", 1);
	assert_int_equal(evidence_finish(w, keys.signer, NULL, &s, NULL), 0);
	assert_true(s.members == 2);
	evidence_writer_free(w);
	assert_int_equal(close(fd), 0);
}

static void
nothing_collected_is_still_a_bag(void **state)
{
	struct evidence_stamp stamp = {bundle_stamp, &keys};
	struct evidence_writer *w;
	struct evidence_member m;
	struct verify_result r;
	struct verify *v;
	struct bundle b;
	size_t n;
	int fd = bundle_fd();

	(void)state;
	w = bundle_writer(fd, DIGEST_SHA256);
	assert_int_equal(evidence_finish(w, keys.signer, &stamp, &b.sealed,
	    NULL), 0);
	evidence_writer_free(w);
	bundle_read(&b, fd);
	assert_non_null(content(&b, BAG_KEEP, &n, &m));
	assert_int_equal(n, 0);
	assert_int_equal(verify_prepare(&v, NULL), 0);
	assert_int_equal(bundle_verify(v, b.p, b.n, &keys, &r), 0);
	assert_true(r.members == 1);
	verify_done(v);
	bundle_release(&b);
	assert_int_equal(close(fd), 0);
}

static void
times_outside_the_range_become_the_bundles_own(void **state)
{
	const int64_t times[] = {-5, 0, FIXTURE_TIME + 1, INT64_MAX, 1,
	    FIXTURE_TIME};
	struct evidence_writer *w;
	struct evidence_place place;
	struct evidence_member m;
	struct bundle b;
	char name[32];
	uint64_t short_by;
	size_t n;
	int fd = bundle_fd();

	(void)state;
	w = bundle_writer(fd, DIGEST_SHA256);
	for (unsigned i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "data/other/%u", i);
		assert_int_equal(evidence_begin(w, name, i, times[i], NULL),
		    0);
		assert_int_equal(evidence_end(w, &place, &short_by, NULL),
		    0);
	}
	assert_int_equal(evidence_finish(w, keys.signer, NULL, &b.sealed,
	    NULL), 0);
	evidence_writer_free(w);
	bundle_read(&b, fd);
	for (unsigned i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "data/other/%u", i);
		assert_non_null(content(&b, name, &n, &m));
		assert_true(m.mtime == (i == 4 ? 1 : FIXTURE_TIME));
	}
	bundle_release(&b);
	assert_int_equal(close(fd), 0);
}

static int
bad_stamp(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	/* A token, but over something else. */
	(void)p7s;
	(void)n;
	return bundle_stamp(ctx, "other", 5, tsr, e);
}

static int
no_stamp(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	(void)ctx;
	(void)p7s;
	(void)n;
	(void)tsr;
	return err_set(e, ERR_IO, "no answer");
}

static void
a_token_that_does_not_fit_is_not_written(void **state)
{
	int (*const stamps[])(void *, const void *, size_t, struct buf *,
	    struct err *) = {bad_stamp, no_stamp};
	const int want[] = {ERR_CRYPTO, ERR_IO};
	struct evidence_stamp stamp = {NULL, &keys};
	struct evidence_sealed s;
	struct evidence_writer *w;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fd = bundle_fd();
		stamp.stamp = stamps[i];
		w = bundle_writer(fd, DIGEST_SHA256);
		bundle_payload(w);
		assert_int_equal(evidence_finish(w, keys.signer, &stamp, &s,
		    NULL), want[i]);
		evidence_writer_free(w);
		assert_int_equal(close(fd), 0);
	}
}

static void
a_full_disk_is_an_error(void **state)
{
	struct evidence_writer *w;
	uint8_t *big = calloc(1, LIMIT_COPY_CHUNK);
	int fd = open("/dev/full", O_WRONLY);
	int r = 0;

	(void)state;
	assert_non_null(big);
	assert_true(fd >= 0);
	w = bundle_writer(fd, DIGEST_SHA256);
	assert_int_equal(evidence_begin(w, "data/other/x", 10 * MIB, 1, NULL),
	    0);
	for (unsigned i = 0; i < 40 && r >= 0; i++)
		r = evidence_put(w, big, LIMIT_COPY_CHUNK, NULL);
	assert_true(r < 0);
	evidence_writer_free(w);
	assert_int_equal(close(fd), 0);
	free(big);
}

static void
tag_files_come_from_descriptors_too(void **state)
{
	struct evidence_writer *w;
	struct evidence_member m;
	const uint8_t *p;
	struct bundle b;
	char text[] = "one\ntwo\n";
	size_t n;
	int fd = bundle_fd(), tag = bundle_fd();

	(void)state;
	assert_int_equal(write(tag, text, 8), 8);
	w = bundle_writer(fd, DIGEST_SHA256);
	assert_int_equal(evidence_tag_fd(w, BAG_FILES, tag, NULL), 0);
	assert_int_equal(evidence_finish(w, keys.signer, NULL, &b.sealed,
	    NULL), 0);
	evidence_writer_free(w);
	bundle_read(&b, fd);
	p = content(&b, BAG_FILES, &n, &m);
	assert_non_null(p);
	assert_int_equal(n, 8);
	assert_memory_equal(p, text, 8);
	bundle_release(&b);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(tag), 0);
}

static void
unusable_parameters_are_refused(void **state)
{
	struct evidence_params p = {.fd = 1, .bag = "a/b",
	    .digests = DIGEST_SHA256, .header_mtime = 1, .tool = "t"};
	struct evidence_writer *w;

	(void)state;
	assert_int_equal(evidence_writer_new(&p, &w, NULL), ERR_ARG);
	p.bag = "a";
	p.header_mtime = 0;
	assert_int_equal(evidence_writer_new(&p, &w, NULL), ERR_ARG);
	p.header_mtime = 8589934592;
	assert_int_equal(evidence_writer_new(&p, &w, NULL), ERR_ARG);
	evidence_writer_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_is_read_back),
	    cmocka_unit_test(the_same_input_gives_the_same_prefix),
	    cmocka_unit_test(places_and_digests_are_those_of_the_file),
	    cmocka_unit_test(a_short_member_is_filled_with_zeros_and_said),
	    cmocka_unit_test(a_name_is_taken_once_and_refusal_writes_nothing),
	    cmocka_unit_test(nothing_collected_is_still_a_bag),
	    cmocka_unit_test(times_outside_the_range_become_the_bundles_own),
	    cmocka_unit_test(a_token_that_does_not_fit_is_not_written),
	    cmocka_unit_test(a_full_disk_is_an_error),
	    cmocka_unit_test(tag_files_come_from_descriptors_too),
	    cmocka_unit_test(unusable_parameters_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
