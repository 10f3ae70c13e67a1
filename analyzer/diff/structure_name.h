#ifndef ANALYZER_DIFF_STRUCTURE_NAME_H_
#define ANALYZER_DIFF_STRUCTURE_NAME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A tensor's name, taken apart: "model.layers.3.mlp.down_proj.weight" is
 * layer "model.layers.3", number 3, module "mlp.down_proj".  A layer is what
 * stands up to the last part that is a number; a name without one has none,
 * and its module is the whole name without weight or bias.  The module's kind
 * is its last part.  Everything points into the name.
 */
struct structure_name {
	const char *layer;
	size_t layer_len;	/* 0: it is in no layer */
	uint64_t number;
	const char *module;
	size_t module_len;
	bool bias;		/* ends in bias */
	bool embedding;		/* of words, by its name */
	bool head;		/* of outputs or classes, by its name */
};

void structure_name_split(const char *name, size_t n,
    struct structure_name *ret);

/* Order by module, then by the layer's number, then by the layer's text. */
int structure_name_compare(const struct structure_name *x,
    const struct structure_name *y);
bool structure_name_same_module(const struct structure_name *x,
    const struct structure_name *y);

#endif /* !ANALYZER_DIFF_STRUCTURE_NAME_H_ */
