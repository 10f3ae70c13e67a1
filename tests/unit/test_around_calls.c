#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/around_calls.h"
#include "tests/lib/pickle_script.h"
#include "tests/lib/pt.h"
#include "tests/lib/row_case.h"

#define ROOM 65536

/* Behind a row the rule that a call breaks, and the member it is in. */
static void
rule_and_member(const struct row_change *r, char *dst, size_t cap)
{
	const char *rule = "", *member = "";
	size_t n, rule_len = 0, member_len = 0;
	const uint8_t *p = basis_bytes(r->more, &n);

	assert_true(basis_check(p, n));
	(void)basis_find(p, n, "rule", &rule, &rule_len);
	(void)basis_find(p, n, "member", &member, &member_len);
	(void)snprintf(dst, cap, " [%.*s] %.*s", (int)rule_len, rule,
	    (int)member_len, member);
}

/* Pickles made here, compared, and the rows that say how they differ. */
static struct row_case told = {.format = "unknown", .area = CHANGE_CALLS,
    .around = around_calls, .more = rule_and_member};

static void
compare(const void *p, size_t n, const void *q, size_t m)
{
	row_case_run(&told, p, n, q, m);
}

static void
scripts(const char *old, const char *new)
{
	static char p[ROOM], q[ROOM];

	compare(p, pickle_script(old, p, sizeof(p)), q,
	    pickle_script(new, q, sizeof(q)));
}

static bool
has(const char *want)
{
	return row_case_has(&told, want);
}

#define DEQUE "G:collections:deque ] #85 R 0 "
#define DECIMAL "G:decimal:Decimal '1 #85 R 0 "
#define FRACTION "G:fractions:Fraction '1/2 #85 R 0 "
#define SYSTEM(x) "G:os:system '" x " #85 R 0 "

static void
the_same_calls_give_no_row(void **state)
{
	(void)state;
	scripts(DEQUE SYSTEM("id") "N .", DEQUE SYSTEM("id") "N .");
	assert_int_equal(told.n, 0);
}

static void
a_planted_call_comes_with_its_rule(void **state)
{
	(void)state;
	scripts(DECIMAL "N .", DECIMAL SYSTEM("id") "N .");
	assert_int_equal(told.n, 1);
	assert_true(has("added call os.system:  > 'id' "
	    "[PKL-CALL-DANGEROUS] "));
	scripts(DECIMAL SYSTEM("id") "N .", DECIMAL "N .");
	assert_int_equal(told.n, 1);
	assert_true(has("removed call os.system: 'id' >  [] "));
}

static void
other_arguments_are_a_change(void **state)
{
	(void)state;
	scripts(SYSTEM("id") SYSTEM("ls") "N .",
	    SYSTEM("ls") SYSTEM("rm") "N .");
	assert_int_equal(told.n, 1);
	assert_true(has("changed call os.system: 'id' > 'rm' "
	    "[PKL-CALL-DANGEROUS] "));
}

static void
one_argument_more_often_is_a_change(void **state)
{
	(void)state;
	scripts(SYSTEM("id") "N .", SYSTEM("id") SYSTEM("id") "N .");
	assert_int_equal(told.n, 1);
	assert_true(has("changed call os.system:  > 'id' "
	    "[PKL-CALL-DANGEROUS] "));
}

static void
a_change_behind_the_arguments_that_are_kept_is_told(void **state)
{
	static char p[ROOM], q[ROOM];
	size_t n = 0, m;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)snprintf(p + n, sizeof(p) - n,
		    "G:os:system 'a%u #85 R 0 ", i);
	memcpy(q, p, n);
	(void)snprintf(p + n, sizeof(p) - n, SYSTEM("b") "N .");
	m = n + (size_t)snprintf(q + n, sizeof(q) - n, SYSTEM("c") "N .");
	assert_true(m < sizeof(q));
	scripts(p, q);
	assert_int_equal(told.n, 1);
	assert_true(has("changed call os.system:  >  "
	    "[PKL-CALL-DANGEROUS] "));
}

static void
a_change_at_the_end_of_a_long_argument_is_told(void **state)
{
	static const char head[] = "\x80\x02" "cos\nsystem\nX\x20\x4e\0";
	static char p[ROOM], q[ROOM];
	size_t n;

	(void)state;

	/* 20000 bytes of text: the NUL that ends head is part of its length. */
	n = sizeof(head);
	memcpy(p, head, n);
	memset(p + n, 'a', 20000);
	memcpy(p + n + 20000, "\x85R.", 3);
	n += 20003;
	memcpy(q, p, n);
	compare(p, n, q, n);
	assert_int_equal(told.n, 0);
	q[n - 4] = 'b';
	compare(p, n, q, n);
	assert_int_equal(told.n, 1);
	assert_true(strncmp(told.row[0], "changed call os.system", 22) == 0);
}

static void
other_kinds_of_arguments_are_one_change(void **state)
{
	(void)state;
	scripts("G:decimal:Decimal '1 #85 R .", "G:decimal:Decimal "
	    "K #01 #85 R .");
	assert_int_equal(told.n, 1);
	assert_true(has("changed call decimal.Decimal: '1' > 1 [] "));
}

static void
an_order_that_changed_is_told_by_the_fewest_moves(void **state)
{
	(void)state;
	scripts(DEQUE DECIMAL FRACTION "N .", DECIMAL FRACTION DEQUE "N .");
	assert_int_equal(told.n, 1);
	assert_true(has("moved call collections.deque: 0 > 2 [] "));
}

static void
a_global_is_told_only_when_nothing_calls_it(void **state)
{
	(void)state;
	scripts("N .", "G:os:system 0 G:decimal:Decimal '1 #85 R .");
	assert_int_equal(told.n, 2);
	assert_true(has("added call decimal.Decimal:  > '1' [] "));
	assert_true(has("added global os.system:  >  [PKL-GLOBAL-DANGEROUS] "));
}

/* A state_dict of ${n} tensors, and a call if ${what}. */
static uint8_t *
checkpoint(const char *root, unsigned n, const char *what, size_t *size)
{
	char text[64];
	uint8_t *p;

	pt_begin();
	pt_ops("ccollections\nOrderedDict\n)R(");
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "w%u", i);
		pt_text(text);
		pt_vector("0");
	}
	pt_ops("u");
	if (what != NULL) {
		pt_ops("cos\nsystem\n");
		pt_text(what);
		pt_ops("\x85R0");
	}
	pt_ops(".");
	(void)snprintf(text, sizeof(text), "%s/data.pkl", root);
	pt_member(text, pt_pickle.p, pt_pickle.n, false);
	(void)snprintf(text, sizeof(text), "%s/data/0", root);
	pt_member(text, "0123456789abcdef", 16, false);
	pt_end();
	p = malloc(pt_file.n);
	assert_non_null(p);
	memcpy(p, pt_file.p, pt_file.n);
	*size = pt_file.n;
	return p;
}

static void
more_tensors_under_another_name_are_no_row(void **state)
{
	uint8_t *p, *q;
	size_t n, m;

	(void)state;
	p = checkpoint("model_v1", 10, NULL, &n);
	q = checkpoint("model_v2", 17, NULL, &m);
	compare(p, n, q, m);
	assert_int_equal(told.n, 0);
	free(q);
	q = checkpoint("model_v2", 17, "id", &m);
	compare(p, n, q, m);
	assert_int_equal(told.n, 1);
	assert_true(has("added call os.system:  > 'id' "
	    "[PKL-CALL-DANGEROUS] data.pkl"));
	free(p);
	free(q);
}

static void
a_pickle_that_breaks_off_is_said_to(void **state)
{
	static char p[ROOM];
	size_t n;

	(void)state;
	n = pickle_script(DEQUE DECIMAL "N .", p, sizeof(p));
	compare(p, n, p, n - 1);
	assert_true(has("changed calls not read to their end: whole > "
	    "in part [] "));
}

static void
a_flood_of_harmless_rows_hides_no_other(void **state)
{
	static char q[ROOM];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 700; i++)
		n += (size_t)snprintf(q + n, sizeof(q) - n,
		    "G:numpy:f%u N #85 R 0 ", i);
	(void)snprintf(q + n, sizeof(q) - n, SYSTEM("id") "N .");
	scripts("N .", q);
	assert_int_equal(told.n, AROUND_CALLS_ROWS + 1);
	assert_true(has("added call os.system:  > 'id' "
	    "[PKL-CALL-DANGEROUS] "));
	assert_true(has("changed calls not listed:  > 201 [] "));
}

static void
mutated_files_are_compared_without_harm(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	p = checkpoint("m", 5, "id", &n);
	row_case_mutate(&told, p, n, 1500, 7, 2);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_calls_give_no_row),
	    cmocka_unit_test(a_planted_call_comes_with_its_rule),
	    cmocka_unit_test(other_arguments_are_a_change),
	    cmocka_unit_test(one_argument_more_often_is_a_change),
	    cmocka_unit_test(
		a_change_behind_the_arguments_that_are_kept_is_told),
	    cmocka_unit_test(a_change_at_the_end_of_a_long_argument_is_told),
	    cmocka_unit_test(other_kinds_of_arguments_are_one_change),
	    cmocka_unit_test(
		an_order_that_changed_is_told_by_the_fewest_moves),
	    cmocka_unit_test(a_global_is_told_only_when_nothing_calls_it),
	    cmocka_unit_test(more_tensors_under_another_name_are_no_row),
	    cmocka_unit_test(a_pickle_that_breaks_off_is_said_to),
	    cmocka_unit_test(a_flood_of_harmless_rows_hides_no_other),
	    cmocka_unit_test(mutated_files_are_compared_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
