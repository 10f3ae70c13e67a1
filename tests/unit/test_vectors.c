#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/vectors.h"
#include "tests/lib/basis_case.h"

#define N 4096

static struct tensor
named(const char *name, unsigned rank)
{
	return (struct tensor){.name = name,
	    .name_len = (uint32_t)strlen(name), .elem = ELEM_F32,
	    .rank = rank, .n = N, .rows = rank > 1 ? 64 : 1,
	    .cols = rank > 1 ? 64 : N};
}

/* B = factor A, and something of its own beside. */
static struct pass_sums
scaled(double factor, double beside)
{
	struct pass_sums s = {.n = N, .a2 = 100};

	s.b2 = 100 * (factor * factor + beside * beside);
	s.ab = 100 * factor;
	s.d2 = s.a2 - 2 * s.ab + s.b2;
	s.changed = factor == 1 && beside == 0 ? 0 : N;
	return s;
}

struct told {
	unsigned n;
	enum conclusion_kind kind;
	size_t tensors;
	uint64_t in_all;
	char text[4096];
};

static int
take(void *ctx, const struct row_conclusion *r)
{
	struct told *t = ctx;

	t->n++;
	t->kind = r->kind;
	t->tensors = r->ntensors;
	t->in_all = r->tensors_in_all;
	assert_true(r->nalternatives > 0);
	basis_case_text(r->evidence, t->text, sizeof(t->text));
	return 0;
}

struct part {
	const char *name;
	unsigned rank;
	double factor, beside;
};

static struct told
tell(const struct part *part, size_t n)
{
	static struct vectors v;
	static struct tensor t[8];
	struct told told = {0};
	struct rows rows = {.conclusion = take, .ctx = &told};
	struct pass_sums s;

	vectors_init(&v);
	for (size_t i = 0; i < n; i++) {
		t[i] = named(part[i].name, part[i].rank);
		s = scaled(part[i].factor, part[i].beside);
		vectors_add(&v, &t[i], isnan(part[i].factor) ? NULL : &s);
	}
	assert_int_equal(vectors_rows(&v, &rows), 0);
	return told;
}

static void
running_statistics_alone_mean_forward_passes(void **state)
{
	const struct part p[] = {{"c.weight", 4, 1, 0},
	    {"bn.running_mean", 1, 1.1, 0.2}, {"bn.running_var", 1, 0.9, 0},
	    {"bn.weight", 1, 1, 0}};
	struct told t = tell(p, 4);

	(void)state;
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kind, CONCLUSION_CONTINUED_TRAINING);
	assert_int_equal(t.tensors, 2);
	assert_non_null(strstr(t.text, "forward passes in training mode"));
}

static void
one_factor_on_every_matrix_is_weight_decay(void **state)
{
	struct part p[] = {{"a.weight", 2, 0.995, 0},
	    {"b.weight", 2, 0.995, 0}, {"b.bias", 1, 0.995, 0}};
	struct told t = tell(p, 3);

	(void)state;
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kind, CONCLUSION_RESCALED);
	assert_non_null(strstr(t.text, "weight decay"));
	p[0].factor = p[1].factor = 1.5;
	t = tell(p, 3);
	assert_int_equal(t.kind, CONCLUSION_RESCALED);
	assert_null(strstr(t.text, "weight decay"));
}

static void
other_changes_of_matrices_are_not_weight_decay(void **state)
{
	struct part p[] = {{"a.weight", 2, 0.995, 0},
	    {"b.weight", 2, 0.995, 0.05}};

	(void)state;
	assert_int_equal(tell(p, 2).n, 0);	/* one was trained */
	p[1].beside = 0;
	p[1].factor = 0.99;
	assert_int_equal(tell(p, 2).n, 0);	/* two factors */
	p[1].factor = 1;
	assert_int_equal(tell(p, 2).n, 0);	/* one stands still */
	assert_int_equal(tell(p, 1).n, 0);	/* one is no pattern */
}

static void
vectors_alone_mean_tuning_of_biases_or_norms(void **state)
{
	const struct part p[] = {{"a.weight", 2, 1, 0},
	    {"a.bias", 1, 1.1, 0.1}, {"b.bias", 1, 1.2, 0.1},
	    {"ln.weight", 1, 1.2, 0.1}};
	struct told t = tell(p, 3);

	(void)state;
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kind, CONCLUSION_CONTINUED_TRAINING);
	assert_non_null(strstr(t.text, "only biases"));
	t = tell(p, 4);
	assert_non_null(strstr(t.text, "only 1-D tensors"));
	assert_int_equal(t.in_all, 3);
}

static void
a_few_values_of_vectors_are_no_training(void **state)
{
	static struct vectors v;
	struct told told = {0};
	struct rows rows = {.conclusion = take, .ctx = &told};
	struct tensor b = named("a.bias", 1);
	struct pass_sums s = scaled(1.1, 0);

	(void)state;
	s.changed = 3;
	vectors_init(&v);
	vectors_add(&v, &b, &s);
	assert_int_equal(vectors_rows(&v, &rows), 0);
	assert_int_equal(told.n, 0);
}

static void
what_was_not_measured_forbids_all(void **state)
{
	struct part p[] = {{"a.weight", 2, 0.995, 0},
	    {"b.weight", 2, 0.995, 0}, {"c.weight", 2, NAN, 0}};

	(void)state;
	assert_int_equal(tell(p, 2).n, 1);
	assert_int_equal(tell(p, 3).n, 0);
}

static void
nothing_changed_says_nothing(void **state)
{
	const struct part p[] = {{"a.weight", 2, 1, 0}, {"a.bias", 1, 1, 0}};

	(void)state;
	assert_int_equal(tell(p, 2).n, 0);
	assert_int_equal(tell(p, 0).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_statistics_alone_mean_forward_passes),
		cmocka_unit_test(one_factor_on_every_matrix_is_weight_decay),
		cmocka_unit_test(
		    other_changes_of_matrices_are_not_weight_decay),
		cmocka_unit_test(vectors_alone_mean_tuning_of_biases_or_norms),
		cmocka_unit_test(a_few_values_of_vectors_are_no_training),
		cmocka_unit_test(what_was_not_measured_forbids_all),
		cmocka_unit_test(nothing_changed_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
