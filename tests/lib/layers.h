#ifndef TESTS_LIB_LAYERS_H_
#define TESTS_LIB_LAYERS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/buf.h"

/*
 * A model without numbers: its tensors, the verdict of each as a test puts
 * it, and what structure_judge concludes of them.  One at a time; a test
 * fails when it does not fit.
 */
#define LAYERS_TENSORS 128
#define LAYERS_CONCLUSIONS 8
#define LAYERS_NAME 64

struct layers_model {
	struct tensor t[LAYERS_TENSORS];
	char name[LAYERS_TENSORS][LAYERS_NAME];
	struct pass_sums sums[LAYERS_TENSORS];
	struct spectrum spectrum[LAYERS_TENSORS];
	struct pass_detail detail[LAYERS_TENSORS];
	struct structure_item item[LAYERS_TENSORS];
	size_t n;
};

/* Conclusions in their order. */
struct layers_said {
	unsigned n;
	enum conclusion_kind kind[LAYERS_CONCLUSIONS];
	enum confidence confidence[LAYERS_CONCLUSIONS];
	uint64_t tensors[LAYERS_CONCLUSIONS];	/* in all */
	char first[LAYERS_CONCLUSIONS][LAYERS_NAME];
	struct buf line[LAYERS_CONCLUSIONS];	/* its evidence, as text */
};

/* Tests change the model after it was put together: memset makes it empty. */
extern struct layers_model layers_model;
extern struct layers_said layers_said;

/* Setup and teardown of a test: nothing in the model; nothing said. */
int layers_begin(void **state);
int layers_end(void **state);

/*
 * layers_put: one more tensor.  ${v} SKIPPED: a vector (of one row), or a
 * matrix without a verdict.
 */
void layers_put(const char *name, uint64_t rows, uint64_t cols,
    enum structure_relation relation, enum spectrum_verdict v, unsigned rank);

/*
 * Of a part of a layer (0..6: q, k, v, o, gate, up, down): 0, it is the same;
 * one of these; or the rank by which it moved.
 */
typedef unsigned layers_rank(unsigned layer, unsigned part);
#define LAYERS_DENSE 1000
#define LAYERS_ROUNDED 1001
#define LAYERS_HIDDEN 1002
#define LAYERS_DENSE_BY_A_HAIR 1003
/* UNDECIDED, with so many components above the noise. */
#define LAYERS_AT_LEAST(n) (2000u + (n))

/* layers_llama: adds a whole model; all but the parts of layers is the same. */
void layers_llama(unsigned layers, layers_rank *rank);

/* So many rows of the tensors with ${name} in theirs changed, no others. */
void layers_change_rows(const char *name, uint64_t n);

/* layers_judge: forgets what was said before. */
void layers_judge(void);

/* The index of what was said of this kind, or -1. */
int layers_find(enum conclusion_kind k);
/* layers_assert: it was said, and its evidence has this text. */
void layers_assert(enum conclusion_kind k, const char *text);
/* An edit or an adapter was claimed. */
bool layers_claim_low(void);

#endif /* !TESTS_LIB_LAYERS_H_ */
