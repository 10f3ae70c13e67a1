#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define ONE "t/mlflow-rest/walk-1/"
#define TWO "t/mlflow-rest/walk-2/"
#define EXPERIMENTS "experiments/search/0001.json"
#define MODELS "registered-models/search/0001.json"
#define VERSIONS "model-versions/search/0001.json"
#define RUNS "runs/search/0001.json"

static struct reg_case k;

static const struct {
	const char *path, *text;
} pages[] = {
    {EXPERIMENTS, "{\"experiments\": [{\"experiment_id\": \"1\", \"name\": "
	"\"wine\", \"artifact_location\": \"s3://b/1\", \"lifecycle_stage\": "
	"\"active\", \"creation_time\": \"1000\", \"last_update_time\": "
	"2000, \"tags\": [{\"key\": \"team\", \"value\": \"red\"}]}]}"},
    {MODELS, "{\"registered_models\": [{\"name\": \"iris\", "
	"\"creation_timestamp\": \"10\", \"last_updated_timestamp\": 20, "
	"\"description\": \"d\", \"aliases\": [{\"alias\": \"prod\", "
	"\"version\": \"2\"}], \"latest_versions\": [{\"version\": \"2\"}]}],"
	" \"next_page_token\": \"\"}"},
    {VERSIONS, "{\"model_versions\": [{\"name\": \"iris\", \"version\": "
	"\"2\", \"creation_timestamp\": 11, \"last_updated_timestamp\": 12, "
	"\"current_stage\": \"None\", \"source\": \"s3://b/1/r1/m\", "
	"\"run_id\": \"r1\", \"status\": \"READY\", \"aliases\": "
	"[\"prod\"], \"user_id\": \"ann\", \"tags\": [{\"key\": \"k\", "
	"\"value\": \"v\"}]}, {\"name\": \"iris\", \"version\": 1, "
	"\"run_id\": \"r1\"}]}"},
    {RUNS, "{\"runs\": [{\"info\": {\"run_id\": \"r1\", "
	"\"experiment_id\": \"1\", \"status\": \"FINISHED\", \"start_time\": "
	"5, \"end_time\": 6, \"artifact_uri\": \"s3://b/1/r1/artifacts\", "
	"\"lifecycle_stage\": \"active\", \"run_name\": \"n\", \"user_id\": "
	"\"ann\"}, \"data\": {\"metrics\": [{\"key\": \"loss\", \"value\": "
	"0.5, \"timestamp\": \"7\", \"step\": \"0\"}], \"params\": "
	"[{\"key\": \"lr\", \"value\": \"0.1\"}], \"tags\": [{\"key\": "
	"\"mlflow.source.git.commit\", \"value\": \"c0ffee\"}]}, "
	"\"inputs\": {\"dataset_inputs\": [{\"tags\": [{\"key\": "
	"\"mlflow.data.context\", \"value\": \"training\"}], \"dataset\": "
	"{\"name\": \"w\", \"digest\": \"00c1b571\", \"source\": "
	"\"{}\"}}]}}]}"},
};

static int
setup(void **state)
{
	char path[128];

	(void)state;
	reg_case_init(&k);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		(void)snprintf(path, sizeof(path), ONE "%s", pages[i].path);
		reg_case_text(&k, path, pages[i].text);
		(void)snprintf(path, sizeof(path), TWO "%s", pages[i].path);
		reg_case_text(&k, path, pages[i].text);
	}
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
run(int rc, unsigned problems)
{
	reg_case_run(&k, "mlflow-rest");
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
every_object_of_the_first_walk_is_a_row_once(void **state)
{
	(void)state;
	run(0, 0);
	has("experiment source=" ONE EXPERIMENTS " stage=active "
	    "experiment=wine artifact=s3://b/1 created=1000000000 "
	    "updated=2000000000 key=experiment_id value=1");
	has("tag source=" ONE EXPERIMENTS " experiment=wine key=team "
	    "value=red");
	has("model source=" ONE MODELS " model=iris created=10000000 "
	    "updated=20000000 description=d");
	has("alias source=" ONE MODELS " model=iris version=2 alias=prod");
	has("version source=" ONE VERSIONS " model=iris version=2 "
	    "stage=None status=READY run=r1 artifact=s3://b/1/r1/m user=ann "
	    "created=11000000 updated=12000000");
	has("version source=" ONE VERSIONS " model=iris version=1 run=r1");
	has("run source=" ONE RUNS " stage=active status=FINISHED run=r1 "
	    "experiment=wine commit=c0ffee artifact=s3://b/1/r1/artifacts "
	    "user=ann created=5000000 updated=6000000 key=run_name value=n");
	has("metric source=" ONE RUNS " run=r1 experiment=wine "
	    "updated=7000000 key=loss value=0.5");
	has("dataset source=" ONE RUNS " run=r1 experiment=wine dataset=w "
	    "artifact={} digest=00c1b571 key=mlflow.data.context "
	    "value=training");
	assert_int_equal(reg_case_count(&k, "version "), 2);
	assert_int_equal(reg_case_count(&k, "run "), 1);
}

static void
a_second_walk_that_differs_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, TWO MODELS, "{}");
	reg_case_drop(&k, TWO RUNS);
	reg_case_text(&k, TWO "runs/search/0002.json", "{}");
	run(0, 3);
	has("DISAGREES path=" TWO MODELS " reason=the two walks differ");
	has("DISAGREES path=" ONE RUNS " reason=only in the first walk");
	has("DISAGREES path=" TWO "runs/search/0002.json reason=only in the "
	    "second walk");
	assert_int_equal(reg_case_count(&k, "model "), 1);
}

static void
a_page_that_promises_another_is_told(void **state)
{
	static const char more[] = "{\"registered_models\": [], "
	    "\"next_page_token\": \"eyJvZmZzZXQiOiAxMDB9\"}";

	(void)state;
	reg_case_text(&k, ONE MODELS, more);
	reg_case_text(&k, TWO MODELS, more);
	run(0, 1);
	has("MISSING path=" ONE MODELS " reason=the page behind this one");
	reg_case_text(&k, ONE "registered-models/search/0002.json", "{}");
	reg_case_text(&k, TWO "registered-models/search/0002.json", "{}");
	run(0, 0);
}

static void
aliases_that_disagree_and_holes_are_told(void **state)
{
	static const char versions[] = "{\"model_versions\": [{\"name\": "
	    "\"iris\", \"version\": \"3\", \"aliases\": [\"prod\"], "
	    "\"run_id\": \"gone\"}, {\"name\": \"iris\", \"version\": \"2\""
	    "}]}";

	(void)state;
	reg_case_text(&k, ONE VERSIONS, versions);
	reg_case_text(&k, TWO VERSIONS, versions);
	run(0, 3);
	has("ALIAS path=" ONE VERSIONS " model=iris alias=prod version=2 "
	    "other=3 reason=two versions have it");
	has("DELETED path=" ONE VERSIONS " model=iris version=1 "
	    "reason=missing from the sequence");
	has("MISSING path=" ONE VERSIONS " model=iris version=3 run=gone");
}

static void
an_answer_that_is_an_error_is_unread(void **state)
{
	static const char error[] = "{\"error_code\": \"PERMISSION_DENIED\", "
	    "\"message\": \"no\"}";

	(void)state;
	reg_case_text(&k, ONE RUNS, error);
	reg_case_text(&k, TWO RUNS, error);
	run(1, 1);
	has("UNREAD path=" ONE RUNS " error=PERMISSION_DENIED message=no");
	reg_case_text(&k, ONE MODELS, "{\"registered_models\": [");
	reg_case_text(&k, TWO MODELS, "{\"registered_models\": [");
	run(1, 2);
}

static void
an_export_is_read_and_its_runs_may_be_elsewhere(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "e/model.json", "{\"system\": "
	    "{\"mlflow_version\": \"2.3.2\"}, \"mlflow\": "
	    "{\"registered_model\": {\"name\": \"m\", \"aliases\": "
	    "[{\"alias\": \"a\", \"version\": \"1\"}], \"versions\": "
	    "[{\"name\": \"m\", \"version\": \"1\", \"run_id\": \"r9\", "
	    "\"tags\": {\"x\": \"y\"}}]}}}");
	reg_case_text(&c, "e/run.json", "{\"mlflow\": {\"info\": "
	    "{\"run_uuid\": \"r1\", \"experiment_id\": \"1\"}, \"params\": "
	    "{\"p\": \"1\"}, \"metrics\": {\"f\": [{\"value\": 1, "
	    "\"timestamp\": 1}, {\"value\": 2.5, \"timestamp\": 2}]}, "
	    "\"tags\": {\"mlflow.user\": \"bob\"}}}");
	reg_case_text(&c, "f/run.json", "{\"other\": 1}");
	reg_case_run(&c, "mlflow-rest");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.problems, 0);
	assert_true(reg_case_has(&c, "alias source=e/model.json model=m "
	    "version=1 alias=a"));
	assert_true(reg_case_has(&c, "tag source=e/model.json model=m "
	    "version=1 key=x value=y"));
	assert_true(reg_case_has(&c, "run source=e/run.json run=r1 "
	    "experiment=1 user=bob"));
	assert_true(reg_case_has(&c, "metric source=e/run.json run=r1 "
	    "experiment=1 updated=2000000 key=f value=2.5"));
	assert_int_equal(reg_case_count(&c, "run "), 1);
	reg_case_release(&c);
}

static void
every_cut_and_change_of_a_page_ends_well(void **state)
{
	(void)state;
	assert_null(reg_case_sweep(&k, "mlflow-rest", ONE VERSIONS, 100, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_object_of_the_first_walk_is_a_row_once),
	    TEST(a_second_walk_that_differs_is_told),
	    TEST(a_page_that_promises_another_is_told),
	    TEST(aliases_that_disagree_and_holes_are_told),
	    TEST(an_answer_that_is_an_error_is_unread),
	    TEST(an_export_is_read_and_its_runs_may_be_elsewhere),
	    TEST(every_cut_and_change_of_a_page_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
