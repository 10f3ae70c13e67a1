#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/text.h"
#include "custody/crypto_err.h"
#include "custody/digest.h"
#include "custody/keygen.h"

#define TEN_YEARS (3653LL * 86400)

static const struct algorithm {
	const char *name, *type, *group;
	unsigned bits;
} algorithms[] = {
    {"p256", "EC", "P-256", 0},
    {"p384", "EC", "P-384", 0},
    {"p521", "EC", "P-521", 0},
    {"rsa3072", "RSA", NULL, 3072},
    {"rsa4096", "RSA", NULL, 4096},
    {"rsa-pss", "RSA-PSS", NULL, 3072},
};

static const struct algorithm *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

bool
keygen_algorithm_ok(const char *algorithm, const char **reason)
{
	if (find(algorithm) != NULL)
		return true;
	*reason = strncmp(algorithm, "ed", 2) == 0 ?
	    "Ed25519 and Ed448 cannot sign CMS with OpenSSL 3.0: a stranger "
	    "could not check the signature; use p384" :
	    "the algorithms are p256, p384, p521, rsa3072, rsa4096, rsa-pss";
	return false;
}

static EVP_PKEY *
make_key(const struct algorithm *a)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, a->type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    (a->group != NULL &&
	    EVP_PKEY_CTX_set_group_name(ctx, a->group) <= 0) ||
	    (a->bits != 0 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)a->bits) <= 0) ||
	    EVP_PKEY_generate(ctx, &key) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok == 1;
}

static bool
set_name(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0) == 1;
}

static bool
set_serial(X509 *cert)
{
	unsigned char raw[16];
	ASN1_INTEGER *serial;
	BIGNUM *bn;
	int ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return false;
	raw[0] = (unsigned char)((raw[0] & 0x7f) | 0x40);
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	serial = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	ok = serial != NULL && X509_set_serialNumber(cert, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return ok;
}

/* Sign a certificate or request; RSA-PSS keys carry their own padding. */
static X509 *
make_cert(EVP_PKEY *key, const char *cn, bool tsa)
{
	time_t now = (time_t)(clock_real_ns() / 1000000000);
	X509 *cert = X509_new();
	bool ok;

	ok = cert != NULL && X509_set_version(cert, 2) == 1 &&
	    set_serial(cert) &&
	    set_name(X509_get_subject_name(cert), cn) &&
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), now) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), now + TEN_YEARS) != NULL &&
	    X509_set_pubkey(cert, key) == 1 &&
	    add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(cert, NID_key_usage, tsa ?
	    "critical,digitalSignature" :
	    "critical,digitalSignature,nonRepudiation") &&
	    (!tsa || add_extension(cert, NID_ext_key_usage,
	    "critical,timeStamping")) &&
	    add_extension(cert, NID_subject_key_identifier, "hash") &&
	    add_extension(cert, NID_authority_key_identifier, "keyid") &&
	    X509_sign(cert, key, EVP_sha384()) > 0;
	if (ok)
		return cert;
	X509_free(cert);
	return NULL;
}

static X509_REQ *
make_request(EVP_PKEY *key, const char *cn)
{
	X509_REQ *req = X509_REQ_new();

	if (req != NULL && X509_REQ_set_version(req, 0) == 1 &&
	    set_name(X509_REQ_get_subject_name(req), cn) &&
	    X509_REQ_set_pubkey(req, key) == 1 &&
	    X509_REQ_sign(req, key, EVP_sha384()) > 0)
		return req;
	X509_REQ_free(req);
	return NULL;
}

static int
write_bio(int dir, const char *name, unsigned mode, BIO *bio, struct err *e)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	return fsio_write_new(dir, name, mode, p, (size_t)n, e);
}

static int
write_key(int dir, const char *name, EVP_PKEY *key, const char *passphrase,
    struct err *e)
{
	/* Secure memory BIOs are cleansed when freed. */
	BIO *bio = BIO_new(BIO_s_secmem());
	int r;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key,
	    passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
	    passphrase != NULL ? (int)strlen(passphrase) : 0, NULL,
	    NULL) != 1)
		r = crypto_err(e, "cannot encode a key");
	else
		r = write_bio(dir, name, 0600, bio, e);
	BIO_free(bio);
	return r;
}

static int
write_cert(int dir, const char *name, X509 *cert, X509_REQ *req,
    struct err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int r;

	if (bio == NULL || (cert != NULL ? PEM_write_bio_X509(bio, cert) :
	    PEM_write_bio_X509_REQ(bio, req)) != 1)
		r = crypto_err(e, "cannot encode a certificate");
	else
		r = write_bio(dir, name, 0644, bio, e);
	BIO_free(bio);
	return r;
}

static const char *const names[] = {"examiner.key", "examiner.pem",
    "examiner.csr", "tsa.key", "tsa.pem"};

static int
nothing_there(int dir, struct err *e)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (faccessat(dir, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(e, ERR_EXISTS,
			    "'%s' is there and is never replaced", names[i]);
	return 0;
}

/* One key with its certificate; ${kind} "examiner" or "tsa". */
static int
make_pair(int dir, const char *kind, const struct keygen_options *o,
    const char *cn, struct err *e)
{
	bool tsa = strcmp(kind, "tsa") == 0, request = o->request && !tsa;
	char key_name[32], cert_name[32];
	const char *alg;
	X509_REQ *req = NULL;
	X509 *cert = NULL;
	EVP_PKEY *key;
	int r;

	(void)snprintf(key_name, sizeof(key_name), "%s.key", kind);
	(void)snprintf(cert_name, sizeof(cert_name), "%s.%s", kind,
	    request ? "csr" : "pem");
	/* Time stamps are PKCS #7 in OpenSSL, which cannot carry PSS. */
	alg = tsa && strcmp(o->algorithm, "rsa-pss") == 0 ? "p384" :
	    o->algorithm;
	if ((key = make_key(find(alg))) == NULL ||
	    (request ? (req = make_request(key, cn)) == NULL :
	    (cert = make_cert(key, cn, tsa)) == NULL))
		r = crypto_err(e, "cannot make a key and its certificate");
	else if ((r = write_key(dir, key_name, key, o->passphrase, e)) >= 0)
		r = write_cert(dir, cert_name, cert, req, e);
	EVP_PKEY_free(key);
	X509_free(cert);
	X509_REQ_free(req);
	return r;
}

int
keygen(const char *dir, const struct keygen_options *o, struct err *e)
{
	const char *cn = o->name != NULL ? o->name : "examiner";
	char tsa_cn[64], shown[256];
	int fd, r;

	if ((r = digest_start(e)) < 0)
		return r;
	if (*cn == '\0' || strlen(cn) > 64 ||
	    !text_is_utf8((const uint8_t *)cn, strlen(cn)))
		return err_set(e, ERR_ARG,
		    "a name has 1 to 64 bytes of UTF-8 (X.520 ub-common-name)");
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make '%s'",
		    text_z(shown, sizeof(shown), dir, strlen(dir)));
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'",
		    text_z(shown, sizeof(shown), dir, strlen(dir)));
	(void)snprintf(tsa_cn, sizeof(tsa_cn), "Local TSA of %.30s", cn);
	if ((r = nothing_there(fd, e)) >= 0 &&
	    (r = make_pair(fd, "examiner", o, cn, e)) >= 0)
		r = make_pair(fd, "tsa", o, tsa_cn, e);
	(void)close(fd);
	return r;
}
