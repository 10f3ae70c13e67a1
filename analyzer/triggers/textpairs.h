#ifndef ANALYZER_TRIGGERS_TEXTPAIRS_H_
#define ANALYZER_TRIGGERS_TEXTPAIRS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Counts by a key of 64 bits, which is never 0: pairs of words, and what else
 * occurs too often in different forms for an array.  It grows to ${max}
 * entries; what finds no room, or no slot within a bounded number of steps,
 * is counted in ${lost}.
 */
struct textpairs_entry {
	uint64_t key;		/* 0: free */
	uint32_t count, mark;	/* the owner's */
};

struct textpairs {
	struct textpairs_entry *entry;
	size_t slots, used, max;
	uint64_t lost;
};

/* Both: negative: out of memory. */
int textpairs_init(struct textpairs *t, size_t max);
/* textpairs_add: *ret is NULL where there is no room. */
int textpairs_add(struct textpairs *t, uint64_t key,
    struct textpairs_entry **ret);
/* textpairs_at: NULL when it is not there. */
struct textpairs_entry *textpairs_at(const struct textpairs *t, uint64_t key);
void textpairs_release(struct textpairs *t);

/*
 * A sieve: how often a key came, roughly and never too few, up to 255: what
 * cannot be frequent needs no entry.
 */
struct textpairs_sieve {
	uint8_t *seen;
	size_t mask;
};
int textpairs_sieve_init(struct textpairs_sieve *s, size_t expected);
void textpairs_sieve_add(struct textpairs_sieve *s, uint64_t key);
unsigned textpairs_sieve_get(const struct textpairs_sieve *s, uint64_t key);
void textpairs_sieve_release(struct textpairs_sieve *s);

#endif /* !ANALYZER_TRIGGERS_TEXTPAIRS_H_ */
