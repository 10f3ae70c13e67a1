#ifndef ANALYZER_DIFF_STRUCTURE_H_
#define ANALYZER_DIFF_STRUCTURE_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct pass_detail;
struct pass_sums;
struct rows;
struct spectrum;
struct tensor;

/*
 * From one verdict a matrix to a conclusion about the model: which layers and
 * modules were touched, and is that an edit of a few matrices, an adapter
 * that was merged, or training?
 *
 * No dense update is called low-rank here, and no difference at the level of
 * rounding is called an edit.  Layer and module are read off the names (those
 * of Hugging Face, GGUF, torchvision, or any dotted path with one number in
 * it); where names say nothing, each tensor is a module of its own.
 */
enum structure_relation {
	/* Identical, or exactly what a cast, a re-quantisation or a rename of
	 * the whole model gives. */
	STRUCTURE_SAME,
	/* Changed, and told already: rows of tokens, a permutation, pruning,
	 * flipped bits, a payload, noise, scaling, a replacement. */
	STRUCTURE_TOLD,
	/* Changed, and not explained: judged here. */
	STRUCTURE_CHANGED,
	/* Added, removed, reshaped, or bytes not at hand: not compared. */
	STRUCTURE_UNKNOWN
};

struct structure_item {
	const struct tensor *old, *new;	/* either may be NULL if UNKNOWN */
	enum structure_relation relation;
	const struct pass_sums *sums;	/* NULL: not measured */
	const struct spectrum *spectrum; /* NULL: 1-D, or not asked for */
	const struct pass_detail *detail; /* NULL: not looked at */
};

/* A model: a unit of tensor.h.  Items in any order. */
struct structure_model {
	const struct structure_item *v;
	size_t n;
};

/*
 * structure_judge: what can be concluded about one model, as rows:
 *   RANK_ONE_EDIT, LOW_RANK_EDIT, MERGED_ADAPTER	low rank
 *   CONTINUED_TRAINING			dense
 *   LAYERS_FROZEN			part of it is STRUCTURE_SAME
 * None where nothing is STRUCTURE_CHANGED above rounding.  0, or negative (no
 * memory, or what a row's sink returned).
 */
int structure_judge(const struct structure_model *m, const struct rows *rows,
    struct err *e);

#endif /* !ANALYZER_DIFF_STRUCTURE_H_ */
