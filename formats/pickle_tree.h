#ifndef FORMATS_PICKLE_TREE_H_
#define FORMATS_PICKLE_TREE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/pickle.h"

struct arena;

/*
 * What lies in what in the object that a pickle builds: the edges from a
 * container or an instance to the values it was filled with, each with its
 * key.  Values themselves keep PV_KEEP items; a tree keeps all of them that
 * can lead on (containers, instances, what calls gave), so that a dictionary
 * of a million tensors is whole.  Scalars cost nothing.
 *
 * A key that is set again gets the new value at its old place, as in Python.
 * Attributes (the state of an instance) are edges of the state's dictionary;
 * items of short tuples are in the tuple alone (pv_item).
 *
 * Memory comes from the arena alone: 56 bytes and two slots of tables an
 * edge.  The order of edges is the order in which they were made, never that
 * of addresses.
 */
struct pickle_edge {
	struct pickle_edge *next;	/* of the same owner */
	struct pickle_owner *owner;
	const struct pv *key;	/* NULL: an element of a list */
	const struct pv *value;	/* NULL: a scalar took its place */
	uint64_t index;		/* without a key: which element */
};

struct pickle_owner {
	const struct pv *of;
	struct pickle_edge *first, *last;
	uint64_t elements;	/* appended, scalars too */
	bool open, seen;	/* for whoever walks */
};

struct pickle_tree {
	struct arena *arena;
	struct pickle_owner **owner;	/* by address, open addressing */
	struct pickle_edge **keyed;	/* by owner and key */
	size_t owners, owner_cap, edges, edge_cap;
};

/*
 * pickle_tree_fill: ${to} is given n items; step 2: key, value, key, value.
 * False when the arena is full.  Keys and values that it keeps are marked so
 * that the machine does not use them again.
 */
bool pickle_tree_fill(struct pickle_tree *t, struct pv *to,
    struct pv *const *item, size_t n, unsigned step);

/* pickle_tree_owner: the record of ${of}; made if ${make}; NULL: none. */
struct pickle_owner *pickle_tree_owner(struct pickle_tree *t,
    const struct pv *of, bool make);

#endif /* !FORMATS_PICKLE_TREE_H_ */
