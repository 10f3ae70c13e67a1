#ifndef ANALYZER_DIFF_ROWSPACE_H_
#define ANALYZER_DIFF_ROWSPACE_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct rowdelta;

/*
 * Directions that many rows of D share: its first right singular vectors
 * (uncentred), by subspace iteration over the rows themselves.  Neither D nor
 * its Gram matrix is stored.
 */
#define ROWSPACE_Q 32

struct rowspace {
	size_t cols;
	unsigned n;		/* directions found: at most ROWSPACE_Q, cols
				 * and the rank of what was looked at */
	float *v;		/* cols times ROWSPACE_Q: v[k * Q + j] */
	double value[ROWSPACE_Q];	/* singular values, largest first, of
					 * D / scale */
};

/*
 * rowspace_find: of the rows ids[0..n).  ${scale} is the largest |D_ij| or a
 * norm of it; D is divided by it, so that squares neither overflow nor
 * vanish.  With ${clip} no few rows make a direction of their own.  The same on any number of threads.  0, or negative on no memory;
 * rowspace_free releases.
 */
struct rowspace_of {
	const struct rowdelta *r;
	const uint32_t *ids;
	size_t n;
	double scale;
	double clip;		/* longer rows are shortened to it; 0: none */
};
int rowspace_find(struct pool *pool, const struct rowspace_of *of,
    struct rowspace **ret, struct err *e);
void rowspace_free(struct rowspace *s);		/* NULL does nothing */

/* rowspace_along: along[j] = x . v_j for j below ${k}, of a row x of cols. */
void rowspace_along(const struct rowspace *s, const float *x, unsigned k,
    double *along);

/* rowspace_rest: |x - sum over j < k of (x . v_j) v_j|, in double. */
double rowspace_rest(const struct rowspace *s, const float *x, unsigned k);

#endif /* !ANALYZER_DIFF_ROWSPACE_H_ */
