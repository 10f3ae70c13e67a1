#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

/*
 * tests/registry/mlflow-files is a store as MLflow 3.2 writes it: one
 * registered model whose version 2 is gone, two logged models, one run.
 */
#define STORE "tests/registry/mlflow-files"
#define EXP "mlruns/895000000000000001/"
#define RUN "01c4ab1ee24e481caa1688beea747fcb"
#define MODEL "mlruns/models/fraud-detector/"
#define HOLE "DELETED path=" MODEL "version-3/meta.yaml " \
    "model=fraud-detector version=2 reason=missing from the sequence"

static struct reg_case k;

static int
setup(void **state)
{
	(void)state;
	reg_case_init(&k);
	reg_case_load(&k, STORE, "");
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
	reg_case_run(&k, "mlflow-files");
	assert_int_equal(k.rc, rc);
	assert_false(k.bad);
	if (k.problems != problems)
		fail_msg("%s", buf_str(&k.out));
}

static void
versions_aliases_and_runs_are_rows(void **state)
{
	(void)state;
	run(0, 1);
	assert_true(reg_case_has(&k, "alias source=" MODEL
	    "aliases/champion model=fraud-detector version=3 "
	    "alias=champion"));
	assert_true(reg_case_has(&k, "alias source=" MODEL
	    "aliases/challenger model=fraud-detector version=1 "
	    "alias=challenger"));
	assert_true(reg_case_has(&k, "version source=" MODEL
	    "version-3/meta.yaml model=fraud-detector version=3 stage=None "
	    "status=READY run=" RUN " artifact=file:///srv/mlflow/" EXP
	    "models/m-7910d94af22749e58b5f73ceb59c19d2/artifacts member=" EXP
	    "models/m-7910d94af22749e58b5f73ceb59c19d2/artifacts "
	    "created=1785580026003000000 updated=1785580026003000000 "
	    "key=source value=models:/m-7910d94af22749e58b5f73ceb59c19d2"));
	assert_true(reg_case_has(&k, "run source=" EXP RUN "/meta.yaml "
	    "stage=active status=FINISHED run=" RUN " experiment=fraud "
	    "commit=d8715c4666ecad7ac95bc8fa86c49ebc7fb7e4fd "
	    "artifact=file:///srv/mlflow/" EXP RUN "/artifacts "
	    "user=svc-train created=1785580001000000000 "
	    "updated=1785580030000000000 key=run_name "
	    "value=receptive-hare-278"));
	assert_true(reg_case_has(&k, "metric source=" EXP RUN
	    "/metrics/val_loss run=" RUN " experiment=fraud "
	    "updated=1785580020000000000 key=val_loss value=0.41"));
	assert_true(reg_case_has(&k, "param source=" EXP RUN "/params/lr run="
	    RUN " experiment=fraud key=lr value=0.001"));
	assert_true(reg_case_has(&k, "model source=" MODEL "meta.yaml "
	    "model=fraud-detector created=1785580026000000000 "
	    "updated=1785580029000000000"));
	assert_int_equal(reg_case_count(&k, "experiment "), 2);
	assert_int_equal(reg_case_count(&k, "version "), 2);
	assert_true(reg_case_has(&k, HOLE));
}

static void
an_alias_that_was_moved_in_one_place_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, MODEL "aliases/champion", "1");
	run(0, 2);
	assert_true(reg_case_has(&k, "ALIAS path=" MODEL "aliases/champion "
	    "model=fraud-detector alias=champion alias_file=1 meta=3"));
	reg_case_drop(&k, MODEL "aliases/champion");
	reg_case_text(&k, MODEL "aliases/shadow", "9");
	run(0, 4);
	assert_true(reg_case_has(&k, "ALIAS path=" MODEL "meta.yaml "
	    "model=fraud-detector alias=champion alias_file= meta=3"));
	assert_true(reg_case_has(&k, "ALIAS path=" MODEL "aliases/shadow "
	    "model=fraud-detector alias=shadow alias_file=9 meta="));
	assert_true(reg_case_has(&k, "ALIAS path=" MODEL "aliases/shadow "
	    "model=fraud-detector alias=shadow version=9 "
	    "reason=no such version"));
}

static void
what_a_folder_and_its_file_say_is_compared(void **state)
{
	(void)state;
	reg_case_text(&k, MODEL "version-2/meta.yaml", "name: other\n"
	    "version: 7\nrun_id: ffff\ncurrent_stage: Deleted_Internal\n");
	reg_case_text(&k, EXP RUN "/tags/mlflow.user", "mallory");
	run(0, 4);
	assert_true(reg_case_has(&k, "DISAGREES path=" MODEL
	    "version-2/meta.yaml off=6 key=name folder=fraud-detector "
	    "found=other"));
	assert_true(reg_case_has(&k, "DISAGREES path=" MODEL
	    "version-2/meta.yaml off=21 key=version folder=2 found=7"));
	assert_true(reg_case_has(&k, "DELETED path=" MODEL
	    "version-2/meta.yaml model=fraud-detector version=2 "
	    "reason=marked as deleted"));
	assert_true(reg_case_has(&k, "DISAGREES path=" EXP RUN
	    "/meta.yaml key=user user_id=svc-train tag=mallory"));
}

static void
a_version_whose_run_or_model_is_gone_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, MODEL "version-2/meta.yaml", "version: 2\n"
	    "run_id: 00000000000000000000000000000000\n"
	    "model_id: m-00000000000000000000000000000000\n");
	run(0, 2);
	assert_true(reg_case_has(&k, "MISSING path=" MODEL
	    "version-2/meta.yaml model=fraud-detector version=2 "
	    "run=00000000000000000000000000000000"));
	assert_true(reg_case_has(&k, "MISSING path=" MODEL
	    "version-2/meta.yaml model=fraud-detector version=2 "
	    "model_id=m-00000000000000000000000000000000"));
}

static void
what_does_not_belong_to_a_model_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, MODEL "hook.py", "x");
	reg_case_text(&k, MODEL "version-3/model.pkl", "x");
	run(0, 3);
	assert_true(reg_case_has(&k, "EXTRA path=" MODEL "hook.py "
	    "model=fraud-detector"));
	assert_true(reg_case_has(&k, "EXTRA path=" MODEL
	    "version-3/model.pkl model=fraud-detector"));
}

static void
trash_data_sets_and_traces_are_seen(void **state)
{
	(void)state;
	reg_case_text(&k, "mlruns/.trash/7/meta.yaml", "experiment_id: '7'\n"
	    "name: gone\nlifecycle_stage: deleted\n");
	reg_case_text(&k, EXP "datasets/d1/meta.yaml", "name: iris\n"
	    "digest: 00c1b571\nsource_type: local\nsource: '{}'\n");
	reg_case_text(&k, EXP RUN "/inputs/i1/meta.yaml", "source_id: d1\n"
	    "source_type: DATASET\ntags: {mlflow.data.context: training}\n");
	reg_case_text(&k, EXP "traces/tr-1/trace_info.yaml", "x");
	reg_case_text(&k, EXP "traces/tr-2/trace_info.yaml", "x");
	run(0, 1);
	assert_true(reg_case_has(&k, "experiment "
	    "source=mlruns/.trash/7/meta.yaml stage=deleted experiment=gone "
	    "key=experiment_id value=7"));
	assert_true(reg_case_has(&k, "dataset source=" EXP
	    "datasets/d1/meta.yaml experiment=fraud dataset=iris "
	    "artifact={} digest=00c1b571 key=source_type value=local "
	    "description=d1"));
	assert_true(reg_case_has(&k, "dataset source=" EXP RUN
	    "/inputs/i1/meta.yaml run=" RUN " experiment=fraud dataset=d1 "
	    "key=mlflow.data.context value=training"));
	assert_true(reg_case_has(&k, "event source=" EXP
	    "traces/tr-2/trace_info.yaml experiment=fraud key=traces "
	    "value=2"));
}

static void
a_metric_is_its_value_of_the_last_step(void **state)
{
	(void)state;
	reg_case_text(&k, EXP RUN "/metrics/a/b", "5 1.5 3\n9 nan 2\n"
	    "7 -2e3 3\n");
	reg_case_text(&k, EXP RUN "/metrics/bad", "5 1.5 3\nhello\n");
	reg_case_text(&k, EXP RUN "/metrics/none", "");
	run(1, 2);
	assert_true(reg_case_has(&k, "metric source=" EXP RUN
	    "/metrics/a/b run=" RUN " experiment=fraud updated=7000000 "
	    "key=a/b value=-2e3"));
	assert_true(reg_case_has(&k, "MALFORMED path=" EXP RUN
	    "/metrics/bad off=8 reason=not a line of a metric"));
}

static void
what_cannot_be_read_is_told_and_the_rest_stands(void **state)
{
	(void)state;
	reg_case_text(&k, MODEL "version-1/meta.yaml", "a: [1\nb: 2\n");
	reg_case_absent(&k, EXP "meta.yaml", 10);
	run(1, 4);
	assert_true(reg_case_has(&k, HOLE));
	assert_int_equal(reg_case_count(&k, "MALFORMED path=" MODEL
	    "version-1/meta.yaml off="), 1);
	assert_int_equal(reg_case_count(&k, "UNREAD path=" EXP
	    "meta.yaml"), 2);
	assert_int_equal(reg_case_count(&k, "alias "), 2);
}

static void
other_meta_yaml_are_no_store(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "recipe/meta.yaml", "package: x\n");
	reg_case_text(&c, "models/meta.yaml", "x: 1\n");
	reg_case_text(&c, "meta.yaml", "x: 1\n");
	reg_case_run(&c, "mlflow-files");
	assert_int_equal(c.rows + c.problems, 0);
	/* A registry without runs is one, at any depth, or at the top. */
	reg_case_text(&c, "a/b/models/m/version-2/meta.yaml", "version: 2\n"
	    "run_id: x\n");
	reg_case_text(&c, "models/n/meta.yaml", "name: n\n");
	reg_case_run(&c, "mlflow-files");
	assert_int_equal(c.problems, 1);
	assert_int_equal(reg_case_count(&c, "model source=models/n/"), 1);
	assert_int_equal(reg_case_count(&c, "version source=a/b/models/m/"),
	    1);
	reg_case_release(&c);
}

static void
every_cut_and_change_of_a_file_ends_well(void **state)
{
	static const char *const paths[] = {MODEL "meta.yaml",
	    MODEL "version-3/meta.yaml", EXP RUN "/metrics/val_loss",
	    EXP RUN "/meta.yaml"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_null(reg_case_sweep(&k, "mlflow-files", paths[i], 40,
		    (uint32_t)i));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(versions_aliases_and_runs_are_rows),
	    TEST(an_alias_that_was_moved_in_one_place_is_told),
	    TEST(what_a_folder_and_its_file_say_is_compared),
	    TEST(a_version_whose_run_or_model_is_gone_is_told),
	    TEST(what_does_not_belong_to_a_model_is_told),
	    TEST(trash_data_sets_and_traces_are_seen),
	    TEST(a_metric_is_its_value_of_the_last_step),
	    TEST(what_cannot_be_read_is_told_and_the_rest_stands),
	    TEST(other_meta_yaml_are_no_store),
	    TEST(every_cut_and_change_of_a_file_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
