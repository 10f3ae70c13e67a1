#ifndef ANALYZER_DIFF_VECTORS_H_
#define ANALYZER_DIFF_VECTORS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pass_sums;
struct rows;
struct tensor;

/*
 * What vectors tell of a model as a whole (diff specification, section 5):
 *
 *   only running statistics changed     forward passes in training mode, no
 *                                       optimisation (continued-training)
 *   every matrix times one factor       weight decay without gradient
 *                                       (rescaled)
 *   only vectors changed                biases or norms were tuned
 *                                       (continued-training)
 *
 * Every pair of tensors of the model is added once, unchanged ones too; a
 * pair that could not be measured forbids all three.
 */
#define VECTORS_NAMES 1000

struct vectors {
	uint64_t matrices, matrices_changed, scaled;
	uint64_t vectors, vectors_changed;
	uint64_t biases_changed, statistics_changed, gains_changed;
	uint64_t elements, elements_changed;	/* of changed vectors */
	uint64_t unmeasured;
	double low, high;	/* factors of the matrices */
	double slack;		/* what storage may make of a factor */
	const struct tensor *changed[VECTORS_NAMES];
	uint64_t nchanged;	/* in all; listed up to VECTORS_NAMES */
};

void vectors_init(struct vectors *v);

/* ${s} NULL: not measured.  ${b} must live until vectors_rows. */
void vectors_add(struct vectors *v, const struct tensor *b,
    const struct pass_sums *s);

/* vectors_rows: conclusions, none if nothing of this holds. */
int vectors_rows(const struct vectors *v, struct rows *rows);

#endif /* !ANALYZER_DIFF_VECTORS_H_ */
