#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/crypto_err.h"
#include "custody/digest.h"
#include "custody/sign.h"
#include "custody/sign_internal.h"
#include "custody/trust.h"

#define KEY_FILE_MAX (64 * KIB)

/* A key that others may read is not the examiner's alone. */
static int
open_key(int dir, const char *name, struct err *e)
{
	struct stat st;
	int fd;

	if ((fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return err_sys(e, errno, "cannot read '%s'", name);
	if (fstat(fd, &st) < 0 || (st.st_mode & 077) != 0) {
		(void)close(fd);
		return err_set(e, ERR_DENIED,
		    "'%s' may be read by others (chmod 600)", name);
	}
	return fd;
}

static int
no_passphrase(char *buf, int size, int rw, void *ctx)
{
	const char *p = ctx;
	size_t n = p != NULL ? strlen(p) : 0;

	(void)rw;
	if (p == NULL || n > (size_t)size)
		return -1;	/* never ask on a terminal */
	memcpy(buf, p, n);
	return (int)n;
}

static int
load_key(int dir, const char *name, const char *passphrase, EVP_PKEY **ret,
    struct err *e)
{
	static char text[KEY_FILE_MAX];
	size_t have = 0;
	ssize_t n;
	BIO *bio;
	int fd, r = 0;
	union {
		const char *in;
		void *out;
	} pass = {.in = passphrase};

	if ((fd = open_key(dir, name, e)) < 0)
		return fd;
	while ((n = read(fd, text + have, sizeof(text) - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = err_sys(e, errno, "cannot read '%s'", name);
			break;
		}
		have += (size_t)n;
	}
	(void)close(fd);
	if (r == 0 && (bio = BIO_new_mem_buf(text, (int)have)) != NULL) {
		*ret = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
		    pass.out);
		BIO_free(bio);
		if (*ret == NULL)
			r = err_set(e, ERR_CRYPTO, "cannot use '%s': %s", name,
			    passphrase != NULL ? "no private key, or another "
			    "passphrase" : "no private key, or it needs a "
			    "passphrase");
	}
	OPENSSL_cleanse(text, sizeof(text));
	ERR_clear_error();
	return r;
}

static int
read_pem(int dir, const char *name, char **ret, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, MIB);
	if ((r = fsio_read_file(dir, name, MIB, &b, e)) >= 0 &&
	    (*ret = strdup(buf_str(&b))) == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	buf_release(&b);
	return r;
}

/* The first certificate of a PEM text, the others into ${chain}. */
static int
parse_pem(const char *pem, const char *name, X509 **ret,
    STACK_OF(X509) *chain, struct err *e)
{
	X509 *cert;
	BIO *bio;

	if ((bio = BIO_new_mem_buf(pem, -1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	*ret = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (*ret != NULL && chain != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(chain, cert) <= 0)
			X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return *ret != NULL ? 0 :
	    err_set(e, ERR_CRYPTO, "'%s' holds no certificate", name);
}

/* What CMS of OpenSSL 3.0 can carry. */
static int
check_key(const struct signer *s, struct err *e)
{
	if (!EVP_PKEY_is_a(s->key, "EC") && !EVP_PKEY_is_a(s->key, "RSA") &&
	    !EVP_PKEY_is_a(s->key, "RSA-PSS"))
		return err_set(e, ERR_UNSUPPORTED,
		    "a key of type %.20s cannot sign CMS with OpenSSL 3.0: a "
		    "stranger could not check it; use p384",
		    EVP_PKEY_get0_type_name(s->key));
	if (X509_check_private_key(s->cert, s->key) != 1)
		return crypto_err(e,
		    "examiner.key does not belong to examiner.pem");
	return 0;
}

static void
describe(struct signer *s)
{
	char cn[200];
	unsigned n = 0;
	int len;

	(void)X509_digest(s->cert, EVP_sha256(), s->cert_sha256, &n);
	len = X509_NAME_get_text_by_NID(X509_get_subject_name(s->cert),
	    NID_commonName, cn, (int)sizeof(cn));
	(void)text_z(s->subject, sizeof(s->subject), cn,
	    len > 0 ? (size_t)len : 0);
}

static int
load_tsa(struct signer *s, int dir, const char *passphrase, struct err *e)
{
	int r;

	if (faccessat(dir, "tsa.key", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if ((r = load_key(dir, "tsa.key", passphrase, &s->tsa_key, e)) < 0 ||
	    (r = read_pem(dir, "tsa.pem", &s->tsa_pem, e)) < 0 ||
	    (r = parse_pem(s->tsa_pem, "tsa.pem", &s->tsa_cert, NULL, e)) < 0)
		return r;
	if (X509_check_private_key(s->tsa_cert, s->tsa_key) != 1)
		return crypto_err(e, "tsa.key does not belong to tsa.pem");
	return 0;
}

int
signer_load(const char *dir, const char *passphrase, struct signer **ret,
    struct err *e)
{
	struct signer *s = NULL;
	char shown[256];
	int fd, r;

	if ((r = digest_start(e)) < 0)
		return r;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'",
		    text_z(shown, sizeof(shown), dir, strlen(dir)));
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->chain = sk_X509_new_null()) == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((r = load_key(fd, "examiner.key", passphrase, &s->key, e)) < 0 ||
	    (r = read_pem(fd, "examiner.pem", &s->pem, e)) < 0 ||
	    (r = parse_pem(s->pem, "examiner.pem", &s->cert, s->chain, e)) <
	    0 || (r = check_key(s, e)) < 0 ||
	    (r = load_tsa(s, fd, passphrase, e)) < 0)
		goto out;
	describe(s);
	*ret = s;
	s = NULL; /* transferred */
out:
	signer_free(s);
	(void)close(fd);
	return r;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	EVP_PKEY_free(s->tsa_key);
	X509_free(s->cert);
	X509_free(s->tsa_cert);
	sk_X509_pop_free(s->chain, X509_free);
	free(s->pem);
	free(s->tsa_pem);
	free(s);
}

const char *
signer_subject(const struct signer *s)
{
	return s->subject;
}

const uint8_t *
signer_cert_sha256(const struct signer *s)
{
	return s->cert_sha256;
}

const char *
signer_pem(const struct signer *s)
{
	return s->pem;
}

const char *
signer_tsa_pem(const struct signer *s)
{
	return s->tsa_pem;
}

/* CMS defaults to SHA-256 for every curve: the digest follows the key. */
static const EVP_MD *
digest_for(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "EC")) {
		int bits = EVP_PKEY_get_bits(key);

		return bits <= 256 ? EVP_sha256() : bits <= 384 ?
		    EVP_sha384() : EVP_sha512();
	}
	return EVP_sha384();
}

static int
add_signer(const struct signer *s, CMS_ContentInfo *cms, struct err *e)
{
	CMS_SignerInfo *si;
	EVP_PKEY_CTX *ctx;
	unsigned flags = CMS_CADES | CMS_NOSMIMECAP | CMS_BINARY |
	    CMS_DETACHED | CMS_KEY_PARAM;

	if ((si = CMS_add1_signer(cms, s->cert, s->key, digest_for(s->key),
	    flags)) == NULL)
		return crypto_err(e, "cannot sign");
	/* Without this an RSA-PSS key writes what never verifies. */
	if (EVP_PKEY_is_a(s->key, "RSA-PSS")) {
		ctx = CMS_SignerInfo_get0_pkey_ctx(si);
		if (ctx == NULL || EVP_PKEY_CTX_set_rsa_padding(ctx,
		    RSA_PKCS1_PSS_PADDING) <= 0)
			return crypto_err(e, "cannot set PSS padding");
	}
	for (int i = 0; i < sk_X509_num(s->chain); i++)
		if (CMS_add1_cert(cms, sk_X509_value(s->chain, i)) != 1)
			return crypto_err(e, "cannot add the chain");
	return 0;
}

static int
encode(CMS_ContentInfo *cms, struct buf *ret, struct err *e)
{
	unsigned char *der = NULL;
	int n;

	if ((n = i2d_CMS_ContentInfo(cms, &der)) <= 0)
		return crypto_err(e, "cannot encode the signature");
	buf_put(ret, der, (size_t)n);
	OPENSSL_free(der);
	return buf_failed(ret) < 0 ?
	    err_set(e, ERR_NOMEM, "out of memory for the signature") : 0;
}

/* Nothing leaves that does not verify. */
static int
check_own(const struct signer *s, const struct buf *p7s, const void *content,
    size_t n, struct err *e)
{
	struct trust_result tr;
	int r;

	if ((r = trust_check_cms(NULL, p7s->p, p7s->len, content, n, -1, &tr,
	    e)) < 0)
		return r;
	if (!tr.intact || memcmp(tr.cert_sha256, s->cert_sha256, 32) != 0)
		return err_set(e, ERR_CRYPTO,
		    "the signature just made does not verify: %s", tr.reason);
	return 0;
}

int
signer_sign(const struct signer *s, const void *content, size_t n,
    struct buf *p7s, struct err *e)
{
	CMS_ContentInfo *cms = NULL;
	struct buf der;
	BIO *bio = NULL;
	int r;

	buf_init(&der, LIMIT_P7S);
	if (n > INT32_MAX ||
	    (bio = BIO_new_mem_buf(content, (int)n)) == NULL ||
	    (cms = CMS_sign(NULL, NULL, NULL, NULL,
	    CMS_PARTIAL | CMS_DETACHED | CMS_BINARY)) == NULL) {
		r = crypto_err(e, "cannot begin to sign");
		goto out;
	}
	if ((r = add_signer(s, cms, e)) < 0)
		goto out;
	if (CMS_final(cms, bio, NULL, CMS_DETACHED | CMS_BINARY) != 1) {
		r = crypto_err(e, "cannot sign");
		goto out;
	}
	if ((r = encode(cms, &der, e)) < 0 ||
	    (r = check_own(s, &der, content, n, e)) < 0)
		goto out;
	buf_put(p7s, der.p, der.len);
	if (buf_failed(p7s) < 0)
		r = err_set(e, ERR_NOMEM, "out of memory for the signature");
out:
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	buf_release(&der);
	return r;
}
