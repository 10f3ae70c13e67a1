#ifndef FORMATS_TORCH_STORAGE_H_
#define FORMATS_TORCH_STORAGE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/pickle.h"

struct arena;

/*
 * What a torch pickle says of its storages: the persistent id
 * ('storage', <class>, key, location, numel[, view]) of
 * torch/serialization.py.  Private to torch*.c.
 */
struct torch_storage {
	struct torch_storage *next;
	const char *key;
	size_t key_len;
	const char *dtype;	/* safetensors' name, "" unknown */
	uint64_t bytes;		/* numel x item size; UINT64_MAX unknown */
	uint64_t off;		/* of the BINPERSID */
	bool there;		/* its bytes were found */
	uint64_t number;	/* its place in v, once sorted */
};

struct torch_storages {
	struct parse *p;
	struct torch_storage *first, *last;	/* as they came, tied ones too */
	struct torch_storage **v;	/* by key, each once; see below */
	size_t noted, n;
	bool numbered;	/* keys may be numbers, as torch.package's */
};

/*
 * torch_storages_sort: fill v and n once all are noted; of several with one
 * key the first counts.  ERR_NOMEM when the arena is full.
 * torch_storages_find: by key, in v; NULL when it is not there.
 */
int torch_storages_sort(struct torch_storages *all);
struct torch_storage *torch_storages_find(const struct torch_storages *all,
    const char *key, size_t n);

/*
 * torch_storage_class: the element type of a storage's class and its bytes;
 * "" of one that has no type.  False: no class that we know.
 */
bool torch_storage_class(const struct pv *cls, const char **dtype,
    unsigned *size);

/*
 * torch_storage_key: the key as text, a number as decimal digits from the
 * arena; NULL: neither, or the arena is full.
 */
const char *torch_storage_key(const struct pv *key, struct arena *a,
    size_t *n);

/* torch_storage_note: a persid hook; ctx is a struct torch_storages. */
int torch_storage_note(void *ctx, const struct pv *id, uint64_t off);

#endif /* !FORMATS_TORCH_STORAGE_H_ */
