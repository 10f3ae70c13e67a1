#ifndef TESTS_LIB_MODEL_CASE_H_
#define TESTS_LIB_MODEL_CASE_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/job.h"
#include "analyzer/diff/rows.h"

/*
 * Small models as safetensors files in memory, and a side made of them, for
 * tests of the comparison.
 */
#define MODEL_TENSORS 32
#define MODEL_FILES 8

struct model_tensor {
	const char *name, *dtype;
	uint64_t shape[3];
	unsigned rank;
	const void *data;	/* NULL: zeros */
	size_t len;
};

struct model_case {
	struct job_part part[MODEL_FILES];
	struct job_side side;
};

/* model_case_add: a file of these tensors; it asserts. */
void model_case_add(struct model_case *m, const char *path,
    const struct model_tensor *v, size_t n);
/* model_case_save: the same as a file of the file system. */
void model_case_save(const char *path, const struct model_tensor *v,
    size_t n);
/* model_case_save_q4_0: a GGUF of one tensor; one block has the scale 0, and
 * these nibbles, which it decodes to zeros. */
void model_case_save_q4_0(const char *path, uint8_t nibbles);
/* model_case_bytes: a file of these bytes. */
void model_case_bytes(struct model_case *m, const char *path, const void *p,
    size_t n);
void model_case_free(struct model_case *m);

/* An empty unlinked file for the spill. */
int model_case_spool(void);

/* Rows that count what they are told; nothing else. */
struct model_told {
	unsigned inputs, tensors, conclusions, candidates, leads, changes,
	    detectors, versions, findings;
	enum finding_id last;	/* of the findings */
	enum confidence sure;	/* ... how sure it is */
	unsigned conclusion[CONCLUSION_COUNT];
};
void model_rows(struct rows *rows, struct model_told *told);

#endif /* !TESTS_LIB_MODEL_CASE_H_ */
