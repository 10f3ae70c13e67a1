#ifndef ANALYZER_DIFF_EDITFIND_H_
#define ANALYZER_DIFF_EDITFIND_H_

#include <stdbool.h>
#include <stdint.h>

struct structure_model;
struct tensor;

/*
 * The MLP around an edited matrix and the ends of its model, by name: those
 * of Hugging Face and of GGUF (rename.def).  All are of the new model and
 * have their bytes at hand.
 *
 * Invariants: ${down} is d x ff, or ff x d if ${turned}; ${emb} and ${out}
 * have rows of d elements, whole blocks.  The others are what their names
 * promise and nothing is known of their shapes; each may be NULL.
 */
struct editfind {
	const struct tensor *down, *up, *up_bias, *gate, *norm, *norm_bias;
	const struct tensor *emb, *out, *last;
	uint64_t d, ff, vocab;
	bool turned;		/* down is ff x d: inputs in rows */
};

/* editfind_parts: NULL: what is needed is there; else why not, our own. */
const char *editfind_parts(const struct structure_model *m,
    const struct tensor *down, struct editfind *ret);

/*
 * editfind_has_units: is ${t} a matrix of ff units with d inputs each, or
 * turned round, in rows of whole blocks?  NULL is none.
 */
bool editfind_has_units(const struct tensor *t, uint64_t d, uint64_t ff);

#endif /* !ANALYZER_DIFF_EDITFIND_H_ */
