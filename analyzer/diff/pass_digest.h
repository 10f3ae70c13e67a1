#ifndef ANALYZER_DIFF_PASS_DIGEST_H_
#define ANALYZER_DIFF_PASS_DIGEST_H_

#include <stdint.h>

/*
 * The digest of a tensor's bytes, in pieces that may be made in any order.
 *
 * The bytes are cut into pieces of PASS_PIECE from their own beginning; each
 * piece gives a 64-bit value that depends on its number as well; these are
 * added modulo 2^64; the sum and the length give the digest.  So it depends
 * neither on threads nor on how much is read at once, and it is made while a
 * piece is still in the cache.  Not cryptographic: who wants two tensors of
 * one digest makes them.  Equality is always confirmed on bytes.
 */
#define PASS_PIECE 65536

/* pass_digest_piece: of piece ${i}; n == PASS_PIECE but for the last. */
uint64_t pass_digest_piece(uint64_t i, const uint8_t *p, uint64_t n);

/* pass_digest_end: of ${len} bytes whose pieces gave ${sum}. */
uint64_t pass_digest_end(uint64_t sum, uint64_t len);

#endif /* !ANALYZER_DIFF_PASS_DIGEST_H_ */
