#ifndef CUSTODY_MERKLE_H_
#define CUSTODY_MERKLE_H_

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * The Merkle tree of RFC 9162 section 2.1: leaf = SHA-256(0x00 || data),
 * node = SHA-256(0x01 || left || right); an incremental root in O(log n)
 * memory.  The root of nothing is SHA-256 of the empty string.  Read side.
 */
struct merkle {
	uint64_t size;
	uint8_t sub[64][32];	/* roots of the perfect subtrees */
};

void merkle_init(struct merkle *m);
int merkle_leaf(uint8_t ret[32], const void *p, size_t n, struct err *e);
int merkle_node(uint8_t ret[32], const uint8_t l[32], const uint8_t r[32],
    struct err *e);
/* merkle_add: append a leaf hash. */
int merkle_add(struct merkle *m, const uint8_t leaf[32], struct err *e);
int merkle_root(const struct merkle *m, uint8_t ret[32], struct err *e);

#endif /* !CUSTODY_MERKLE_H_ */
