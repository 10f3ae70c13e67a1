#ifndef ANALYZER_DIFF_ROWS_H_
#define ANALYZER_DIFF_ROWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/basis.h"
#include "analyzer/finding.h"

/*
 * Rows of a diff: what the worker tells, what the parent checks and hands to
 * a sink, one struct for both.  Texts are raw bytes from evidence unless said
 * otherwise and live during the call.
 *
 * Paths are below the side's own and as results show them: each level escaped
 * (text.h, TEXT_PATH), '!' between levels.  "" is the side itself, "a/b" the
 * part of that path, "a/b!m" a member of it; of a side that is one file, a
 * path that is no file's beside it is a member: "m", "m!n".  The parent puts
 * the side's own path before it (sides.h).
 */
struct row_text {
	const char *p;		/* NULL: absent */
	size_t n;
};

enum row_side { ROW_OLD, ROW_NEW, ROW_SIDES };

/* A file or member that tensors or documents were taken from. */
struct row_input {
	enum row_side side;
	struct row_text path;	/* below the side's own path; "": itself */
	uint64_t size;
	const char *format;	/* our own constant */
	uint64_t tensors;
	bool has_records;	/* it holds records, no tensors */
	uint64_t records;
	bool is_log;		/* records have times: */
	uint64_t undated;	/* of them without a time */
	uint64_t outside;	/* of them, of the window that was given */
	bool complete;		/* it was read to its end */
	bool has_sha256;
	uint8_t sha256[32];
};

enum row_status {
	ROW_IDENTICAL,
	ROW_CHANGED,
	ROW_ADDED,
	ROW_REMOVED,
	ROW_RENAMED,
	ROW_RESHAPED,
	ROW_RECAST,
	ROW_RETIED,
	ROW_STATUS_COUNT
};
const char *row_status_name(enum row_status s);

struct row_half {
	bool there;
	struct row_text name;
	struct row_text path;	/* of its input */
	const char *dtype;
	const uint64_t *shape;
	unsigned rank;
	bool digested;
	uint64_t digest;
	bool has_sha256;
	uint8_t sha256[32];
};

struct row_tensor {
	struct row_text name;	/* NEW's, or OLD's where there is no new */
	enum row_status status;
	struct row_half half[ROW_SIDES];
	uint64_t elements;
	bool measured;		/* the rest of the numbers mean something */
	uint64_t changed;
	double rel_l2, cosine, max_abs;
	struct basis *more;	/* relation, matched, where, ulp, rank, ...:
				 * members of the row, none of its own keys */
};

enum conclusion_kind {
#define CONCLUSION(id, name, meaning) CONCLUSION_##id,
#include "analyzer/diff/conclusions.def"
#undef CONCLUSION
	CONCLUSION_COUNT
};
const char *conclusion_name(enum conclusion_kind k);
const char *conclusion_meaning(enum conclusion_kind k);

#define ROW_TENSORS 1000	/* names that a conclusion lists */
#define ROW_ALTERNATIVES 8

struct row_conclusion {
	enum conclusion_kind kind;
	enum confidence confidence;
	const struct row_text *tensors;
	size_t ntensors;	/* at most ROW_TENSORS */
	uint64_t tensors_in_all;
	struct basis *evidence;
	const char *alternatives[ROW_ALTERNATIVES];	/* our own texts */
	unsigned nalternatives;
};

/* A candidate, or a lead: the same keys, but it may make no claim. */
struct row_candidate {
	bool lead;
	const char *kind;	/* "token", "class", "layer", ...: our own */
	struct row_text value;
	double score;
	bool has_q;
	double q;
	struct row_text target;
	uint32_t rank;		/* 1 = strongest */
	const char *method;	/* the detector's id, our own */
	struct basis *evidence;
};

/* What changed around the weights. */
enum change_area {
	CHANGE_CONFIG,
	CHANGE_TOKENIZER,
	CHANGE_TEMPLATE,
	CHANGE_GENERATION,
	CHANGE_GRAPH,
	CHANGE_CALLS,
	CHANGE_CODE,
	CHANGE_METADATA,
	CHANGE_LICENCE,
	CHANGE_DEPENDENCIES,
	CHANGE_FILE,
	CHANGE_AREAS
};
const char *change_area_name(enum change_area a);

enum change_what { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED,
	CHANGE_MOVED, CHANGE_WHATS };
const char *change_what_name(enum change_what w);

struct row_change {
	enum change_area area;
	enum change_what what;
	struct row_text path;	/* NEW's file, or OLD's where it went */
	struct row_text key;	/* "rope_scaling.factor", "node conv1" */
	struct row_text old, new;	/* as text; absent: null */
	struct basis *more;
};

/* A detector of triggers: did it apply, and if not why. */
struct row_detector {
	const char *method;
	bool applied;
	const char *reason;	/* why not, or what it cannot see; our own */
	struct basis *evidence;	/* on how much data, with which threshold */
};

/* What may be said of a caller. */
enum caller_verdict {
#define VERDICT(id, name, finding, severity, meaning) CALLER_##id,
#include "analyzer/traffic/verdicts.def"
#undef VERDICT
	CALLER_VERDICTS
};
const char *caller_verdict_name(enum caller_verdict v);
const char *caller_verdict_meaning(enum caller_verdict v);
/* caller_verdict_find: by its name; CALLER_VERDICTS: there is none. */
enum caller_verdict caller_verdict_find(const char *name);

/* A caller of a model, judged by what it asked for (analyzer/traffic). */
#define ROW_VERDICTS 8
struct row_caller {
	struct row_text caller, endpoint;	/* endpoint absent: several */
	uint64_t requests;
	const char *verdicts[ROW_VERDICTS];	/* names of verdicts.def */
	unsigned nverdicts;
	struct basis *statistics;
	bool has_times;
	int64_t first_ns, last_ns;
};

/* A known version, by closeness (lineage). */
struct row_version {
	struct row_text path;
	uint32_t rank;		/* 1 = closest */
	double distance;	/* relative L2 over what is shared */
	uint64_t shared, identical;	/* tensors */
	bool parent;		/* most likely what NEW came from */
	bool rollback;		/* the last clean version */
	struct basis *evidence;
};

/*
 * Whoever wants the rows.  Each returns 0, or negative, which ends the work
 * and is passed on.  None may be NULL.
 */
struct rows {
	int (*input)(void *ctx, const struct row_input *r);
	int (*tensor)(void *ctx, const struct row_tensor *r);
	int (*conclusion)(void *ctx, const struct row_conclusion *r);
	int (*candidate)(void *ctx, const struct row_candidate *r);
	int (*change)(void *ctx, const struct row_change *r);
	int (*detector)(void *ctx, const struct row_detector *r);
	int (*version)(void *ctx, const struct row_version *r);
	int (*caller)(void *ctx, const struct row_caller *r);
	/* ${path} below the side's own path. */
	int (*finding)(void *ctx, enum row_side side, struct row_text path,
	    const struct finding *f);
	void *ctx;
};

/*
 * rows_mute: rows of these kinds go nowhere from now on; findings are never
 * muted.  Ctx stays as it is.
 */
enum rows_kind {
	ROWS_INPUT = 1 << 0,
	ROWS_TENSOR = 1 << 1,
	ROWS_CONCLUSION = 1 << 2,
	ROWS_CANDIDATE = 1 << 3,
	ROWS_CHANGE = 1 << 4,
	ROWS_DETECTOR = 1 << 5,
	ROWS_VERSION = 1 << 6,
	ROWS_CALLER = 1 << 7,
};
void rows_mute(struct rows *r, unsigned kinds);
/*
 * rows_refuse: rows of these kinds are answered with ERR_FORMAT: whoever sends
 * them breaks a rule.
 */
void rows_refuse(struct rows *r, unsigned kinds);

#endif /* !ANALYZER_DIFF_ROWS_H_ */
