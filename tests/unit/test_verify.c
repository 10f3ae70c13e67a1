#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "custody/evidence_read.h"
#include "custody/tarhdr.h"
#include "tests/unit/bundle_fixture.h"

struct fixture {
	struct bundle_keys keys;
	struct bundle plain, both, untimed;
	struct verify *v;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	MUST(f != NULL);
	bundle_keys_make(&f->keys);
	bundle_make(&f->plain, &f->keys, DIGEST_SHA256, true);
	bundle_make(&f->both, &f->keys, DIGEST_SHA256 | DIGEST_SHA512, true);
	bundle_make(&f->untimed, &f->keys, DIGEST_SHA256, false);
	MUST(verify_prepare(&f->v, NULL) == 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	verify_done(f->v);
	bundle_release(&f->plain);
	bundle_release(&f->both);
	bundle_release(&f->untimed);
	bundle_keys_release(&f->keys);
	free(f);
	return 0;
}

static void
print(const struct verify_result *r)
{
	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
		print_message("%s %s %s\n",
		    verify_statement_name((enum verify_statement)i),
		    verify_outcome_name(r->st[i].outcome), r->st[i].reason);
}

static void
assert_all_hold(const struct fixture *f, const struct bundle *b)
{
	struct verify_result r;
	struct digests d;

	if (bundle_verify(f->v, b->p, b->n, &f->keys, &r) != 0)
		print(&r);
	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
		assert_int_equal(r.st[i].outcome, VERIFY_HOLDS);
	assert_int_equal(verify_exit(&r), 0);
	assert_string_equal(r.bag, "CASE-E01");
	assert_true(r.size == b->n && r.members == 5);
	assert_true(r.has_sha256);
	assert_int_equal(digest_mem(b->p, b->n, DIGEST_SHA256, &d, NULL), 0);
	assert_memory_equal(r.sha256, d.sha256, 32);
	assert_memory_equal(b->sealed.whole.sha256, d.sha256, 32);
	assert_true(r.gen_time == FIXTURE_TIME);
	assert_true(r.local_tsa);
	assert_memory_equal(r.signer_sha256,
	    signer_cert_sha256(f->keys.signer), 32);
}

static void
a_sound_bundle_holds_with_one_digest_and_with_two(void **state)
{
	const struct fixture *f = *state;

	assert_all_hold(f, &f->plain);
	assert_all_hold(f, &f->both);
	assert_all_hold(f, &f->plain);	/* the verifier can be used again */
}

static void
without_pinned_trust_the_rest_still_holds(void **state)
{
	const struct fixture *f = *state;
	struct verify_result r;
	struct bytesrc *src = bytesrc_mem(f->plain.p, f->plain.n, NULL);

	assert_non_null(src);
	assert_int_equal(verify_bundle(f->v, src, NULL, NULL, &r, NULL), 0);
	for (unsigned i = 0; i < VERIFY_SIGNATURE; i++)
		assert_int_equal(r.st[i].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_SIGNATURE].outcome, VERIFY_NOT_CHECKED);
	assert_int_equal(r.st[VERIFY_TIMESTAMP].outcome, VERIFY_NOT_CHECKED);
	assert_int_equal(verify_exit(&r), 2);
	bytesrc_free(src);
}

static void
a_foreign_signer_or_authority_fails(void **state)
{
	struct fixture *f = *state;
	struct bundle_keys other, mixed;
	struct verify_result r;

	bundle_keys_make(&other);
	mixed = f->keys;
	mixed.examiner = other.examiner;
	assert_int_equal(bundle_verify(f->v, f->plain.p, f->plain.n, &mixed,
	    &r), 3);
	assert_int_equal(r.st[VERIFY_SIGNATURE].outcome, VERIFY_FAILS);
	assert_int_equal(r.st[VERIFY_TIMESTAMP].outcome, VERIFY_HOLDS);
	mixed = f->keys;
	mixed.tsa = other.tsa;
	assert_int_equal(bundle_verify(f->v, f->plain.p, f->plain.n, &mixed,
	    &r), 3);
	assert_int_equal(r.st[VERIFY_TIMESTAMP].outcome, VERIFY_FAILS);
	assert_int_equal(r.st[VERIFY_SIGNATURE].outcome, VERIFY_NOT_CHECKED);
	bundle_keys_release(&other);
	clock_pin((int64_t)FIXTURE_TIME * 1000000000);
}

static void
a_bundle_without_a_token_says_so(void **state)
{
	const struct fixture *f = *state;
	struct verify_result r;

	assert_int_equal(bundle_verify(f->v, f->untimed.p, f->untimed.n,
	    &f->keys, &r), 2);
	assert_int_equal(r.st[VERIFY_TRAILER].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_TIMESTAMP].outcome, VERIFY_NOT_CHECKED);
	assert_int_equal(r.st[VERIFY_SIGNATURE].outcome, VERIFY_NOT_CHECKED);
	assert_non_null(strstr(r.st[VERIFY_TIMESTAMP].reason, "without"));
	assert_true(r.gen_time == -1);
}

/* Flip one bit, expect 3, flip it back. */
static void
assert_flip_is_seen(const struct fixture *f, const struct bundle *b,
    size_t off, unsigned bit)
{
	struct verify_result r;
	uint8_t before = b->p[off];

	b->p[off] = (uint8_t)(before ^ 1U << bit);
	assert_true(b->p[off] != before);
	if (bundle_verify(f->v, b->p, b->n, &f->keys, &r) != 3) {
		print_message("byte %zu bit %u\n", off, bit);
		print(&r);
		fail();
	}
	b->p[off] = before;
}

static uint32_t
next_random(uint32_t *s)
{
	*s = *s * 1664525U + 1013904223U;
	return *s >> 8;
}

static void
every_sampled_flip_is_rejected(void **state)
{
	const struct fixture *f = *state;
	const struct bundle *all[] = {&f->plain, &f->both};
	uint32_t seed = 1;

	for (unsigned i = 0; i < 2; i++) {
		/* 61: every region of every header and member. */
		for (size_t off = 0; off < all[i]->n; off += 61)
			assert_flip_is_seen(f, all[i], off,
			    (unsigned)off % 8);
		for (unsigned k = 0; k < 150; k++)
			assert_flip_is_seen(f, all[i],
			    next_random(&seed) % all[i]->n,
			    next_random(&seed) % 8);
	}
	assert_all_hold(f, &f->plain);	/* everything was put back */
	assert_all_hold(f, &f->both);
}

static void
every_truncation_is_rejected(void **state)
{
	const struct fixture *f = *state;
	const struct bundle *b = &f->both;
	struct verify_result r;
	uint32_t seed = 2;
	size_t n;

	for (n = 0; n < b->n; n += 512)
		assert_int_equal(bundle_verify(f->v, b->p, n, &f->keys, &r),
		    3);
	for (unsigned k = 0; k < 100; k++) {
		n = next_random(&seed) % b->n;
		assert_int_equal(bundle_verify(f->v, b->p, n, &f->keys, &r),
		    3);
		assert_int_equal(r.st[VERIFY_STRUCTURE].outcome,
		    VERIFY_FAILS);
	}
}

static void
every_extension_is_rejected(void **state)
{
	const struct fixture *f = *state;
	const size_t more[] = {1, 2, 511, 512, 513, 1024, 10240};
	struct verify_result r;
	uint8_t *p = malloc(f->plain.n + 10240);

	assert_non_null(p);
	memcpy(p, f->plain.p, f->plain.n);
	for (unsigned fill = 0; fill < 256; fill += 255) {
		memset(p + f->plain.n, (int)fill, 10240);
		for (unsigned i = 0; i < 7; i++) {
			assert_int_equal(bundle_verify(f->v, p,
			    f->plain.n + more[i], &f->keys, &r), 3);
			/* The rest was checked nevertheless. */
			assert_int_equal(r.st[VERIFY_PREFIX].outcome,
			    VERIFY_HOLDS);
		}
	}
	free(p);
}

struct span {
	size_t off, n;
};

/* Where the members lie, headers and padding included. */
static size_t
find_spans(const struct bundle *b, struct span *ret, size_t max)
{
	struct bytesrc *src = bytesrc_mem(b->p, b->n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_walk *w;
	struct evidence_member m;
	size_t n = 0;

	MUST(src != NULL && a != NULL);
	MUST(evidence_walk_new(src, a, &w, NULL) == 0);
	while (evidence_walk_next(w, &m, NULL) > 0) {
		MUST(n < max);
		ret[n].off = (size_t)m.header_offset;
		ret[n].n = (size_t)(m.data_offset - m.header_offset + m.size +
		    tarhdr_padding(m.size));
		n++;
	}
	arena_free(a);
	bytesrc_free(src);
	return n;
}

static size_t
append(uint8_t *dst, size_t at, const struct bundle *b, struct span s)
{
	memcpy(dst + at, b->p + s.off, s.n);
	return at + s.n;
}

/* Order[] names the members to be there; the end is kept. */
static void
assert_order_is_rejected(const struct fixture *f, const struct bundle *b,
    const struct span *span, size_t n, const size_t *order, size_t count)
{
	const struct span end = {span[n - 1].off + span[n - 1].n, 1024};
	struct verify_result r;
	uint8_t *p = malloc(2 * b->n);
	size_t at = 0;

	assert_non_null(p);
	for (size_t i = 0; i < count; i++)
		at = append(p, at, b, span[order[i]]);
	at = append(p, at, b, end);
	assert_true(at != b->n || memcmp(p, b->p, at) != 0);
	assert_int_equal(bundle_verify(f->v, p, at, &f->keys, &r), 3);
	free(p);
}

static void
deleted_doubled_and_swapped_members_are_rejected(void **state)
{
	const struct fixture *f = *state;
	const struct bundle *b = &f->both;
	struct span span[40];
	size_t n = find_spans(b, span, 40), order[42], k;

	assert_true(n > 15);
	for (size_t i = 0; i < n; i++) {
		for (k = 0; k + 1 < n; k++)
			order[k] = k < i ? k : k + 1;
		assert_order_is_rejected(f, b, span, n, order, n - 1);
		for (k = 0; k < n + 1; k++)
			order[k] = k <= i ? k : k - 1;
		assert_order_is_rejected(f, b, span, n, order, n + 1);
		for (k = 0; k < n; k++)
			order[k] = k;
		order[i] = (i + 1) % n;
		order[(i + 1) % n] = i;
		assert_order_is_rejected(f, b, span, n, order, n);
	}
}

static void
a_changed_member_is_named(void **state)
{
	const struct fixture *f = *state;
	struct verify_result r;
	struct span span[40];
	size_t n = find_spans(&f->plain, span, 40), off;

	assert_true(n > 4);
	off = span[3].off + 512;	/* data/weights/src/m.bin */
	f->plain.p[off] ^= 1;
	assert_int_equal(bundle_verify(f->v, f->plain.p, f->plain.n,
	    &f->keys, &r), 3);
	f->plain.p[off] ^= 1;
	assert_int_equal(r.st[VERIFY_STRUCTURE].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_MANIFESTS].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_DIGESTS].outcome, VERIFY_FAILS);
	assert_int_equal(r.st[VERIFY_PREFIX].outcome, VERIFY_FAILS);
	assert_int_equal(r.st[VERIFY_SEAL].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_SIGNATURE].outcome, VERIFY_HOLDS);
	assert_int_equal(r.st[VERIFY_TIMESTAMP].outcome, VERIFY_HOLDS);
	assert_non_null(strstr(r.st[VERIFY_DIGESTS].reason,
	    "data/weights/src/m.bin"));
}

/* Where ${text} stands within a member. */
static size_t
find_text(const struct bundle *b, const char *member, const char *text)
{
	struct bytesrc *src = bytesrc_mem(b->p, b->n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_member m;
	const uint8_t *at;

	MUST(src != NULL && a != NULL);
	MUST(evidence_find(src, a, member, &m, NULL) == 1);
	at = memmem(b->p + m.data_offset, m.size, text, strlen(text));
	MUST(at != NULL);
	arena_free(a);
	bytesrc_free(src);
	return (size_t)(at - b->p);
}

static void
each_statement_fails_for_its_own_reason(void **state)
{
	static const struct {
		const char *member, *text;
		enum verify_statement s;
		const char *reason;
	} rows[] = {
	    {BAG_MANIFEST256, "data/weights/src/m", VERIFY_MANIFESTS,
		"is expected"},
	    {BAG_MANIFEST512, "data/training/empty", VERIFY_MANIFESTS,
		BAG_MANIFEST512},
	    {BAG_MANIFEST256, "\n", VERIFY_MANIFESTS, "line 1 is malformed"},
	    {BAG_TAGMANIFEST256, "bag-info", VERIFY_MANIFESTS,
		BAG_TAGMANIFEST256},
	    {BAG_INFO, "2020.5", VERIFY_MANIFESTS, "Payload-Oxum"},
	    {BAG_INFO, "Bagging-Date", VERIFY_MANIFESTS, "four lines"},
	    {BAG_FILES, "1", VERIFY_DIGESTS, BAG_FILES},
	    {BAG_TAGMANIFEST512, "", VERIFY_DIGESTS, BAG_BAGIT},
	    {BAG_CONTAINER, "members", VERIFY_TRAILER, "members"},
	    {BAG_CONTAINER, "version", VERIFY_TRAILER, "version"},
	    {BAG_CONTAINER, "prefix_sha256", VERIFY_PREFIX, "another prefix"},
	    {BAG_HOWTO, "HOW", VERIFY_PREFIX, "another prefix"},
	    {BAG_SEAL, "metadata/log", VERIFY_SEAL, "seal.txt"},
	    {BAG_SEAL, "", VERIFY_SEAL, BAG_BAGIT},
	    {BAG_SEAL, "", VERIFY_SIGNATURE, ""},
	    {BAG_P7S, "", VERIFY_SIGNATURE, ""},
	    {BAG_P7S, "", VERIFY_TIMESTAMP, ""},
	    {BAG_TSR, "", VERIFY_TIMESTAMP, ""}};
	const struct fixture *f = *state;
	struct verify_result r;
	size_t off;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		off = find_text(&f->both, rows[i].member, rows[i].text);
		f->both.p[off] ^= 1;
		assert_int_equal(bundle_verify(f->v, f->both.p, f->both.n,
		    &f->keys, &r), 3);
		f->both.p[off] ^= 1;
		if (r.st[rows[i].s].outcome != VERIFY_FAILS ||
		    strstr(r.st[rows[i].s].reason, rows[i].reason) == NULL) {
			print_message("row %zu\n", i);
			print(&r);
			fail();
		}
		assert_int_equal(r.st[VERIFY_STRUCTURE].outcome,
		    VERIFY_HOLDS);
	}
}

static void
what_is_no_bundle_fails_and_nothing_else_is_claimed(void **state)
{
	const struct fixture *f = *state;
	struct verify_result r;
	uint8_t zeros[4096] = {0};

	assert_int_equal(bundle_verify(f->v, zeros, 4096, &f->keys, &r), 3);
	assert_int_equal(r.st[VERIFY_STRUCTURE].outcome, VERIFY_FAILS);
	for (unsigned i = 1; i < VERIFY_STATEMENTS; i++) {
		assert_int_equal(r.st[i].outcome, VERIFY_NOT_CHECKED);
		assert_true(r.st[i].reason[0] != '\0');
	}
	assert_true(r.has_sha256);
	assert_string_equal(r.bag, "");
	assert_int_equal(bundle_verify(f->v, zeros, 0, &f->keys, &r), 3);
}

/* A small bundle inside a bundle: its trailer lies in our tail. */
static void
a_bundle_may_hold_a_bundle_with_more_digests(void **state)
{
	struct fixture *f = *state;
	struct evidence_stamp stamp = {bundle_stamp, &f->keys};
	struct evidence_writer *w;
	struct verify_result r;
	struct bundle b;
	int fd = bundle_fd();

	assert_true(fd >= 0);
	w = bundle_writer(fd, DIGEST_SHA256);
	(void)bundle_member(w, "data/other/inner.tar", f->both.p, f->both.n);
	assert_int_equal(evidence_finish(w, f->keys.signer, &stamp,
	    &b.sealed, NULL), 0);
	evidence_writer_free(w);
	bundle_read(&b, fd);
	assert_int_equal(bundle_verify(f->v, b.p, b.n, &f->keys, &r), 0);
	assert_false(r.local_tsa);	/* no pki folder in this one */
	bundle_release(&b);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_sound_bundle_holds_with_one_digest_and_with_two),
	    cmocka_unit_test(without_pinned_trust_the_rest_still_holds),
	    cmocka_unit_test(a_foreign_signer_or_authority_fails),
	    cmocka_unit_test(a_bundle_without_a_token_says_so),
	    cmocka_unit_test(every_sampled_flip_is_rejected),
	    cmocka_unit_test(every_truncation_is_rejected),
	    cmocka_unit_test(every_extension_is_rejected),
	    cmocka_unit_test(
		deleted_doubled_and_swapped_members_are_rejected),
	    cmocka_unit_test(a_changed_member_is_named),
	    cmocka_unit_test(each_statement_fails_for_its_own_reason),
	    cmocka_unit_test(
		what_is_no_bundle_fails_and_nothing_else_is_claimed),
	    cmocka_unit_test(a_bundle_may_hold_a_bundle_with_more_digests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
