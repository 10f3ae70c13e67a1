#ifndef CUSTODY_ANYDIGEST_H_
#define CUSTODY_ANYDIGEST_H_

#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;

/*
 * Digests that other people's registries name, by OpenSSL's EVP: to compare
 * with, never to prove anything by (MD5 and SHA-1 can be forged).  What we
 * state ourselves is custody/digest.h.
 */
enum anydigest {
	ANYDIGEST_SHA256,
	ANYDIGEST_SHA512,
	ANYDIGEST_SHA1,
	ANYDIGEST_MD5,
	ANYDIGEST_BLAKE2B,	/* BLAKE2b-512 */
	ANYDIGEST_COUNT
};
#define ANYDIGEST_MAX 64

/* anydigest_start: as digest_start; before a sandbox is entered. */
int anydigest_start(struct err *e);

/*
 * anydigest_source: of prefix[0..n) and all bytes of ${src}, into out[0 ..
 * anydigest_size(a)).  0, what reading gives, or ERR_CRYPTO.
 */
int anydigest_source(enum anydigest a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[ANYDIGEST_MAX], struct err *e);
size_t anydigest_size(enum anydigest a);

#endif /* !CUSTODY_ANYDIGEST_H_ */
