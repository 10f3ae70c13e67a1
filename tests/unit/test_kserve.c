#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define META "metadata: {name: fraud, namespace: prod, " \
    "creationTimestamp: '2026-07-01T00:00:00Z'}\n"

static const char service[] = "apiVersion: serving.kserve.io/v1beta1\n"
    "kind: InferenceService\n" META
    "spec:\n  predictor:\n    canaryTrafficPercent: 20\n"
    "    logger: {mode: all, url: http://sink/}\n"
    "    model:\n      modelFormat: {name: sklearn}\n"
    "      storageUri: s3://models/fraud/6\n"
    "status:\n  components:\n    predictor:\n"
    "      latestReadyRevision: r7\n      traffic:\n"
    "      - {percent: 20, revisionName: r7}\n"
    "      - {percent: 80, revisionName: r6, tag: prev}\n"
    "  modelStatus:\n    states: {activeModelState: Loaded}\n";

#define COMMON " experiment=prod"
#define CREATED " created=1782864000000000000"

static void
a_service_says_what_it_loads_and_who_gets_traffic(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "dump/isvc.yaml", service);
	reg_case_text(&c, "dump/other.yaml", "not: {read");
	reg_case_run(&c, "kserve");
	assert_int_equal(c.rc, 0);
	assert_true(reg_case_has(&c, "deployment source=dump/isvc.yaml "
	    "model=fraud version=r7 alias=predictor status=Loaded" COMMON
	    " artifact=s3://models/fraud/6" CREATED
	    " key=format value=sklearn"));
	assert_true(reg_case_has(&c, "alias source=dump/isvc.yaml "
	    "model=fraud version=r6 alias=prev" COMMON CREATED
	    " key=percent value=80"));
	assert_true(reg_case_has(&c, "deployment source=dump/isvc.yaml "
	    "model=fraud" COMMON CREATED " key=logger.url "
	    "value=http://sink/"));
	assert_int_equal(c.rows, 5);
	reg_case_release(&c);
}

static void
lists_of_other_kinds_are_read(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "seldon-all.json", "{\"kind\":\"List\",\"items\":["
	    "{\"apiVersion\":\"mlops.seldon.io/v1alpha1\",\"kind\":\"Model\","
	    "\"metadata\":{\"name\":\"m\"},\"spec\":{\"storageUri\":"
	    "\"gs://b/m\",\"requirements\":[\"sklearn\"]}},"
	    "{\"apiVersion\":\"machinelearning.seldon.io/v1\",\"kind\":"
	    "\"SeldonDeployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{"
	    "\"predictors\":[{\"name\":\"p\",\"graph\":{\"name\":\"a\","
	    "\"implementation\":\"SKLEARN_SERVER\",\"modelUri\":\"gs://b/a\","
	    "\"children\":[{\"name\":\"b\",\"modelUri\":\"gs://b/b\"},"
	    "{\"name\":\"c\",\"modelUri\":\"gs://b/c\"}]}}]}}]}");
	reg_case_text(&c, "kserve-runtime.yaml",
	    "apiVersion: v1\nkind: List\nitems:\n"
	    "- apiVersion: serving.kserve.io/v1alpha1\n"
	    "  kind: ClusterServingRuntime\n  metadata: {name: rt}\n"
	    "  spec: {containers: [{image: reg/x@sha256:00}]}\n");
	reg_case_run(&c, "kserve");
	assert_int_equal(c.rc, 0);
	assert_true(reg_case_has(&c, "deployment source=seldon-all.json "
	    "model=m artifact=gs://b/m"));
	assert_true(reg_case_has(&c, "deployment source=seldon-all.json "
	    "model=d alias=p artifact=gs://b/a key=implementation "
	    "value=SKLEARN_SERVER"));
	assert_true(reg_case_has(&c, "deployment source=seldon-all.json "
	    "model=d alias=p artifact=gs://b/c key=implementation"));
	assert_true(reg_case_has(&c, "deployment source=kserve-runtime.yaml "
	    "model=rt key=image value=reg/x@sha256:00"));
	assert_int_equal(c.rows, 6);
	reg_case_release(&c);
}

static void
dumps_that_end_early_are_survived(void **state)
{
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	reg_case_text(&c, "isvc.yml", service);
	assert_null(reg_case_sweep(&c, "kserve", "isvc.yml", 300, 1));
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_service_says_what_it_loads_and_who_gets_traffic),
	    cmocka_unit_test(lists_of_other_kinds_are_read),
	    cmocka_unit_test(dumps_that_end_early_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
