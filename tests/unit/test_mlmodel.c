#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define STORE "tests/registry/mlflow-files"
#define LOGGED "mlruns/895000000000000001/models/" \
    "m-7910d94af22749e58b5f73ceb59c19d2/"
#define RUN "01c4ab1ee24e481caa1688beea747fcb"

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
run(int rc, unsigned problems)
{
	reg_case_run(&k, "mlmodel");
	assert_int_equal(k.rc, rc);
	assert_false(k.bad);
	if (k.problems != problems)
		fail_msg("%s", buf_str(&k.out));
}

static void
a_model_that_is_what_it_says_has_no_problem(void **state)
{
	(void)state;
	reg_case_load(&k, STORE, "");
	run(0, 0);
	assert_int_equal(k.rows, 2);
	assert_true(reg_case_has(&k, "artifact source=" LOGGED
	    "artifacts/MLmodel run=" RUN " artifact=file:///srv/mlflow/"
	    LOGGED "artifacts member=" LOGGED "artifacts size=41 "
	    "agrees=true created=1785580021523587000 key=model_id "
	    "value=m-7910d94af22749e58b5f73ceb59c19d2 "
	    "description=mlflow.sklearn"));
}

static void
weights_of_another_size_are_told(void **state)
{
	(void)state;
	reg_case_load(&k, STORE, "");
	reg_case_put(&k, LOGGED "artifacts/model.pkl", "0123456789", 10);
	run(0, 1);
	assert_int_equal(reg_case_count(&k, "SIZE path=" LOGGED
	    "artifacts/MLmodel off="), 1);
	reg_case_put(&k, LOGGED "artifacts/model.pkl",
	    "01234567890123456789012345678901234567890", 41);
	reg_case_put(&k, LOGGED "artifacts/implant.so", "x", 1);
	run(0, 1);
	assert_non_null(strstr(buf_str(&k.out), "registry=41 found=42"));
}

static void
what_python_leaves_where_code_was_loaded_may_be_there(void **state)
{
	(void)state;
	reg_case_text(&k, "m/MLmodel", "flavors: {}\nmodel_size_bytes: 5\n");
	reg_case_text(&k, "m/code/net.py", "12345");
	reg_case_text(&k, "m/code/__pycache__/net.cpython-311.pyc", "123");
	run(0, 0);
	reg_case_text(&k, "m/input_example.json", "[1,2]");
	run(0, 0);
	reg_case_text(&k, "m/code/pycache.pyc", "1");
	run(0, 1);
}

static void
an_example_may_be_counted_or_not(void **state)
{
	(void)state;
	reg_case_text(&k, "m/MLmodel", "flavors: {}\nmodel_size_bytes: 5\n");
	reg_case_text(&k, "m/data/model.pth", "12345");
	reg_case_text(&k, "m/conda.yaml", "x");
	reg_case_text(&k, "m/metadata/conda.yaml", "x");
	reg_case_text(&k, "m/registered_model_meta",
	    "model_name: iris\nmodel_version: '4'\n");
	run(0, 0);
	assert_true(reg_case_has(&k, "artifact source=m/MLmodel model=iris "
	    "version=4 member=m size=5 agrees=true"));
	reg_case_text(&k, "m/input_example.json", "[1,2]");
	run(0, 0);
	reg_case_text(&k, "m/MLmodel", "flavors: {}\nmodel_size_bytes: 10\n");
	run(0, 0);
	reg_case_text(&k, "m/MLmodel", "flavors: {}\nmodel_size_bytes: 9\n");
	run(0, 1);
}

static void
code_that_a_loader_runs_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, "MLmodel", "flavors:\n"
	    "  python_function:\n"
	    "    loader_module: mlflowx.loader\n"
	    "    code: code\n"
	    "    model_code_path: chain.py\n"
	    "  sklearn: {code: null, loader_module: mlflow.sklearn}\n");
	run(0, 3);
	assert_true(reg_case_has(&k, "CODE path=MLmodel off=47 "
	    "flavor=python_function key=loader_module "
	    "value=mlflowx.loader"));
	assert_int_equal(reg_case_count(&k, "CODE path=MLmodel off="), 3);
}

static void
ids_of_the_folder_and_its_meta_yaml_are_compared(void **state)
{
	(void)state;
	reg_case_load(&k, STORE, "");
	reg_case_text(&k, LOGGED "artifacts/MLmodel", "flavors: {}\n"
	    "model_id: m-00000000000000000000000000000000\nrun_id: other\n");
	reg_case_text(&k, "1/" RUN "/artifacts/model/MLmodel",
	    "flavors: {}\nrun_id: ffffffffffffffffffffffffffffffff\n");
	run(0, 3);
	assert_true(reg_case_has(&k, "DISAGREES path=" LOGGED
	    "artifacts/MLmodel off=22 key=model_id "
	    "mlmodel=m-00000000000000000000000000000000 "
	    "folder=m-7910d94af22749e58b5f73ceb59c19d2"));
	assert_true(reg_case_has(&k, "DISAGREES path=" LOGGED
	    "artifacts/MLmodel off=65 key=run_id mlmodel=other meta="
	    RUN));
	assert_true(reg_case_has(&k, "DISAGREES path=1/" RUN
	    "/artifacts/model/MLmodel off=20 key=run_id "
	    "mlmodel=ffffffffffffffffffffffffffffffff folder=" RUN));
}

static void
a_copy_in_metadata_that_differs_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, "m/MLmodel", "flavors: {}\n");
	reg_case_text(&k, "m/metadata/MLmodel", "flavors: {}\n");
	reg_case_text(&k, "m/requirements.txt", "a==1\n");
	reg_case_text(&k, "m/metadata/requirements.txt", "a==1\n");
	run(0, 0);
	assert_int_equal(k.rows, 1);
	reg_case_text(&k, "m/requirements.txt", "a @ http://x/\n");
	run(0, 1);
	assert_true(reg_case_has(&k, "DISAGREES "
	    "path=m/metadata/requirements.txt key=requirements.txt "
	    "reason=the copy differs"));
}

static void
what_is_no_model_is_told(void **state)
{
	(void)state;
	reg_case_text(&k, "MLmodel", "a: 1\n");
	run(1, 1);
	assert_true(reg_case_has(&k, "MALFORMED path=MLmodel "
	    "reason=no flavors"));
	reg_case_load(&k, STORE, "");
	reg_case_drop(&k, "MLmodel");
	assert_null(reg_case_sweep(&k, "mlmodel", LOGGED "artifacts/MLmodel",
	    100, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_model_that_is_what_it_says_has_no_problem),
	    TEST(weights_of_another_size_are_told),
	    TEST(what_python_leaves_where_code_was_loaded_may_be_there),
	    TEST(an_example_may_be_counted_or_not),
	    TEST(code_that_a_loader_runs_is_told),
	    TEST(ids_of_the_folder_and_its_meta_yaml_are_compared),
	    TEST(a_copy_in_metadata_that_differs_is_told),
	    TEST(what_is_no_model_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
