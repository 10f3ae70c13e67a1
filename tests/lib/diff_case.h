#ifndef TESTS_LIB_DIFF_CASE_H_
#define TESTS_LIB_DIFF_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/job.h"
#include "analyzer/diff/rows.h"

struct model_case;

/*
 * The whole worker of a comparison, in this process and without its fence, so
 * that sanitizers see it; its rows, as its parent's gate lets them through.
 */
#define DIFF_CASE_ROWS 128
#define DIFF_CASE_TEXT 200

struct diff_case_tensor {
	char name[DIFF_CASE_TEXT], more[8192];	/* more: as text prints it */
	enum row_status status;
	bool measured;
	uint64_t changed, digest[2];
	uint64_t shape[2][3];
	unsigned rank[2];
	uint8_t sha256[2][32];
	double rel, cosine;
};

struct diff_case_change {
	enum change_area area;
	enum change_what what;
	char path[DIFF_CASE_TEXT], key[DIFF_CASE_TEXT];
	char old[DIFF_CASE_TEXT], new[DIFF_CASE_TEXT];
};

struct diff_case {
	int status;		/* what the worker ended with */
	bool done;
	unsigned ninputs, ntensors, nchanges, nversions, ndetectors;
	unsigned candidates, leads;
	struct diff_case_tensor tensor[DIFF_CASE_ROWS];
	struct diff_case_change change[DIFF_CASE_ROWS];
	char input[DIFF_CASE_ROWS][DIFF_CASE_TEXT];
	bool complete[DIFF_CASE_ROWS];
	unsigned conclusion[CONCLUSION_COUNT], conclusions;
	unsigned finding[FINDING_COUNT], findings;
	char at[DIFF_CASE_TEXT];	/* of the last finding */
	double distance;	/* of the last version */
	uint64_t shared, identical;
};

/* diff_case_run: forgets what ${c} held. */
void diff_case_run(struct diff_case *c, const struct job_side *old,
    const struct job_side *new, enum diff_mode mode);
/* diff_case_models: of models, which it frees; it asserts a good end. */
void diff_case_models(struct diff_case *c, struct model_case *old,
    struct model_case *new, enum diff_mode mode);

/* The row of that name; it asserts that there is one. */
const struct diff_case_tensor *diff_case_tensor(const struct diff_case *c,
    const char *name);
/* How many changes of an area; of that key alone, unless it is NULL. */
unsigned diff_case_changes(const struct diff_case *c, enum change_area area,
    const char *key);

#endif /* !TESTS_LIB_DIFF_CASE_H_ */
