#include <inttypes.h>
#include <stdbool.h>

#include <sqlite3.h>

#include "base/err.h"
#include "base/text.h"
#include "custody/ledger.h"
#include "custody/ledger_check.h"
#include "custody/ledger_db.h"
#include "custody/ledger_schema.h"
#include "custody/ledger_tree.h"
#include "custody/merkle.h"

struct object {
	const char *name, *sql;
};

#define LEDGER_OBJECT(name, sql) {name, sql},
static const struct object objects[] = {LEDGER_OBJECTS};
#undef LEDGER_OBJECT
#define NOBJECTS (sizeof(objects) / sizeof(objects[0]))

int
ledger_check_identity(sqlite3 *db, struct err *e)
{
	sqlite3_stmt *st = NULL;
	const unsigned char *encoding;
	int64_t id, version;
	int r;

	if ((r = ledger_db_int(db, "PRAGMA application_id", &id, e)) < 0 ||
	    (r = ledger_db_int(db, "PRAGMA user_version", &version, e)) < 0)
		return r;
	if (id != LEDGER_APPLICATION_ID)
		return err_set(e, ERR_FORMAT,
		    "this database is no ledger "
		    "(application_id %" PRId64 ")",
		    id);
	if (version != LEDGER_USER_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
		    "the ledger has version %" PRId64
		    "; this program knows version %d",
		    version, LEDGER_USER_VERSION);
	/* In UTF-16 the bytes of a body would not be those hashed. */
	if ((r = ledger_db_prepare(db, "PRAGMA encoding", &st, e)) < 0 ||
	    (r = ledger_db_step(db, st, e)) < 0)
		goto out;
	encoding = r == 1 ? sqlite3_column_text(st, 0) : NULL;
	r = 0;
	if (encoding == NULL || strcmp((const char *)encoding, "UTF-8") != 0)
		r = err_set(e, ERR_VERIFY, "the ledger is not UTF-8");
out:
	sqlite3_finalize(st);
	return r;
}

/* The number of the object that this row is, or -1. */
static int
which(const char *name, const char *sql)
{
	size_t i;

	for (i = 0; i < NOBJECTS; i++)
		if (strcmp(objects[i].name, name) == 0)
			return strcmp(objects[i].sql, sql) == 0 ? (int)i : -1;
	return -1;
}

static int
see(sqlite3_stmt *st, bool seen[NOBJECTS], struct err *e)
{
	const char *name = (const char *)sqlite3_column_text(st, 0);
	const char *sql = (const char *)sqlite3_column_text(st, 1);
	char shown[80];
	int at;

	if (name == NULL)
		return err_set(e, ERR_VERIFY,
		    "the ledger's schema has an "
		    "object without a name");
	/* The indexes that a key or UNIQUE makes have no text. */
	if (sql == NULL)
		return 0;
	if ((at = which(name, sql)) < 0 || seen[at])
		return err_set(e, ERR_VERIFY,
		    "the ledger's schema was "
		    "changed: '%s' is not as it was made",
		    text_z(shown, sizeof(shown), name, strlen(name)));
	seen[at] = true;
	return 0;
}

int
ledger_check_schema(sqlite3 *db, struct err *e)
{
	sqlite3_stmt *st = NULL;
	bool seen[NOBJECTS] = {false};
	size_t i;
	int r;

	if ((r = ledger_db_prepare(db, "SELECT name,sql FROM sqlite_schema",
		 &st, e)) < 0)
		goto out;
	while ((r = ledger_db_step(db, st, e)) == 1)
		if ((r = see(st, seen, e)) < 0)
			goto out;
	for (i = 0; r == 0 && i < NOBJECTS; i++)
		if (!seen[i])
			r = err_set(e, ERR_VERIFY,
			    "the ledger's schema was "
			    "changed: '%s' is missing",
			    objects[i].name);
out:
	sqlite3_finalize(st);
	return r;
}

static int
broken(struct err *e, uint64_t seq, const char *what)
{
	return err_set(e, ERR_VERIFY,
	    "the ledger does not hold at event %" PRIu64 ": %s", seq, what);
}

/* One row: seq, body, leaf, prev, chain; moves ${head} past it. */
static int
check_event(sqlite3_stmt *st, struct ledger_head *head,
    struct ledger_tree_check *tree, struct err *e)
{
	uint8_t leaf[32], prev[32], chain[32], want[32];
	uint64_t seq = head->size + 1;
	const void *body;
	int r;

	if (sqlite3_column_int64(st, 0) != (sqlite3_int64)seq)
		return broken(e, seq, "it is missing");
	body = sqlite3_column_text(st, 1);
	if (body == NULL || sqlite3_column_type(st, 1) != SQLITE_TEXT ||
	    !ledger_db_hash(st, 2, leaf) || !ledger_db_hash(st, 3, prev) ||
	    !ledger_db_hash(st, 4, chain))
		return broken(e, seq, "a column has the wrong type");
	if ((r = merkle_leaf(want, body, (size_t)sqlite3_column_bytes(st, 1),
		 e)) < 0)
		return r;
	if (memcmp(leaf, want, 32) != 0)
		return broken(e, seq, "the leaf is not the hash of the body");
	if (memcmp(prev, head->chain, 32) != 0)
		return broken(e, seq, "it does not continue the one before");
	if ((r = merkle_node(want, prev, leaf, e)) < 0)
		return r;
	if (memcmp(chain, want, 32) != 0)
		return broken(e, seq, "the chain value is wrong");
	if ((r = ledger_tree_check_leaf(tree, leaf, e)) < 0)
		return r;
	memcpy(head->chain, chain, 32);
	head->size = seq;
	return 0;
}

int
ledger_check_events(sqlite3 *db, struct ledger_head *ret, struct err *e)
{
	struct ledger_tree_check tree;
	struct ledger_head head;
	sqlite3_stmt *st = NULL;
	int r;

	memset(&head, 0, sizeof(head));
	if ((r = ledger_tree_check_init(&tree, db, e)) < 0 ||
	    (r = ledger_db_prepare(db,
		 "SELECT seq,body,leaf,prev,chain "
		 "FROM event ORDER BY seq",
		 &st, e)) < 0)
		goto out;
	while ((r = ledger_db_step(db, st, e)) == 1)
		if ((r = check_event(st, &head, &tree, e)) < 0)
			goto out;
	if (r < 0 || (r = ledger_tree_check_end(&tree, e)) < 0 ||
	    (r = ledger_tree_root(db, head.size, head.root, e)) < 0)
		goto out;
	*ret = head;
out:
	sqlite3_finalize(st);
	ledger_tree_check_release(&tree);
	return r;
}
