#ifndef ANALYZER_DIFF_HIDDEN_BITS_H_
#define ANALYZER_DIFF_HIDDEN_BITS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delta;
struct pool;

/*
 * Were the lowest bits of B written, or did arithmetic change them?
 *
 * An update by one unit in the last place turns bit 0 always, bit 1 half of
 * the time, bit k with 2^-k: it carries.  So when no element differs above
 * bit k - 1, yet an eighth of those that differ do so at bit k - 1, and there
 * are 32 of them, arithmetic would have had to stop at that bit 32 times by
 * chance.
 *
 * That needs values on both sides of many such boundaries: gains that were
 * all 1 and grew have not crossed one.  So what stands above the k bits must
 * take eight values at least.
 */
#define HIDDEN_TOP_LEAST 32
#define HIDDEN_TOP_SHARE 0.125
#define HIDDEN_CELLS 8

struct hidden_bits {
	unsigned k;		/* of the OR of all XORs; 0: nothing differs */
	unsigned limit;		/* what this type allows for k */
	uint64_t changed, first, last;
	uint64_t top;		/* that differ in bit k - 1 */
	bool one_mask;		/* every XOR is the same */
	bool constant;		/* the k bits of B are the same everywhere */
	bool zeros;		/* only signs of zeros differ */
	unsigned cells;		/* different values above bit k, up to
				 * HIDDEN_CELLS */
	bool written;		/* the condition above */
};

/*
 * hidden_bits: ${xor_or}, ${first} and ${last} are those of cast(A) and B, in
 * B's own bits.  Reads both again, unless they already say that there is
 * nothing to be found; then only k and limit are set.
 */
void hidden_bits(struct pool *pool, const struct delta *d, uint64_t xor_or,
    uint64_t first, uint64_t last, struct hidden_bits *ret);

/* hidden_keys: B's or cast(A)'s elements, in B's own bits. */
void hidden_keys(const struct delta *d, bool of_b, uint64_t at, size_t n,
    uint64_t *key);

#endif /* !ANALYZER_DIFF_HIDDEN_BITS_H_ */
