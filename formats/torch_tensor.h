#ifndef FORMATS_TORCH_TENSOR_H_
#define FORMATS_TORCH_TENSOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/pickle.h"

struct arena;

/*
 * What a call in a torch pickle gives, as far as tensors go
 * (torch/_utils.py, torch/_tensor.py, torch/jit/_pickle.py).  Private to
 * torch*.c.
 */
enum torch_made {
	TORCH_MADE_OTHER,	/* no function of ours: an object */
	TORCH_MADE_TENSOR,	/* *ret is filled */
	TORCH_MADE_INNER,	/* ret->inner is what it comes to; ret->state
				 * what is set on it, or NULL */
	TORCH_MADE_PAIRS,	/* ret->inner is a list of (key, value) */
	TORCH_MADE_OPAQUE,	/* sparse, nested, ...: no view of a storage */
	TORCH_MADE_BAD,		/* arguments that torch refuses */
	TORCH_MADE_FULL,	/* the arena is full */
};

#define TORCH_RANK 64		/* at::kDimVectorStaticSize is 5; none has 64 */

struct torch_tensor {
	const struct pv *inner, *state;
	const char *key;	/* of its storage; NULL: it has none (meta) */
	size_t key_len;
	const char *dtype;	/* safetensors' name */
	unsigned item;		/* bytes of an element */
	uint64_t stated;	/* bytes of the storage, by its id */
	uint64_t first, span;	/* elements before it; from there to its last,
				 * 0 when it has none */
	uint64_t *shape, *stride;	/* rank each, from the arena */
	unsigned rank;
};

/* torch_tensor_made: ${v} is a PV_CALL. */
enum torch_made torch_tensor_made(const struct pv *v, struct arena *a,
    struct torch_tensor *ret);

#endif /* !FORMATS_TORCH_TENSOR_H_ */
