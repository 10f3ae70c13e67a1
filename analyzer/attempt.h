#ifndef ANALYZER_ATTEMPT_H_
#define ANALYZER_ATTEMPT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "analyzer/notes.h"

struct arena;
struct bytesrc;
struct err;
struct tensors;
struct wire;

/*
 * One format's attempt at one object: its findings are kept until all
 * formats have had theirs, since only then it is known which of them count.
 *
 * Bounds: LIMIT_FINDINGS_PER_RULE of one rule and LIMIT_FINDINGS_PER_OBJECT
 * in all are kept, the rest are counted and said (SCAN-CUT).
 */
struct attempt_node;
struct coverage_sum;

/* Bytes of an unexplained range that a finding shows. */
#define ATTEMPT_PREVIEW 32

/*
 * A model makes the same few calls tens of thousands of times: those whose
 * arguments hold nothing that could speak against them are judged once.
 */
#define ATTEMPT_QUIET 64

struct attempt_quiet {
	uint32_t callee;	/* ev_call.callee_id; 0: free */
	char sig[28];
};

struct attempt {
	const struct format *format;
	const char *name;	/* the format's, or what it turned out to be */
	unsigned bits;		/* of its bid */
	int rc;			/* of its parse */
	struct arena *arena;	/* for what is kept */
	struct attempt_node *first, *last;
	struct tensors *tensors;	/* for the deep pass, or NULL */
	struct attempt_name *callees;	/* names that calls were found for */
	unsigned ncallees;
	unsigned kept;
	uint64_t cut;		/* findings that were not kept */
	uint64_t notes_cut;	/* and notes */
	uint16_t per_rule[FINDING_COUNT];
	bool incomplete;	/* a finding says that the parse is not whole */
	bool judged;		/* a finding comes from a call or a global */
	bool called;		/* one comes from a call */
	bool leaves;		/* bytes that this format does not explain */
	bool dormant;		/* nothing is known to load the object */
	uint64_t calls;
	const struct coverage_sum *cover; /* NULL: the parser told none */
	unsigned notes;		/* of notes.c */
	uint64_t note[NOTES_MAX];	/* hashes of what they show */
	struct attempt_quiet quiet[ATTEMPT_QUIET];
};

void attempt_init(struct attempt *a, const struct format *f, unsigned bits,
    struct arena *arena);
void attempt_add(struct attempt *a, const struct finding *f);
void attempt_call(struct attempt *a, const struct ev_call *c);
void attempt_global(struct attempt *a, const struct ev_global *g);
void attempt_anomaly(struct attempt *a, const struct ev_anomaly *v,
    const struct bytesrc *src);

/*
 * attempt_preview: the first bytes of [off, off+len) as a detail; ${hex} must
 * live until the finding is added.
 */
void attempt_preview(struct finding *f, const struct bytesrc *src,
    uint64_t off, uint64_t len, char hex[2 * ATTEMPT_PREVIEW]);

/*
 * attempt_send: the findings in the order of the events.  With ${judged_only}
 * only those that come from calls and globals.
 */
int attempt_send(const struct attempt *a, struct wire *w, uint32_t object,
    bool judged_only, struct err *e);

#endif /* !ANALYZER_ATTEMPT_H_ */
