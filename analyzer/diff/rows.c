#include <string.h>

#include "analyzer/diff/rows.h"
#include "base/bug.h"
#include "base/err.h"

static const struct {
	const char *name, *meaning;
} conclusions[] = {
#define CONCLUSION(id, name, meaning) {name, meaning},
#include "analyzer/diff/conclusions.def"
#undef CONCLUSION
};

const char *
conclusion_name(enum conclusion_kind k)
{
	BUG_ON(k >= CONCLUSION_COUNT);
	return conclusions[k].name;
}

const char *
conclusion_meaning(enum conclusion_kind k)
{
	BUG_ON(k >= CONCLUSION_COUNT);
	return conclusions[k].meaning;
}

const char *
row_status_name(enum row_status s)
{
	static const char *const names[] = {"identical", "changed", "added",
	    "removed", "renamed", "reshaped", "recast", "retied"};

	BUG_ON(s >= ROW_STATUS_COUNT);
	return names[s];
}

const char *
change_area_name(enum change_area a)
{
	static const char *const names[] = {"config", "tokenizer",
	    "template", "generation", "graph", "calls", "code", "metadata",
	    "licence", "dependencies", "file"};

	BUG_ON(a >= CHANGE_AREAS);
	return names[a];
}

const char *
change_what_name(enum change_what w)
{
	static const char *const names[] = {"added", "removed", "changed",
	    "moved"};

	BUG_ON(w >= CHANGE_WHATS);
	return names[w];
}

static const struct {
	const char *name, *meaning;
} verdicts[] = {
#define VERDICT(id, name, finding, severity, meaning) {name, meaning},
#include "analyzer/traffic/verdicts.def"
#undef VERDICT
};

const char *
caller_verdict_name(enum caller_verdict v)
{
	BUG_ON(v >= CALLER_VERDICTS);
	return verdicts[v].name;
}

const char *
caller_verdict_meaning(enum caller_verdict v)
{
	BUG_ON(v >= CALLER_VERDICTS);
	return verdicts[v].meaning;
}

enum caller_verdict
caller_verdict_find(const char *name)
{
	unsigned v = 0;

	while (v < CALLER_VERDICTS && strcmp(verdicts[v].name, name) != 0)
		v++;
	return (enum caller_verdict)v;
}

/* Rows that go nowhere: passed over, or refused as a broken rule. */
#define NOWHERE(name, type) \
	static int \
	no_##name(void *ctx, const struct type *r) \
	{ \
		(void)ctx; \
		(void)r; \
		return 0; \
	} \
	static int \
	bad_##name(void *ctx, const struct type *r) \
	{ \
		(void)ctx; \
		(void)r; \
		return ERR_FORMAT; \
	}
NOWHERE(input, row_input)
NOWHERE(tensor, row_tensor)
NOWHERE(conclusion, row_conclusion)
NOWHERE(candidate, row_candidate)
NOWHERE(change, row_change)
NOWHERE(detector, row_detector)
NOWHERE(version, row_version)
NOWHERE(caller, row_caller)
#undef NOWHERE

static const struct rows none = {.input = no_input, .tensor = no_tensor,
    .conclusion = no_conclusion, .candidate = no_candidate,
    .change = no_change, .detector = no_detector, .version = no_version,
    .caller = no_caller};
static const struct rows bad = {.input = bad_input, .tensor = bad_tensor,
    .conclusion = bad_conclusion, .candidate = bad_candidate,
    .change = bad_change, .detector = bad_detector, .version = bad_version,
    .caller = bad_caller};

static void
replace(struct rows *r, unsigned kinds, const struct rows *by)
{
	if ((kinds & ROWS_INPUT) != 0)
		r->input = by->input;
	if ((kinds & ROWS_TENSOR) != 0)
		r->tensor = by->tensor;
	if ((kinds & ROWS_CONCLUSION) != 0)
		r->conclusion = by->conclusion;
	if ((kinds & ROWS_CANDIDATE) != 0)
		r->candidate = by->candidate;
	if ((kinds & ROWS_CHANGE) != 0)
		r->change = by->change;
	if ((kinds & ROWS_DETECTOR) != 0)
		r->detector = by->detector;
	if ((kinds & ROWS_VERSION) != 0)
		r->version = by->version;
	if ((kinds & ROWS_CALLER) != 0)
		r->caller = by->caller;
}

void
rows_mute(struct rows *r, unsigned kinds)
{
	replace(r, kinds, &none);
}

void
rows_refuse(struct rows *r, unsigned kinds)
{
	replace(r, kinds, &bad);
}
