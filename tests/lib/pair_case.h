#ifndef TESTS_LIB_PAIR_CASE_H_
#define TESTS_LIB_PAIR_CASE_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/tensor.h"

/*
 * Pairs of tensors that look trained, from a seed, and their sums.
 */
struct pair_case {
	struct tensor t;
	uint64_t shape[4];
	uint8_t *p;		/* of t: free() it, or pair_case_free */
	float *x;		/* its values as they were before storing */
};

/* A generator: 64 random bits, uniform in [0, 1), standard normal. */
uint64_t pair_case_random(uint64_t *state);
double pair_case_uniform(uint64_t *state);
double pair_case_normal(uint64_t *state);

/*
 * make: rows x cols (rows 1: a vector), normal with spread 0.02 that differs
 * from row to row, heavier in the tails; stored as ${t}.
 */
struct pair_case pair_case_make(enum elem t, size_t rows, size_t cols,
    uint64_t seed);
/* like: the same shape, stored as ${t}, of the values x. */
struct pair_case pair_case_like(const struct pair_case *c, enum elem t,
    const float *x);
/* store: x[0..n) as F64, F32, F16, BF16, F8 or I8, one after the other. */
void pair_case_store(enum elem t, const float *x, size_t n, uint8_t *p);
/* copy: its values, to be changed; free() them. */
float *pair_case_copy(const struct pair_case *c);
void pair_case_free(struct pair_case *c);

/* The sums of B - A, the simple way. */
struct pass_sums pair_case_sums(const struct tensor *a,
    const struct tensor *b);

#endif /* !TESTS_LIB_PAIR_CASE_H_ */
