#ifndef ANALYZER_DIFF_STRUCTURE_PARTS_H_
#define ANALYZER_DIFF_STRUCTURE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/structure.h"
#include "analyzer/diff/structure_name.h"

/* Private to structure*.c. */
enum part_kind {
	PART_SAME,
	PART_TOLD,
	PART_UNKNOWN,
	PART_ROUNDING,		/* changed, no more than storage may */
	PART_LOW,		/* a matrix of low rank */
	PART_DENSE,
	PART_SMALL,		/* a matrix too small for a rank */
	PART_VECTOR,		/* 1-D, changed */
	PART_KINDS
};

struct structure_part {
	const struct structure_item *item;
	struct structure_name name;
	enum part_kind kind;
};

/* A module in all layers that have it: neighbours in the sorted list. */
struct structure_module {
	const struct structure_part *v;
	size_t n;
	size_t count[PART_KINDS];
};

struct structure_view {
	struct structure_part *v;	/* by module and layer */
	size_t n;
	struct structure_module *modules;
	size_t nmodules;
	size_t count[PART_KINDS];
	size_t matrices;	/* changed ones: LOW, DENSE, SMALL */
	unsigned rank;		/* the largest of LOW */
	bool ones;		/* all of LOW have rank 1 */
	size_t dense_in_layers;	/* DENSE that belong to a layer */
};

struct row_conclusion;
struct rows;

/* structure_tell.c: rows. */
int structure_tell_edit(const struct structure_view *s,
    const struct rows *rows);
int structure_tell_adapter(const struct structure_view *s,
    const struct rows *rows);
int structure_tell_dense(const struct structure_view *s,
    const struct rows *rows);
int structure_tell_frozen(const struct structure_view *s,
    const struct rows *rows);

/* structure_frozen.c: what the changed ones have in common, or NULL. */
const char *structure_pattern(const struct structure_view *s, size_t *last);
bool structure_is_changed(const struct structure_part *p);

#endif /* !ANALYZER_DIFF_STRUCTURE_PARTS_H_ */
