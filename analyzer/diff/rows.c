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
