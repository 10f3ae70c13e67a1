#ifndef CUSTODY_DIGEST_H_
#define CUSTODY_DIGEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * SHA-256 and SHA-512 by OpenSSL's EVP, and a lane that hashes on a thread
 * of its own.  Read side.
 */
enum digest_set {
	DIGEST_SHA256 = 1 << 0,	/* always */
	DIGEST_SHA512 = 1 << 1,
};

struct digests {
	uint8_t sha256[32];
	uint8_t sha512[64];	/* zero unless asked for */
};

/*
 * digest_start(): load what libcrypto needs (no configuration file is read,
 * algorithms are fetched) before a sandbox is entered.  Idempotent.
 */
int digest_start(struct err *e);

struct digest;	/* a running set of digests */
struct digest *digest_new(unsigned set, struct err *e);
void digest_free(struct digest *d);
int digest_reset(struct digest *d, struct err *e);
int digest_put(struct digest *d, const void *p, size_t n, struct err *e);
/* digest_now: the value so far; the digest goes on. */
int digest_now(const struct digest *d, struct digests *ret, struct err *e);

int digest_mem(const void *p, size_t n, unsigned set, struct digests *ret,
    struct err *e);
/* Lower-case hex with a NUL: 64 + 1 or 128 + 1 bytes. */
void digest_hex(char *dst, const uint8_t *p, size_t n);

/*
 * A lane: a thread that hashes what it is given, in order, so that two
 * digests of one stream cost the time of one.  What is given to lane_put is
 * copied into a ring of chunks: a copy out of a warm cache costs a fiftieth
 * of the digest, and the caller may reuse its buffer at once.
 *
 * lane_new must be called before the sandbox is entered (it starts the
 * thread).  lane_now waits until everything given so far is hashed and gives
 * the value; the digest goes on.  lane_reset starts a new one.  If no thread
 * can be had, the lane hashes in the caller and says so (lane_threaded).
 */
struct lane;
struct lane *lane_new(unsigned set, struct err *e);
void lane_free(struct lane *l);
int lane_put(struct lane *l, const void *p, size_t n, struct err *e);
int lane_now(struct lane *l, struct digests *ret, struct err *e);
int lane_reset(struct lane *l, struct err *e);
bool lane_threaded(const struct lane *l);

/* digest_library: the library's own name and version. */
const char *digest_library(void);

#endif /* !CUSTODY_DIGEST_H_ */
