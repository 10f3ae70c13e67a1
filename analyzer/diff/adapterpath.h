#ifndef ANALYZER_DIFF_ADAPTERPATH_H_
#define ANALYZER_DIFF_ADAPTERPATH_H_

#include <stdbool.h>
#include <stddef.h>

struct adapter_files;
struct err;
struct structure_model;
struct tensor;

/*
 * Which matrix of a model a factor of an adapter belongs to, by names: PEFT's
 * "base_model.model.<path>.lora_A.default.weight" is of "<path>.weight",
 * whatever wrappers put before either, or of GGUF's name for it.
 *
 * Sorted, as a hostile file may have a million of each.
 */
struct adapterpath_key {
	const char *path;
	size_t n;
	const char *tail;	/* behind ".lora_B": which adapter */
	size_t ntail;
	size_t index;
};

struct adapterpath_index {
	struct adapterpath_key *items, *factors;
	size_t nitems, nfactors;
};

/* adapterpath_of: ${which} is ".lora_A" or ".lora_B"; false: it is neither. */
bool adapterpath_of(const struct tensor *t, const char *which,
    struct adapterpath_key *ret);

/* adapterpath_init: refers to both; release it whatever it returned. */
int adapterpath_init(struct adapterpath_index *x,
    const struct structure_model *m, const struct adapter_files *files,
    struct err *e);
void adapterpath_release(struct adapterpath_index *x);

/* The second factor of that first one, and its matrix; NULL: none. */
const struct adapterpath_key *adapterpath_partner(
    const struct adapterpath_index *x, const struct adapterpath_key *a);
const struct adapterpath_key *adapterpath_item(
    const struct adapterpath_index *x, const struct adapterpath_key *path);

#endif /* !ANALYZER_DIFF_ADAPTERPATH_H_ */
