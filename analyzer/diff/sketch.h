#ifndef ANALYZER_DIFF_SKETCH_H_
#define ANALYZER_DIFF_SKETCH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delta;
struct err;
struct pool;

/*
 * The largest singular values of D, and their vectors, without D.
 *
 * Memory: (m + n) q floats and a panel (sketch_panel.h); work: 12 m n q
 * operations in 6 sweeps over both tensors.  Equal on any number of threads.
 */
struct sketch_ask {
	struct pool *pool;
	const struct delta *d;
	unsigned q;		/* columns: a multiple of 8, <= SKETCH_MAX */
	double top;		/* of sketch_noise: the largest |D| */
	double d2;		/* of sketch_noise: sum of D^2 */
	bool portable;		/* for tests: not the fast kernels */
};

#define SKETCH_MAX 272
/* A matrix whose shorter side is no longer needs no sketch. */
#define SKETCH_EXACT 128

struct sketch {
	unsigned q;		/* singular values in s: at most min(m, n) */
	double s[SKETCH_MAX];	/* descending */
	double resid2;		/* sum of squares of the rest */
	bool exact;		/* there is no rest: q = min(m, n) */
	/*
	 * From sketch_vectors alone: component k has u[k * m + i] and
	 * v[k * n + j], of length 1, k < vectors.
	 */
	unsigned vectors;
	float *u, *v;
};

/* sketch_room: bytes that sketch_find would hold; UINT64_MAX: too many. */
uint64_t sketch_room(uint64_t m, uint64_t n, unsigned q);

/*
 * sketch_find: s and resid2.  Of a matrix with a side up to SKETCH_EXACT
 * all values are found, whatever q is, if that is cheaper.  ret->q 0: D's
 * numbers defeat the method.  0, or negative on no memory.
 */
int sketch_find(const struct sketch_ask *ask, struct sketch *ret,
    struct err *e);

/* sketch_vectors: the same, and the first ${count} components' vectors. */
int sketch_vectors(const struct sketch_ask *ask, unsigned count,
    struct sketch *ret, struct err *e);
void sketch_release(struct sketch *s);	/* of what the above wrote */

#endif /* !ANALYZER_DIFF_SKETCH_H_ */
