#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "custody/digest.h"
#include "tests/unit/keys_fixture.h"

static X509 *
cert_of(const char *dir, const char *name)
{
	char path[96];
	X509 *cert;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "r"));
	assert_non_null(cert = PEM_read_X509(f, NULL, NULL, NULL));
	(void)fclose(f);
	return cert;
}

static mode_t
mode_of(const char *dir, const char *name)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

static void
keys_are_for_their_owner_alone(void **state)
{
	char dir[64];
	mode_t old = umask(0);

	(void)state;
	keys_make(dir, "p256");
	assert_int_equal(mode_of(dir, "examiner.key"), 0600);
	assert_int_equal(mode_of(dir, "tsa.key"), 0600);
	assert_int_equal(mode_of(dir, "examiner.pem"), 0644);
	assert_int_equal(mode_of(dir, "tsa.pem"), 0644);
	(void)umask(old);
	keys_remove(dir);
}

static void
certificates_say_what_they_are_for(void **state)
{
	X509 *examiner, *tsa;
	char dir[64];

	(void)state;
	keys_make(dir, "p384");
	examiner = cert_of(dir, "examiner.pem");
	tsa = cert_of(dir, "tsa.pem");
	assert_int_equal(X509_check_ca(examiner), 0);
	assert_int_equal(X509_check_ca(tsa), 0);
	assert_int_equal(X509_get_extended_key_usage(examiner), UINT32_MAX);
	assert_int_equal(X509_get_extended_key_usage(tsa), XKU_TIMESTAMP);
	assert_int_equal(X509_get_key_usage(examiner),
	    KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
	assert_int_equal(X509_check_purpose(tsa, X509_PURPOSE_TIMESTAMP_SIGN,
	    0), 1);
	assert_int_equal(X509_check_purpose(examiner,
	    X509_PURPOSE_TIMESTAMP_SIGN, 0), 0);
	X509_free(examiner);
	X509_free(tsa);
	keys_remove(dir);
}

static void
what_is_there_is_never_replaced(void **state)
{
	static const char *const names[] = {"examiner.key", "examiner.pem",
	    "examiner.csr", "tsa.key", "tsa.pem"};
	const struct keygen_options o = {.algorithm = "p256"};
	char dir[64], path[96];
	int fd;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		keys_dir(dir);
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_true((fd = open(path, O_WRONLY | O_CREAT, 0600)) >= 0);
		(void)close(fd);
		assert_int_equal(keygen(dir, &o, NULL), ERR_EXISTS);
		for (size_t j = 0; j < 5; j++)
			if (j != i)
				assert_int_equal(mode_of(dir, names[j]), 0);
		keys_remove(dir);
	}
}

static void
a_request_takes_the_certificates_place(void **state)
{
	const struct keygen_options o = {.algorithm = "p256",
	    .name = "Jo Examiner", .request = true};
	char dir[64];

	(void)state;
	keys_dir(dir);
	assert_int_equal(keygen(dir, &o, NULL), 0);
	assert_int_equal(mode_of(dir, "examiner.csr"), 0644);
	assert_int_equal(mode_of(dir, "examiner.pem"), 0);
	assert_int_equal(mode_of(dir, "tsa.pem"), 0644);
	keys_remove(dir);
}

static void
only_what_cms_can_carry_is_an_algorithm(void **state)
{
	static const char *const good[] = {"p256", "p384", "p521", "rsa3072",
	    "rsa4096", "rsa-pss"};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_true(keygen_algorithm_ok(good[i], &why));
	assert_false(keygen_algorithm_ok("ed25519", &why));
	assert_non_null(strstr(why, "CMS"));
	assert_false(keygen_algorithm_ok("rsa1024", &why));
	assert_false(keygen_algorithm_ok("", &why));
}

static void
a_name_is_one_to_64_bytes_of_utf8(void **state)
{
	static const char *const bad[] = {"", "\xff\xfe", "1234567890123456789"
	    "0123456789012345678901234567890123456789012345"};
	struct keygen_options o = {.algorithm = "p256"};
	char dir[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		keys_dir(dir);
		o.name = bad[i];
		assert_int_equal(keygen(dir, &o, NULL), ERR_ARG);
		assert_int_equal(mode_of(dir, "examiner.key"), 0);
		keys_remove(dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_for_their_owner_alone),
	    cmocka_unit_test(certificates_say_what_they_are_for),
	    cmocka_unit_test(what_is_there_is_never_replaced),
	    cmocka_unit_test(a_request_takes_the_certificates_place),
	    cmocka_unit_test(only_what_cms_can_carry_is_an_algorithm),
	    cmocka_unit_test(a_name_is_one_to_64_bytes_of_utf8),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
