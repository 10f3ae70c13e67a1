#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "tests/lib/reg_case.h"

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
run(const char *reader, int rc, unsigned problems)
{
	reg_case_run(&k, reader);
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
answers_of_one_folder_give_each_other_names(void **state)
{
	(void)state;
	reg_case_text(&k, "kubeflow/model_versions.json", "{\"items\": "
	    "[{\"id\": \"12\", \"name\": \"v6\", \"registeredModelId\": "
	    "\"3\", \"author\": \"svc\", \"state\": \"LIVE\", "
	    "\"createTimeSinceEpoch\": \"5\", \"customProperties\": "
	    "{\"sha256\": {\"metadataType\": \"MetadataStringValue\", "
	    "\"string_value\": \"abab\"}}}], \"nextPageToken\": \"\", "
	    "\"size\": 1}");
	reg_case_text(&k, "kubeflow/registered_models.json", "{\"items\": "
	    "[{\"id\": \"3\", \"name\": \"fraud\", \"owner\": \"risk\", "
	    "\"state\": \"ARCHIVED\", \"createTimeSinceEpoch\": \"1\"}], "
	    "\"nextPageToken\": \"x\", \"size\": 1}");
	reg_case_text(&k, "kubeflow/services.json", "{\"id\": \"7\", "
	    "\"name\": \"front\", \"servingEnvironmentId\": \"1\", "
	    "\"registeredModelId\": \"3\", \"modelVersionId\": \"12\", "
	    "\"desiredState\": \"DEPLOYED\", \"runtime\": \"triton\"}");
	reg_case_text(&k, "kubeflow/artifacts.json", "{\"items\": [{\"id\": "
	    "\"9\", \"artifactType\": \"model-artifact\", \"uri\": "
	    "\"s3://b/m\", \"state\": \"DELETED\", "
	    "\"createTimeSinceEpoch\": \"2\"}, {\"id\": \"10\", "
	    "\"artifactType\": \"dataset-artifact\", \"name\": \"d\", "
	    "\"digest\": \"ff\", \"uri\": \"s3://b/d\"}]}");
	run("kubeflow", 0, 1);
	has("model source=kubeflow/registered_models.json model=fraud "
	    "stage=ARCHIVED user=risk created=1000000 key=id value=3");
	has("version source=kubeflow/model_versions.json model=fraud "
	    "version=v6 stage=LIVE algorithm=sha256 digest=abab user=svc "
	    "created=5000000 key=id value=12");
	has("tag source=kubeflow/model_versions.json model=fraud version=v6 "
	    "key=sha256 value=abab");
	has("deployment source=kubeflow/services.json model=fraud "
	    "version=v6 alias=front stage=DEPLOYED artifact=triton key=id "
	    "value=7");
	has("artifact source=kubeflow/artifacts.json status=DELETED "
	    "artifact=s3://b/m created=2000000 key=id value=9");
	has("dataset source=kubeflow/artifacts.json dataset=d "
	    "artifact=s3://b/d digest=ff key=id value=10");
	has("MISSING path=kubeflow/registered_models.json reason=the page "
	    "behind this one");
	assert_int_equal(k.rows, 6);
}

static void
other_json_is_no_answer(void **state)
{
	(void)state;
	reg_case_text(&k, "kubeflow.json", "{\"a\": 1}");
	reg_case_text(&k, "x.json", "{\"registeredModelId\": 1}");
	run("kubeflow", 0, 0);
	assert_int_equal(k.rows, 0);
	reg_case_text(&k, "kubeflow.json", "{\"registeredModelId\": ");
	run("kubeflow", 1, 1);
	reg_case_text(&k, "kubeflow.json", "{\"items\": "
	    "[{\"registeredModelId\": \"1\", \"name\": \"a\"}, 5, [], "
	    "{\"uri\": \"x\"}]}");
	assert_null(reg_case_sweep(&k, "kubeflow", "kubeflow.json", 100, 9));
}

static const char schema[] =
    "CREATE TABLE Type(id INTEGER PRIMARY KEY, name TEXT, type_kind INT);"
    "CREATE TABLE Context(id INTEGER PRIMARY KEY, type_id INT, name TEXT, "
    "create_time_since_epoch INT, last_update_time_since_epoch INT);"
    "CREATE TABLE ContextProperty(context_id INT, name TEXT, "
    "is_custom_property INT, int_value INT, double_value DOUBLE, "
    "string_value TEXT, bool_value INT);"
    "CREATE TABLE Artifact(id INTEGER PRIMARY KEY, type_id INT, uri TEXT, "
    "state INT, name TEXT, create_time_since_epoch INT, "
    "last_update_time_since_epoch INT);"
    "CREATE TABLE ArtifactProperty(artifact_id INT, name TEXT, "
    "is_custom_property INT, int_value INT, double_value DOUBLE, "
    "string_value TEXT);"
    "CREATE TABLE Attribution(id INT, context_id INT, artifact_id INT);"
    "INSERT INTO Type VALUES(1, 'kf.RegisteredModel', 2), (2, "
    "'kf.ModelVersion', 2), (3, 'kf.ModelArtifact', 1), (4, "
    "'system.PipelineRun', 2), (5, 'system.Dataset', 1);"
    "INSERT INTO Context VALUES(3, 1, 'fraud', 10, 11), (12, 2, '3:v6', 12,"
    " 13), (20, 4, 'run-a', 14, 0);"
    "INSERT INTO ContextProperty VALUES(12, 'author', 0, NULL, NULL, 'svc',"
    " NULL), (12, 'score', 1, NULL, 0.25, NULL, NULL);"
    "INSERT INTO Artifact VALUES(9, 3, 's3://b/m', 2, '12:model', 15, 16), "
    "(10, 5, 's3://b/d', 4, 'data', 17, 18);"
    "INSERT INTO ArtifactProperty VALUES(9, 'sha256', 1, NULL, NULL, "
    "'abab');"
    "INSERT INTO Attribution VALUES(1, 12, 9);";

static void
metadata_of_a_database_is_rows(void **state)
{
	unsigned char *p;
	sqlite3_int64 size;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, schema, NULL, NULL, NULL),
	    SQLITE_OK);
	p = sqlite3_serialize(db, "main", &size, 0);
	reg_case_put(&k, "metadata.sqlite.db", p, (size_t)size);
	sqlite3_free(p);
	sqlite3_close(db);
	run("kubeflow-db", 0, 0);
	has("model source=metadata.sqlite.db model=fraud created=10000000 "
	    "updated=11000000 key=context value=3");
	has("version source=metadata.sqlite.db model=fraud version=v6 "
	    "created=12000000 updated=13000000 key=context value=12");
	has("run source=metadata.sqlite.db run=run-a created=14000000 "
	    "key=context value=20 description=system.PipelineRun");
	has("artifact source=metadata.sqlite.db model=fraud version=v6 "
	    "status=LIVE artifact=s3://b/m created=15000000 "
	    "updated=16000000 key=artifact value=9 "
	    "description=kf.ModelArtifact");
	has("dataset source=metadata.sqlite.db status=DELETED dataset=data "
	    "artifact=s3://b/d created=17000000 updated=18000000 "
	    "key=artifact value=10 description=system.Dataset");
	has("tag source=metadata.sqlite.db model=fraud version=v6 "
	    "key=author value=svc");
	has("tag source=metadata.sqlite.db model=fraud version=v6 "
	    "key=score value=0.25");
	has("tag source=metadata.sqlite.db model=fraud version=v6 "
	    "key=sha256 value=abab");
	/* It is no business of MLflow's reader. */
	run("mlflow-db", 0, 0);
	assert_int_equal(k.rows, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(answers_of_one_folder_give_each_other_names),
	    TEST(other_json_is_no_answer),
	    TEST(metadata_of_a_database_is_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
