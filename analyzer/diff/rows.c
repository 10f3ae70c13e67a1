#include <string.h>

#include "analyzer/diff/rows.h"
#include "base/bug.h"

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

static int
no_input(void *ctx, const struct row_input *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_tensor(void *ctx, const struct row_tensor *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_conclusion(void *ctx, const struct row_conclusion *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_candidate(void *ctx, const struct row_candidate *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_change(void *ctx, const struct row_change *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_version(void *ctx, const struct row_version *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
no_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

void
rows_mute(struct rows *r, unsigned kinds)
{
	if ((kinds & ROWS_INPUT) != 0)
		r->input = no_input;
	if ((kinds & ROWS_TENSOR) != 0)
		r->tensor = no_tensor;
	if ((kinds & ROWS_CONCLUSION) != 0)
		r->conclusion = no_conclusion;
	if ((kinds & ROWS_CANDIDATE) != 0)
		r->candidate = no_candidate;
	if ((kinds & ROWS_CHANGE) != 0)
		r->change = no_change;
	if ((kinds & ROWS_DETECTOR) != 0)
		r->detector = no_detector;
	if ((kinds & ROWS_VERSION) != 0)
		r->version = no_version;
	if ((kinds & ROWS_CALLER) != 0)
		r->caller = no_caller;
}
