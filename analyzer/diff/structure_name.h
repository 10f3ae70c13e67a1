#ifndef ANALYZER_DIFF_STRUCTURE_NAME_H_
#define ANALYZER_DIFF_STRUCTURE_NAME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Where a tensor stands in its model, by its name: parts between dots or
 * slashes; a part that is a number, or "layer_7", counts layers.
 */

/* structure_name_layer: the first number in the path; false: none. */
bool structure_name_layer(const char *p, size_t n, uint32_t *ret);

/*
 * structure_name_compare: an order in which the same tensor of different
 * layers is equal: model.layers.3.mlp.up.weight and model.layers.17.mlp.up.
 * weight are of one module.
 */
int structure_name_compare(const char *a, size_t na, const char *b,
    size_t nb);

/* structure_name_module: "model.layers.*.mlp.up", for reading. */
void structure_name_module(const char *p, size_t n, struct buf *b);

enum structure_role {
	STRUCTURE_OTHER,
	STRUCTURE_EMBEDDING,	/* of tokens or positions, not in a layer */
	STRUCTURE_HEAD,		/* not in a layer */
	STRUCTURE_ATTENTION,
	STRUCTURE_MLP,
	STRUCTURE_ROLES
};
const char *structure_role_name(enum structure_role r);

enum structure_role structure_name_role(const char *p, size_t n);

/* "q", "k", "v", "o", "qkv" of attention; NULL: another part. */
const char *structure_name_attention(const char *p, size_t n);

/* structure_name_bias: is it a bias? */
bool structure_name_bias(const char *p, size_t n);

/* structure_name_beside: are both parts of one module? */
bool structure_name_beside(const char *a, size_t na, const char *b,
    size_t nb);

#endif /* !ANALYZER_DIFF_STRUCTURE_NAME_H_ */
