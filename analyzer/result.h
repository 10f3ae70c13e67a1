#ifndef ANALYZER_RESULT_H_
#define ANALYZER_RESULT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "base/sandbox.h"

/*
 * What a run found out, in the form that sinks receive: validated, in a
 * deterministic order (object by object in the order of the paths given,
 * members after their container, findings after their object by offset and
 * id), the same bytes for the same input apart from times.
 */
struct result_header {
	const char *command;		/* "scan" */
	int64_t started_ns;		/* clock_real_ns */
	uint8_t rules_digest[32];	/* of our catalogue and policy */
	bool has_policy;		/* --policy FILE */
	uint8_t policy_digest[32];	/* of that file */
	bool has_yara;			/* --rules FILE */
	uint8_t yara_digest[32];	/* of that file */
	struct sandbox_status sandbox;
	bool hashed;			/* false under --no-hash */
	bool logs;			/* it looks at logs */
	bool diff;			/* it has rows of result_diff.h: */
	const char *old, *new;		/* printable; NULL: none was given */
};

struct coverage_sum;
struct diff_sums;

struct result_object {
	const char *path;	/* printable, '!' between levels */
	unsigned depth;		/* number of '!' */
	bool has_sha256;
	uint8_t sha256[32];
	uint64_t size;
	const char *format;	/* or "unknown" */
	const char *magic;	/* libmagic's label, printable, or NULL */
	enum verdict verdict;	/* rolled up */
	bool complete;		/* rolled up */
	bool parsed;		/* it alone came to its end */
	const struct coverage_sum *cover; /* NULL: no map; a complete object
				 * is explained whole then */
	unsigned findings;	/* of this object alone */
	uint64_t calls;		/* that loading it would make */
	uint64_t tensors;	/* that the deep pass looked into */
};

struct result_finding {
	const struct finding *finding;
	const char *path;
};

/*
 * One call of the program that loading an object runs; ${cls} is the policy's
 * word for the callee.
 */
struct result_call {
	const char *path;
	uint64_t off;
	uint64_t index;		/* order of execution in its object */
	uint32_t stream;
	uint32_t flags;		/* enum call_flags */
	const char *cls;	/* "dangerous", "unknown", "judge", "allow" */
	const char *opcode;
	const char *callee, *args;	/* escaped by the worker */
	size_t callee_len, args_len;
};

/* Bytes that --carve wrote, named by their digest. */
struct result_carved {
	const char *path;	/* the carved object's */
	uint64_t off;		/* of it in its container */
	uint64_t len;
	uint8_t sha256[32];
	const char *file;	/* below the folder that was given */
};

/* Something that was left out of the run by a documented rule. */
struct result_skip {
	const char *what;	/* "member digests" */
	const char *why;	/* "--no-hash" */
};
#define RESULT_SKIPS 16

struct result_summary {
	uint64_t objects;
	uint64_t verdicts[VERDICT_COUNT];	/* all rows */
	uint64_t top_verdicts[VERDICT_COUNT];	/* rows of depth 0 */
	uint64_t incomplete;			/* rows with complete false */
	uint64_t severities[SEVERITY_COUNT];
	uint64_t findings;
	uint64_t bytes;				/* of the depth-0 objects */
	uint64_t tensors;			/* looked into */
	double seconds;
	struct result_skip skips[RESULT_SKIPS];
	unsigned nskips;
	const struct diff_sums *diff;		/* of a comparison, or NULL */
};

#endif /* !ANALYZER_RESULT_H_ */
