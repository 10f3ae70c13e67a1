#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "tests/unit/keys_fixture.h"

static const char content[] = "what is sealed\n";

static void
check(const struct trust *t, const struct buf *p7s, const void *p, size_t n,
    int64_t at, struct trust_result *r)
{
	struct err e = ERR_INIT;

	if (trust_check_cms(t, p7s->p, p7s->len, p, n, at, r, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
every_algorithm_signs_what_its_certificate_verifies(void **state)
{
	static const char *const algorithms[][2] = {
	    {"p256", "SHA256"}, {"p384", "SHA384"}, {"p521", "SHA512"},
	    {"rsa3072", NULL}, {"rsa-pss", NULL}};
	struct trust_result r;
	struct signer *s;
	struct trust *t;
	struct buf p7s;
	char dir[64];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		keys_make(dir, algorithms[i][0]);
		s = keys_signer(dir);
		t = keys_trust(signer_pem(s));
		buf_init(&p7s, LIMIT_P7S);
		assert_int_equal(signer_sign(s, content, sizeof(content),
		    &p7s, NULL), 0);
		check(t, &p7s, content, sizeof(content), KEYS_TIME + 1, &r);
		if (!r.intact || !r.trusted)
			fail_msg("%s: %s", algorithms[i][0], r.reason);
		assert_string_equal(r.subject, "CN=examiner");
		assert_memory_equal(r.cert_sha256, signer_cert_sha256(s), 32);
		if (algorithms[i][1] != NULL)
			assert_non_null(strstr(r.algorithm,
			    algorithms[i][1]));
		assert_true(r.time > KEYS_TIME);	/* signed now */
		buf_release(&p7s);
		trust_free(t);
		signer_free(s);
		keys_remove(dir);
	}
}

static void
altered_content_is_not_intact(void **state)
{
	char dir[64], other[sizeof(content)];
	struct trust_result r;
	struct signer *s;
	struct trust *t;
	struct buf p7s;

	(void)state;
	keys_make(dir, "p256");
	s = keys_signer(dir);
	t = keys_trust(signer_pem(s));
	buf_init(&p7s, LIMIT_P7S);
	assert_int_equal(signer_sign(s, content, sizeof(content), &p7s,
	    NULL), 0);
	for (size_t i = 0; i < sizeof(content); i++) {
		memcpy(other, content, sizeof(content));
		other[i] ^= 1;
		check(t, &p7s, other, sizeof(other), KEYS_TIME, &r);
		assert_false(r.intact);
		assert_false(r.trusted);
		assert_true(r.reason[0] != '\0');
	}
	check(t, &p7s, content, sizeof(content) - 1, KEYS_TIME, &r);
	assert_false(r.intact);
	buf_release(&p7s);
	trust_free(t);
	signer_free(s);
	keys_remove(dir);
}

/*
 * CMS signs the signed attributes; what else it carries must agree with them.
 * Two version numbers are left, that no one can see by OpenSSL; in a bundle
 * the token covers all of the .p7s.
 */
static void
nothing_but_two_version_numbers_may_change(void **state)
{
	unsigned unnoticed = 0;
	struct trust_result r;
	struct signer *s;
	struct trust *t;
	struct buf p7s;
	char dir[64];

	(void)state;
	keys_make(dir, "p256");
	s = keys_signer(dir);
	t = keys_trust(signer_pem(s));
	buf_init(&p7s, LIMIT_P7S);
	assert_int_equal(signer_sign(s, content, sizeof(content), &p7s,
	    NULL), 0);
	for (size_t i = 0; i < p7s.len; i++) {
		p7s.p[i] ^= 0x10;
		check(t, &p7s, content, sizeof(content), KEYS_TIME, &r);
		unnoticed += r.intact && r.trusted;
		p7s.p[i] ^= 0x10;
	}
	assert_in_range(unnoticed, 0, 2);
	for (size_t n = 0; n < p7s.len; n++) {
		const struct buf cut = {.p = p7s.p, .len = n};

		check(t, &cut, content, sizeof(content), KEYS_TIME, &r);
		assert_false(r.trusted);
	}
	buf_release(&p7s);
	trust_free(t);
	signer_free(s);
	keys_remove(dir);
}

static void
load_fails(const char *dir, const char *passphrase, int code,
    const char *word)
{
	struct signer *s = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(signer_load(dir, passphrase, &s, &e), code);
	assert_null(s);
	if (strstr(e.msg, word) == NULL)
		fail_msg("'%s' does not say '%s'", e.msg, word);
}

static void
a_key_that_others_may_read_is_refused(void **state)
{
	char dir[64], path[96];

	(void)state;
	keys_make(dir, "p256");
	(void)snprintf(path, sizeof(path), "%s/examiner.key", dir);
	assert_int_equal(chmod(path, 0640), 0);
	load_fails(dir, NULL, ERR_DENIED, "examiner.key");
	assert_int_equal(chmod(path, 0600), 0);
	signer_free(keys_signer(dir));
	keys_remove(dir);
}

static void
a_key_of_another_certificate_is_refused(void **state)
{
	char dir[64], other[64], from[96], to[96];

	(void)state;
	keys_make(dir, "p256");
	keys_make(other, "p256");
	(void)snprintf(from, sizeof(from), "%s/examiner.key", other);
	(void)snprintf(to, sizeof(to), "%s/examiner.key", dir);
	assert_int_equal(rename(from, to), 0);
	load_fails(dir, NULL, ERR_CRYPTO, "");
	keys_remove(dir);
	keys_remove(other);
}

static void
an_ed25519_key_is_refused_with_the_reason(void **state)
{
	char dir[64], path[96];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *f;

	(void)state;
	assert_non_null(key);
	keys_make(dir, "p256");
	(void)snprintf(path, sizeof(path), "%s/examiner.key", dir);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL,
	    NULL), 1);
	(void)fclose(f);
	load_fails(dir, NULL, ERR_UNSUPPORTED, "CMS");
	EVP_PKEY_free(key);
	keys_remove(dir);
}

static void
a_passphrase_opens_what_it_closed(void **state)
{
	const struct keygen_options o = {.algorithm = "p256",
	    .passphrase = "correct horse"};
	struct signer *s = NULL;
	char dir[64];

	(void)state;
	keys_dir(dir);
	assert_int_equal(keygen(dir, &o, NULL), 0);
	load_fails(dir, NULL, ERR_CRYPTO, "");
	load_fails(dir, "battery staple", ERR_CRYPTO, "");
	assert_int_equal(signer_load(dir, "correct horse", &s, NULL), 0);
	signer_free(s);
	keys_remove(dir);
}

static void
a_folder_without_keys_is_an_error(void **state)
{
	char dir[64];

	(void)state;
	keys_dir(dir);
	load_fails(dir, NULL, ERR_NOTFOUND, "examiner");
	keys_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_algorithm_signs_what_its_certificate_verifies),
	    cmocka_unit_test(altered_content_is_not_intact),
	    cmocka_unit_test(nothing_but_two_version_numbers_may_change),
	    cmocka_unit_test(a_key_that_others_may_read_is_refused),
	    cmocka_unit_test(a_key_of_another_certificate_is_refused),
	    cmocka_unit_test(an_ed25519_key_is_refused_with_the_reason),
	    cmocka_unit_test(a_passphrase_opens_what_it_closed),
	    cmocka_unit_test(a_folder_without_keys_is_an_error),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
