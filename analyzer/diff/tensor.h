#ifndef ANALYZER_DIFF_TENSOR_H_
#define ANALYZER_DIFF_TENSOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/elem.h"

/*
 * A tensor of one side, as table.c keeps it: where its bytes are and what
 * they mean.  Its elements lie one after the other from ${p}, row by row
 * (views with other strides were copied into the spool).
 *
 * Invariants, checked when it is made (table.c), relied upon by everything
 * that computes:
 *   p != NULL  =>  n / block * bytes == len, [p, p+len) is mapped
 *   p == NULL  =>  its bytes are not at hand; nothing can be measured
 *   rank >= 2 and n > 0  =>  rows == shape[0], rows * cols == n
 *   otherwise  rows == 1, cols == n
 * The mapping may shrink under us: that ends the worker (SIGBUS), and its
 * parent makes it a finding.
 */
#define TENSOR_RANK_MAX 16

struct tensor {
	const char *name;
	uint32_t name_len;
	enum elem elem;
	const char *dtype;	/* as the parser told it */
	const uint64_t *shape;
	unsigned rank;
	uint64_t n;		/* elements */
	uint64_t rows, cols;
	const uint8_t *p;
	uint64_t len;		/* bytes */
	uint32_t map;		/* which mapped file of the side (table.h) */
	uint32_t input;		/* which input told it */
	uint32_t unit;		/* which model of the side it belongs to */
	uint64_t off;		/* of its first byte in that file */
	uint64_t storage;	/* equal: views of one storage; 0: nobody's */
	uint64_t digest;	/* pass_digest of its bytes */
	bool digested;
};

static inline bool
tensor_same_shape(const struct tensor *a, const struct tensor *b)
{
	if (a->rank != b->rank || a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->rank; i++)
		if (a->shape[i] != b->shape[i])
			return false;
	return true;
}

#endif /* !ANALYZER_DIFF_TENSOR_H_ */
