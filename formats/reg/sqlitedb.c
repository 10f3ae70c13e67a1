#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/reg/sqlitevfs.h"

/*
 * Method.  The library reads through a VFS of our own (sqlitevfs.h).  It is
 * the default VFS while it exists, so that what the library asks of "the
 * system" (time, random bytes, temporary files) comes to us.
 *
 * The schema is evidence too.  Its statements are parsed by the library when
 * the first row is read, with limits on their size; then only SELECT of named
 * columns of tables that have a root page is prepared, under an authorizer
 * that allows nothing else.  "NOT INDEXED" reads rows in the order of their
 * keys: an index that disagrees with its table has no say.
 */
struct table {
	const char *name;
	struct table *next;
};

struct sqlitedb {
	struct sqlitevfs v;
	struct sqlitedb_about about;
	sqlite3 *sql;
	sqlite3_int64 heap;	/* the limit before */
	struct arena *a;
	struct table *tables, *unused;
	uint32_t known;		/* in both lists */
	uint64_t steps;		/* in thousands */
	bool preparing;		/* a PRAGMA of ours is allowed */
};

bool
sqlitedb_is(const uint8_t head[SQLITEDB_HEAD])
{
	return memcmp(head, "SQLite format 3", SQLITEDB_HEAD) == 0;
}

/* --- header, log, journal --- */

/*
 * The header (file format, section 1.3): 16 u16 page size, 1 for 65536;
 * 18 and 19: 2 in log mode; 36 u32 pages on the free list.
 */
static int
read_header(struct sqlitedb *db, struct err *e)
{
	uint8_t h[100];
	struct cursor c;
	uint16_t size = 0;
	int r;

	if (bytesrc_size(db->v.src) < sizeof(h))
		return err_set(e, ERR_FORMAT, "shorter than its header");
	if ((r = bytesrc_read(db->v.src, 0, h, sizeof(h), e)) < 0)
		return r;
	if (!sqlitedb_is(h))
		return err_set(e, ERR_FORMAT, "not a database");
	cursor_init(&c, h, sizeof(h), 0);
	if (!cursor_skip(&c, 16) || !cursor_u16be(&c, &size))
		return err_set(e, ERR_FORMAT, "shorter than its header");
	db->about.page_size = size == 1 ? 65536 : size;
	if (!sqlitewal_page_size(db->about.page_size))
		return err_set(e, ERR_FORMAT, "page size is impossible");
	db->about.log_mode = h[18] == 2 || h[19] == 2;
	db->about.pages = bytesrc_size(db->v.src) / db->about.page_size;
	return 0;
}

static int
read_beside(struct sqlitedb *db, struct err *e)
{
	struct sqlitedb_about *b = &db->about;
	uint8_t h[40];
	struct cursor c;
	uint32_t n;
	int r;

	b->has_journal = db->v.journal != NULL;
	b->has_wal = db->v.wal != NULL;
	if (b->has_journal) {
		if ((r = sqlitewal_journal(db->v.journal, b->page_size,
		    b->pages, db->a, &b->journal, e)) < 0)
			return r;
		if (b->journal.pages > 0)
			b->pages = b->journal.pages;
	}
	if (b->has_wal) {
		if ((r = sqlitewal_read(db->v.wal, b->page_size, db->a, &b->wal,
		    e)) < 0)
			return r;
		if (b->wal.pages > 0)
			b->pages = b->wal.pages;
	}
	if (sqlitevfs_page(&db->v, 0, h, sizeof(h)) < 0)
		return err_set(e, ERR_FORMAT, "its first page is not there");
	cursor_init(&c, h, sizeof(h), 0);
	if (cursor_skip(&c, 36) && cursor_u32be(&c, &n))
		b->free_pages = n;
	return 0;
}

/* --- the library --- */

static int
failed(struct sqlitedb *db, int code, struct err *e)
{
	char text[160];
	const char *says = sqlite3_errmsg(db->sql);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	case SQLITE_INTERRUPT:
		return err_set(e, ERR_LIMIT, "more steps than the limit");
	default:
		return err_set(e, ERR_FORMAT, "%s", text_z(text, sizeof(text),
		    says, strlen(says)));
	}
}

static int
progress(void *ctx)
{
	struct sqlitedb *db = ctx;

	return ++db->steps > LIMIT_SQLITE_STEPS / 1000;
}

static int
authorize(void *ctx, int what, const char *a, const char *b, const char *c,
    const char *d)
{
	const struct sqlitedb *db = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	if (what == SQLITE_SELECT || what == SQLITE_READ)
		return SQLITE_OK;
	return what == SQLITE_PRAGMA && db->preparing ? SQLITE_OK :
	    SQLITE_DENY;
}

static void
set_limits(sqlite3 *sql)
{
	static const struct {
		int what, limit;
	} limits[] = {
	    {SQLITE_LIMIT_LENGTH, LIMIT_SQLITE_VALUE},
	    {SQLITE_LIMIT_SQL_LENGTH, LIMIT_SQLITE_SQL},
	    {SQLITE_LIMIT_EXPR_DEPTH, 64},
	    {SQLITE_LIMIT_COMPOUND_SELECT, 2},
	    {SQLITE_LIMIT_VDBE_OP, 25000},
	    {SQLITE_LIMIT_FUNCTION_ARG, 8},
	    {SQLITE_LIMIT_ATTACHED, 0},
	    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
	    {SQLITE_LIMIT_VARIABLE_NUMBER, 16},
	    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	    {SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	static const struct {
		int what, on;
	} configs[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(sql, limits[i].what, limits[i].limit);
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		(void)sqlite3_db_config(sql, configs[i].what, configs[i].on,
		    NULL);
}

static int
open_library(struct sqlitedb *db, struct err *e)
{
	int r;

	sqlitevfs_init(&db->v);
	db->heap = sqlite3_hard_heap_limit64(LIMIT_SQLITE_HEAP);
	if (sqlite3_vfs_register(&db->v.vfs, 1) != SQLITE_OK)
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	r = sqlite3_open_v2("database", &db->sql, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, db->v.name);
	if (db->sql == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	if (r != SQLITE_OK)
		return failed(db, r, e);
	set_limits(db->sql);
	sqlite3_progress_handler(db->sql, 1000, progress, db);
	r = sqlite3_exec(db->sql, "PRAGMA cell_size_check=1;"
	    "PRAGMA query_only=1;PRAGMA temp_store=2;PRAGMA mmap_size=0;"
	    "PRAGMA cache_size=-8192", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_set_authorizer(db->sql, authorize, db);
	return r == SQLITE_OK ? 0 : failed(db, r, e);
}

/* --- its tables --- */

static const char *
column_text(sqlite3_stmt *s, int i, size_t *n)
{
	const char *p = (const char *)sqlite3_column_text(s, i);

	*n = p != NULL ? (size_t)sqlite3_column_bytes(s, i) : 0;
	return p;
}

/* One row of sqlite_schema: type, name, rootpage. */
static int
take_table(struct sqlitedb *db, sqlite3_stmt *s, struct err *e)
{
	size_t n, type_len;
	const char *type = column_text(s, 0, &type_len);
	const char *name = column_text(s, 1, &n);
	struct table *t, **list = &db->unused;

	if (type == NULL || name == NULL || strcmp(type, "index") == 0)
		return 0;
	if (strcmp(type, "trigger") == 0)
		db->about.triggers++;
	else if (strcmp(type, "table") != 0)
		db->about.views++;
	else if (sqlite3_column_int64(s, 2) <= 0)
		db->about.virtuals++;
	else
		list = &db->tables;
	if (db->known == LIMIT_SQLITE_TABLES)
		return err_set(e, ERR_LIMIT, "more tables than the limit");
	if ((t = arena_alloc(db->a, sizeof(*t))) == NULL ||
	    (t->name = arena_dup(db->a, name, n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	t->next = *list;
	*list = t;
	db->known++;
	return 0;
}

static int
read_schema(struct sqlitedb *db, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(db->sql, "SELECT type, name, rootpage "
	    "FROM sqlite_schema ORDER BY rowid DESC", -1, &s, NULL), rc = 0;

	while (r == SQLITE_OK && rc == 0) {
		if ((r = sqlite3_step(s)) != SQLITE_ROW)
			break;
		rc = take_table(db, s, e);
		r = SQLITE_OK;
	}
	if (rc == 0 && r != SQLITE_DONE)
		rc = failed(db, r, e);
	sqlite3_finalize(s);
	return rc;
}

int
sqlitedb_open(const struct bytesrc *file, const struct bytesrc *wal,
    const struct bytesrc *journal, struct arena *a, struct sqlitedb **ret,
    struct err *e)
{
	struct sqlitedb *db = arena_alloc(a, sizeof(*db));
	int r;

	if (db == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	db->v.src = file;
	db->v.wal = wal;
	db->v.journal = journal;
	db->v.about = &db->about;
	db->a = a;
	if ((r = read_header(db, e)) < 0 || (r = read_beside(db, e)) < 0)
		return r;
	if ((r = open_library(db, e)) < 0 || (r = read_schema(db, e)) < 0) {
		sqlitedb_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

void
sqlitedb_close(struct sqlitedb *db)
{
	if (db == NULL)
		return;
	if (db->sql != NULL)
		BUG_ON(sqlite3_close(db->sql) != SQLITE_OK);
	(void)sqlite3_vfs_unregister(&db->v.vfs);
	(void)sqlite3_hard_heap_limit64(db->heap);
}

const struct sqlitedb_about *
sqlitedb_about(const struct sqlitedb *db)
{
	return &db->about;
}

/* Names of tables are compared as the library does, ASCII case apart. */
bool
sqlitedb_table(const struct sqlitedb *db, const char *table)
{
	for (const struct table *t = db->tables; t != NULL; t = t->next)
		if (sqlite3_stricmp(t->name, table) == 0)
			return true;
	return false;
}

const char *
sqlitedb_unused(const struct sqlitedb *db, uint32_t i)
{
	const struct table *t = db->unused;

	while (t != NULL && i-- > 0)
		t = t->next;
	return t == NULL ? NULL : t->name;
}

/* --- rows --- */

/* have[i]: does the table have column i? */
static int
find_columns(struct sqlitedb *db, const char *table,
    const char *const *column, unsigned columns, bool *have, struct err *e)
{
	sqlite3_stmt *s = NULL;
	char sql[128];
	int r;

	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA table_info(\"%w\")", table);
	db->preparing = true;
	r = sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL);
	db->preparing = false;
	while (r == SQLITE_OK && (r = sqlite3_step(s)) == SQLITE_ROW) {
		size_t n;
		const char *name = column_text(s, 1, &n);

		for (unsigned i = 0; name != NULL && i < columns; i++)
			have[i] |= sqlite3_stricmp(name, column[i]) == 0;
		r = SQLITE_OK;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? 0 : failed(db, r, e);
}

static void
value(sqlite3_stmt *s, int i, struct sqlitedb_value *v)
{
	static const enum sqlitedb_type types[] = {
	    [SQLITE_INTEGER] = SQLITEDB_INT,
	    [SQLITE_FLOAT] = SQLITEDB_REAL,
	    [SQLITE_TEXT] = SQLITEDB_TEXT,
	    [SQLITE_BLOB] = SQLITEDB_BLOB,
	    [SQLITE_NULL] = SQLITEDB_NULL,
	};

	v->type = types[sqlite3_column_type(s, i)];
	v->i = sqlite3_column_int64(s, i);
	v->d = sqlite3_column_double(s, i);
	if (v->type == SQLITEDB_BLOB) {
		v->p = sqlite3_column_blob(s, i);
		v->n = v->p != NULL ? (size_t)sqlite3_column_bytes(s, i) : 0;
	} else {
		v->p = column_text(s, i, &v->n);
	}
}

static int
give_rows(struct sqlitedb *db, sqlite3_stmt *s, unsigned columns,
    int (*each)(void *ctx, const struct sqlitedb_value *v), void *ctx,
    struct err *e)
{
	struct sqlitedb_value v[SQLITEDB_COLUMNS];
	int r, rc = 0;

	while ((r = sqlite3_step(s)) == SQLITE_ROW && rc >= 0) {
		for (unsigned i = 0; i < columns; i++)
			value(s, (int)i, &v[i]);
		rc = each(ctx, v);
	}
	if (rc < 0)
		return rc;
	return r == SQLITE_DONE ? 0 : failed(db, r, e);
}

int
sqlitedb_select(struct sqlitedb *db, const char *table,
    const char *const *column, unsigned columns,
    int (*each)(void *ctx, const struct sqlitedb_value *v), void *ctx,
    struct err *e)
{
	bool have[SQLITEDB_COLUMNS] = {false};
	sqlite3_stmt *s = NULL;
	sqlite3_str *sql;
	char *text;
	int r;

	BUG_ON(columns == 0 || columns > SQLITEDB_COLUMNS);
	if (!sqlitedb_table(db, table))
		return 0;
	if ((r = find_columns(db, table, column, columns, have, e)) < 0)
		return r;
	sql = sqlite3_str_new(db->sql);
	for (unsigned i = 0; i < columns; i++)
		sqlite3_str_appendf(sql, have[i] ? "%s \"%w\"" : "%s NULL",
		    i == 0 ? "SELECT" : ",", column[i]);
	sqlite3_str_appendf(sql, " FROM \"%w\" NOT INDEXED", table);
	if ((text = sqlite3_str_finish(sql)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a database");
	r = sqlite3_prepare_v2(db->sql, text, -1, &s, NULL);
	sqlite3_free(text);
	r = r == SQLITE_OK ? give_rows(db, s, columns, each, ctx, e) :
	    failed(db, r, e);
	sqlite3_finalize(s);
	return r;
}
