#include <limits.h>

#include <sqlite3.h>

#include "base/bug.h"
#include "base/err.h"
#include "custody/ledger.h"
#include "custody/ledger_db.h"

/*
 * Why each guard.  Durability: the rollback journal is one file beside the
 * database and gone after a commit, so a closed ledger is a single file that
 * opens on read-only media (a WAL database does not); EXTRA also syncs the
 * directory after the journal is removed, without which the last commit may
 * roll back at power loss.  Against a database that somebody else edited:
 * the schema may call nothing but built-in innocuous functions, cell sizes
 * are checked before use, and nothing longer than a body or a certificate
 * is read.
 */
#define BUSY_MS 10000

int
ledger_db_fail(sqlite3 *db, int rc, const char *what, struct err *e)
{
	const char *say = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	enum err_code code;

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		code = ERR_NOMEM;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ERR_FORMAT;
		break;
	case SQLITE_TOOBIG:
		code = ERR_LIMIT;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CONSTRAINT:
		code = ERR_DENIED;
		break;
	default:
		code = ERR_IO;
		break;
	}
	if (rc == SQLITE_READONLY_ROLLBACK)
		say = "a writer was interrupted; open it for writing once, "
		      "or a copy together with its -journal file";
	return err_set(e, code, "cannot %s the ledger: %s", what, say);
}

int
ledger_db_exec(sqlite3 *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : ledger_db_fail(db, rc, "write", e);
}

int
ledger_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret,
    struct err *e)
{
	int rc = sqlite3_prepare_v2(db, sql, -1, ret, NULL);

	return rc == SQLITE_OK ? 0 : ledger_db_fail(db, rc, "read", e);
}

int
ledger_db_step(sqlite3 *db, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return ledger_db_fail(db, rc,
	    sqlite3_stmt_readonly(st) ? "read" : "write", e);
}

int
ledger_db_int(sqlite3 *db, const char *sql, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r;

	if ((r = ledger_db_prepare(db, sql, &st, e)) < 0 ||
	    (r = ledger_db_step(db, st, e)) < 0)
		goto out;
	if (r == 0) {
		r = err_set(e, ERR_FORMAT,
		    "cannot read the ledger: '%s' "
		    "gives nothing",
		    sql);
		goto out;
	}
	*ret = sqlite3_column_int64(st, 0);
	r = 0;
out:
	sqlite3_finalize(st);
	return r;
}

/*
 * Binding fails only for want of memory or a wrong position; the parameter
 * then stays NULL, and every column here is NOT NULL, so the step fails.
 */
void
ledger_db_bind_int(sqlite3_stmt *st, int at, uint64_t v)
{
	BUG_ON(v > INT64_MAX);
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void
ledger_db_bind_hash(sqlite3_stmt *st, int at, const uint8_t hash[32])
{
	sqlite3_bind_blob(st, at, hash, 32, SQLITE_STATIC);
}

void
ledger_db_bind_text(sqlite3_stmt *st, int at, const char *s, size_t n)
{
	BUG_ON(n > INT_MAX);
	sqlite3_bind_text(st, at, s, (int)n, SQLITE_STATIC);
}

bool
ledger_db_hash(sqlite3_stmt *st, int at, uint8_t ret[32])
{
	const void *p = sqlite3_column_blob(st, at);

	if (p == NULL || sqlite3_column_type(st, at) != SQLITE_BLOB ||
	    sqlite3_column_bytes(st, at) != 32)
		return false;
	memcpy(ret, p, 32);
	return true;
}

int
ledger_db_begin(sqlite3 *db, struct err *e)
{
	return ledger_db_exec(db, "BEGIN IMMEDIATE", e);
}

int
ledger_db_commit(sqlite3 *db, struct err *e)
{
	return ledger_db_exec(db, "COMMIT", e);
}

void
ledger_db_rollback(sqlite3 *db)
{
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static int
set_flags(sqlite3 *db, struct err *e)
{
	static const struct {
		int op, value;
	} flags[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0}};
	size_t i;
	int rc, is;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		rc = sqlite3_db_config(db, flags[i].op, flags[i].value, &is);
		if (rc == SQLITE_OK && is == flags[i].value)
			continue;
		return err_set(e, ERR_UNSUPPORTED,
		    "this SQLite lacks a guard of the ledger (%d)",
		    flags[i].op);
	}
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, (int)LEDGER_BODY_MAX + 4096);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_extended_result_codes(db, 1);
	return sqlite3_busy_timeout(db, BUSY_MS) == SQLITE_OK
		   ? 0
		   : err_set(e, ERR_NOMEM,
			 "cannot open the ledger: out of memory");
}

/* Pragmas answer nothing when they do not know a word: ask them back. */
static int
set_pragmas(sqlite3 *db, struct err *e)
{
	int64_t level = 0;
	int r;

	if ((r = ledger_db_exec(db,
		 "PRAGMA cell_size_check=ON;"
		 "PRAGMA recursive_triggers=ON;PRAGMA mmap_size=0;"
		 "PRAGMA temp_store=MEMORY;PRAGMA synchronous=EXTRA",
		 e)) < 0 ||
	    (r = ledger_db_int(db, "PRAGMA synchronous", &level, e)) < 0)
		return r;
	return level == 3 ? 0
			  : err_set(e, ERR_UNSUPPORTED,
				"this SQLite has no synchronous=EXTRA");
}

int
ledger_db_durable(sqlite3 *db, struct err *e)
{
	sqlite3_stmt *st = NULL;
	const unsigned char *mode;
	int r;

	if ((r = ledger_db_prepare(db, "PRAGMA journal_mode=DELETE", &st, e)) <
		0 ||
	    (r = ledger_db_step(db, st, e)) < 0)
		goto out;
	mode = r == 1 ? sqlite3_column_text(st, 0) : NULL;
	r = mode != NULL && strcmp((const char *)mode, "delete") == 0
		? 0
		: err_set(e, ERR_UNSUPPORTED,
		      "the ledger cannot use a rollback journal");
out:
	sqlite3_finalize(st);
	return r;
}

int
ledger_db_open(const char *path, bool writable, sqlite3 **ret, struct err *e)
{
	sqlite3 *db = NULL;
	int rc, r;

	rc = sqlite3_open_v2(path, &db,
	    (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
		SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_FULLMUTEX,
	    NULL);
	if (rc != SQLITE_OK) {
		r = ledger_db_fail(db, rc, "open", e);
		goto out;
	}
	/* SQLite opens read-only what it may not write, without a word. */
	if (writable && sqlite3_db_readonly(db, "main") != 0) {
		r = err_set(e, ERR_DENIED,
		    "cannot write the ledger: it is read-only");
		goto out;
	}
	if ((r = set_flags(db, e)) < 0 || (r = set_pragmas(db, e)) < 0)
		goto out;
	*ret = db;
	db = NULL;
out:
	ledger_db_close(db);
	return r;
}

void
ledger_db_close(sqlite3 *db)
{
	sqlite3_close(db);
}
