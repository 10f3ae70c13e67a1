#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/reg.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * A database, its log and its journal, as one tree that every reader of
 * registries is run over.  The first byte says how they are made:
 *
 *	0	from the input: two lengths (u16, little-endian) of log and
 *		journal, then log, journal, database
 *	1, 2, 3	from a real database that SQLite made here: with neither, with
 *		its log, with its journal; the input is a list of changes:
 *		file (u8), place (u24), value (u8)
 *
 * Asserted: the reader's failures are told, never ours; two runs say the
 * same.
 */
struct image {
	uint8_t *p;
	size_t n;
};

/* database, log, journal; of a database with and without log mode. */
static struct image base[2][3];

static struct image
load(const char *path)
{
	struct image i = {malloc(1 << 20), 0};
	FILE *f = fopen(path, "rb");

	BUG_ON(i.p == NULL || f == NULL);
	i.n = fread(i.p, 1, 1 << 20, f);
	(void)fclose(f);
	(void)unlink(path);
	return i;
}

static void
run(sqlite3 *db, const char *sql)
{
	BUG_ON(sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK);
}

static const char schema[] =
    "CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE runs(run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, "
    "start_time BIGINT, user_id TEXT, experiment_id INTEGER);"
    "CREATE TABLE tags(key TEXT, value TEXT, run_uuid TEXT);"
    "CREATE TABLE model_versions(name TEXT, version INTEGER, source TEXT, "
    "run_id TEXT, PRIMARY KEY(name, version)) WITHOUT ROWID;"
    "CREATE TABLE registered_model_aliases(name TEXT, alias TEXT, version "
    "INTEGER);"
    "CREATE TABLE Type(id INTEGER, name TEXT);"
    "CREATE TABLE Context(id INTEGER, type_id INTEGER, name TEXT);"
    "CREATE TABLE Attribution(artifact_id INTEGER, context_id INTEGER);"
    "CREATE VIEW params AS SELECT * FROM tags;"
    "CREATE INDEX i ON tags(run_uuid);"
    "INSERT INTO experiments VALUES(1, 'e');"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
    "i < 40) INSERT INTO tags SELECT 'mlflow.user', hex(zeroblob(i * 20)), "
    "i FROM n;"
    "INSERT INTO runs SELECT run_uuid, key, 'FINISHED', 5, 'u', 1 FROM tags;"
    "INSERT INTO model_versions SELECT 'm', rowid, value, run_uuid FROM "
    "tags;"
    "INSERT INTO registered_model_aliases VALUES('m', 'a', 3);"
    "INSERT INTO Type VALUES(1, 'kf.ModelVersion');"
    "INSERT INTO Context VALUES(1, 1, '3:v');";

static void
make(int log)
{
	char folder[] = "/tmp/fuzz_sqlitedb.XXXXXX", path[64], more[80];
	sqlite3 *db;

	BUG_ON(mkdtemp(folder) == NULL);
	(void)snprintf(path, sizeof(path), "%s/a.db", folder);
	BUG_ON(sqlite3_open(path, &db) != SQLITE_OK);
	run(db, "PRAGMA page_size=512; PRAGMA synchronous=OFF");
	if (log)
		run(db, "PRAGMA journal_mode=WAL;"
		    "PRAGMA wal_autocheckpoint=0");
	run(db, schema);
	if (log)
		run(db, "PRAGMA wal_checkpoint(RESTART)");
	else
		run(db, "PRAGMA cache_size=2; BEGIN");
	run(db, "UPDATE tags SET value='x'; UPDATE runs SET user_id='z'");
	base[log][0] = load(path);
	(void)snprintf(more, sizeof(more), "%s-%s", path, log ? "wal" :
	    "journal");
	base[log][log ? 1 : 2] = load(more);
	(void)sqlite3_close(db);
	(void)snprintf(more, sizeof(more), "%s-shm", path);
	(void)unlink(more);
	(void)unlink(path);
	(void)rmdir(folder);
}

static int
open_file(void *ctx, const struct reg_file *f, struct bytesrc **ret,
    struct err *e)
{
	const struct image *i = f->ctx;

	(void)ctx;
	*ret = bytesrc_mem(i->p, i->n, e);
	return *ret == NULL ? ERR_NOMEM : 0;
}

static void
add(uint64_t *hash, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n && s != NULL; i++)
		*hash = *hash * 131 + s[i];
}

static int
on_row(void *ctx, const struct reg_row *row)
{
	for (unsigned i = 0; i < REG_COLUMNS; i++)
		if (row->v[i].set && row->v[i].p != NULL)
			add(ctx, row->v[i].p, row->v[i].n);
	return 0;
}

static int
on_problem(void *ctx, const struct reg_told *t)
{
	add(ctx, t->path, t->path_len);
	for (unsigned i = 0; i < t->facts; i++)
		add(ctx, t->fact[i].p, t->fact[i].n);
	return 0;
}

static uint64_t
read_tree(const struct reg_tree *t)
{
	struct arena *a = arena_new(MIB);
	struct err e = ERR_INIT;
	uint64_t hash = 0;
	const struct reg_events ev = {on_row, on_problem, &hash};
	int r;

	BUG_ON(a == NULL);
	r = reg_run(t, "mlflow-db", &ev, a, &e);
	BUG_ON(r != 0 && r != 1 && r != REG_NONE);
	r = reg_run(t, "kubeflow-db", &ev, a, &e);
	BUG_ON(r != 0 && r != 1 && r != REG_NONE);
	arena_free(a);
	return hash;
}

static void
run_images(struct image i[3])
{
	struct reg_file f[3] = {
	    {.path = "mlflow.db", .path_len = 9},
	    {.path = "mlflow.db-journal", .path_len = 17},
	    {.path = "mlflow.db-wal", .path_len = 13}};
	struct reg_tree t = {.file = f, .files = 3, .open = open_file};

	f[0].ctx = &i[0];
	f[1].ctx = &i[2];
	f[2].ctx = &i[1];
	for (int k = 0; k < 3; k++)
		f[k].size = ((struct image *)f[k].ctx)->n;
	BUG_ON(read_tree(&t) != read_tree(&t));
}

static void
from_input(const uint8_t *p, size_t n)
{
	size_t wal, journal;
	struct image i[3];
	uint8_t *copy;

	if (n < 4 || (copy = malloc(n)) == NULL)
		return;
	memcpy(copy, p, n);
	wal = (size_t)p[0] | (size_t)p[1] << 8;
	journal = (size_t)p[2] | (size_t)p[3] << 8;
	if (wal + journal + 4 <= n) {
		i[1] = (struct image){copy + 4, wal};
		i[2] = (struct image){copy + 4 + wal, journal};
		i[0] = (struct image){copy + 4 + wal + journal,
		    n - 4 - wal - journal};
		run_images(i);
	}
	free(copy);
}

static void
from_changes(const struct image from[3], const uint8_t *p, size_t n)
{
	struct image i[3];

	for (int k = 0; k < 3; k++) {
		i[k].n = from[k].n;
		i[k].p = malloc(from[k].n + 1);
		BUG_ON(i[k].p == NULL);
		if (from[k].n > 0)
			memcpy(i[k].p, from[k].p, from[k].n);
	}
	for (; n >= 5; p += 5, n -= 5) {
		struct image *to = &i[p[0] % 3];
		size_t at = (size_t)p[1] | (size_t)p[2] << 8 |
		    (size_t)p[3] << 16;

		if (p[0] >= 0xf0 && at < to->n)
			to->n = at;
		else if (to->n > 0)
			to->p[at % to->n] = p[4];
	}
	run_images(i);
	for (int k = 0; k < 3; k++)
		free(i[k].p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct image none[3];

	if (base[0][0].p == NULL) {
		make(0);
		make(1);
	}
	if (n == 0)
		return 0;
	switch (p[0] & 3) {
	case 0:
		from_input(p + 1, n - 1);
		break;
	case 1:
		memcpy(none, base[1], sizeof(none));
		none[1].n = none[2].n = 0;
		from_changes(none, p + 1, n - 1);
		break;
	default:
		from_changes(base[p[0] & 1 ? 0 : 1], p + 1, n - 1);
		break;
	}
	return 0;
}
