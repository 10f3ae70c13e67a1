#ifndef CUSTODY_LEDGER_TREE_H_
#define CUSTODY_LEDGER_TREE_H_

#include <stdint.h>

struct err;
struct sqlite3;

/*
 * The ledger's RFC 9162 tree as stored nodes: the roots of all perfect
 * subtrees, node (level, idx) covering the leaves idx * 2^level up to
 * (idx + 1) * 2^level - 1.  A tree of n leaves has 2n - popcount(n) nodes,
 * and any root or proof needs O(log n) of them.  Internal to ledger*.c.
 */

/*
 * ledger_tree_add(db, idx, leaf, e): store leaf number ${idx} (from 0) and
 * every subtree that it completes; within the caller's transaction.
 */
int ledger_tree_add(struct sqlite3 *db, uint64_t idx, const uint8_t leaf[32],
    struct err *e);

/* ledger_tree_root: of the first ${size} leaves.  ERR_VERIFY: a node lacks. */
int ledger_tree_root(struct sqlite3 *db, uint64_t size, uint8_t ret[32],
    struct err *e);

/*
 * A walk that recomputes every node from the leaves, given in order, and
 * compares it with the stored one.
 */
struct ledger_tree_check {
	struct sqlite3 *db;
	struct sqlite3_stmt *find;
	uint64_t size;
	uint8_t sub[63][32]; /* the last complete left subtree a level */
};

int ledger_tree_check_init(struct ledger_tree_check *c, struct sqlite3 *db,
    struct err *e);
void ledger_tree_check_release(struct ledger_tree_check *c);
int ledger_tree_check_leaf(struct ledger_tree_check *c, const uint8_t leaf[32],
    struct err *e);
/* ledger_tree_check_end: no node is stored that the leaves do not explain. */
int ledger_tree_check_end(struct ledger_tree_check *c, struct err *e);

#endif /* !CUSTODY_LEDGER_TREE_H_ */
