#include <endian.h>
#include <string.h>

#include "analyzer/diff/pass_digest.h"

/*
 * Multiply and fold (Wang Yi, wyhash): the 128-bit product of two words that
 * depend on the input, its halves combined by exclusive or.  Four lanes of 16
 * bytes each hide the latency of the multiplication:
 *
 *   lane j of stripe s:  acc[j] = fold(acc[j] ^ w[2j], key[j] ^ w[2j + 1])
 *
 * where w are the stripe's eight little-endian words; a last, shorter stripe
 * is filled up with zeros, and the piece's length tells it from real ones.
 */
__extension__ typedef unsigned __int128 product;

#define STRIPE 64

/* Odd, half of the bits set, from the digits of pi (Blowfish's tables). */
static const uint64_t key[] = {0x243f6a8885a308d3, 0x13198a2e03707345,
    0xa4093822299f31d1, 0x082efa98ec4e6c89, 0x452821e638d01377,
    0xbe5466cf34e90c6d, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917};

static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	product m = (product)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t
word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void
stripe(uint64_t acc[4], const uint8_t *p)
{
	acc[0] = fold(acc[0] ^ word(p), key[0] ^ word(p + 8));
	acc[1] = fold(acc[1] ^ word(p + 16), key[1] ^ word(p + 24));
	acc[2] = fold(acc[2] ^ word(p + 32), key[2] ^ word(p + 40));
	acc[3] = fold(acc[3] ^ word(p + 48), key[3] ^ word(p + 56));
}

uint64_t
pass_digest_piece(uint64_t i, const uint8_t *p, uint64_t n)
{
	uint64_t acc[4] = {key[4], key[5], key[6], key[7]}, left = n, h;
	uint8_t last[STRIPE] = {0};

	for (; left >= STRIPE; left -= STRIPE, p += STRIPE)
		stripe(acc, p);
	if (left > 0) {
		memcpy(last, p, left);
		stripe(acc, last);
	}
	h = fold(acc[0] ^ key[4], acc[1] ^ key[5]) ^
	    fold(acc[2] ^ key[6], acc[3] ^ key[7]);
	return fold(h ^ key[1] * (i + 1), key[2] ^ n);
}

uint64_t
pass_digest_end(uint64_t sum, uint64_t len)
{
	return fold(sum ^ key[0], key[3] ^ len);
}
