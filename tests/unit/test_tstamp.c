#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "tests/unit/keys_fixture.h"

static const char data[] = "a signature, say";

static struct {
	char dir[64];
	struct signer *s;
	struct trust *tsa, *examiner;
	struct buf tsq, tsr;
} k;

static int
setup(void **state)
{
	(void)state;
	keys_make(k.dir, "p256");
	k.s = keys_signer(k.dir);
	k.tsa = keys_trust(signer_tsa_pem(k.s));
	k.examiner = keys_trust(signer_pem(k.s));
	buf_init(&k.tsq, LIMIT_TSR);
	buf_init(&k.tsr, LIMIT_TSR);
	assert_int_equal(tstamp_query(data, sizeof(data), &k.tsq, NULL), 0);
	assert_int_equal(tstamp_local(k.s, k.tsq.p, k.tsq.len, &k.tsr, NULL),
	    0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_release(&k.tsq);
	buf_release(&k.tsr);
	trust_free(k.tsa);
	trust_free(k.examiner);
	signer_free(k.s);
	keys_remove(k.dir);
	return 0;
}

static int
accept(const struct buf *tsq, const struct buf *tsr, const void *p, size_t n,
    const struct trust *t, int64_t *at)
{
	return tstamp_accept(tsq->p, tsq->len, tsr->p, tsr->len, p, n, t, at,
	    NULL);
}

static void
a_reply_to_the_query_says_when(void **state)
{
	int64_t at = 0;

	(void)state;
	assert_int_equal(accept(&k.tsq, &k.tsr, data, sizeof(data), k.tsa,
	    &at), 0);
	assert_true(at == KEYS_TIME);
	assert_int_equal(accept(&k.tsq, &k.tsr, data, sizeof(data), NULL,
	    &at), 0);
}

static void
a_reply_to_another_query_is_refused(void **state)
{
	struct buf other;
	int64_t at = -7;

	(void)state;
	buf_init(&other, LIMIT_TSR);
	/* The same data: only the nonce tells them apart. */
	assert_int_equal(tstamp_query(data, sizeof(data), &other, NULL), 0);
	assert_int_equal(accept(&other, &k.tsr, data, sizeof(data), k.tsa,
	    &at), ERR_VERIFY);
	assert_true(at == -7);
	buf_release(&other);
}

static void
a_reply_over_other_data_is_refused(void **state)
{
	int64_t at = -7;

	(void)state;
	assert_int_equal(accept(&k.tsq, &k.tsr, data, sizeof(data) - 1,
	    k.tsa, &at), ERR_VERIFY);
	assert_true(at == -7);
}

/* The examiner's certificate may not stamp time. */
static void
only_an_authority_vouches_for_time(void **state)
{
	int64_t at;

	(void)state;
	assert_int_equal(accept(&k.tsq, &k.tsr, data, sizeof(data),
	    k.examiner, &at), ERR_VERIFY);
}

static void
no_altered_reply_is_accepted(void **state)
{
	unsigned accepted = 0;
	int64_t at;

	(void)state;
	for (size_t i = 0; i < k.tsr.len; i++) {
		k.tsr.p[i] ^= 0x20;
		accepted += accept(&k.tsq, &k.tsr, data, sizeof(data), k.tsa,
		    &at) == 0;
		k.tsr.p[i] ^= 0x20;
	}
	/* What PKCS #7 does not sign: versions, names of algorithms. */
	assert_in_range(accepted, 0, 40);
	for (size_t n = 0; n < k.tsr.len; n++) {
		const struct buf cut = {.p = k.tsr.p, .len = n};

		assert_true(accept(&k.tsq, &cut, data, sizeof(data), k.tsa,
		    &at) < 0);
	}
	buf_putc(&k.tsr, 0);
	assert_int_equal(accept(&k.tsq, &k.tsr, data, sizeof(data), k.tsa,
	    &at), ERR_VERIFY);
}

static void
what_is_no_query_gets_no_token(void **state)
{
	struct trust_result r;
	struct buf tsr;
	int got;

	(void)state;
	buf_init(&tsr, LIMIT_TSR);
	/* RFC 3161 answers with a rejection, which is no token. */
	got = tstamp_local(k.s, "hello", 5, &tsr, NULL);
	if (got == 0) {
		assert_int_equal(trust_check_token(k.tsa, tsr.p, tsr.len,
		    data, sizeof(data), &r, NULL), 0);
		assert_false(r.intact);
	}
	buf_release(&tsr);
}

static void
without_a_local_authority_there_is_none(void **state)
{
	char path[96];
	struct signer *s;
	struct buf tsr;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tsa.key", k.dir);
	assert_int_equal(unlink(path), 0);
	s = keys_signer(k.dir);
	assert_null(signer_tsa_pem(s));
	buf_init(&tsr, LIMIT_TSR);
	assert_int_equal(tstamp_local(s, k.tsq.p, k.tsq.len, &tsr, NULL),
	    ERR_NOTFOUND);
	buf_release(&tsr);
	signer_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_reply_to_the_query_says_when),
	    TEST(a_reply_to_another_query_is_refused),
	    TEST(a_reply_over_other_data_is_refused),
	    TEST(only_an_authority_vouches_for_time),
	    TEST(no_altered_reply_is_accepted),
	    TEST(what_is_no_query_gets_no_token),
	    TEST(without_a_local_authority_there_is_none),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
