#ifndef ANALYZER_DIFF_STRUCTURE_PARTS_H_
#define ANALYZER_DIFF_STRUCTURE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/structure.h"
#include "analyzer/diff/structure_name.h"

/*
 * What structure.c makes of a model, for structure_tell.c and
 * structure_frozen.c.
 */
enum structure_state {
	STATE_UNKNOWN,		/* not compared */
	STATE_SAME,
	STATE_TOLD,
	STATE_ROUNDING,		/* changed, at the level of rounding */
	STATE_VECTOR,		/* a vector that moved */
	STATE_LOW,
	STATE_UNDECIDED,
	STATE_DENSE,
	STATE_UNJUDGED,		/* a matrix that moved, without a verdict that
				 * says anything */
	STATE_COUNT
};

struct structure_entry {
	const struct structure_item *item;
	const char *name;
	size_t len;
	enum structure_state state;
	enum structure_role role;
	bool layered;
	uint32_t layer;
	bool matrix;
	bool lines;		/* its rank is that of few rows or columns */
};

/* Entries [first, first + n): one module in all layers. */
struct structure_module {
	size_t first, n;
	size_t count[STATE_COUNT];
	bool layered, matrix;
	enum structure_role role;
	unsigned rank;		/* the largest of its LOW ones */
	size_t sure;		/* LOW ones far above the noise */
	bool whole;		/* every layer has the update */
};

struct structure_view {
	struct structure_entry *v;	/* by module, layer, name */
	size_t n;
	struct structure_module *modules;
	size_t nmodules;
	size_t count[STATE_COUNT];
	uint32_t layers;	/* 1 + the largest that is compared */
	unsigned rank;		/* the largest of LOW ones */
	unsigned seen;		/* the largest that UNDECIDED ones have */
	bool capped;		/* many reach that rank, and none exceeds it */
};

/* A choice of entries, by index, and what is said about them. */
struct structure_choice {
	size_t *v;
	size_t n;
};

/* structure_moved: does the state say that it changed above rounding? */
bool structure_moved(enum structure_state s);

#endif /* !ANALYZER_DIFF_STRUCTURE_PARTS_H_ */
