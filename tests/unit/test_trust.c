#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "tests/unit/keys_fixture.h"

static const char content[] = "what is sealed\n";
#define YEARS(n) ((int64_t)(n) * 365 * 86400)

struct signed_one {
	char dir[64];
	struct signer *s;
	struct buf p7s;
};

static void
sign_one(struct signed_one *o)
{
	keys_make(o->dir, "p256");
	o->s = keys_signer(o->dir);
	buf_init(&o->p7s, LIMIT_P7S);
	assert_int_equal(signer_sign(o->s, content, sizeof(content), &o->p7s,
	    NULL), 0);
}

static void
free_one(struct signed_one *o)
{
	buf_release(&o->p7s);
	signer_free(o->s);
	keys_remove(o->dir);
}

static struct trust_result
look(const struct signed_one *o, const struct trust *t, int64_t at)
{
	struct trust_result r;
	struct err e = ERR_INIT;

	if (trust_check_cms(t, o->p7s.p, o->p7s.len, content, sizeof(content),
	    at, &r, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void
only_what_is_pinned_is_trusted(void **state)
{
	struct signed_one a, b;
	struct trust_result r;
	struct trust *mine, *other;

	(void)state;
	sign_one(&a);
	sign_one(&b);
	mine = keys_trust(signer_pem(a.s));
	other = keys_trust(signer_pem(b.s));
	r = look(&a, mine, KEYS_TIME + 1);
	assert_true(r.intact && r.trusted);
	r = look(&a, other, KEYS_TIME + 1);
	assert_true(r.intact);
	assert_false(r.trusted);
	assert_non_null(strstr(r.reason, "pinned"));
	r = look(&a, NULL, KEYS_TIME + 1);
	assert_true(r.intact);
	assert_false(r.trusted);
	trust_free(mine);
	trust_free(other);
	free_one(&a);
	free_one(&b);
}

/* A CA in the system's store, as OpenSSL's environment names it. */
static void
the_systems_store_is_never_used(void **state)
{
	struct signed_one a, b;
	struct trust_result r;
	struct trust *other;
	char path[96];

	(void)state;
	sign_one(&a);
	sign_one(&b);
	(void)snprintf(path, sizeof(path), "%s/examiner.pem", a.dir);
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
	assert_int_equal(setenv("SSL_CERT_DIR", a.dir, 1), 0);
	other = keys_trust(signer_pem(b.s));
	r = look(&a, other, KEYS_TIME + 1);
	assert_false(r.trusted);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	trust_free(other);
	free_one(&a);
	free_one(&b);
}

static void
a_certificate_counts_at_the_time_it_is_asked_for(void **state)
{
	struct signed_one a;
	struct trust_result r;
	struct trust *t;

	(void)state;
	sign_one(&a);
	t = keys_trust(signer_pem(a.s));
	r = look(&a, t, KEYS_TIME - 86400);
	assert_false(r.trusted);	/* not yet valid */
	r = look(&a, t, KEYS_TIME + YEARS(9));
	assert_true(r.trusted);
	r = look(&a, t, KEYS_TIME + YEARS(11));
	assert_false(r.trusted);	/* no more */
	trust_free(t);
	free_one(&a);
}

/* Without a token nobody says when: the claimed time proves nothing. */
static void
a_claimed_time_is_no_trusted_one(void **state)
{
	struct signed_one a;
	struct trust_result r;
	struct trust *t;

	(void)state;
	sign_one(&a);
	t = keys_trust(signer_pem(a.s));
	r = look(&a, t, -1);
	assert_true(r.intact);
	assert_false(r.trusted);
	assert_non_null(strstr(r.reason, "time"));
	trust_free(t);
	free_one(&a);
}

static void
what_is_no_certificate_is_refused(void **state)
{
	struct trust *t = trust_new(NULL);
	char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n";

	(void)state;
	assert_non_null(t);
	assert_true(trust_empty(t));
	assert_true(trust_empty(NULL));
	assert_int_equal(trust_add_pem(t, "hello", 5, NULL), ERR_FORMAT);
	assert_int_equal(trust_add_pem(t, "", 0, NULL), ERR_FORMAT);
	assert_true(trust_add_pem(t, text, sizeof(text) - 1, NULL) < 0);
	assert_true(trust_empty(t));
	trust_free(t);
}

/* Sign the examiner's request with a root of the laboratory. */
static void
issue(const char *dir, X509 **root_ret)
{
	EVP_PKEY *root_key = EVP_EC_gen("P-256");
	X509 *root = X509_new(), *cert = X509_new();
	X509_EXTENSION *ca;
	char path[96];
	X509_REQ *req;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/examiner.csr", dir);
	assert_non_null(f = fopen(path, "r"));
	assert_non_null(req = PEM_read_X509_REQ(f, NULL, NULL, NULL));
	(void)fclose(f);
	(void)X509_set_version(root, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(root), 1);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(root), "CN",
	    MBSTRING_ASC, (const unsigned char *)"Lab Root", -1, -1, 0);
	(void)X509_set_issuer_name(root, X509_get_subject_name(root));
	(void)ASN1_TIME_set(X509_getm_notBefore(root), KEYS_TIME - 10);
	(void)ASN1_TIME_set(X509_getm_notAfter(root), KEYS_TIME + YEARS(20));
	(void)X509_set_pubkey(root, root_key);
	assert_non_null(ca = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_basic_constraints, "critical,CA:TRUE"));
	(void)X509_add_ext(root, ca, -1);
	X509_EXTENSION_free(ca);
	assert_true(X509_sign(root, root_key, EVP_sha256()) > 0);

	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 2);
	(void)X509_set_subject_name(cert, X509_REQ_get_subject_name(req));
	(void)X509_set_issuer_name(cert, X509_get_subject_name(root));
	(void)ASN1_TIME_set(X509_getm_notBefore(cert), KEYS_TIME - 5);
	(void)ASN1_TIME_set(X509_getm_notAfter(cert), KEYS_TIME + YEARS(2));
	(void)X509_set_pubkey(cert, X509_REQ_get0_pubkey(req));
	assert_true(X509_sign(cert, root_key, EVP_sha256()) > 0);
	(void)snprintf(path, sizeof(path), "%s/examiner.pem", dir);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(PEM_write_X509(f, cert), 1);
	(void)fclose(f);
	X509_free(cert);
	X509_REQ_free(req);
	EVP_PKEY_free(root_key);
	*root_ret = root;
}

static void
a_laboratorys_root_vouches_for_what_it_issued(void **state)
{
	const struct keygen_options o = {.algorithm = "p256",
	    .request = true};
	struct trust_result r;
	struct signed_one a;
	struct trust *t;
	X509 *root;
	char *pem;
	BIO *bio;
	long n;

	(void)state;
	keys_dir(a.dir);
	clock_pin((int64_t)KEYS_TIME * 1000000000);
	assert_int_equal(keygen(a.dir, &o, NULL), 0);
	issue(a.dir, &root);
	a.s = keys_signer(a.dir);
	buf_init(&a.p7s, LIMIT_P7S);
	assert_int_equal(signer_sign(a.s, content, sizeof(content), &a.p7s,
	    NULL), 0);
	assert_non_null(bio = BIO_new(BIO_s_mem()));
	assert_int_equal(PEM_write_bio_X509(bio, root), 1);
	n = BIO_get_mem_data(bio, &pem);
	assert_non_null(t = trust_new(NULL));
	assert_int_equal(trust_add_pem(t, pem, (size_t)n, NULL), 0);
	r = look(&a, t, KEYS_TIME + 1);
	if (!r.trusted)
		fail_msg("%s", r.reason);
	r = look(&a, t, KEYS_TIME + YEARS(3));
	assert_false(r.trusted);	/* the issued one has expired */
	trust_free(t);
	BIO_free(bio);
	X509_free(root);
	free_one(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_is_pinned_is_trusted),
	    cmocka_unit_test(the_systems_store_is_never_used),
	    cmocka_unit_test(a_certificate_counts_at_the_time_it_is_asked_for),
	    cmocka_unit_test(a_claimed_time_is_no_trusted_one),
	    cmocka_unit_test(what_is_no_certificate_is_refused),
	    cmocka_unit_test(a_laboratorys_root_vouches_for_what_it_issued),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
