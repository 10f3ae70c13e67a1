#ifndef CUSTODY_LEDGER_DB_H_
#define CUSTODY_LEDGER_DB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct sqlite3;
struct sqlite3_stmt;

/*
 * The ledger's view of SQLite: a connection with every guard on, and
 * statements whose failures become struct err.  Internal to ledger*.c.
 */

/*
 * ledger_db_open: an existing file.  Not writable: nothing is written, a
 * hot journal (a writer was killed) is then ERR_IO.  No link is followed in
 * the last component.
 */
int ledger_db_open(const char *path, bool writable, struct sqlite3 **ret,
    struct err *e);
/*
 * ledger_db_durable: the rollback journal, and nothing else.  This writes to
 * a database that used another one, so ask first whether it is a ledger.
 */
int ledger_db_durable(struct sqlite3 *db, struct err *e);
void ledger_db_close(struct sqlite3 *db); /* NULL does nothing */

/* ledger_db_fail: note what SQLite says after a failed call. */
int ledger_db_fail(struct sqlite3 *db, int rc, const char *what, struct err *e);
int ledger_db_exec(struct sqlite3 *db, const char *sql, struct err *e);
int ledger_db_prepare(struct sqlite3 *db, const char *sql,
    struct sqlite3_stmt **ret, struct err *e);
/* ledger_db_step: 1 a row, 0 done. */
int ledger_db_step(struct sqlite3 *db, struct sqlite3_stmt *st, struct err *e);
/* ledger_db_int: the first column of the first row of ${sql}. */
int ledger_db_int(struct sqlite3 *db, const char *sql, int64_t *ret,
    struct err *e);

/* Bind by position; a failure shows at ledger_db_step. */
void ledger_db_bind_int(struct sqlite3_stmt *st, int at, uint64_t v);
void ledger_db_bind_hash(struct sqlite3_stmt *st, int at,
    const uint8_t hash[32]);
void ledger_db_bind_text(struct sqlite3_stmt *st, int at, const char *s,
    size_t n);
/* ledger_db_hash: the 32 bytes of column ${at}, or false. */
bool ledger_db_hash(struct sqlite3_stmt *st, int at, uint8_t ret[32]);

/*
 * ledger_db_begin, _commit: a writing transaction.  _rollback after any
 * failure; it does nothing when SQLite has rolled back by itself.
 */
int ledger_db_begin(struct sqlite3 *db, struct err *e);
int ledger_db_commit(struct sqlite3 *db, struct err *e);
void ledger_db_rollback(struct sqlite3 *db);

#endif /* !CUSTODY_LEDGER_DB_H_ */
