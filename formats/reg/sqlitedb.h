#ifndef FORMATS_REG_SQLITEDB_H_
#define FORMATS_REG_SQLITEDB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/reg/sqlitewal.h"

struct arena;
struct bytesrc;
struct err;

/*
 * A SQLite database as bytes, and the rows of its tables.
 *
 * The library reads pages through functions of ours: from the file, or, where
 * a write-ahead log or a rollback journal says so, from those.  So nothing is
 * opened, locked, created or changed, nothing asks for the time or for random
 * numbers, and the pages are those that a reader of the live database would
 * see.
 *
 * The database is hostile: no views, triggers, virtual tables, extensions or
 * functions are run, only ordinary tables are read, in the order of their
 * rows; limits LIMIT_SQLITE_*.  The library's heap limit is the process's
 * while a database is open.  One at a time.
 */
struct sqlitedb;

struct sqlitedb_about {
	uint32_t page_size;
	uint64_t pages;			/* as a reader sees it */
	uint64_t free_pages;		/* of them, on the list of free ones */
	bool log_mode;			/* its header asks for a log */
	bool has_wal, has_journal;
	struct sqlitewal wal, journal;	/* n: pages that they replace */
	uint32_t triggers, views, virtuals;	/* none of them is used */
};

/* sqlitedb_is: do these first bytes begin a database? */
#define SQLITEDB_HEAD 16
bool sqlitedb_is(const uint8_t head[SQLITEDB_HEAD]);

/*
 * sqlitedb_open: ${wal} and ${journal} may be NULL; all three are borrowed
 * until sqlitedb_close.  ERR_FORMAT when it is no database that can be read,
 * ERR_LIMIT, ERR_NOMEM.
 */
int sqlitedb_open(const struct bytesrc *file, const struct bytesrc *wal,
    const struct bytesrc *journal, struct arena *a, struct sqlitedb **ret,
    struct err *e);
void sqlitedb_close(struct sqlitedb *db);	/* NULL does nothing */
const struct sqlitedb_about *sqlitedb_about(const struct sqlitedb *db);

/* sqlitedb_table: is there an ordinary table of this name? */
bool sqlitedb_table(const struct sqlitedb *db, const char *table);
/* sqlitedb_trigger: the name of the i-th trigger, view or virtual table. */
const char *sqlitedb_unused(const struct sqlitedb *db, uint32_t i);

enum sqlitedb_type { SQLITEDB_NULL, SQLITEDB_INT, SQLITEDB_REAL,
	SQLITEDB_TEXT, SQLITEDB_BLOB };

struct sqlitedb_value {
	enum sqlitedb_type type;
	const char *p;		/* TEXT and BLOB; of numbers, as text */
	size_t n;
	int64_t i;
	double d;
};

/* Columns of one select. */
#define SQLITEDB_COLUMNS 16

/*
 * sqlitedb_select: every row of a table, in its own order; ${column} are
 * names that are our constants, and one that the table lacks is NULL in every
 * row: no generation of a schema must be known beforehand.  ${each} gets
 * values that are valid during the call; negative stops and is passed on.
 *
 * 0, also when there is no such table; ERR_FORMAT when rows cannot be read
 * (those before have been given), ERR_LIMIT past LIMIT_SQLITE_STEPS,
 * ERR_NOMEM.
 */
int sqlitedb_select(struct sqlitedb *db, const char *table,
    const char *const *column, unsigned columns,
    int (*each)(void *ctx, const struct sqlitedb_value *v), void *ctx,
    struct err *e);

#endif /* !FORMATS_REG_SQLITEDB_H_ */
