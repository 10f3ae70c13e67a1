#ifndef FORMATS_VTREE_NODE_H_
#define FORMATS_VTREE_NODE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/vtree.h"

/*
 * The nodes of a virtual tree and the two tables that find them: by parent
 * and name, and by the parent's folded form and the folded name.  Private to
 * vtree*.c.
 *
 * Open addressing with a bounded number of probes: whoever makes names that
 * collide gets "full" (a LIMIT is told), not a slow analyzer.
 */
#define VTREE_NONE UINT32_MAX
#define VTREE_ROOT 0

struct vnode {
	const char *name;
	const char *folded;	/* may be name itself */
	const char *link;
	size_t n, folded_n, link_n;
	uint64_t off;
	uint32_t parent;
	uint32_t form;		/* the first node with this folded path */
	uint8_t kind;		/* enum vtree_kind */
	bool stated;		/* a member, not only a folder of one */
	bool empty;
	bool told;		/* that it leaves */
};

struct vtree {
	struct parse *p;
	struct vnode *node;
	uint32_t count, cap;
	uint32_t *exact, *form;	/* node number + 1; 0 is free */
	size_t slots;		/* of each table: a power of two */
	enum anomaly duplicate;
	uint64_t steps;		/* left for following links */
	bool full;		/* told */
	const char *windows;	/* the first such name */
	size_t windows_n;
	uint64_t windows_off, windows_count;
};

/* vnode_root: the tables and the root; ERR_NOMEM or 0. */
int vnode_root(struct vtree *t);

/* vnode_find: the child of that name, or VTREE_NONE. */
uint32_t vnode_find(const struct vtree *t, uint32_t parent, const char *name,
    size_t n);

/*
 * vnode_add: a new child, which must not exist.  *ret, or VTREE_NONE when a
 * limit was reached; *twin is the first node with the same folded path, or
 * VTREE_NONE.  ERR_NOMEM or 0.
 */
int vnode_add(struct vtree *t, uint32_t parent, const char *name, size_t n,
    uint32_t *ret, uint32_t *twin);

/* Where a walk stands. */
struct vplace {
	uint32_t node;		/* the last one that exists */
	uint32_t ghosts;	/* components below it that do not */
	uint32_t via;		/* the last link that was followed */
	bool outside;		/* it left the root on its way */
	bool lost;		/* too many links, or the budget is spent */
};

/*
 * vplace_walk: go along path[0..n) from *at, following links on the way and,
 * if ${last}, at its end.
 */
void vplace_walk(struct vtree *t, struct vplace *at, const char *path,
    size_t n, bool last);

#endif /* !FORMATS_VTREE_NODE_H_ */
