#ifndef FORMATS_ROWS_ROWTREE_H_
#define FORMATS_ROWS_ROWTREE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/rows/grow.h"
#include "formats/rows/rows.h"

struct buf;

/*
 * A record, or a part of one, as a tree of values: what readers of nested
 * columns make of a row, so that paths and JSON are the same for all.
 *
 * Nodes stand in the order in which they are added; a list or an object is
 * opened, filled and closed.  Names and values are borrowed; short texts that
 * the reader made itself are copied.  It is cleared and filled again for the
 * next record; at most LIMIT_ROWTREE_NODES nodes.
 */
enum rowtree_kind { ROWTREE_VALUE, ROWTREE_LIST, ROWTREE_OBJECT };

struct rowtree_node {
	enum rowtree_kind kind;
	bool own;		/* v.p is an offset in the tree's own text */
	uint32_t end;		/* the node behind all that is below */
	const uint8_t *name;	/* in an object; NULL in a list */
	size_t name_len;
	struct rows_value v;	/* of a VALUE */
};

struct rowtree {
	struct grow node, text;
	uint32_t nodes;
	size_t text_len;
	bool failed;		/* no memory, or too many: ask before use */
};

void rowtree_init(struct rowtree *t, struct arena *a);
void rowtree_clear(struct rowtree *t);

/* rowtree_open: a list or object; its number, for rowtree_close. */
uint32_t rowtree_open(struct rowtree *t, enum rowtree_kind kind,
    const uint8_t *name, size_t n);
void rowtree_close(struct rowtree *t, uint32_t node);
/* rowtree_add: a value; ${copy}: its bytes are copied. */
void rowtree_add(struct rowtree *t, const uint8_t *name, size_t n,
    const struct rows_value *v, bool copy);

/*
 * rowtree_json: the node and all below as compact JSON; its end.  Whoever
 * filled the tree has nested it less than 128 deep.
 */
uint32_t rowtree_json(const struct rowtree *t, uint32_t node, struct buf *b);

/*
 * rowtree_find: the value at a dotted path below ${node}; "" is the node
 * itself.  The whole rest of the path as one name is tried before its first
 * part.  A list or object is a ROWS_TREE, made in ${scratch}, which is cleared
 * first.  ROWS_ABSENT when there is none.  False: it is there, and longer than
 * ${scratch} may become.
 */
__attribute__((warn_unused_result)) bool rowtree_find(const struct rowtree *t, uint32_t node, const char *path,
    struct rows_value *ret, struct buf *scratch);

#endif /* !FORMATS_ROWS_ROWTREE_H_ */
