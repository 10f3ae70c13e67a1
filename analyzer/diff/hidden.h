#ifndef ANALYZER_DIFF_HIDDEN_H_
#define ANALYZER_DIFF_HIDDEN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/weights_magic.h"

struct basis;
struct delta;
struct err;
struct pass_sums;
struct pool;
struct tensor;

/*
 * Data that was written into a tensor between two versions.
 *
 * Written bits give themselves away against the old version: every changed
 * element differs in its lowest k bits alone.  Arithmetic does not do that:
 * an update carries (analyzer/diff/hidden.c has the test).  The bytes are
 * then read out of B in every way in which such tools lay them (bit order,
 * alignment, one plane, groups of bits, whole low bytes), and the way that
 * makes most sense is reported.
 */
enum hidden_kind {
	HIDDEN_NONE,
	HIDDEN_PAYLOAD,		/* lowest bits, a dense span */
	HIDDEN_MARKS,		/* lowest bits, sparse: a watermark */
	HIDDEN_XOR,		/* one mask over a span */
	HIDDEN_SIGNS,		/* signs of zeros */
	HIDDEN_LATTICE,		/* sums of +-gamma: spread spectrum */
};

/* How bytes are laid into the low bits of elements. */
struct hidden_layout {
	unsigned bits;		/* of each element */
	unsigned shift;		/* the lowest of them */
	bool byte_high;		/* a byte's bits come highest first */
	bool group_high;	/* ... and so do an element's */
	bool signs;		/* of zeros, in place of low bits */
	uint64_t first;		/* element that holds the first bit */
};

#define HIDDEN_HEAD 64

struct hidden {
	enum hidden_kind kind;
	/* The condition. */
	unsigned k;		/* bits */
	uint64_t changed, span_first, span_last;
	double density;		/* changed / span */
	double expected;	/* 1 - 2^-k */
	double z;		/* of the difference */
	uint64_t mask;		/* XOR: the mask */
	double spacing, contrast;	/* lattice: gamma, how clear it is */
	/* The payload, where one could be read. */
	struct hidden_layout layout;
	uint64_t len;		/* bytes; 0: nothing was made sense of */
	const char *what;	/* "elf", "text", "structured", ...; NULL:
				 * nothing tells order and alignment, which
				 * are then guesses */
	double entropy;		/* bits a byte */
	uint64_t printable;	/* longest run */
	uint8_t sha256[32];
	uint8_t head[HIDDEN_HEAD];
	size_t head_len;
	unsigned align;		/* elements from its first to the first that
				 * changed */
	/* It goes on in the tensors that follow in the file. */
	uint32_t spans;		/* tensors, 1 for this one alone */
};

const char *hidden_name(enum hidden_kind k);

/*
 * hidden_find: is there any between cast(A) and B?  ${sums} are those of the
 * pair without a cast.  0 and *ret (HIDDEN_NONE is the usual answer), or
 * negative on no memory.
 */
int hidden_find(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct hidden *ret, struct err *e);

/*
 * hidden_join: payloads that run across tensors.  v[i] is what hidden_find
 * said of pair i, in file order; those that continue the one before are
 * joined to it (kind NONE, spans 0), and the first's bytes are made anew.
 */
int hidden_join(const struct tensor *const *b, struct hidden *v, size_t n,
    struct err *e);

/*
 * hidden_read: bytes [from, from + n) of the payload of h, which lies in the
 * ${spans} tensors from b[0] on, into dst; returns how many there are.
 */
size_t hidden_read(const struct hidden *h, const struct tensor *const *b,
    uint64_t from, uint8_t *dst, size_t n);

void hidden_basis(const struct hidden *h, struct basis *s);

#endif /* !ANALYZER_DIFF_HIDDEN_H_ */
