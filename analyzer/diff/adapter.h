#ifndef ANALYZER_DIFF_ADAPTER_H_
#define ANALYZER_DIFF_ADAPTER_H_

#include <stdbool.h>
#include <stddef.h>

struct err;
struct pool;
struct rows;
struct structure_model;
struct tensor;

/*
 * Was this adapter merged, and with which scale?
 *
 * With the adapter at hand (PEFT's lora_A and lora_B) each module's change is
 * compared with s B A: s by least squares, what is left against the rounding
 * of storage.  Without it only B A s as a whole is seen: its rank is known
 * (structure.h), its scale is not, as (cB)(A/c) is the same product.
 */
struct adapter_config {
	bool known;		/* adapter_config.json was read */
	double alpha;		/* lora_alpha */
	unsigned r;		/* 0: from the shapes */
	bool rslora;		/* scale is alpha / sqrt(r) */
};

struct adapter_files {
	const struct tensor *v;	/* any order */
	size_t n;
	struct adapter_config config;
};

/*
 * adapter_judge: one MERGED_ADAPTER conclusion of the modules whose change is
 * s B A up to rounding, with s and how it compares to alpha / r; modules of
 * the adapter that were not merged, and changes that it does not explain, are
 * in the evidence.  Modules of a GGUF model are found by its names for them;
 * its q and k are not explained where OLD is no GGUF, as the converter puts
 * their rows in another order.  No row where no module fits: *merged is 0
 * then.
 * 0, or negative (no memory, or what a row's sink returned).
 */
int adapter_judge(struct pool *pool, const struct structure_model *m,
    const struct adapter_files *adapter, const struct rows *rows,
    size_t *merged, struct err *e);

#endif /* !ANALYZER_DIFF_ADAPTER_H_ */
