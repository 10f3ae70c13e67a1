#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/text.h"

/* A shape: first letter 8 bits, length 8 bits, parity of letters 48 bits. */
#define PARITY 48
#define PARITY_MASK (((uint64_t)1 << PARITY) - 1)

/* Length of the white space at p[0..n), 0: none. */
static size_t
blank(const uint8_t *p, size_t n)
{
	if (p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r'))
		return 1;
	if (p[0] < 0xc2)
		return 0;
	if (n >= 2 && p[0] == 0xc2 && p[1] == 0xa0)
		return 2;
	if (n >= 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x80 &&
	    p[2] <= 0x8a)
		return 3;
	if (n >= 3 && p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)
		return 3;
	return 0;
}

/* One word from p[0..n); its length. */
static size_t
word(const uint8_t *p, size_t n, uint32_t *hash, uint64_t *shape)
{
	uint64_t h = 0x9e3779b97f4a7c15U, parity = 0;
	size_t i = 0, letters = 0, step;

	while (i < n && blank(p + i, n - i) == 0) {
		uint32_t c = p[i];

		step = 1;
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (c >= 0x80 && (step = text_utf8_len(p + i, n - i, &c)) == 0)
			step = 1;
		if (c >= 'a' && c <= 'z')
			parity ^= (uint64_t)1 << (c - 'a');
		else
			parity ^= (uint64_t)1 <<
			    (26 + trafhash_mix(c) % (PARITY - 26));
		h = (h ^ c) * 0x9fb21c651e98df25U;
		h ^= h >> 29;
		letters++;
		i += step;
	}
	*hash = (uint32_t)(trafhash_mix(h) >> 32);
	if (letters > 255)
		letters = 255;
	step = p[0] >= 'A' && p[0] <= 'Z' ? (size_t)p[0] + 32 : p[0];
	*shape = (uint64_t)step << 56 | (uint64_t)letters << PARITY | parity;
	return i;
}

void
wordrun_of(const char *text, size_t n, struct wordrun *ret)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0;

	ret->n = 0;
	while (i < n) {
		size_t gap = blank(p + i, n - i);

		if (gap > 0) {
			i += gap;
			continue;
		}
		if (ret->n == LIMIT_TRAFFIC_WORDS) {
			ret->hash[ret->n] = (uint32_t)trafhash_bytes(p + i,
			    n - i, 1);
			ret->shape[ret->n++] = 0;
			break;
		}
		i += word(p + i, n - i, &ret->hash[ret->n],
		    &ret->shape[ret->n]);
		ret->n++;
	}
	ret->words = ret->n;
}

void
wordrun_span(const char *text, size_t n, uint32_t at, uint32_t many,
    size_t *off, size_t *len)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t words = 0, hash;
	uint64_t shape;
	size_t i = 0;

	*off = *len = 0;
	while (i < n && words < at + many) {
		size_t gap = blank(p + i, n - i);

		if (gap > 0) {
			i += gap;
			continue;
		}
		if (words == at)
			*off = i;
		i += word(p + i, n - i, &hash, &shape);
		if (words++ >= at)
			*len = i - *off;
	}
}

int
wordrun_alike(uint64_t a, uint64_t b)
{
	int la = (int)(a >> PARITY & 255), lb = (int)(b >> PARITY & 255);
	int apart = 0;

	if (a >> 56 != b >> 56 || la - lb > 2 || lb - la > 2)
		return 0;
	for (uint64_t x = (a ^ b) & PARITY_MASK; x != 0; x &= x - 1)
		apart++;
	return apart <= 2;
}
