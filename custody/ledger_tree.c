#include <inttypes.h>

#include <sqlite3.h>

#include "base/bug.h"
#include "base/err.h"
#include "custody/ledger_db.h"
#include "custody/ledger_tree.h"
#include "custody/merkle.h"

/*
 * Method (RFC 9162 section 2.1).  Leaf i completes a subtree of every level
 * up to the number of trailing one bits of i: while the index is odd, its
 * left neighbour is stored already, and the two make the parent.
 *
 *	i = 0: (0,0)               i = 2: (0,2)
 *	i = 1: (0,1) (1,0)         i = 3: (0,3) (1,1) (2,0)
 *
 * The tree of n leaves splits at the largest power of two below n, so its
 * root folds the subtrees of n's one bits, the smallest (rightmost) first:
 * the one for bit k ends where n without its lower bits ends, at index
 * (n >> k) - 1.
 */
static const char sql_find[] =
    "SELECT hash FROM node WHERE level=?1 AND idx=?2";
static const char sql_insert[] =
    "INSERT INTO node(level,idx,hash) VALUES(?1,?2,?3)";

static int
find(sqlite3 *db, sqlite3_stmt *st, unsigned level, uint64_t idx,
    uint8_t ret[32], struct err *e)
{
	int r;

	sqlite3_reset(st);
	ledger_db_bind_int(st, 1, level);
	ledger_db_bind_int(st, 2, idx);
	if ((r = ledger_db_step(db, st, e)) < 0)
		return r;
	if (r == 0 || !ledger_db_hash(st, 0, ret))
		return err_set(e, ERR_VERIFY,
		    "the ledger lacks tree node "
		    "(%u, %" PRIu64 ")",
		    level, idx);
	return 0;
}

static int
insert(sqlite3 *db, sqlite3_stmt *st, unsigned level, uint64_t idx,
    const uint8_t hash[32], struct err *e)
{
	sqlite3_reset(st);
	ledger_db_bind_int(st, 1, level);
	ledger_db_bind_int(st, 2, idx);
	ledger_db_bind_hash(st, 3, hash);
	return ledger_db_step(db, st, e);
}

int
ledger_tree_add(sqlite3 *db, uint64_t idx, const uint8_t leaf[32],
    struct err *e)
{
	sqlite3_stmt *get = NULL, *put = NULL;
	uint8_t hash[32], left[32], up[32];
	unsigned level = 0;
	int r;

	memcpy(hash, leaf, 32);
	if ((r = ledger_db_prepare(db, sql_find, &get, e)) < 0 ||
	    (r = ledger_db_prepare(db, sql_insert, &put, e)) < 0 ||
	    (r = insert(db, put, level, idx, hash, e)) < 0)
		goto out;
	while (idx & 1) {
		if ((r = find(db, get, level, idx - 1, left, e)) < 0 ||
		    (r = merkle_node(up, left, hash, e)) < 0)
			goto out;
		memcpy(hash, up, 32);
		level++;
		idx >>= 1;
		if ((r = insert(db, put, level, idx, hash, e)) < 0)
			goto out;
	}
out:
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	return r;
}

int
ledger_tree_root(sqlite3 *db, uint64_t size, uint8_t ret[32], struct err *e)
{
	sqlite3_stmt *get = NULL;
	struct merkle empty;
	uint8_t hash[32], left[32], up[32];
	bool any = false;
	unsigned k;
	int r;

	if (size == 0) {
		merkle_init(&empty);
		return merkle_root(&empty, ret, e);
	}
	if ((r = ledger_db_prepare(db, sql_find, &get, e)) < 0)
		goto out;
	for (k = 0; k < 63; k++) {
		if (!((size >> k) & 1))
			continue;
		if ((r = find(db, get, k, (size >> k) - 1, left, e)) < 0 ||
		    (any && (r = merkle_node(up, left, hash, e)) < 0))
			goto out;
		memcpy(hash, any ? up : left, 32);
		any = true;
	}
	memcpy(ret, hash, 32);
	r = 0;
out:
	sqlite3_finalize(get);
	return r;
}

int
ledger_tree_check_init(struct ledger_tree_check *c, sqlite3 *db, struct err *e)
{
	memset(c, 0, sizeof(*c));
	c->db = db;
	return ledger_db_prepare(db, sql_find, &c->find, e);
}

void
ledger_tree_check_release(struct ledger_tree_check *c)
{
	sqlite3_finalize(c->find);
	c->find = NULL;
}

int
ledger_tree_check_leaf(struct ledger_tree_check *c, const uint8_t leaf[32],
    struct err *e)
{
	uint8_t hash[32], up[32], stored[32];
	uint64_t idx = c->size;
	unsigned level = 0;
	int r;

	memcpy(hash, leaf, 32);
	for (;;) {
		if ((r = find(c->db, c->find, level, idx, stored, e)) < 0)
			return r;
		if (memcmp(stored, hash, 32) != 0)
			return err_set(e, ERR_VERIFY,
			    "the ledger's tree "
			    "node (%u, %" PRIu64 ") is not the hash of what "
			    "lies below it",
			    level, idx);
		if (!(idx & 1))
			break;
		if ((r = merkle_node(up, c->sub[level], hash, e)) < 0)
			return r;
		memcpy(hash, up, 32);
		level++;
		idx >>= 1;
	}
	BUG_ON(level >= 63);
	memcpy(c->sub[level], hash, 32);
	c->size++;
	return 0;
}

int
ledger_tree_check_end(struct ledger_tree_check *c, struct err *e)
{
	uint64_t want = 2 * c->size - (uint64_t)__builtin_popcountll(c->size);
	int64_t have;
	int r;

	if ((r = ledger_db_int(c->db, "SELECT count(*) FROM node", &have, e)) <
	    0)
		return r;
	if (have < 0 || (uint64_t)have != want)
		return err_set(e, ERR_VERIFY,
		    "the ledger has %" PRId64 " tree nodes; %" PRIu64
		    " events make %" PRIu64,
		    have, c->size, want);
	return 0;
}
