#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/text.h"
#include "custody/ledger.h"
#include "custody/ledger_check.h"
#include "custody/ledger_db.h"
#include "custody/ledger_schema.h"
#include "custody/ledger_tree.h"
#include "custody/merkle.h"

/*
 * Method.  With zeros before the first event and 0x00, 0x01 as in RFC 9162:
 *
 *	leaf  = SHA-256(0x00 || body)
 *	chain = SHA-256(0x01 || chain of the event before || leaf)
 *
 * The chain lets a stranger with sha256sum check order and completeness in
 * one line a row; the tree, over the same leaves, gives a root whose proofs
 * are short.  One transaction writes the event, the nodes that it completes
 * and the item that it seals, so no crash leaves one without the others.
 *
 * A struct ledger extends only the head that it has checked itself: what
 * another process wrote in between was not looked at, and is not built on.
 */
struct ledger {
	sqlite3 *db;
	struct ledger_head head;
	bool writable;
};

const char *
ledger_refused_fs(uint64_t f_type)
{
	switch (f_type & UINT32_MAX) {
	case NFS_SUPER_MAGIC:
		return "NFS";
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
		return "CIFS";
	case FUSE_SUPER_MAGIC:
		return "FUSE";
	default:
		return NULL;
	}
}

/*
 * The same path with its directory resolved: SQLite is asked to follow no
 * link, and would refuse one in the directories above too.
 */
static int
resolve(const char *path, char **ret, struct err *e)
{
	char dir[PATH_MAX], *real = NULL;
	const char *base = NULL;
	int r;

	if ((r = fsio_parent(path, dir, sizeof(dir), &base, e)) < 0)
		return r;
	if ((real = realpath(dir, NULL)) == NULL)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (asprintf(ret, "%s/%s", strcmp(real, "/") == 0 ? "" : real, base) <
	    0)
		r = err_set(e, ERR_NOMEM, "cannot open '%s': out of memory",
		    path);
	free(real);
	return r < 0 ? r : 0;
}

static int
check_fs(const char *path, struct err *e)
{
	struct statfs fs;
	const char *name;

	if (statfs(path, &fs) != 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if ((name = ledger_refused_fs((uint64_t)fs.f_type)) == NULL)
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
	    "cannot keep a ledger on %s, "
	    "whose locks and fsync promise too little: '%s'",
	    name, path);
}

static int
make_schema(sqlite3 *db, struct err *e)
{
#define LEDGER_OBJECT(name, sql) sql,
	static const char *const objects[] = {LEDGER_OBJECTS};
#undef LEDGER_OBJECT
	char identity[96];
	size_t i;
	int r;

	snprintf(identity, sizeof(identity),
	    "PRAGMA application_id=%d;PRAGMA user_version=%d",
	    LEDGER_APPLICATION_ID, LEDGER_USER_VERSION);
	if ((r = ledger_db_begin(db, e)) < 0)
		return r;
	for (i = 0; r >= 0 && i < sizeof(objects) / sizeof(objects[0]); i++)
		r = ledger_db_exec(db, objects[i], e);
	if (r < 0 || (r = ledger_db_exec(db, identity, e)) < 0 ||
	    (r = ledger_db_commit(db, e)) < 0)
		ledger_db_rollback(db);
	return r;
}

/* Everything that is checked, of one moment. */
static int
check(struct ledger *l, struct err *e)
{
	int r;

	if ((r = ledger_check_identity(l->db, e)) < 0 ||
	    (l->writable && (r = ledger_db_durable(l->db, e)) < 0) ||
	    (r = ledger_db_exec(l->db, "BEGIN", e)) < 0)
		return r;
	if ((r = ledger_check_schema(l->db, e)) >= 0)
		r = ledger_check_events(l->db, &l->head, e);
	ledger_db_rollback(l->db);
	return r;
}

static int
open_path(const char *path, bool writable, struct ledger **ret, struct err *e)
{
	struct ledger *l = NULL;
	char *real = NULL;
	int r;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		r = err_set(e, ERR_NOMEM, "cannot open '%s': out of memory",
		    path);
		goto out;
	}
	l->writable = writable;
	if ((r = resolve(path, &real, e)) < 0)
		goto out;
	BUG_ON(real == NULL);
	if (access(real, F_OK) != 0) {
		r = err_sys(e, errno, "cannot open '%s'", path);
		goto out;
	}
	if ((r = ledger_db_open(real, writable, &l->db, e)) < 0 ||
	    (r = check(l, e)) < 0)
		goto out;
	*ret = l;
	l = NULL;
out:
	free(real);
	ledger_close(l);
	return r;
}

int
ledger_create(const char *path, struct ledger **ret, struct err *e)
{
	struct ledger *l = NULL;
	char *real = NULL;
	sqlite3 *db = NULL;
	bool made = false;
	int fd, r;

	if ((r = resolve(path, &real, e)) < 0 ||
	    (r = fd = fsio_create(AT_FDCWD, real, 0600, e)) < 0)
		goto out;
	BUG_ON(real == NULL);
	made = true;
	/* Closed before SQLite opens it: closing would drop its locks. */
	close(fd);
	if ((r = check_fs(real, e)) < 0 ||
	    (r = ledger_db_open(real, true, &db, e)) < 0 ||
	    (r = ledger_db_durable(db, e)) < 0 || (r = make_schema(db, e)) < 0)
		goto out;
	ledger_db_close(db);
	db = NULL;
	if ((r = open_path(path, true, &l, e)) < 0)
		goto out;
	*ret = l;
	made = false;
	r = 0;
out:
	ledger_db_close(db);
	if (made)
		unlink(real);
	free(real);
	return r;
}

int
ledger_open(const char *path, bool force, struct ledger **ret, struct err *e)
{
	int r;

	if (!force && (r = check_fs(path, e)) < 0)
		return r;
	return open_path(path, true, ret, e);
}

int
ledger_open_readonly(const char *path, struct ledger **ret, struct err *e)
{
	return open_path(path, false, ret, e);
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	ledger_db_close(l->db);
	free(l);
}

int
ledger_head(struct ledger *l, struct ledger_head *ret, struct err *e)
{
	(void)e;
	*ret = l->head;
	return 0;
}

/* Is the last event in the file the one that we know? */
static int
check_tip(struct ledger *l, struct err *e)
{
	sqlite3_stmt *st = NULL;
	uint8_t chain[32] = {0};
	uint64_t size = 0;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "SELECT seq,chain FROM event "
		 "ORDER BY seq DESC LIMIT 1",
		 &st, e)) < 0 ||
	    (r = ledger_db_step(l->db, st, e)) < 0)
		goto out;
	if (r == 1) {
		size = (uint64_t)sqlite3_column_int64(st, 0);
		if (!ledger_db_hash(st, 1, chain))
			memset(chain, 0, sizeof(chain));
	}
	r = 0;
	if (size != l->head.size || memcmp(chain, l->head.chain, 32) != 0)
		r = err_set(e, ERR_VERIFY,
		    "the ledger was changed while it "
		    "was open (event %" PRIu64 " is its last, not %" PRIu64
		    "): open it again",
		    size, l->head.size);
out:
	sqlite3_finalize(st);
	return r;
}

static int
insert_event(struct ledger *l, const char *body, size_t n,
    struct ledger_head *next, struct err *e)
{
	sqlite3_stmt *st = NULL;
	uint8_t leaf[32];
	int r;

	next->size = l->head.size + 1;
	if ((r = merkle_leaf(leaf, body, n, e)) < 0 ||
	    (r = merkle_node(next->chain, l->head.chain, leaf, e)) < 0 ||
	    (r = ledger_db_prepare(l->db,
		 "INSERT INTO event(seq,body,leaf,"
		 "prev,chain) VALUES(?1,?2,?3,?4,?5)",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_int(st, 1, next->size);
	ledger_db_bind_text(st, 2, body, n);
	ledger_db_bind_hash(st, 3, leaf);
	ledger_db_bind_hash(st, 4, l->head.chain);
	ledger_db_bind_hash(st, 5, next->chain);
	if ((r = ledger_db_step(l->db, st, e)) >= 0 &&
	    (r = ledger_tree_add(l->db, l->head.size, leaf, e)) >= 0)
		r = ledger_tree_root(l->db, next->size, next->root, e);
out:
	sqlite3_finalize(st);
	return r;
}

static int
insert_item(struct ledger *l, const struct ledger_item *item, uint64_t seq,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if (item->size > INT64_MAX)
		return err_set(e, ERR_LIMIT,
		    "a bundle of %" PRIu64 " bytes does not fit the ledger",
		    item->size);
	if ((r = ledger_db_prepare(l->db,
		 "INSERT INTO item(exhibit,"
		 "bundle_sha256,size,first_seq) VALUES(?1,?2,?3,?4) "
		 "ON CONFLICT(exhibit) DO NOTHING",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_text(st, 1, item->exhibit, strlen(item->exhibit));
	ledger_db_bind_hash(st, 2, item->bundle_sha256);
	ledger_db_bind_int(st, 3, item->size);
	ledger_db_bind_int(st, 4, seq);
	if ((r = ledger_db_step(l->db, st, e)) >= 0 &&
	    sqlite3_changes(l->db) == 0)
		r = err_set(e, ERR_EXISTS, "exhibit '%s' is sealed already",
		    item->exhibit);
out:
	sqlite3_finalize(st);
	return r;
}

int
ledger_append_seal(struct ledger *l, const char *body, size_t n,
    const struct ledger_item *item, uint64_t *seq, struct err *e)
{
	struct ledger_head next;
	int r;

	if (!l->writable)
		return err_set(e, ERR_DENIED,
		    "the ledger is open for reading only");
	if (n == 0 || n > LEDGER_BODY_MAX)
		return err_set(e, ERR_LIMIT,
		    "an event of %zu bytes does not "
		    "fit the ledger (limit %zu)",
		    n, LEDGER_BODY_MAX);
	if (memchr(body, '\0', n) != NULL ||
	    !text_is_utf8((const uint8_t *)body, n))
		return err_set(e, ERR_ARG, "an event's body is not UTF-8");
	memset(&next, 0, sizeof(next));
	if ((r = ledger_db_begin(l->db, e)) < 0)
		return r;
	if ((r = check_tip(l, e)) < 0 ||
	    (r = insert_event(l, body, n, &next, e)) < 0 ||
	    (item != NULL && (r = insert_item(l, item, next.size, e)) < 0) ||
	    (r = ledger_db_commit(l->db, e)) < 0) {
		ledger_db_rollback(l->db);
		return r;
	}
	l->head = next;
	if (seq != NULL)
		*seq = next.size;
	return 0;
}

int
ledger_append(struct ledger *l, const char *body, size_t n, uint64_t *seq,
    struct err *e)
{
	return ledger_append_seal(l, body, n, NULL, seq, e);
}

int
ledger_each(struct ledger *l,
    int (*fn)(void *ctx, uint64_t seq, const char *body, size_t n), void *ctx,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	const void *body;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "SELECT seq,body FROM event "
		 "WHERE seq<=?1 ORDER BY seq",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_int(st, 1, l->head.size);
	while ((r = ledger_db_step(l->db, st, e)) == 1) {
		if ((body = sqlite3_column_text(st, 1)) == NULL) {
			r = err_set(e, ERR_NOMEM,
			    "cannot read the ledger: "
			    "out of memory");
			goto out;
		}
		if ((r = fn(ctx, (uint64_t)sqlite3_column_int64(st, 0), body,
			 (size_t)sqlite3_column_bytes(st, 1))) != 0)
			goto out;
	}
out:
	sqlite3_finalize(st);
	return r;
}

int
ledger_set(struct ledger *l, const char *key, const char *value, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "INSERT INTO setting(key,value) "
		 "VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET value=?2",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_text(st, 1, key, strlen(key));
	ledger_db_bind_text(st, 2, value, strlen(value));
	r = ledger_db_step(l->db, st, e);
out:
	sqlite3_finalize(st);
	return r;
}

/* The text that a bound query gives, if one. */
static int
get_text(struct ledger *l, sqlite3_stmt *st, const char *what, struct buf *ret,
    struct err *e)
{
	const unsigned char *s;
	int r;

	if ((r = ledger_db_step(l->db, st, e)) < 0)
		return r;
	if (r == 0 || (s = sqlite3_column_text(st, 0)) == NULL)
		return err_set(e, ERR_NOTFOUND, "the ledger has no '%s'", what);
	buf_put(ret, s, (size_t)sqlite3_column_bytes(st, 0));
	if ((r = buf_failed(ret)) < 0)
		return err_set(e, (enum err_code)r,
		    "'%s' of the ledger does not fit", what);
	return 0;
}

int
ledger_get(struct ledger *l, const char *key, struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "SELECT value FROM setting WHERE key=?1", &st, e)) < 0)
		goto out;
	ledger_db_bind_text(st, 1, key, strlen(key));
	r = get_text(l, st, key, ret, e);
out:
	sqlite3_finalize(st);
	return r;
}

int
ledger_party_add(struct ledger *l, const char *role,
    const uint8_t cert_sha256[32], const char *pem, uint64_t from_seq,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "INSERT INTO party(cert_sha256,"
		 "pem,role,from_seq) VALUES(?1,?2,?3,?4)",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_hash(st, 1, cert_sha256);
	ledger_db_bind_text(st, 2, pem, strlen(pem));
	ledger_db_bind_text(st, 3, role, strlen(role));
	ledger_db_bind_int(st, 4, from_seq);
	r = ledger_db_step(l->db, st, e);
out:
	sqlite3_finalize(st);
	return r;
}

int
ledger_party_pem(struct ledger *l, const char *role,
    const uint8_t cert_sha256[32], struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = ledger_db_prepare(l->db,
		 "SELECT pem FROM party WHERE "
		 "role=?1 AND cert_sha256=?2",
		 &st, e)) < 0)
		goto out;
	ledger_db_bind_text(st, 1, role, strlen(role));
	ledger_db_bind_hash(st, 2, cert_sha256);
	r = get_text(l, st, role, ret, e);
out:
	sqlite3_finalize(st);
	return r;
}
