#ifndef ANALYZER_TRAFFIC_TRAFHASH_H_
#define ANALYZER_TRAFFIC_TRAFHASH_H_

#include <stddef.h>
#include <stdint.h>

/*
 * Hashes for the tables of a log: fixed, so that the same log gives the same
 * rows.  Whoever makes two inputs collide on purpose has one of them counted
 * as a repetition of the other; nothing is decided by a hash alone.
 */
static inline uint64_t
trafhash_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static inline uint64_t
trafhash_two(uint64_t a, uint64_t b)
{
	return trafhash_mix(a * 0x9e3779b97f4a7c15U + b);
}

uint64_t trafhash_bytes(const void *p, size_t n, uint64_t seed);

#endif /* !ANALYZER_TRAFFIC_TRAFHASH_H_ */
