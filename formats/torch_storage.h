#ifndef FORMATS_TORCH_STORAGE_H_
#define FORMATS_TORCH_STORAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/pickle.h"

/*
 * What a torch pickle says of its storages: the persistent id
 * ('storage', <class>, key, location, numel[, view]) of
 * torch/serialization.py.  Private to torch.c and torch_legacy.c.
 */
struct torch_storage {
	struct torch_storage *next;
	const char *key;
	size_t key_len;
	const char *dtype;	/* safetensors' name, "" unknown */
	uint64_t bytes;		/* numel x item size; UINT64_MAX unknown */
	uint64_t off;		/* of the BINPERSID */
};

struct torch_storages {
	struct parse *p;
	struct torch_storage *first, *last;
};

/* torch_storage_note: a persid hook; ctx is a struct torch_storages. */
int torch_storage_note(void *ctx, const struct pv *id, uint64_t off);

#endif /* !FORMATS_TORCH_STORAGE_H_ */
