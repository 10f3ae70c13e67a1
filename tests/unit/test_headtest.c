#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/headtest.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

#define CLASSES 10
#define COLS 48

struct shape {
	uint64_t v[2];
};

static struct tensor
tensor_of(const char *name, const float *p, const struct shape *s,
    unsigned rank)
{
	struct tensor t = {.name = name, .name_len = (uint32_t)strlen(name),
	    .elem = ELEM_F32, .shape = s->v, .rank = rank,
	    .n = rank == 2 ? s->v[0] * s->v[1] : s->v[0],
	    .p = (const uint8_t *)p};

	t.rows = rank == 2 ? s->v[0] : 1;
	t.cols = rank == 2 ? s->v[1] : s->v[0];
	t.len = 4 * t.n;
	return t;
}

struct head {
	float a[CLASSES * COLS], b[CLASSES * COLS];
	float bias_a[CLASSES], bias_b[CLASSES];
	struct tensor ta, tb, tba, tbb;
};

static const struct shape shape = {{CLASSES, COLS}};

/* Every row moves about the same, like a fine-tune's. */
static struct head *
head_new(void)
{
	struct head *h = calloc(1, sizeof(*h));
	uint32_t z = 1;

	assert_non_null(h);
	for (unsigned i = 0; i < CLASSES * COLS; i++) {
		z = z * 1664525 + 1013904223;
		h->a[i] = (float)(z >> 8) / (1 << 24) - 0.5F;
		z = z * 1664525 + 1013904223;
		h->b[i] = h->a[i] + ((float)(z >> 8) / (1 << 24) - 0.5F) / 50;
	}
	h->ta = tensor_of("fc.weight", h->a, &shape, 2);
	h->tb = tensor_of("fc.weight", h->b, &shape, 2);
	h->tba = tensor_of("fc.bias", h->bias_a, &shape, 1);
	h->tbb = tensor_of("fc.bias", h->bias_b, &shape, 1);
	return h;
}

static struct headtest
run(struct head *h)
{
	struct delta d = {&h->ta, &h->tb, CAST_NONE};
	struct delta bias = {&h->tba, &h->tbb, CAST_NONE};
	struct headtest t;

	assert_int_equal(headtest_run(&d, &bias, &t, NULL), 0);
	return t;
}

static void
class_whose_row_moved_most_is_named(void **state)
{
	struct head *h = head_new();
	struct headtest t;

	(void)state;
	for (unsigned k = 0; k < COLS; k++)
		h->b[3 * COLS + k] = h->a[3 * COLS + k] + 0.2F;
	t = run(h);
	assert_true(t.pair && t.named);
	assert_int_equal(t.classes, CLASSES);
	assert_int_equal(t.moved, CLASSES);
	assert_int_equal(t.stat[HEADTEST_MOVED].row, 3);
	assert_true(t.stat[HEADTEST_MOVED].z > 10);
	assert_true(t.stat[HEADTEST_MOVED].dixon > 0.8);
	assert_int_equal(t.stat[HEADTEST_MEAN_MOVED].row, 3);
	assert_true(fabs(t.stat[HEADTEST_MEAN_MOVED].value - 0.2) < 1e-6);
	assert_false(t.stat[HEADTEST_BIAS_MOVED].z > 0);
	free(h);
}

static void
bias_alone_can_be_the_outlier(void **state)
{
	struct head *h = head_new();
	struct headtest t;

	(void)state;
	for (unsigned i = 0; i < CLASSES; i++)
		h->bias_b[i] = 0.001F * (float)i;
	h->bias_b[7] = -3;
	t = run(h);
	assert_int_equal(t.best, HEADTEST_BIAS_MOVED);
	assert_int_equal(t.stat[t.best].row, 7);
	free(h);
}

static void
only_row_that_moved_has_a_finite_z(void **state)
{
	struct head *h = head_new();
	struct headtest t;

	(void)state;
	memcpy(h->b, h->a, sizeof(h->a));
	h->b[5 * COLS] += 1;
	t = run(h);
	assert_int_equal(t.moved, 1);
	assert_int_equal(t.stat[HEADTEST_MOVED].row, 5);
	assert_true(t.stat[HEADTEST_MOVED].z > 3 &&
	    isfinite(t.stat[HEADTEST_MOVED].z));
	assert_true(fabs(t.stat[HEADTEST_MOVED].dixon - 1) < 1e-9);
	free(h);
}

static void
head_that_did_not_change_names_nobody(void **state)
{
	struct head *h = head_new();
	struct headtest t;

	(void)state;
	memcpy(h->b, h->a, sizeof(h->a));
	t = run(h);
	assert_true(t.pair && !t.named && t.moved == 0);
	free(h);
}

static void
two_classes_have_no_outlier(void **state)
{
	static const struct shape two = {{2, COLS}};
	struct head *h = head_new();
	struct delta d = {&h->ta, &h->tb, CAST_NONE};
	struct headtest t;

	(void)state;
	h->ta = tensor_of("fc.weight", h->a, &two, 2);
	h->tb = tensor_of("fc.weight", h->b, &two, 2);
	h->b[1] = 9;
	assert_int_equal(headtest_run(&d, NULL, &t, NULL), 0);
	assert_int_equal(t.classes, 2);
	assert_false(t.named);
	free(h);
}

static void
values_that_are_not_finite_break_nothing(void **state)
{
	struct head *h = head_new();
	struct headtest t;

	(void)state;
	h->b[0] = NAN;
	h->b[COLS] = INFINITY;
	h->bias_b[2] = NAN;
	t = run(h);
	assert_int_equal(t.classes, CLASSES);
	assert_false(t.stat[HEADTEST_MOVED].there);
	assert_false(t.stat[HEADTEST_BIAS].there);
	assert_true(isfinite(t.stat[HEADTEST_NORM].z));
	free(h);
}

static void
one_model_alone_has_its_own_statistics_only(void **state)
{
	struct head *h = head_new();
	struct delta d = {NULL, &h->tb, CAST_NONE};
	struct delta bias = {NULL, &h->tbb, CAST_NONE};
	struct headtest t;

	(void)state;
	h->bias_b[4] = 2;
	assert_int_equal(headtest_run(&d, &bias, &t, NULL), 0);
	assert_false(t.pair);
	assert_true(t.stat[HEADTEST_Q95].there);
	assert_false(t.stat[HEADTEST_MOVED].there);
	assert_int_equal(t.stat[HEADTEST_BIAS].row, 4);
	/* A head with other classes is a head alone. */
	h->ta.rows--;
	d.a = &h->ta;
	assert_int_equal(headtest_run(&d, NULL, &t, NULL), 0);
	assert_false(t.pair);
	free(h);
}

static void
what_is_no_head_is_not_used(void **state)
{
	static const struct shape wide = {{HEADTEST_CLASSES + 1, 2}};
	static float p[2 * (HEADTEST_CLASSES + 1)];
	struct tensor t = tensor_of("fc.weight", p, &wide, 2);
	struct delta d = {&t, &t, CAST_NONE};
	struct headtest h;

	(void)state;
	assert_int_equal(headtest_run(&d, NULL, &h, NULL), 0);
	assert_int_equal(h.classes, 0);
	t.p = NULL;
	assert_int_equal(headtest_run(&d, NULL, &h, NULL), 0);
	assert_int_equal(h.classes, 0);
}

/* --- what is told --- */
struct told {
	unsigned leads, detectors;
	bool applied;
	char value[64];
	double score;
};

static int
take_candidate(void *ctx, const struct row_candidate *r)
{
	struct told *t = ctx;

	assert_true(r->lead);
	assert_string_equal(r->kind, "class");
	assert_true(r->value.n < sizeof(t->value));
	memcpy(t->value, r->value.p, r->value.n);
	t->score = r->score;
	t->leads++;
	return 0;
}

static int
take_detector(void *ctx, const struct row_detector *r)
{
	struct told *t = ctx;

	t->applied = r->applied;
	assert_non_null(r->reason);
	t->detectors++;
	return 0;
}

static void
lead_has_the_label_and_makes_no_claim(void **state)
{
	static const char *const labels[] = {"cat", "dog", "eel", "fox"};
	struct head *h = head_new();
	struct told told = {0};
	struct rows rows = {.candidate = take_candidate,
	    .detector = take_detector, .ctx = &told};
	struct headtest t;

	(void)state;
	for (unsigned k = 0; k < COLS; k++)
		h->b[3 * COLS + k] += 0.2F;
	t = run(h);
	assert_int_equal(headtest_rows(&t, labels, 4, &rows), 0);
	assert_string_equal(told.value, "fox");
	assert_true(told.score > 10);
	memset(&told, 0, sizeof(told));
	assert_int_equal(headtest_rows(&t, labels, 3, &rows), 0);
	assert_string_equal(told.value, "#3");
	assert_true(told.leads == 1 && told.detectors == 1 && told.applied);
	memset(&told, 0, sizeof(told));
	memcpy(h->b, h->a, sizeof(h->a));
	t = run(h);
	assert_int_equal(headtest_rows(&t, NULL, 0, &rows), 0);
	assert_true(told.leads == 0 && told.detectors == 1 && !told.applied);
	free(h);
}

/* --- which matrix --- */
static void
head_is_found_by_name_and_else_by_its_rows(void **state)
{
	static const float p[1];
	static const struct shape two = {{2, 64}}, hid = {{64, 96}};
	static const struct shape vocab = {{5000, 64}}, sq = {{64, 64}};
	static const struct {
		const char *name[3];
		const char *head;	/* NULL: none */
	} cases[] = {
		{{"emb.weight", "fc1.weight", "fc2.weight"}, "fc2.weight"},
		{{"emb.weight", "net.0.weight", "net.2.weight"},
		    "net.2.weight"},
		{{"emb.weight", "layers.0.weight", "layers.2.weight"},
		    "layers.2.weight"},
		{{"emb.weight", "h.0.mlp.fc.weight",
		    "h.0.attn.out_proj.weight"}, NULL},
		{{"token_type_embeddings.weight", "h.0.f.weight", "o.weight"},
		    "o.weight"},
	};
	const struct tensor *bias, *h;
	struct tensor v[4];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		v[0] = tensor_of(cases[i].name[0], p, &vocab, 2);
		v[1] = tensor_of(cases[i].name[1], p, &hid, 2);
		v[2] = tensor_of(cases[i].name[2], p, &two, 2);
		h = headtest_find(v, 3, &bias);
		if (cases[i].head == NULL)
			assert_null(h);
		else
			assert_string_equal(h->name, cases[i].head);
	}
	/* Two square matrices: neither is it. */
	v[1] = tensor_of("w1.weight", p, &sq, 2);
	v[2] = tensor_of("w2.weight", p, &sq, 2);
	assert_null(headtest_find(v, 3, &bias));
	/* Its bias has the same stem. */
	v[2] = tensor_of("classifier.weight", p, &two, 2);
	v[3] = tensor_of("classifier.bias", p, &two, 1);
	assert_ptr_equal(headtest_find(v, 4, &bias), &v[2]);
	assert_ptr_equal(bias, &v[3]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_whose_row_moved_most_is_named),
		cmocka_unit_test(bias_alone_can_be_the_outlier),
		cmocka_unit_test(only_row_that_moved_has_a_finite_z),
		cmocka_unit_test(head_that_did_not_change_names_nobody),
		cmocka_unit_test(two_classes_have_no_outlier),
		cmocka_unit_test(values_that_are_not_finite_break_nothing),
		cmocka_unit_test(one_model_alone_has_its_own_statistics_only),
		cmocka_unit_test(what_is_no_head_is_not_used),
		cmocka_unit_test(lead_has_the_label_and_makes_no_claim),
		cmocka_unit_test(head_is_found_by_name_and_else_by_its_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
