#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/permute.h"
#include "analyzer/diff/relation.h"
#include "tests/lib/pair_case.h"
#include "tests/lib/relation_case.h"

static void
shuffle(uint32_t *to, uint32_t n, uint64_t seed)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k = (uint32_t)(pair_case_random(&seed) % (i + 1)), x;

		x = to[i];
		to[i] = to[k];
		to[k] = x;
	}
}

/* B[i][j] = s[i] t[j] A[rows[i]][cols[j]]; NULL: in place, 1. */
struct order {
	const uint32_t *rows, *cols;
	const float *s, *t;
};

static struct pair_case
ordered(const struct pair_case *a, enum elem t, struct order o)
{
	const size_t m = a->t.rows, n = a->t.cols;
	float *x = malloc(m * n * sizeof(*x));
	struct pair_case b;

	assert_non_null(x);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			x[i * n + j] = a->x[(o.rows ? o.rows[i] : i) * n +
			    (o.cols ? o.cols[j] : j)] * (o.s ? o.s[i] : 1) *
			    (o.t ? o.t[j] : 1);
	b = pair_case_like(a, t, x);
	free(x);
	return b;
}

static uint32_t rows[96], cols[64];
static float scale[96], inverse[96];

static void
make_orders(uint64_t seed)
{
	shuffle(rows, 96, seed);
	shuffle(cols, 64, seed + 1);
	for (size_t i = 0; i < 96; i++) {
		scale[i] = (float)exp(0.4 * pair_case_normal(&seed));
		inverse[i] = 1 / scale[i];
	}
}

static void
rows_columns_and_both_are_found(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 96, 64, 1);
	struct pair_case b;
	struct relation r;

	(void)state;
	make_orders(2);
	b = ordered(&a, ELEM_F32, (struct order){.rows = rows});
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rows-permuted");
	assert_memory_equal(r.permute->rows.to, rows, sizeof(rows));
	assert_int_equal(r.permute->cols.moved, 0);
	assert_true(r.permute->rows.cycles > 0);
	/* One bit, and it is no longer exact, but an order with an edit. */
	b.p[4003] ^= 0x40;
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rows-permuted-scaled");
	assert_int_equal(r.permute->rows.matched, 95);
	assert_true(r.permute->rows.to[4000 / 256] == UINT32_MAX);
	pair_case_free(&b);
	b = ordered(&a, ELEM_F32, (struct order){.cols = cols});
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "columns-permuted");
	assert_memory_equal(r.permute->cols.to, cols, sizeof(cols));
	pair_case_free(&b);
	b = ordered(&a, ELEM_F32, (struct order){rows, cols, NULL, NULL});
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rows-and-columns-permuted");
	assert_memory_equal(r.permute->rows.to, rows, sizeof(rows));
	assert_memory_equal(r.permute->cols.to, cols, sizeof(cols));
	pair_case_free(&b);
	/* Two rows alone: the cosine is high. */
	for (uint32_t i = 0; i < 96; i++)
		rows[i] = i == 5 ? 70 : i == 70 ? 5 : i;
	b = ordered(&a, ELEM_F32, (struct order){.rows = rows});
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rows-permuted");
	assert_int_equal(r.permute->rows.moved, 2);
	assert_int_equal(r.permute->rows.cycles, 1);
	pair_case_free(&b);
	pair_case_free(&a);
}

static void
equal_rows_keep_their_places(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 96, 64, 3), b;
	struct relation r;

	(void)state;
	for (size_t i = 20; i < 80; i++)
		memset(&a.x[64 * i], 0, 64 * sizeof(float));
	pair_case_store(ELEM_F32, a.x, a.t.n, a.p);
	for (uint32_t i = 0; i < 96; i++)
		rows[i] = i == 1 ? 2 : i == 2 ? 1 : i;
	b = ordered(&a, ELEM_F32, (struct order){.rows = rows});
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rows-permuted");
	assert_int_equal(r.permute->rows.moved, 2);
	pair_case_free(&a);
	pair_case_free(&b);
}

/* convert_hf_to_gguf.py: reshape(heads, 2, h/2, -1), swap the two. */
static void
the_converters_order_of_heads_is_known_also_after_a_cast(void **state)
{
	static const enum elem types[] = {ELEM_F32, ELEM_F16};
	struct pair_case a = pair_case_make(ELEM_F32, 96, 64, 4), b;
	uint32_t back[96];

	(void)state;
	for (uint32_t i = 0; i < 96; i++)
		rows[i] = i - i % 24 + i % 2 * 12 + i % 24 / 2;
	for (uint32_t i = 0; i < 96; i++)
		back[rows[i]] = i;
	for (size_t k = 0; k < 2; k++) {
		struct relation r;

		b = ordered(&a, types[k], (struct order){.rows = rows});
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "heads-permuted");
		assert_int_equal(r.permute->rows.head, 24);
		pair_case_free(&b);
		b = ordered(&a, types[k], (struct order){.rows = back});
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "heads-permuted");
		assert_int_equal(r.permute->rows.head, 24);
		pair_case_free(&b);
	}
	pair_case_free(&a);
}

static void
scaled_lines_are_found_in_any_order(void **state)
{
	static const enum elem types[] = {ELEM_F32, ELEM_F16, ELEM_BF16};
	struct pair_case a, b;
	struct relation r;

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		a = pair_case_make(types[k], 96, 64, 5);
		elem_load(types[k], a.p, a.t.n, a.x);
		make_orders(6 + k);
		b = ordered(&a, types[k], (struct order){.rows = rows,
		    .s = scale});
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "rows-permuted-scaled");
		assert_in_range(r.permute->rows.matched, 95, 96);
		for (size_t i = 0; i < 96; i++)
			if (r.permute->rows.to[i] != UINT32_MAX) {
				assert_int_equal(r.permute->rows.to[i],
				    rows[i]);
				assert_true(fabs((double)r.permute->rows
				    .scale[i] / (double)scale[i] - 1) <
				    (k == 0 ? 1e-6 : 1e-2));
			}
		pair_case_free(&b);
		b = ordered(&a, types[k], (struct order){.s = scale});
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "rows-scaled");
		pair_case_free(&b);
		b = ordered(&a, types[k], (struct order){.cols = cols,
		    .t = scale});
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "columns-permuted-scaled");
		pair_case_free(&b);
		pair_case_free(&a);
	}
}

/* Kernels move as one. */
static void
a_convolutions_input_channels_are_an_axis(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 16, 16 * 9, 7), b;
	uint32_t channels[16], to[144];
	struct relation r;

	(void)state;
	shuffle(channels, 16, 8);
	for (uint32_t j = 0; j < 144; j++)
		to[j] = channels[j / 9] * 9 + j % 9;
	b = ordered(&a, ELEM_F32, (struct order){.cols = to});
	memcpy(a.shape, (uint64_t[]){16, 16, 3, 3}, sizeof(a.shape));
	memcpy(b.shape, a.shape, sizeof(a.shape));
	a.t.shape = a.shape;
	b.t.shape = b.shape;
	a.t.rank = b.t.rank = 4;
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "columns-permuted");
	assert_int_equal(r.permute->cols.n, 16);
	assert_int_equal(r.permute->cols.unit, 9);
	assert_memory_equal(r.permute->cols.to, channels, sizeof(channels));
	pair_case_free(&a);
	pair_case_free(&b);
}

/* A model of up, gate, down and up's bias. */
static void
settle(struct relation_case *x)
{
	static const char *const names[] = {"l.0.mlp.up_proj.weight",
	    "l.0.mlp.gate_proj.weight", "l.0.mlp.down_proj.weight",
	    "l.0.mlp.up_proj.bias"};

	for (size_t i = 0; i < 4; i++) {
		x->a[i].t.name = x->b[i].t.name = names[i];
		x->a[i].t.name_len = x->b[i].t.name_len =
		    (uint32_t)strlen(names[i]);
	}
	relation_case_settle(x);
}

static void
make_model(struct relation_case *x)
{
	x->a[0] = pair_case_make(ELEM_F32, 96, 64, 9);
	x->a[1] = pair_case_make(ELEM_F32, 96, 64, 10);
	x->a[2] = pair_case_make(ELEM_F32, 64, 96, 11);
	x->a[3] = pair_case_make(ELEM_F32, 1, 96, 12);
	x->n = 4;
}

static void
a_permutation_that_everybody_follows_preserves_the_function(void **state)
{
	struct relation_case x;

	(void)state;
	make_orders(13);
	for (int left = 0; left < 4; left++) {
		make_model(&x);
		x.b[0] = ordered(&x.a[0], ELEM_F32, (struct order){
		    .rows = rows});
		x.b[1] = ordered(&x.a[1], ELEM_F32, (struct order){
		    .rows = left == 1 ? NULL : rows});
		x.b[2] = ordered(&x.a[2], ELEM_F32, (struct order){
		    .cols = left == 2 ? NULL : rows});
		x.b[3] = ordered(&x.a[3], ELEM_F32, (struct order){
		    .cols = left == 3 ? NULL : rows});
		settle(&x);
		assert_true(x.r[0].preserving == (left == 0));
		if (left == 0) {
			assert_int_equal(x.m.preserving, 4);
			assert_int_equal(x.m.broken, 0);
			assert_int_equal(x.r[0].partner, 2);
		}
		relation_case_release(&x);
	}
}

static void
a_scaling_needs_its_inverse(void **state)
{
	struct relation_case x;

	(void)state;
	make_orders(14);
	for (int wrong = 0; wrong < 2; wrong++) {
		float t[96];

		for (size_t i = 0; i < 96; i++)
			t[i] = wrong ? scale[rows[i]] : inverse[i];
		make_model(&x);
		x.b[0] = ordered(&x.a[0], ELEM_F32, (struct order){
		    .rows = rows, .s = scale});
		x.b[1] = ordered(&x.a[1], ELEM_F32, (struct order){
		    .rows = rows});
		x.b[2] = ordered(&x.a[2], ELEM_F32, (struct order){
		    .cols = rows, .t = t});
		x.b[3] = ordered(&x.a[3], ELEM_F32, (struct order){
		    .cols = rows, .t = scale});
		settle(&x);
		relation_case_is_called(&x.r[0], "rows-permuted-scaled");
		relation_case_is_called(&x.r[2], "columns-permuted-scaled");
		assert_true(x.r[0].preserving == !wrong);
		assert_true(x.r[3].preserving == !wrong);
		if (!wrong)
			relation_case_is_called(&x.r[3],
			    "columns-permuted-scaled");
		relation_case_release(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_columns_and_both_are_found),
	    cmocka_unit_test(equal_rows_keep_their_places),
	    cmocka_unit_test(
		the_converters_order_of_heads_is_known_also_after_a_cast),
	    cmocka_unit_test(scaled_lines_are_found_in_any_order),
	    cmocka_unit_test(a_convolutions_input_channels_are_an_axis),
	    cmocka_unit_test(
		a_permutation_that_everybody_follows_preserves_the_function),
	    cmocka_unit_test(a_scaling_needs_its_inverse)};

	return cmocka_run_group_tests(tests, relation_case_setup,
	    relation_case_teardown);
}
