#ifndef CUSTODY_HASHPIPE_H_
#define CUSTODY_HASHPIPE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/digest.h"

struct err;

/*
 * Two digests of one pass: of the whole stream, and of the member that is
 * passing, each on a thread of its own, both from the same buffers, so that
 * a bundle is written or verified at nearly the speed of one SHA-256.
 *
 * The caller fills a buffer (hashpipe_buffer), does with it what it came for
 * (writes it, compares it) and commits it; a ring of HASHPIPE_CHUNKS buffers
 * of LIMIT_COPY_CHUNK bytes lies between it and the threads.  Threads are
 * started by hashpipe_new: call it before a sandbox is entered.  Where no
 * thread can be had, commit hashes in the caller.
 */
#define HASHPIPE_CHUNKS 8

struct hashpipe;

struct hashpipe *hashpipe_new(unsigned set, struct err *e);
void hashpipe_free(struct hashpipe *h);

/* A free buffer of LIMIT_COPY_CHUNK bytes; waits for one. */
uint8_t *hashpipe_buffer(struct hashpipe *h);
/*
 * hashpipe_commit: the buffer's first n bytes belong to the stream and, if
 * ${member}, to the member.
 */
void hashpipe_commit(struct hashpipe *h, size_t n, bool member);
/* hashpipe_put: the same for bytes from elsewhere, by copy. */
void hashpipe_put(struct hashpipe *h, const void *p, size_t n, bool member);

/* The member's digests; a new member begins. */
int hashpipe_member(struct hashpipe *h, struct digests *ret, struct err *e);
/* The stream's digests so far; the stream goes on. */
int hashpipe_stream(struct hashpipe *h, struct digests *ret, struct err *e);
/* hashpipe_reset: forget both, for another stream. */
int hashpipe_reset(struct hashpipe *h, struct err *e);

#endif /* !CUSTODY_HASHPIPE_H_ */
