#include <openssl/evp.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/anydigest.h"
#include "custody/digest.h"

static const struct {
	const char *name;
	size_t size;
} known[ANYDIGEST_COUNT] = {
    [ANYDIGEST_SHA256] = {"SHA2-256", 32},
    [ANYDIGEST_SHA512] = {"SHA2-512", 64},
    [ANYDIGEST_SHA1] = {"SHA1", 20},
    [ANYDIGEST_MD5] = {"MD5", 16},
    [ANYDIGEST_BLAKE2B] = {"BLAKE2B-512", 64},
};

/* Fetched once, before any sandbox; they live as long as the process. */
static EVP_MD *md[ANYDIGEST_COUNT];

int
anydigest_start(struct err *e)
{
	int r = digest_start(e);

	for (size_t i = 0; i < ANYDIGEST_COUNT && r >= 0; i++)
		if (md[i] == NULL &&
		    (md[i] = EVP_MD_fetch(NULL, known[i].name, NULL)) == NULL)
			r = err_set(e, ERR_CRYPTO, "libcrypto has no %s",
			    known[i].name);
	return r;
}

size_t
anydigest_size(enum anydigest a)
{
	return known[a].size;
}

static int
feed(EVP_MD_CTX *c, const struct bytesrc *src, uint8_t *chunk, struct err *e)
{
	uint64_t off = 0;
	size_t n;
	int r;

	do {
		if ((r = bytesrc_read_some(src, off, chunk, LIMIT_COPY_CHUNK,
		    &n, e)) < 0)
			return r;
		if (EVP_DigestUpdate(c, chunk, n) != 1)
			return err_set(e, ERR_CRYPTO, "cannot digest");
		off += n;
	} while (n > 0);
	return 0;
}

int
anydigest_source(enum anydigest a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[ANYDIGEST_MAX], struct err *e)
{
	uint8_t *chunk = NULL;
	EVP_MD_CTX *c = NULL;
	int r;

	if ((r = anydigest_start(e)) < 0)
		return r;
	if ((chunk = malloc(LIMIT_COPY_CHUNK)) == NULL ||
	    (c = EVP_MD_CTX_new()) == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if (EVP_DigestInit_ex(c, md[a], NULL) != 1 ||
	    (n > 0 && EVP_DigestUpdate(c, prefix, n) != 1)) {
		r = err_set(e, ERR_CRYPTO, "cannot start a digest");
		goto out;
	}
	if ((r = feed(c, src, chunk, e)) < 0)
		goto out;
	if (EVP_DigestFinal_ex(c, out, NULL) != 1)
		r = err_set(e, ERR_CRYPTO, "cannot finish a digest");
out:
	EVP_MD_CTX_free(c);
	free(chunk);
	return r;
}
