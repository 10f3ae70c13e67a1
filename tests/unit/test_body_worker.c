#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"
#include "tests/unit/body_fixture.h"

static void
whole_body_is_read_from_a_stream_and_from_memory(void **state)
{
	static const unsigned sets[] = {DIGEST_SHA256,
	    DIGEST_SHA256 | DIGEST_SHA512};
	size_t a, b;
	struct body t;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned members = 0; members < 4; members++) {
			body_make(&t, sets[i], members);
			assert_int_equal(body_try(t.p, t.n, true, &a), 0);
			assert_int_equal(body_try(t.p, t.n, false, &b), 0);
			assert_true(a == b && a > 0);
			free(t.p);
		}
}

static void
cut_body_is_refused_at_every_byte(void **state)
{
	struct body t;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	for (size_t n = 0; n < t.n; n += 3)
		assert_true(body_try(t.p, n, true, NULL) < 0);
	for (size_t n = t.n - 1100; n < t.n; n++)
		assert_true(body_try(t.p, n, true, NULL) < 0);
	free(t.p);
}

static void
bytes_behind_the_end_are_refused(void **state)
{
	struct body t;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	memset(t.p + t.n, 0, 1024);
	assert_int_equal(body_try(t.p, t.n + 1, true, NULL), ERR_FORMAT);
	assert_int_equal(body_try(t.p, t.n + 1024, true, NULL), ERR_FORMAT);
	t.p[t.n] = 'x';
	assert_int_equal(body_try(t.p, t.n + 1, true, NULL), ERR_FORMAT);
	free(t.p);
}

/* Where "BAG/name" has its header, from ${off} on. */
static size_t
find(const struct body *t, const char *name)
{
	for (size_t off = 0; off + 512 <= t->n; off += 512)
		if (strncmp((const char *)t->p + off, name, 100) == 0)
			return off;
	BODY_NEED(false);
	return 0;
}

static void
changed_header_padding_or_fixed_text_is_refused(void **state)
{
	static const char *const names[] = {"T-E01/bagit.txt",
	    "T-E01/data/weights/000", "T-E01/metadata/HOW-TO-VERIFY.txt",
	    "T-E01/manifest-sha256.txt", "T-E01/bag-info.txt",
	    "T-E01/body-end.txt"};
	struct body t;
	size_t at;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < 512; k++) {
			at = find(&t, names[i]) + k;
			t.p[at] ^= 0x20;
			assert_true(body_try(t.p, t.n, true, NULL) < 0);
			t.p[at] ^= 0x20;
		}
	at = find(&t, "T-E01/data/weights/000") + 512 + 100;
	assert_int_equal(t.p[at], 0);
	t.p[at] = 1;
	assert_int_equal(body_try(t.p, t.n, true, NULL), ERR_FORMAT);
	free(t.p);
}

static void
member_out_of_place_is_refused(void **state)
{
	struct body t;
	size_t info, end;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	/* Without body-end.txt: the two zero blocks come too early. */
	end = find(&t, "T-E01/body-end.txt");
	memset(t.p + end, 0, 1024);
	assert_int_equal(body_try(t.p, end + 1024, true, NULL), ERR_FORMAT);
	free(t.p);
	/* A member twice. */
	body_make(&t, DIGEST_SHA256, 2);
	info = find(&t, "T-E01/bag-info.txt");
	memmove(t.p + info + 1024, t.p + info, t.n - info);
	assert_int_equal(body_try(t.p, t.n + 1024, true, NULL), ERR_FORMAT);
	free(t.p);
}

static void
body_is_no_bundle(void **state)
{
	struct evidence_walk *w;
	struct evidence_member m;
	struct bytesrc *src;
	struct arena *a;
	struct body t;
	int r;

	(void)state;
	body_make(&t, DIGEST_SHA256, 1);
	assert_non_null(a = arena_new(MIB));
	assert_non_null(src = bytesrc_mem(t.p, t.n, NULL));
	assert_int_equal(evidence_walk_new(src, a, &w, NULL), 0);
	while ((r = evidence_walk_next(w, &m, NULL)) > 0)
		assert_string_not_equal(m.name, BAG_BODY);
	assert_int_equal(r, ERR_FORMAT);
	bytesrc_free(src);
	arena_free(a);
	free(t.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_body_is_read_from_a_stream_and_from_memory),
	    cmocka_unit_test(cut_body_is_refused_at_every_byte),
	    cmocka_unit_test(bytes_behind_the_end_are_refused),
	    cmocka_unit_test(changed_header_padding_or_fixed_text_is_refused),
	    cmocka_unit_test(member_out_of_place_is_refused),
	    cmocka_unit_test(body_is_no_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
