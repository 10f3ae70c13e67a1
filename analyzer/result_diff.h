#ifndef ANALYZER_RESULT_DIFF_H_
#define ANALYZER_RESULT_DIFF_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

/*
 * What a comparison (or a look at logs) found out, in the form that sinks receive: a row that the
 * gate has checked, and paths as results show them.
 */
enum diff_row {
	DIFF_ROW_INPUT,
	DIFF_ROW_TENSOR,
	DIFF_ROW_CONCLUSION,
	DIFF_ROW_CANDIDATE,
	DIFF_ROW_CHANGE,
	DIFF_ROW_DETECTOR,
	DIFF_ROW_VERSION,
	DIFF_ROW_CALLER,
	DIFF_ROWS
};

struct result_diff {
	enum diff_row type;
	/* Printable: of the input, the change, the version; else NULL. */
	const char *path;
	/* Printable: where each half of a tensor is; NULL where it is not. */
	const char *half[ROW_SIDES];
	union {
		const struct row_input *input;
		const struct row_tensor *tensor;
		const struct row_conclusion *conclusion;
		const struct row_candidate *candidate;
		const struct row_change *change;
		const struct row_detector *detector;
		const struct row_version *version;
		const struct row_caller *caller;
	} row;
};

/* What a model is said to be by the detectors of triggers. */
enum model_verdict {
	MODEL_CANDIDATES,	/* something for a person to test */
	MODEL_NONE,		/* detectors applied, none passed a threshold */
	MODEL_NOT_APPLICABLE	/* no detector may make a claim here */
};

/* Whether a detector applied, as its row said. */
struct diff_detector {
	const char *method;
	const char *reason;	/* or NULL */
	bool applied;
};
#define DIFF_DETECTORS 64	/* that a summary lists; all are counted */

/* The counts of a summary. */
struct diff_sums {
	uint64_t inputs;
	uint64_t tensors[ROW_STATUS_COUNT];
	uint64_t conclusions[CONCLUSION_COUNT];
	uint64_t changes[CHANGE_AREAS];
	uint64_t candidates, leads, versions;
	bool logs;		/* it looked at logs: */
	uint64_t records, undated;	/* of all files; without a time */
	uint64_t outside;	/* left out by --since and --until */
	uint64_t callers, flagged;	/* rows; those with a verdict */
	uint64_t detectors, applied;
	struct diff_detector detector[DIFF_DETECTORS];
	unsigned ndetector;
	enum model_verdict verdict;
	bool has_data;		/* data sets were looked for: */
	enum model_verdict data_verdict;
	bool has_traffic;	/* candidates were looked up in logs: */
	enum model_verdict traffic_verdict;
};

#endif /* !ANALYZER_RESULT_DIFF_H_ */
