#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/apilog/apilog_alarm.h"

#define TEXT(s) {(s), sizeof(s) - 1}

static char said[1024];

static void
say(const char *word)
{
	const size_t n = strlen(said);

	(void)snprintf(said + n, sizeof(said) - n, "%s", word);
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	say("caller ");
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	(void)ctx;
	say(r->lead ? "lead " : "candidate ");
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	const size_t n = strlen(said);

	(void)ctx;
	(void)side;
	(void)path;
	(void)snprintf(said + n, sizeof(said) - n, "%s/%s ",
	    finding_info(f->id)->name, severity_name(f->severity));
	return 0;
}

static const struct rows to = {.caller = on_caller,
    .candidate = on_candidate, .finding = on_finding};

static const char *
of_caller(const struct row_caller *r)
{
	struct rowtap a;

	said[0] = '\0';
	apilog_alarm_init(&a, &to);
	assert_int_equal(a.rows.caller(a.rows.ctx, r), 0);
	return said;
}

static void
a_caller_without_verdicts_is_no_finding(void **state)
{
	const struct row_caller r = {.caller = TEXT("a"), .requests = 90};

	(void)state;
	assert_string_equal(of_caller(&r), "caller ");
}

static void
verdicts_of_one_rule_are_one_finding_as_the_worst_of_them(void **state)
{
	const struct row_caller r = {.requests = 90, .nverdicts = 4,
	    .verdicts = {"distributed", "evasion-boundary",
	    "extraction-inputs", "extraction-confidence"}};

	(void)state;
	assert_string_equal(of_caller(&r),
	    "caller LOGS-EVASION/high LOGS-EXTRACTION/medium ");
}

static void
a_candidate_is_a_finding_and_a_lead_is_none(void **state)
{
	struct row_candidate c = {.kind = "token", .value = TEXT("cf"),
	    .rank = 1, .method = "traffic-use"};
	struct rowtap a;

	(void)state;
	said[0] = '\0';
	apilog_alarm_init(&a, &to);
	assert_int_equal(a.rows.candidate(a.rows.ctx, &c), 0);
	c.method = "traffic-switch";
	assert_int_equal(a.rows.candidate(a.rows.ctx, &c), 0);
	c.lead = true;
	assert_int_equal(a.rows.candidate(a.rows.ctx, &c), 0);
	assert_string_equal(said, "candidate LOGS-TRIGGER-USED/high "
	    "candidate LOGS-TRIGGER/high lead ");
}

/* Every name of the table can be told, and what it says is a finding. */
static void
every_verdict_has_a_rule(void **state)
{
	(void)state;
	for (unsigned v = 0; v < CALLER_VERDICTS; v++) {
		const struct row_caller r = {.nverdicts = 1, .verdicts =
		    {caller_verdict_name((enum caller_verdict)v)}};

		assert_int_equal(strncmp(of_caller(&r), "caller LOGS-", 12),
		    0);
	}
	assert_int_equal(caller_verdict_find("guilty"), CALLER_VERDICTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_caller_without_verdicts_is_no_finding),
	    cmocka_unit_test(
	    verdicts_of_one_rule_are_one_finding_as_the_worst_of_them),
	    cmocka_unit_test(a_candidate_is_a_finding_and_a_lead_is_none),
	    cmocka_unit_test(every_verdict_has_a_rule)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
