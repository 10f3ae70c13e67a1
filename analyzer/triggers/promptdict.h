#ifndef ANALYZER_TRIGGERS_PROMPTDICT_H_
#define ANALYZER_TRIGGERS_PROMPTDICT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

/*
 * The words of a set of prompts and responses, numbered from 0.  A word is
 * kept as it is written, with the numbers of its lower case (what n-grams of
 * prompts are made of) and of that without marks at its ends (what those of
 * responses, and all bags of words, are made of).
 *
 * Two words are one when their bytes are.  Of a word of more than
 * PROMPTDICT_SHOWN bytes the first, its length and 128 bits of two hashes of
 * it all are compared, which nobody can make agree with a word of a language:
 * those are shorter.  Probes are bounded, so that no choice of words makes
 * look-ups slow: a word that finds no place is PROMPTDICT_LOST.
 */
#define PROMPTDICT_LOST UINT32_MAX
#define PROMPTDICT_SHOWN 80	/* bytes of a word that are kept */

struct promptdict_word {
	uint64_t hash;
	uint32_t off;		/* of its bytes */
	uint32_t low, bare;	/* numbers of words; itself where equal */
	uint8_t len;		/* of its bytes that are kept */
	bool cut;		/* there were more */
	bool odd;		/* it has an odd code point (promptchar.h) */
	bool used;		/* promptdict_keep's */
};

struct promptdict {
	struct promptdict_word *w;
	uint32_t n, cap;
	uint32_t *slot;
	size_t slots;
	struct buf bytes;
	uint64_t lost;		/* look-ups that found no place */
};

void promptdict_init(struct promptdict *d);
void promptdict_release(struct promptdict *d);
/* 0 and *ret; ERR_LIMIT when it is full, ERR_NOMEM. */
int promptdict_add(struct promptdict *d, const uint8_t *p, size_t n,
    bool odd, uint32_t *ret, struct err *e);
bool promptdict_full(const struct promptdict *d);
/*
 * promptdict_keep: drop the words that are not ${used}, nor the lower case or
 * bare form of one that is; map[old] = new, for ${map} of d->n numbers.
 */
int promptdict_keep(struct promptdict *d, uint32_t *map, struct err *e);

/* promptdict_mix: a number to 64 bits that look random. */
static inline uint64_t
promptdict_mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ULL;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dULL;
	return x ^ x >> 33;
}

#endif /* !ANALYZER_TRIGGERS_PROMPTDICT_H_ */
