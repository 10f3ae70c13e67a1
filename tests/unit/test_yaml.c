#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_yaml;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_yaml, p, n, 0);
	free(p);
}

static void
a_document_is_whole(void **state)
{
	(void)state;
	run("yaml/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_cut_character_is_told(void **state)
{
	(void)state;
	run("yaml/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
a_python_tag_is_told(void **state)
{
	(void)state;
	run("yaml/hostile");
	assert_true(format_case_has(&c, ANOMALY_YAML_TAG));
}

static bool
tells(const char *text, enum anomaly id)
{
	format_case_run(&c, &format_yaml, text, strlen(text), 0);
	assert_int_equal(c.rc, 0);
	assert_null(format_case_laws(&format_yaml, text, strlen(text)));
	return id == ANOMALY_COUNT ? c.anomalies == 0 :
	    format_case_has(&c, id);
}

static void
lines_are_read_as_configuration(void **state)
{
	(void)state;
	assert_true(tells("model:\n  _target_: os.system\n  command: id\n",
	    ANOMALY_CONFIG_TARGET));
	assert_true(tells("a:\n- _target_: \"evil.Model\"\n",
	    ANOMALY_CONFIG_TARGET));
	assert_true(tells("trust_remote_code: true\n", ANOMALY_CONFIG_TRUST));
	assert_true(tells("flavors:\n  python_function:\n    code: code\n"
	    "    loader_module: mlflow.sklearn\n", ANOMALY_CONFIG_REMOTE_CODE));
	assert_true(tells("flavors:\n  python_function:\n"
	    "    loader_module: evil.loader\n", ANOMALY_CONFIG_TARGET));
	assert_true(tells("model_path: ../../model.pkl\n",
	    ANOMALY_CONFIG_PATH));
	assert_true(tells("dependencies:\n- pip:\n  - --index-url "
	    "http://198.51.100.7/\n", ANOMALY_REQUIREMENT_FOREIGN));
	assert_true(tells("dependencies:\n  - pip:\n    - \"git+http://"
	    "example.top/r\"\n", ANOMALY_REQUIREMENT_FOREIGN));
}

static void
usual_configuration_has_nothing_odd(void **state)
{
	(void)state;
	assert_true(tells("flavors:\n  python_function:\n    code: null\n"
	    "    env: conda.yaml\n    loader_module: mlflow.sklearn\n"
	    "    model_path: model.pkl\n  sklearn:\n    code: null\n",
	    ANOMALY_COUNT));
	assert_true(tells("dependencies:\n- python=3.10.12\n- pip<=23\n- pip:\n"
	    "  - mlflow==2.9.2\n  - scikit-learn==1.3.0\n", ANOMALY_COUNT));
	assert_true(tells("# _target_: os.system\nopt:\n  _target_: "
	    "torch.optim.AdamW\n  code: code\n", ANOMALY_COUNT));
	assert_true(tells("license: mit\ntags:\n- text: one\n- /path\n- ./b\n",
	    ANOMALY_COUNT));
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"yaml/good",
	    "yaml/truncated",
	    "yaml/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_yaml,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_is_whole),
	    cmocka_unit_test(a_cut_character_is_told),
	    cmocka_unit_test(a_python_tag_is_told),
	    cmocka_unit_test(lines_are_read_as_configuration),
	    cmocka_unit_test(usual_configuration_has_nothing_odd),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
