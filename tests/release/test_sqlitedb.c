#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "formats/doc.h"
#include "formats/reg/sqlitedb.h"

/*
 * SQLite and libyaml behind the fence: neither may need a system call that a
 * worker does not have.  The child has never used SQLite before it enters.
 */
static char path[] = "/tmp/test_sqlitedb.XXXXXX";
static int db_fd = -1;
static uint64_t db_size;
static struct sandbox_status here;

/* How a child that entered the fence and called fn(arg) has ended. */
static int
fenced(int (*fn)(long arg), long arg)
{
	const struct sandbox_policy p = {.out_fd = {-1, -1},
	    .max_as = LIMIT_WORKER_AS};
	struct sandbox_status st;
	int status;
	pid_t pid;

	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(sandbox_enter(&p, &st, NULL) < 0 || !st.seccomp ? 100 :
		    fn(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
need_seccomp(void)
{
	if (here.seccomp)
		return;
	(void)printf("SKIP: no seccomp here\n");
	skip();
}

static int
count(void *ctx, const struct sqlitedb_value *v)
{
	*(int64_t *)ctx += v[0].i + (int64_t)v[1].n;
	return 0;
}

static int
read_rows(long want)
{
	static const char *const columns[] = {"a", "b"};
	struct err e = ERR_INIT;
	struct arena *a;
	struct bytesrc *src;
	struct sqlitedb *db;
	int64_t sum = 0;

	if ((a = arena_new(64 * MIB)) == NULL ||
	    (src = bytesrc_fd(db_fd, 0, db_size, &e)) == NULL)
		return 1;
	if (sqlitedb_open(src, NULL, NULL, a, &db, &e) < 0)
		return 2;
	if (sqlitedb_select(db, "t", columns, 2, count, &sum, &e) < 0)
		return 3;
	sqlitedb_close(db);
	bytesrc_free(src);
	arena_free(a);
	return sum == want ? 0 : 4;
}

static int
read_yaml(long want)
{
	static const char text[] = "a: [1, 2]\nb: {c: 40}\n";
	struct arena *a = arena_new(MIB);
	struct doc_fault at;
	struct err e = ERR_INIT;
	const struct doc *d;
	int64_t v;

	if (a == NULL || doc_yaml(text, sizeof(text) - 1, a, &d, &at, &e) < 0)
		return 1;
	return doc_i64(doc_get(d, "0.b.c"), &v) && v == want ? 0 : 2;
}

static int
setup(void **state)
{
	struct stat st;
	sqlite3 *db;
	int fd = mkstemp(path);

	(void)state;
	sandbox_probe(&here);
	if (fd < 0 || close(fd) < 0 || sqlite3_open(path, &db) != SQLITE_OK)
		return 1;
	if (sqlite3_exec(db, "CREATE TABLE t(a INTEGER, b TEXT);"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 2000) INSERT INTO t SELECT i, hex(zeroblob(50)) "
	    "FROM n", NULL, NULL, NULL) != SQLITE_OK)
		return 1;
	(void)sqlite3_close(db);
	(void)sqlite3_shutdown();
	if ((db_fd = open(path, O_RDONLY)) < 0 || fstat(db_fd, &st) < 0)
		return 1;
	db_size = (uint64_t)st.st_size;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(db_fd);
	return unlink(path);
}

static void
a_database_is_read_behind_the_fence(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(fenced(read_rows, 2001000 + 2000 * 100), 0);
}

static void
yaml_is_read_behind_the_fence(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(fenced(read_yaml, 40), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_database_is_read_behind_the_fence),
	    cmocka_unit_test(yaml_is_read_behind_the_fence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
