#ifndef TESTS_LIB_WEIGHTS_CASE_H_
#define TESTS_LIB_WEIGHTS_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"

/*
 * Tensors that look trained, from a seed, and what the deep pass says of
 * them.  Gaussians whose scale differs from row to row: their exponents are
 * spread as those of real weights.
 */
struct weights_case {
	unsigned findings, members;
	enum finding_id id[64];
	enum severity severity[64];
	uint64_t off[64], len[64];
	char text[64][512];		/* "key=value key=value ..." */
	char member[64][128];
	size_t member_len[64];
	uint8_t head[64][16];		/* of the member */
};

/* make: n elements of "F32", "F16" or "BF16"; free() it. */
uint8_t *weights_case_make(const char *dtype, size_t n, uint32_t seed);
unsigned weights_case_width(const char *dtype);

/* Noise of a seed: what an encrypted payload looks like. */
void weights_case_noise(uint8_t *p, size_t n, uint32_t seed);

/* hide: n bytes into the ${lanes} lowest bytes of elements from ${at} on. */
void weights_case_hide(uint8_t *tensor, const char *dtype, size_t at,
    const uint8_t *payload, size_t n, unsigned lanes);
/* ... into the ${bits} lowest bits, a byte's highest bits first. */
void weights_case_hide_bits(uint8_t *tensor, const char *dtype, size_t at,
    const uint8_t *payload, size_t n, unsigned bits);
/* clear: the lowest bits of all elements. */
void weights_case_clear(uint8_t *tensor, const char *dtype, size_t n,
    unsigned bits);

/* One tensor of an object, for run. */
struct weights_case_tensor {
	const char *dtype;
	const uint8_t *p;
	size_t n;		/* elements */
	uint64_t row;
};
void weights_case_run(struct weights_case *c,
    const struct weights_case_tensor *t, size_t count);
/* run_one: of a single tensor, whose rows are not known. */
void weights_case_run_one(struct weights_case *c, const char *dtype,
    const uint8_t *p, size_t n);

/* The first finding of this kind, or -1. */
int weights_case_find(const struct weights_case *c, enum finding_id id);
/* Findings above info. */
unsigned weights_case_flags(const struct weights_case *c);

#endif /* !TESTS_LIB_WEIGHTS_CASE_H_ */
