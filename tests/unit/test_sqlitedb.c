#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/sqlitedb.h"

/*
 * The oracle is the library itself: databases are written by it, with a log
 * or a journal that is left behind, and a copy of the files is opened by it
 * too.  What it sees in a log that was cut or altered anywhere, sqlitedb must
 * see as well.
 */
static char folder[] = "/tmp/test_sqlitedb.XXXXXX";
static char main_path[64], wal_path[64], journal_path[64], copy_path[64];

struct bytes {
	uint8_t *p;
	size_t n;
};

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(main_path, sizeof(main_path), "%s/a.db", folder);
	(void)snprintf(wal_path, sizeof(wal_path), "%s/a.db-wal", folder);
	(void)snprintf(journal_path, sizeof(journal_path), "%s/a.db-journal",
	    folder);
	(void)snprintf(copy_path, sizeof(copy_path), "%s/b.db", folder);
	return 0;
}

static void
remove_all(const char *path)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[96];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
}

static int
teardown(void **state)
{
	(void)state;
	remove_all(main_path);
	remove_all(copy_path);
	return rmdir(folder);
}

static void
run(sqlite3 *db, const char *sql)
{
	char *says = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &says) != SQLITE_OK)
		fail_msg("%s: %s", sql, says);
}

static sqlite3 *
create(const char *path)
{
	sqlite3 *db;

	remove_all(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	run(db, "PRAGMA synchronous=OFF");
	return db;
}

/* Empty when there is no such file. */
static struct bytes
load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct bytes b = {malloc(4 * MIB), 0};

	assert_non_null(b.p);
	if (f != NULL) {
		b.n = fread(b.p, 1, 4 * MIB, f);
		(void)fclose(f);
	}
	return b;
}

static void
store(const char *path, const char *tail, const void *p, size_t n)
{
	char name[96];
	FILE *f;

	(void)snprintf(name, sizeof(name), "%s%s", path, tail);
	f = fopen(name, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* A row as "id:first byte of its text:length". */
static int
put_row(void *ctx, const struct sqlitedb_value *v)
{
	struct buf *b = ctx;

	buf_printf(b, "%lld:%c:%zu;", (long long)v[0].i,
	    v[1].n > 0 ? v[1].p[0] : '-', v[1].n);
	return 0;
}

static const char *const columns[] = {"id", "v"};

/* What sqlitedb sees; "error" when it refuses. */
static void
ours(const struct bytes *db, const struct bytes *wal, const void *journal,
    size_t journal_len, struct buf *out, struct sqlitedb_about *about)
{
	struct arena *a = arena_new(64 * MIB);
	struct err e = ERR_INIT;
	struct bytesrc *s = bytesrc_mem(db->p, db->n, &e);
	struct bytesrc *w = wal != NULL ? bytesrc_mem(wal->p, wal->n, &e) :
	    NULL;
	struct bytesrc *j = journal != NULL ?
	    bytesrc_mem(journal, journal_len, &e) : NULL;
	struct sqlitedb *h = NULL;

	buf_clear(out);
	if (sqlitedb_open(s, w, j, a, &h, &e) < 0 ||
	    sqlitedb_select(h, "t", columns, 2, put_row, out, &e) < 0) {
		buf_clear(out);
		buf_puts(out, "error");
	}
	if (h != NULL && about != NULL)
		*about = *sqlitedb_about(h);
	sqlitedb_close(h);
	bytesrc_free(s);
	bytesrc_free(w);
	bytesrc_free(j);
	arena_free(a);
}

/* What the library sees in the copy's files. */
static void
theirs(struct buf *out)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db;
	int r;

	buf_clear(out);
	assert_int_equal(sqlite3_open(copy_path, &db), SQLITE_OK);
	run(db, "PRAGMA synchronous=OFF");
	r = sqlite3_prepare_v2(db, "SELECT id, v FROM t NOT INDEXED", -1, &s,
	    NULL);
	while (r == SQLITE_OK && (r = sqlite3_step(s)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(s, 1);
		size_t n = text == NULL ? 0 :
		    (size_t)sqlite3_column_bytes(s, 1);

		buf_printf(out, "%lld:%c:%zu;",
		    (long long)sqlite3_column_int64(s, 0),
		    n > 0 ? text[0] : '-', n);
		r = SQLITE_OK;
	}
	if (r != SQLITE_DONE) {
		buf_clear(out);
		buf_puts(out, "error");
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	remove_all(copy_path);
}

static void
fill(sqlite3 *db, int from, int to, char c)
{
	char sql[128];

	for (int i = from; i < to; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO t "
		    "VALUES(%d, '%c' || hex(zeroblob(%d)))", i, c,
		    50 + i * 13 % 400);
		run(db, sql);
	}
}

/* A database in log mode, its log beside it. */
static void
make_wal(struct bytes *db, struct bytes *wal)
{
	sqlite3 *h = create(main_path);

	run(h, "PRAGMA page_size=1024; PRAGMA journal_mode=WAL;"
	    "PRAGMA wal_autocheckpoint=0;"
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
	fill(h, 0, 40, 'a');
	run(h, "PRAGMA wal_checkpoint(RESTART)");
	fill(h, 10, 20, 'b');
	fill(h, 60, 80, 'c');
	run(h, "DELETE FROM t WHERE id < 5");
	*db = load(main_path);
	*wal = load(wal_path);
	sqlite3_close(h);
	assert_true(db->n > 8 * KIB && wal->n > 8 * KIB);
}

/* A journal that an open transaction has spilled into the database. */
static void
make_journal(struct bytes *db, struct bytes *journal)
{
	sqlite3 *h = create(main_path);

	run(h, "PRAGMA page_size=1024; PRAGMA journal_mode=DELETE;"
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
	fill(h, 0, 60, 'a');
	/* With syncs the journal is written in parts, a header before each. */
	run(h, "PRAGMA synchronous=FULL; PRAGMA cache_size=2;"
	    "PRAGMA cache_spill=2; BEGIN");
	fill(h, 10, 50, 'b');
	fill(h, 100, 160, 'c');
	*db = load(main_path);
	*journal = load(journal_path);
	run(h, "ROLLBACK");
	sqlite3_close(h);
	assert_true(db->n > 8 * KIB && journal->n > 8 * KIB);
}

static void
a_log_is_seen_as_the_library_sees_it(void **state)
{
	struct sqlitedb_about about;
	struct bytes db, wal;
	struct buf a, b;

	(void)state;
	buf_init(&a, MIB);
	buf_init(&b, MIB);
	make_wal(&db, &wal);
	ours(&db, &wal, NULL, 0, &a, &about);
	store(copy_path, "", db.p, db.n);
	store(copy_path, "-wal", wal.p, wal.n);
	theirs(&b);
	assert_string_equal(buf_str(&a), buf_str(&b));
	assert_true(about.log_mode);
	assert_true(about.wal.n > 5);
	assert_true(about.wal.committed >= about.wal.n);
	assert_true(about.wal.valid <= about.wal.records);
	/* Without it the rows are others. */
	ours(&db, NULL, NULL, 0, &b, &about);
	assert_string_not_equal(buf_str(&a), buf_str(&b));
	assert_string_not_equal(buf_str(&b), "error");
	assert_false(about.has_wal);
	buf_release(&a);
	buf_release(&b);
	free(db.p);
	free(wal.p);
}

static void
a_log_cut_anywhere_is_seen_as_the_library_sees_it(void **state)
{
	struct bytes db, wal, cut;
	struct buf a, b, seen;
	unsigned states = 0;

	(void)state;
	buf_init(&a, MIB);
	buf_init(&b, MIB);
	buf_init(&seen, MIB);
	make_wal(&db, &wal);
	for (size_t n = 0; n <= wal.n; n += n < 64 ? 1 : 349) {
		cut = (struct bytes){wal.p, n};
		ours(&db, &cut, NULL, 0, &a, NULL);
		store(copy_path, "", db.p, db.n);
		store(copy_path, "-wal", wal.p, n);
		theirs(&b);
		assert_string_equal(buf_str(&a), buf_str(&b));
		states += strcmp(buf_str(&a), buf_str(&seen)) != 0;
		buf_clear(&seen);
		buf_puts(&seen, buf_str(&a));
	}
	assert_true(states > 10);
	buf_release(&a);
	buf_release(&b);
	buf_release(&seen);
	free(db.p);
	free(wal.p);
}

static void
a_log_with_a_flipped_byte_is_seen_as_the_library_sees_it(void **state)
{
	struct sqlitedb_about about;
	struct bytes db, wal;
	struct buf a, b;
	unsigned odd = 0;

	(void)state;
	buf_init(&a, MIB);
	buf_init(&b, MIB);
	make_wal(&db, &wal);
	for (size_t at = 0; at < wal.n; at += at < 64 ? 1 : 311) {
		wal.p[at] ^= 0x10;
		memset(&about, 0, sizeof(about));
		ours(&db, &wal, NULL, 0, &a, &about);
		store(copy_path, "", db.p, db.n);
		store(copy_path, "-wal", wal.p, wal.n);
		theirs(&b);
		/* Of a header that it refuses the library says error. */
		if (strcmp(buf_str(&b), "error") != 0)
			assert_string_equal(buf_str(&a), buf_str(&b));
		odd += about.wal.odd;
		assert_true(about.wal.why == NULL || at < 32 ||
		    about.wal.why_off <= at);
		wal.p[at] ^= 0x10;
	}
	assert_true(odd > 20);
	buf_release(&a);
	buf_release(&b);
	free(db.p);
	free(wal.p);
}

static void
a_hot_journal_is_rolled_back_as_the_library_does(void **state)
{
	struct sqlitedb_about about;
	struct bytes db, journal;
	struct buf a, b;

	(void)state;
	buf_init(&a, MIB);
	buf_init(&b, MIB);
	make_journal(&db, &journal);
	ours(&db, NULL, journal.p, journal.n, &a, &about);
	store(copy_path, "", db.p, db.n);
	store(copy_path, "-journal", journal.p, journal.n);
	theirs(&b);
	assert_string_equal(buf_str(&a), buf_str(&b));
	assert_int_equal(strncmp(buf_str(&a), "0:a:", 4), 0);
	assert_null(strchr(buf_str(&a), 'b'));
	assert_true(about.journal.n > 5);
	assert_true(about.pages < db.n / 1024);
	ours(&db, NULL, NULL, 0, &b, NULL);
	assert_string_not_equal(buf_str(&a), buf_str(&b));
	buf_release(&a);
	buf_release(&b);
	free(db.p);
	free(journal.p);
}

static void
a_journal_cut_or_altered_is_played_as_the_library_does(void **state)
{
	struct bytes db, journal;
	struct buf a, b;

	(void)state;
	buf_init(&a, MIB);
	buf_init(&b, MIB);
	make_journal(&db, &journal);
	for (size_t n = 1; n <= journal.n; n += n < 40 ? 1 : 523) {
		ours(&db, NULL, journal.p, n, &a, NULL);
		store(copy_path, "", db.p, db.n);
		store(copy_path, "-journal", journal.p, n);
		theirs(&b);
		assert_string_equal(buf_str(&a), buf_str(&b));
	}
	for (size_t at = 0; at < journal.n; at += at < 28 ? 1 : 523) {
		journal.p[at] ^= 0x04;
		ours(&db, NULL, journal.p, journal.n, &a, NULL);
		store(copy_path, "", db.p, db.n);
		store(copy_path, "-journal", journal.p, journal.n);
		theirs(&b);
		/* Of a page size that is not its own the library tells. */
		if (at < 20 || at >= 28)
			assert_string_equal(buf_str(&a), buf_str(&b));
		journal.p[at] ^= 0x04;
	}
	buf_release(&a);
	buf_release(&b);
	free(db.p);
	free(journal.p);
}

static int
count(void *ctx, const struct sqlitedb_value *v)
{
	(void)v;
	++*(int *)ctx;
	return 0;
}

static void
columns_that_are_not_there_are_null(void **state)
{
	static const char *const want[] = {"id", "later", "V", "r", "b"};
	struct arena *a = arena_new(64 * MIB);
	struct err e = ERR_INIT;
	sqlite3 *h = create(main_path);
	struct bytesrc *s;
	struct sqlitedb *d = NULL;
	struct bytes db;
	int rows = 0;

	(void)state;
	run(h, "CREATE TABLE t(id INTEGER, v TEXT, r REAL, b BLOB);"
	    "INSERT INTO t VALUES(7, 'x', 0.5, x'00ff'), (8, NULL, 2, 'y');"
	    "CREATE VIEW w AS SELECT * FROM t;"
	    "CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END");
	sqlite3_close(h);
	db = load(main_path);
	s = bytesrc_mem(db.p, db.n, &e);
	assert_int_equal(sqlitedb_open(s, NULL, NULL, a, &d, &e), 0);
	assert_true(sqlitedb_table(d, "T"));
	assert_false(sqlitedb_table(d, "w"));
	assert_int_equal(sqlitedb_about(d)->triggers, 1);
	assert_int_equal(sqlitedb_about(d)->views, 1);
	assert_string_equal(sqlitedb_unused(d, 0), "w");
	assert_string_equal(sqlitedb_unused(d, 1), "tr");
	assert_null(sqlitedb_unused(d, 2));
	assert_int_equal(sqlitedb_select(d, "t", want, 5, count, &rows, &e),
	    0);
	assert_int_equal(rows, 2);
	/* A view is never read. */
	assert_int_equal(sqlitedb_select(d, "w", want, 5, count, &rows, &e),
	    0);
	assert_int_equal(rows, 2);
	sqlitedb_close(d);
	bytesrc_free(s);
	arena_free(a);
	free(db.p);
}

static void
a_database_cut_or_altered_ends_in_rows_or_a_told_failure(void **state)
{
	struct bytes db, cut;
	struct buf a;
	unsigned good = 0, bad = 0;
	sqlite3 *h = create(main_path);

	(void)state;
	buf_init(&a, MIB);
	run(h, "PRAGMA page_size=512; CREATE TABLE t(id INTEGER PRIMARY KEY, "
	    "v TEXT)");
	fill(h, 0, 20, 'a');
	sqlite3_close(h);
	db = load(main_path);
	for (size_t n = 0; n <= db.n; n += n < 120 ? 1 : 97) {
		cut = (struct bytes){db.p, n};
		ours(&cut, NULL, NULL, 0, &a, NULL);
	}
	for (size_t at = 0; at < db.n; at += at < 700 ? 1 : 61) {
		db.p[at] ^= 0x41;
		ours(&db, NULL, NULL, 0, &a, NULL);
		good += strcmp(buf_str(&a), "error") != 0;
		bad += strcmp(buf_str(&a), "error") == 0;
		db.p[at] ^= 0x41;
	}
	assert_true(good > 10 && bad > 10);
	buf_release(&a);
	free(db.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_log_is_seen_as_the_library_sees_it),
	    cmocka_unit_test(a_log_cut_anywhere_is_seen_as_the_library_sees_it),
	    cmocka_unit_test(
		a_log_with_a_flipped_byte_is_seen_as_the_library_sees_it),
	    cmocka_unit_test(a_hot_journal_is_rolled_back_as_the_library_does),
	    cmocka_unit_test(
		a_journal_cut_or_altered_is_played_as_the_library_does),
	    cmocka_unit_test(columns_that_are_not_there_are_null),
	    cmocka_unit_test(
		a_database_cut_or_altered_ends_in_rows_or_a_told_failure),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
