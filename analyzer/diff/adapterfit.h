#ifndef ANALYZER_DIFF_ADAPTERFIT_H_
#define ANALYZER_DIFF_ADAPTERFIT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct structure_item;
struct tensor;

/* One module of an adapter against what became of its matrix. */
struct adapterfit_factors {
	const struct tensor *a, *b;	/* r x in, out x r */
	bool turn;		/* the matrix is in x out (Conv1D) */
};

struct adapterfit {
	size_t item;		/* of the model; the caller's */
	uint64_t r;
	double scale;		/* s of the least |D - s B A| */
	double rest;		/* that */
	double allowed;		/* what storage and arithmetic leave */
	double delta;		/* |D| */
	double product;		/* |B A| */
	bool merged;		/* rest <= allowed, and s B A is no chance */
};

/*
 * adapterfit_measure: fills all but ${item}.  Two sweeps over the matrix, r
 * multiplications an element.  Values that are not finite are left out.  0, or
 * negative on no memory.  PRE: shapes fit, everything is numbers, rows of old
 * and new are whole blocks, their bytes are at hand.
 */
int adapterfit_measure(struct pool *pool, const struct adapterfit_factors *x,
    const struct structure_item *it, struct adapterfit *f, struct err *e);

#endif /* !ANALYZER_DIFF_ADAPTERFIT_H_ */
