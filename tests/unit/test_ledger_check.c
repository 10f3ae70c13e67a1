#include <fcntl.h>

#include "tests/unit/ledger_fixture.h"

static void
update_and_delete_are_refused(void **state)
{
	struct fixture *f = *state;

	append(f->l, 4);
	shut(f);
	raw_refused(f, "UPDATE event SET body='{}' WHERE seq=2", "append-only");
	raw_refused(f, "UPDATE event SET seq=9 WHERE seq=4", "append-only");
	raw_refused(f, "DELETE FROM event WHERE seq=4", "append-only");
	raw_refused(f, "DELETE FROM event", "append-only");
	raw_refused(f, "UPDATE node SET hash=zeroblob(32)", "append-only");
	raw_refused(f, "DELETE FROM node WHERE level=1", "append-only");
	opens(f, 4);
}

static void
an_insert_out_of_order_is_refused(void **state)
{
	struct fixture *f = *state;

	append(f->l, 2);
	shut(f);
	raw_refused(f,
	    "INSERT INTO event SELECT 4,body,leaf,chain,"
	    "zeroblob(32) FROM event WHERE seq=2",
	    "not the next event");
	raw_refused(f,
	    "INSERT INTO event SELECT 3,body,leaf,prev,"
	    "zeroblob(32) FROM event WHERE seq=2",
	    "not the next event");
	raw_refused(f,
	    "INSERT OR REPLACE INTO event SELECT 2,body,leaf,"
	    "prev,zeroblob(32) FROM event WHERE seq=2",
	    "not the next event");
	raw_refused(f, "INSERT INTO node VALUES(0,3,zeroblob(32))",
	    "not the next node");
	raw_refused(f,
	    "INSERT OR REPLACE INTO node "
	    "VALUES(0,1,zeroblob(32))",
	    "not the next node");
	opens(f, 2);
}

static void
tampering_is_found_at_open(void **state)
{
	static const struct {
		const char *sql, *why;
	} rows[] = {{"UPDATE event SET body=replace(body,'body 3','body 8') "
		     "WHERE seq=3",
			"event 3: the leaf"},
	    {"UPDATE event SET body=body||' ' WHERE seq=6",
		"event 6: the leaf"},
	    {"UPDATE event SET leaf=(SELECT leaf FROM event WHERE seq=1) "
	     "WHERE seq=2",
		"event 2: the leaf"},
	    {"UPDATE event SET prev=zeroblob(32) WHERE seq=4",
		"event 4: it does not continue"},
	    {"UPDATE event SET chain=zeroblob(32) WHERE seq=6",
		"event 6: the chain"},
	    {"UPDATE node SET hash=zeroblob(32) WHERE level=1 AND idx=1",
		"node (1, 1)"},
	    {"UPDATE node SET hash=zeroblob(32) WHERE level=2 AND idx=0",
		"node (2, 0)"},
	    {"DELETE FROM node WHERE level=0 AND idx=5", "node (0, 5)"},
	    {"INSERT INTO node VALUES(7,0,zeroblob(32))", "tree nodes"},
	    {"DELETE FROM event WHERE seq=3", "event 3: it is missing"},
	    {"DELETE FROM event WHERE seq=6", "tree nodes"},
	    {"DELETE FROM event", "tree nodes"},
	    {"DELETE FROM event WHERE seq=1", "event 1: it is missing"},
	    {"UPDATE event SET seq=seq+10 WHERE seq=6",
		"event 6: it is missing"}};
	struct fixture *f = *state;
	char sql[4096];
	sqlite3 *db, *copy;
	size_t i;

	append(f->l, 6);
	shut(f);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sqlite3_backup *b;

		/* A copy in memory to go back to. */
		db = raw_open(f);
		assert_int_equal(sqlite3_open(":memory:", &copy), SQLITE_OK);
		b = sqlite3_backup_init(copy, "main", db, "main");
		assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
		sqlite3_backup_finish(b);
		sqlite3_close(db);

		snprintf(sql, sizeof(sql), "%s%s;%s", DROP, rows[i].sql,
		    RESTORE);
		raw(f, sql);
		open_fails(f, ERR_VERIFY, rows[i].why);

		db = raw_open(f);
		b = sqlite3_backup_init(db, "main", copy, "main");
		assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
		sqlite3_backup_finish(b);
		sqlite3_close(db);
		sqlite3_close(copy);
		opens(f, 6);
		shut(f);
	}
}

static void
a_changed_schema_is_found(void **state)
{
	struct fixture *f = *state;

	append(f->l, 1);
	shut(f);
	raw(f, DROP RESTORE);
	opens(f, 1);
	shut(f);
	raw(f, "DROP TRIGGER event_order");
	open_fails(f, ERR_VERIFY, "'event_order' is missing");
	raw(f, "CREATE TRIGGER event_order BEFORE INSERT ON event "
	       "BEGIN SELECT 1; END");
	open_fails(f, ERR_VERIFY, "'event_order' is not as it was made");
	raw(f, "DROP TRIGGER event_order;" LEDGER_SQL_EVENT_ORDER);
	opens(f, 1);
	shut(f);
	raw(f, "CREATE TRIGGER more AFTER INSERT ON event "
	       "BEGIN DELETE FROM item; END");
	open_fails(f, ERR_VERIFY, "'more' is not as it was made");
}

static void
a_full_rewrite_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct ledger_head was, is;

	/*
	 * The ledger alone cannot know: the head that left the machine does.
	 */
	append(f->l, 3);
	assert_int_equal(ledger_head(f->l, &was, NULL), 0);
	shut(f);
	raw(f, DROP "DELETE FROM event;DELETE FROM node;" RESTORE);
	assert_int_equal(ledger_open(f->path, false, &f->l, NULL), 0);
	assert_int_equal(ledger_append(f->l, "{}", 2, NULL, NULL), 0);
	assert_int_equal(ledger_append(f->l, "[]", 2, NULL, NULL), 0);
	assert_int_equal(ledger_append(f->l, "{}", 2, NULL, NULL), 0);
	assert_int_equal(ledger_head(f->l, &is, NULL), 0);
	assert_int_equal(is.size, was.size);
	assert_memory_not_equal(is.root, was.root, 32);
	assert_memory_not_equal(is.chain, was.chain, 32);
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
what_is_no_ledger_is_refused(void **state)
{
	struct fixture *f = *state;

	shut(f);
	raw(f, "PRAGMA user_version=2");
	open_fails(f, ERR_UNSUPPORTED, "version 2");
	raw(f, "PRAGMA user_version=1;PRAGMA application_id=7");
	open_fails(f, ERR_FORMAT, "application_id 7");
	write_file(f->path, "");
	open_fails(f, ERR_FORMAT, "application_id 0");
	write_file(f->path, "this is some text and no database at all");
	open_fails(f, ERR_FORMAT, "not a database");
	unlink(f->path);
	open_fails(f, ERR_NOTFOUND, "cannot open");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEDGER_TEST(update_and_delete_are_refused),
	    LEDGER_TEST(an_insert_out_of_order_is_refused),
	    LEDGER_TEST(tampering_is_found_at_open),
	    LEDGER_TEST(a_changed_schema_is_found),
	    LEDGER_TEST(a_full_rewrite_is_not_found),
	    LEDGER_TEST(what_is_no_ledger_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
