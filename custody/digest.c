#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "custody/digest.h"

struct digest {
	unsigned set;
	EVP_MD_CTX *c256, *c512;
};

/* Fetched once, before any sandbox; they live as long as the process. */
static EVP_MD *md256, *md512;

int
digest_start(struct err *e)
{
	if (md256 != NULL)
		return 0;
	/*
	 * No configuration, no engine: nothing of the machine's own.  Names and
	 * texts of errors are loaded when they are first wanted, from memory;
	 * what holds a key cleans it, so nothing is left for the exit to do.
	 */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ATEXIT, NULL) != 1 ||
	    (md512 = EVP_MD_fetch(NULL, "SHA2-512", NULL)) == NULL ||
	    (md256 = EVP_MD_fetch(NULL, "SHA2-256", NULL)) == NULL)
		return err_set(e, ERR_CRYPTO, "cannot start libcrypto");
	return 0;
}

static int
start(EVP_MD_CTX *c, const EVP_MD *md, struct err *e)
{
	return EVP_DigestInit_ex(c, md, NULL) == 1 ? 0 :
	    err_set(e, ERR_CRYPTO, "cannot start a digest");
}

struct digest *
digest_new(unsigned set, struct err *e)
{
	struct digest *d;

	if (digest_start(e) < 0)
		return NULL;
	if ((d = calloc(1, sizeof(*d))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	d->set = set;
	if ((d->c256 = EVP_MD_CTX_new()) == NULL ||
	    ((set & DIGEST_SHA512) != 0 &&
	    (d->c512 = EVP_MD_CTX_new()) == NULL) ||
	    digest_reset(d, e) < 0) {
		digest_free(d);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	return d;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->c256);
	EVP_MD_CTX_free(d->c512);
	free(d);
}

int
digest_reset(struct digest *d, struct err *e)
{
	int r;

	if ((r = start(d->c256, md256, e)) < 0)
		return r;
	return d->c512 != NULL ? start(d->c512, md512, e) : 0;
}

int
digest_put(struct digest *d, const void *p, size_t n, struct err *e)
{
	if (EVP_DigestUpdate(d->c256, p, n) != 1 ||
	    (d->c512 != NULL && EVP_DigestUpdate(d->c512, p, n) != 1))
		return err_set(e, ERR_CRYPTO, "cannot digest");
	return 0;
}

static int
value(const EVP_MD_CTX *c, uint8_t *ret, struct err *e)
{
	EVP_MD_CTX *copy;
	int ok;

	if ((copy = EVP_MD_CTX_new()) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	ok = EVP_MD_CTX_copy_ex(copy, c) == 1 &&
	    EVP_DigestFinal_ex(copy, ret, NULL) == 1;
	EVP_MD_CTX_free(copy);
	return ok ? 0 : err_set(e, ERR_CRYPTO, "cannot finish a digest");
}

int
digest_now(const struct digest *d, struct digests *ret, struct err *e)
{
	struct digests out = {0};
	int r;

	if ((r = value(d->c256, out.sha256, e)) < 0 || (d->c512 != NULL &&
	    (r = value(d->c512, out.sha512, e)) < 0))
		return r;
	*ret = out;
	return 0;
}

int
digest_mem(const void *p, size_t n, unsigned set, struct digests *ret,
    struct err *e)
{
	struct digest *d;
	int r;

	if ((d = digest_new(set, e)) == NULL)
		return ERR_CRYPTO;
	if ((r = digest_put(d, p, n, e)) >= 0)
		r = digest_now(d, ret, e);
	digest_free(d);
	return r;
}

void
digest_hex(char *dst, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 15];
	}
	dst[2 * n] = '\0';
}

const char *
digest_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
