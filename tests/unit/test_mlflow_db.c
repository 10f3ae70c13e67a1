#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "tests/lib/reg_case.h"

/*
 * A database of each generation of MLflow's schema, with the columns that
 * matter, made by SQLite itself.
 */
static const char first[] =	/* 2019, before latest_metrics */
    "CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name TEXT,"
    " artifact_location TEXT, lifecycle_stage TEXT);"
    "CREATE TABLE runs(run_uuid TEXT PRIMARY KEY, name TEXT, source_type "
    "TEXT, source_name TEXT, entry_point_name TEXT, user_id TEXT, status "
    "TEXT, start_time BIGINT, end_time BIGINT, source_version TEXT, "
    "lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);"
    "CREATE TABLE tags(key TEXT, value TEXT, run_uuid TEXT);"
    "CREATE TABLE params(key TEXT, value TEXT, run_uuid TEXT);"
    "CREATE TABLE metrics(key TEXT, value FLOAT, timestamp BIGINT, run_uuid "
    "TEXT);"
    "INSERT INTO experiments VALUES(0, 'Default', 's3://b/0', 'active');"
    "INSERT INTO runs VALUES('r1', '', 'LOCAL', 'x', '', 'ann', 'FINISHED',"
    " 1000, 2000, 'c0ffee', 'active', 's3://b/0/r1/artifacts', 0);"
    "INSERT INTO tags VALUES('mlflow.user', 'ann', 'r1');"
    "INSERT INTO metrics VALUES('loss', 0.1, 5, 'r1'), ('loss', 0.3, 6, "
    "'r1');";

static const char registry[] =	/* 1.x: models, versions; 2.3: aliases */
    "CREATE TABLE latest_metrics(key TEXT, value FLOAT, timestamp BIGINT, "
    "step BIGINT, is_nan BOOLEAN, run_uuid TEXT);"
    "CREATE TABLE registered_models(name TEXT PRIMARY KEY, creation_time "
    "BIGINT, last_updated_time BIGINT, description TEXT);"
    "CREATE TABLE model_versions(name TEXT, version INTEGER, creation_time "
    "BIGINT, last_updated_time BIGINT, description TEXT, user_id TEXT, "
    "current_stage TEXT, source TEXT, run_id TEXT, status TEXT, "
    "status_message TEXT, run_link TEXT, PRIMARY KEY(name, version));"
    "CREATE TABLE registered_model_aliases(alias TEXT, version INTEGER, "
    "name TEXT);"
    "CREATE TABLE model_version_tags(key TEXT, value TEXT, name TEXT, "
    "version INTEGER);"
    "INSERT INTO latest_metrics VALUES('loss', 0.3, 6, 1, 0, 'r1'), "
    "('bad', 0, 7, 1, 1, 'r1');"
    "INSERT INTO registered_models VALUES('iris', 10, 20, 'flowers');"
    "INSERT INTO model_versions VALUES"
    "('iris', 1, 11, 12, NULL, '', 'Production', 's3://b/0/r1/m', 'r1', "
    "'READY', '', ''),"
    "('iris', 2, 13, 14, NULL, NULL, 'Deleted_Internal', "
    "'REDACTED-SOURCE-PATH', 'REDACTED-RUN-ID', 'READY', '', ''),"
    "('iris', 5, 15, 16, NULL, NULL, 'None', 's3://b/0/gone/m', 'gone', "
    "'READY', '', '');"
    "INSERT INTO registered_model_aliases VALUES('prod', 1, 'iris'), "
    "('next', 2, 'iris');"
    "INSERT INTO model_version_tags VALUES('k', 'v', 'iris', 5);";

static const char third[] =	/* 3.x */
    "ALTER TABLE model_versions ADD COLUMN storage_location TEXT;"
    "CREATE TABLE logged_models(model_id TEXT PRIMARY KEY, experiment_id "
    "INTEGER, name TEXT, artifact_location TEXT, creation_timestamp_ms "
    "BIGINT, last_updated_timestamp_ms BIGINT, status INTEGER, "
    "lifecycle_stage TEXT, model_type TEXT, source_run_id TEXT, "
    "status_message TEXT);"
    "CREATE TABLE datasets(dataset_uuid TEXT, experiment_id INTEGER, name "
    "TEXT, digest TEXT, dataset_source_type TEXT, dataset_source TEXT);"
    "CREATE TABLE inputs(input_uuid TEXT, source_type TEXT, source_id TEXT,"
    " destination_type TEXT, destination_id TEXT, step BIGINT);"
    "CREATE TABLE input_tags(input_uuid TEXT, name TEXT, value TEXT);"
    "CREATE TABLE trace_info(request_id TEXT, experiment_id INTEGER, "
    "timestamp_ms BIGINT);"
    "INSERT INTO logged_models VALUES('m-1', 0, 'model', "
    "'file:///x/models/m-1/artifacts', 21, 22, 2, 'active', '', 'r1', '');"
    "INSERT INTO model_versions VALUES('iris', 3, 17, 18, NULL, NULL, "
    "'None', 'models:/m-1', 'r1', 'READY', '', '', "
    "'file:///x/models/m-1/artifacts'), ('iris', 4, 17, 18, NULL, NULL, "
    "'None', 'models:/m-2', 'r1', 'READY', '', '', NULL);"
    "INSERT INTO datasets VALUES('d1', 0, 'wine', '00c1b571', 'local', "
    "'{}');"
    "INSERT INTO inputs VALUES('i1', 'DATASET', 'd1', 'RUN', 'r1', 0), "
    "('i2', 'RUN_OUTPUT', 'r1', 'MODEL_OUTPUT', 'm-1', 0);"
    "INSERT INTO input_tags VALUES('i1', 'mlflow.data.context', "
    "'training');"
    "INSERT INTO trace_info VALUES('t1', 0, 100), ('t2', 0, 90), ('t3', 7, "
    "1);";

static const char workspaces[] =	/* 2026 */
    "ALTER TABLE registered_models ADD COLUMN workspace TEXT DEFAULT "
    "'default' NOT NULL;"
    "ALTER TABLE model_versions ADD COLUMN workspace TEXT DEFAULT 'default' "
    "NOT NULL;"
    "CREATE TABLE endpoints(endpoint_id TEXT, name TEXT, workspace TEXT);"
    "CREATE TABLE model_definitions(model_definition_id TEXT, provider "
    "TEXT, model_name TEXT);"
    "CREATE TABLE endpoint_model_mappings(endpoint_id TEXT, "
    "model_definition_id TEXT, weight FLOAT, linkage_type TEXT, created_by "
    "TEXT, created_at BIGINT);"
    "CREATE TABLE secrets(secret_name TEXT, encrypted_value BLOB, provider "
    "TEXT, created_by TEXT, created_at BIGINT, last_updated_at BIGINT);"
    "CREATE TABLE webhooks(url TEXT, name TEXT, status TEXT, secret TEXT);"
    "INSERT INTO registered_models VALUES('iris', 30, 40, NULL, 'red');"
    "INSERT INTO endpoints VALUES('e1', 'chat', 'red');"
    "INSERT INTO model_definitions VALUES('d1', 'openai', 'gpt-x');"
    "INSERT INTO endpoint_model_mappings VALUES('e1', 'd1', 0.25, "
    "'PRIMARY', 'eve', 50);"
    "INSERT INTO secrets VALUES('key', x'00', 'openai', 'eve', 60, 70);"
    "INSERT INTO webhooks VALUES('http://evil/', 'w', 'ACTIVE', 'hidden');";

static struct reg_case k;

static int
setup(void **state)
{
	(void)state;
	reg_case_init(&k);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	reg_case_release(&k);
	return 0;
}

static void
execute(sqlite3 *db, const char *sql)
{
	char *says = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &says) != SQLITE_OK)
		fail_msg("%s", says);
}

/* The first ${n} generations as the file ${path} of the tree. */
static void
build(const char *path, int n, const char *more)
{
	static const char *const parts[] = {first, registry, third,
	    workspaces};
	unsigned char *p;
	sqlite3_int64 size;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	for (int i = 0; i < n; i++) {
		/* The newest has the name in another key. */
		if (i == 3)
			execute(db, "ALTER TABLE registered_models RENAME TO "
			    "o; CREATE TABLE registered_models(name TEXT, "
			    "creation_time BIGINT, last_updated_time BIGINT,"
			    " description TEXT); INSERT INTO "
			    "registered_models SELECT * FROM o; DROP TABLE "
			    "o");
		execute(db, parts[i]);
	}
	execute(db, more);
	p = sqlite3_serialize(db, "main", &size, 0);
	assert_non_null(p);
	reg_case_put(&k, path, p, (size_t)size);
	sqlite3_free(p);
	sqlite3_close(db);
}

static void
run(int rc, unsigned problems)
{
	reg_case_run(&k, "mlflow-db");
	assert_int_equal(k.rc, rc);
	assert_false(k.bad);
	if (k.problems != problems)
		fail_msg("%s", buf_str(&k.out));
}

static void
has(const char *line)
{
	assert_true(reg_case_has(&k, line));
}

static void
the_first_generation_has_runs_and_every_metric(void **state)
{
	(void)state;
	build("a/mlflow.db", 1, "");
	run(0, 0);
	has("run source=a/mlflow.db stage=active status=FINISHED run=r1 "
	    "experiment=Default commit=c0ffee "
	    "artifact=s3://b/0/r1/artifacts user=ann created=1000000000 "
	    "updated=2000000000");
	has("metric source=a/mlflow.db run=r1 updated=5000000 key=loss "
	    "value=0.1");
	has("metric source=a/mlflow.db run=r1 updated=6000000 key=loss "
	    "value=0.3");
	has("experiment source=a/mlflow.db stage=active experiment=Default "
	    "artifact=s3://b/0 key=experiment_id value=0");
}

static void
versions_and_aliases_are_rows_and_are_checked(void **state)
{
	(void)state;
	build("mlruns.sqlite", 2, "");
	run(0, 4);
	has("model source=mlruns.sqlite model=iris created=10000000 "
	    "updated=20000000 description=flowers");
	has("version source=mlruns.sqlite model=iris version=1 "
	    "stage=Production status=READY run=r1 artifact=s3://b/0/r1/m "
	    "created=11000000 updated=12000000 key=source "
	    "value=s3://b/0/r1/m");
	has("alias source=mlruns.sqlite model=iris version=1 alias=prod");
	has("tag source=mlruns.sqlite model=iris version=5 key=k value=v");
	has("metric source=mlruns.sqlite run=r1 updated=7000000 key=bad "
	    "value=nan");
	assert_int_equal(reg_case_count(&k, "metric "), 2);
	has("DELETED path=mlruns.sqlite model=iris version=2 "
	    "reason=marked as deleted");
	has("DELETED path=mlruns.sqlite model=iris version=3 to 4 "
	    "reason=missing from the sequence");
	has("ALIAS path=mlruns.sqlite model=iris alias=next version=2 "
	    "reason=no such version");
	has("MISSING path=mlruns.sqlite model=iris version=5 run=gone");
}

static void
logged_models_data_sets_and_traces_are_rows(void **state)
{
	(void)state;
	build("mlflow.db", 3, "DELETE FROM registered_model_aliases "
	    "WHERE alias = 'next'");
	run(0, 3);
	has("artifact source=mlflow.db stage=active status=READY run=r1 "
	    "experiment=Default artifact=file:///x/models/m-1/artifacts "
	    "created=21000000 updated=22000000 key=model_id value=m-1 "
	    "description=model");
	has("dataset source=mlflow.db experiment=Default dataset=wine "
	    "artifact={} digest=00c1b571 key=source_type value=local "
	    "description=d1");
	has("dataset source=mlflow.db run=r1 dataset=wine digest=00c1b571 "
	    "key=mlflow.data.context value=training description=d1");
	has("artifact source=mlflow.db run=r1 key=model_id value=m-1 "
	    "description=MODEL_OUTPUT");
	has("event source=mlflow.db experiment=Default created=90000000 "
	    "updated=100000000 key=traces value=2");
	has("event source=mlflow.db created=1000000 updated=1000000 "
	    "key=traces value=1");
	has("version source=mlflow.db model=iris version=3 stage=None "
	    "status=READY run=r1 artifact=file:///x/models/m-1/artifacts "
	    "created=17000000 updated=18000000 key=source "
	    "value=models:/m-1");
	has("MISSING path=mlflow.db model=iris version=4 model_id=m-2");
}

static void
workspaces_and_the_gateway_are_seen_and_no_secret(void **state)
{
	(void)state;
	build("mlflow.db", 4, "");
	run(0, 4);
	has("model source=mlflow.db model=red/iris created=30000000 "
	    "updated=40000000");
	has("model source=mlflow.db model=iris created=10000000 "
	    "updated=20000000 description=flowers");
	has("deployment source=mlflow.db model=openai/gpt-x alias=red/chat "
	    "stage=PRIMARY user=eve created=50000000 key=weight "
	    "value=0.25");
	has("event source=mlflow.db user=eve created=60000000 "
	    "updated=70000000 key=secret value=key description=openai");
	has("event source=mlflow.db status=ACTIVE key=webhook "
	    "value=http://evil/ description=w");
	assert_null(strstr(buf_str(&k.out), "hidden"));
}

static void
artifacts_are_found_beside_the_database(void **state)
{
	(void)state;
	build("srv/mlflow.db", 3, "DELETE FROM model_versions");
	reg_case_text(&k, "srv/models/m-1/artifacts/MLmodel", "x");
	run(0, 2);
	has("artifact source=srv/mlflow.db stage=active status=READY run=r1 "
	    "experiment=Default artifact=file:///x/models/m-1/artifacts "
	    "member=srv/models/m-1/artifacts "
	    "created=21000000 updated=22000000 key=model_id value=m-1 "
	    "description=model");
}

static void
users_that_disagree_and_triggers_are_told(void **state)
{
	(void)state;
	build("mlflow.db", 1, "UPDATE tags SET value='eve'; CREATE TRIGGER t "
	    "AFTER UPDATE ON runs BEGIN DELETE FROM tags; END; CREATE VIEW v "
	    "AS SELECT * FROM runs");
	run(0, 1);
	has("DISAGREES path=mlflow.db key=user run=r1 user_id=ann "
	    "tag=eve");
	has("event source=mlflow.db key=trigger, view or virtual table "
	    "value=t");
	has("event source=mlflow.db key=trigger, view or virtual table "
	    "value=v");
}

static void
a_table_that_is_a_view_is_not_read(void **state)
{
	(void)state;
	build("mlflow.db", 1, "ALTER TABLE params RENAME TO p; CREATE VIEW "
	    "params AS SELECT 'k' AS key, 'v' AS value, 'r1' AS run_uuid");
	run(0, 0);
	assert_int_equal(reg_case_count(&k, "param "), 0);
	has("event source=mlflow.db key=trigger, view or virtual table "
	    "value=params");
}

static void
put_file(const char *folder, const char *name, const char *tree)
{
	char path[96];
	char *p = malloc(1 << 20);
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_non_null(f = fopen(path, "rb"));
	assert_non_null(p);
	n = fread(p, 1, 1 << 20, f);
	assert_true(n > 0);
	(void)fclose(f);
	reg_case_put(&k, tree, p, n);
	free(p);
}

static void
what_is_only_in_the_log_is_seen_and_said(void **state)
{
	char folder[] = "/tmp/test_mlflow_db.XXXXXX", path[96];
	sqlite3 *db;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/m.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	execute(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; "
	    "PRAGMA wal_autocheckpoint=0");
	execute(db, first);
	execute(db, registry);
	execute(db, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE "
	    "registered_model_aliases SET version=5 WHERE alias='prod'");
	put_file(folder, "m.db", "m.db");
	put_file(folder, "m.db-wal", "m.db-wal");
	sqlite3_close(db);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
	run(0, 4);
	has("alias source=m.db model=iris version=5 alias=prod");
	has("event source=m.db-wal key=write-ahead log value=1 pages "
	    "replaced, 1 of 1 frames valid, 1 used");
	/* An altered frame is told, and is not seen. */
	reg_case_bytes(&k, "m.db-wal", &n)[32 + 24 + 100] ^= 1;
	run(1, 5);
	has("alias source=m.db model=iris version=1 alias=prod");
	has("MALFORMED path=m.db-wal off=32 reason=a frame's checksum does "
	    "not fit");
	reg_case_drop(&k, "m.db-wal");
	run(0, 4);
	has("alias source=m.db model=iris version=1 alias=prod");
}

static void
what_is_no_registry_or_broken_ends_as_it_should(void **state)
{
	(void)state;
	reg_case_text(&k, "notes.db", "not a database at all");
	build("cookies.db", 0, "CREATE TABLE t(a)");
	run(0, 0);
	assert_int_equal(k.rows, 0);
	assert_true(k.none);
	/* Nor is it one of Kubeflow's. */
	reg_case_run(&k, NULL);
	assert_true(k.none);
	/* One whose rows are all gone is a registry all the same. */
	build("emptied.db", 0, "CREATE TABLE experiments(experiment_id INT);"
	    "CREATE TABLE runs(run_uuid TEXT)");
	reg_case_run(&k, "mlflow-db");
	assert_false(k.none);
	reg_case_drop(&k, "emptied.db");
	reg_case_absent(&k, "mlflow.db", 1000);
	run(1, 1);
	has("UNREAD path=mlflow.db reason=not found");
}

static void
a_database_altered_anywhere_ends_well(void **state)
{
	uint32_t x = 7;
	uint8_t *p;
	size_t n;

	(void)state;
	build("mlflow.db", 3, "");
	p = reg_case_bytes(&k, "mlflow.db", &n);
	for (size_t cut = 0; cut < n; cut += cut < 110 ? 10 : 997) {
		reg_case_put(&k, "cut.db", p, cut);
		reg_case_run(&k, "mlflow-db");
		assert_true(k.rc == 0 || k.rc == 1);
		assert_false(k.bad);
	}
	reg_case_drop(&k, "cut.db");
	p = reg_case_bytes(&k, "mlflow.db", &n);
	for (int i = 0; i < 120; i++) {
		size_t at;
		uint8_t was;

		x = x * 1103515245 + 12345;
		at = (x >> 8) % n;
		was = p[at];
		p[at] = (uint8_t)(x >> 3);
		reg_case_run(&k, "mlflow-db");
		assert_true(k.rc == 0 || k.rc == 1);
		assert_false(k.bad);
		p[at] = was;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_first_generation_has_runs_and_every_metric),
	    TEST(versions_and_aliases_are_rows_and_are_checked),
	    TEST(logged_models_data_sets_and_traces_are_rows),
	    TEST(workspaces_and_the_gateway_are_seen_and_no_secret),
	    TEST(artifacts_are_found_beside_the_database),
	    TEST(users_that_disagree_and_triggers_are_told),
	    TEST(a_table_that_is_a_view_is_not_read),
	    TEST(what_is_only_in_the_log_is_seen_and_said),
	    TEST(what_is_no_registry_or_broken_ends_as_it_should),
	    TEST(a_database_altered_anywhere_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
