#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/alarm.h"
#include "tests/lib/model_case.h"

static struct model_told told;
static struct rowtap bell;

static void
set_up_rows(void)
{
	struct rows rows;

	model_rows(&rows, &told);
	alarm_init(&bell, &rows);
}

/* The finding that a conclusion makes; FINDING_COUNT: none. */
static enum finding_id
conclusion(enum conclusion_kind k)
{
	static const struct row_text name = {"w", 1};
	struct row_conclusion c = {.kind = k, .tensors = &name,
	    .ntensors = 1, .tensors_in_all = 1};

	set_up_rows();
	assert_int_equal(bell.rows.conclusion(bell.rows.ctx, &c), 0);
	assert_int_equal(told.conclusions, 1);
	return told.findings > 0 ? told.last : FINDING_COUNT;
}

static enum finding_id
change(enum change_area area, enum change_what what, const char *key,
    struct basis *more)
{
	struct row_change c = {.area = area, .what = what, .path = {"f", 1},
	    .key = {key, strlen(key)}, .more = more};

	set_up_rows();
	assert_int_equal(bell.rows.change(bell.rows.ctx, &c), 0);
	assert_int_equal(told.changes, 1);
	return told.findings > 0 ? told.last : FINDING_COUNT;
}

static void
only_what_somebody_must_look_at_is_a_finding(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONCLUSION_COUNT; i++) {
		enum finding_id id = conclusion((enum conclusion_kind)i);

		if (i == CONCLUSION_RANK_ONE_EDIT ||
		    i == CONCLUSION_LOW_RANK_EDIT)
			assert_int_equal(id, FINDING_DIFF_EDIT);
		else if (i == CONCLUSION_TOKEN_ROW_EDIT)
			assert_int_equal(id, FINDING_DIFF_TOKEN_ROWS);
		else if (i == CONCLUSION_BIT_FLIP)
			assert_int_equal(id, FINDING_DIFF_PATCHED);
		else if (i == CONCLUSION_NOISED)
			assert_int_equal(id, FINDING_DIFF_NOISE);
		else
			assert_int_equal(id, FINDING_COUNT);
	}
}

static void
a_claim_is_a_finding_and_a_lead_is_none(void **state)
{
	struct row_candidate c = {.kind = "token", .value = {"cf", 2},
	    .rank = 1, .method = "m"};
	struct basis evidence;

	(void)state;
	set_up_rows();
	assert_int_equal(bell.rows.candidate(bell.rows.ctx, &c), 0);
	assert_int_equal(told.last, FINDING_TRIG_CANDIDATE);
	assert_int_equal(told.findings, 1);
	assert_int_equal(told.sure, CONFIDENCE_WEAK);
	basis_init(&evidence);
	basis_str(&evidence, "level", "isolated");
	c.evidence = &evidence;
	assert_int_equal(bell.rows.candidate(bell.rows.ctx, &c), 0);
	assert_int_equal(told.sure, CONFIDENCE_STRONG);
	basis_release(&evidence);
	set_up_rows();
	c.evidence = NULL;
	c.lead = true;
	assert_int_equal(bell.rows.candidate(bell.rows.ctx, &c), 0);
	assert_int_equal(told.leads, 1);
	assert_int_equal(told.findings, 0);
}

static void
changes_that_a_loader_runs_are_findings(void **state)
{
	struct basis more;

	(void)state;
	assert_int_equal(change(CHANGE_CODE, CHANGE_CHANGED, "def f", NULL),
	    FINDING_DIFF_CODE);
	assert_int_equal(change(CHANGE_CODE, CHANGE_REMOVED, "def f", NULL),
	    FINDING_COUNT);
	assert_int_equal(change(CHANGE_TEMPLATE, CHANGE_ADDED, "k", NULL),
	    FINDING_DIFF_TEMPLATE);
	assert_int_equal(change(CHANGE_CONFIG, CHANGE_CHANGED, "k", NULL),
	    FINDING_COUNT);
	assert_int_equal(change(CHANGE_TOKENIZER, CHANGE_MOVED, "token x",
	    NULL), FINDING_DIFF_VOCABULARY);
	assert_int_equal(change(CHANGE_TOKENIZER, CHANGE_MOVED, "merge x",
	    NULL), FINDING_COUNT);
	/* Of calls, those that a scan would tell too. */
	assert_int_equal(change(CHANGE_CALLS, CHANGE_ADDED, "dict", NULL),
	    FINDING_COUNT);
	basis_init(&more);
	basis_str(&more, "rule", "PKL-EXEC");
	assert_int_equal(change(CHANGE_CALLS, CHANGE_ADDED, "os.system",
	    &more), FINDING_DIFF_CODE);
	basis_release(&more);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_somebody_must_look_at_is_a_finding),
	    cmocka_unit_test(a_claim_is_a_finding_and_a_lead_is_none),
	    cmocka_unit_test(changes_that_a_loader_runs_are_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
