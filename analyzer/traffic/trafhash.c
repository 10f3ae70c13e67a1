#include <string.h>

#include "analyzer/traffic/trafhash.h"

static uint64_t
word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
step(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9fb21c651e98df25U;
	return h ^ h >> 32;
}

/* Two lanes, so that one multiplication does not wait for the other. */
uint64_t
trafhash_bytes(const void *p, size_t n, uint64_t seed)
{
	const uint8_t *s = p;
	uint64_t a = seed ^ 0x9e3779b97f4a7c15U, b = seed + n, last = 0;
	size_t left = n;

	for (; left >= 16; left -= 16, s += 16) {
		a = step(a, word_at(s));
		b = step(b, word_at(s + 8));
	}
	if (left >= 8) {
		a = step(a, word_at(s));
		left -= 8;
		s += 8;
	}
	if (left > 0) {
		memcpy(&last, s, left);
		b = step(b, last + left);
	}
	return trafhash_mix(a + trafhash_mix(b));
}
