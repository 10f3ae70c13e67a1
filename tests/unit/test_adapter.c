#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/diff/adapter.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "base/err.h"
#include "tests/lib/basis_case.h"
#include "tests/unit/spectrum_fixture.h"

/* Matrices of M x N, some with an adapter of rank R merged into them. */
#define M 96
#define N 64
#define R 4
#define ITEMS 4
#define FACTORS 16

struct bench {
	struct tensor old[ITEMS], new[ITEMS], factor[FACTORS];
	struct structure_item item[ITEMS];
	struct pass_sums sums[ITEMS];
	struct spectrum spectrum[ITEMS];
	struct structure_model model;
	struct adapter_files files;
};

static struct tensor
tensor(const char *name, uint64_t rows, uint64_t cols, const void *p)
{
	return (struct tensor){.name = name, .elem = ELEM_F32, .p = p,
	    .name_len = (uint32_t)strlen(name), .rank = 2, .n = rows * cols,
	    .rows = rows, .cols = cols, .len = rows * cols * sizeof(float)};
}

/* A matrix that did not change (yet). */
static void
add_item(struct bench *b, const char *name, uint64_t rows, uint64_t cols)
{
	size_t i = b->model.n++;
	float *w = fixture_weights(rows, cols);
	float *v = fixture_alloc(rows * cols * sizeof(*v));

	memcpy(v, w, rows * cols * sizeof(*v));
	b->old[i] = tensor(name, rows, cols, w);
	b->new[i] = tensor(name, rows, cols, v);
	b->item[i] = (struct structure_item){.old = &b->old[i],
	    .new = &b->new[i], .relation = STRUCTURE_CHANGED,
	    .sums = &b->sums[i], .spectrum = &b->spectrum[i]};
	b->model.v = b->item;
}

static void
add_factors(struct bench *b, const char *a, const char *bb, uint64_t in,
    uint64_t out)
{
	struct tensor *f = &b->factor[b->files.n];

	f[0] = tensor(a, R, in, fixture_noise(R * in, 0.1));
	f[1] = tensor(bb, out, R, fixture_noise(R * out, 0.1));
	b->files.n += 2;
	b->files.v = b->factor;
}

static const float *
values(const struct tensor *t)
{
	return (const float *)(const void *)t->p;
}

/* Item i becomes W + s B A of factors 2k and 2k + 1. */
static void
merge(struct bench *b, size_t i, size_t k, double s, bool turned)
{
	const float *fa = values(&b->factor[2 * k]);
	const float *fb = values(&b->factor[2 * k + 1]);
	const struct tensor *t = &b->new[i];
	float *v = (float *)(uintptr_t)t->p;
	uint64_t in = b->factor[2 * k].cols;

	for (uint64_t x = 0; x < t->rows; x++)
		for (uint64_t y = 0; y < t->cols; y++) {
			uint64_t o = turned ? y : x, c = turned ? x : y;
			double p = 0;

			for (uint64_t r = 0; r < R; r++)
				p += (double)fb[o * R + r] *
				    (double)fa[r * in + c];
			v[x * t->cols + y] += (float)(s * p);
		}
}

/* What storing B in bfloat16 does, and the noise that this explains. */
static void
store_coarsely(struct bench *b, size_t i)
{
	float *v = (float *)(uintptr_t)b->new[i].p;
	double sum = 0;

	for (uint64_t k = 0; k < b->new[i].n; k++) {
		double ulp = ldexp(1, ilogb((double)v[k]) - 7);

		v[k] = (float)(rint((double)v[k] / ulp) * ulp);
		sum += ulp * ulp / 12;
	}
	b->spectrum[i].nt = sqrt(sum);
}

static void
bench_release(struct bench *b)
{
	for (size_t i = 0; i < b->model.n; i++) {
		free((void *)(uintptr_t)b->old[i].p);
		free((void *)(uintptr_t)b->new[i].p);
	}
	for (size_t i = 0; i < b->files.n; i++)
		free((void *)(uintptr_t)b->factor[i].p);
}

struct told {
	unsigned n;
	size_t tensors, merged;
	double scale;
	char first[64], text[8192];
};

static int
take(void *ctx, const struct row_conclusion *c)
{
	struct told *t = ctx;
	const char *at;

	t->n++;
	assert_int_equal(c->kind, CONCLUSION_MERGED_ADAPTER);
	assert_int_equal(c->confidence, CONFIDENCE_CERTAIN);
	t->tensors = c->ntensors;
	snprintf(t->first, sizeof(t->first), "%.*s", (int)c->tensors[0].n,
	    c->tensors[0].p);
	basis_case_text(c->evidence, t->text, sizeof(t->text));
	at = strstr(t->text, "scale ");
	assert_non_null(at);
	t->scale = strtod(at + 6, NULL);
	return 0;
}

static struct told
judge(struct bench *b, struct pool *pool)
{
	static struct told t;
	struct rows rows = {.conclusion = take, .ctx = &t};
	struct err e = {0};

	memset(&t, 0, sizeof(t));
	assert_int_equal(adapter_judge(pool, &b->model, &b->files, &rows,
	    &t.merged, &e), 0);
	assert_int_equal(t.n, t.merged > 0);
	assert_int_equal(t.tensors, t.merged);
	return t;
}

#define PEFT "base_model.model.model.layers.0."

static void
two_modules(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	add_item(b, "model.layers.0.self_attn.q_proj.weight", M, N);
	add_item(b, "model.layers.0.mlp.down_proj.weight", N, M);
	add_item(b, "model.layers.0.mlp.up_proj.weight", M, N);
	add_factors(b, PEFT "self_attn.q_proj.lora_A.weight",
	    PEFT "self_attn.q_proj.lora_B.weight", N, M);
	add_factors(b, PEFT "mlp.down_proj.lora_A.weight",
	    PEFT "mlp.down_proj.lora_B.weight", M, N);
}

static void
a_merged_adapter_gives_its_exact_scale(void **state)
{
	struct bench b;
	struct told t;

	(void)state;
	two_modules(&b);
	b.files.config = (struct adapter_config){true, 8, R, false};
	merge(&b, 0, 0, 2, false);
	merge(&b, 1, 1, 2, false);
	t = judge(&b, NULL);
	assert_int_equal(t.merged, 2);
	assert_true(fabs(t.scale - 2) < 1e-4);
	assert_non_null(strstr(t.text, "scale stated 2,"));
	assert_non_null(strstr(t.text, "modules of stated scale 2"));
	/* up_proj is said to have changed, and no factor explains it. */
	assert_non_null(strstr(t.text, "changes not explained 1"));
	bench_release(&b);
}

static void
another_scale_than_stated_is_seen(void **state)
{
	struct bench b;
	struct told t;

	(void)state;
	two_modules(&b);
	b.files.config = (struct adapter_config){true, 8, R, true};
	merge(&b, 0, 0, 2, false);
	t = judge(&b, NULL);
	assert_int_equal(t.merged, 1);
	assert_string_equal(t.first,
	    "model.layers.0.self_attn.q_proj.weight");
	/* 8 / sqrt(4), not 8 / 4 */
	assert_non_null(strstr(t.text, "scale stated 4,"));
	assert_non_null(strstr(t.text, "modules of stated scale 0"));
	bench_release(&b);
}

static void
without_a_configuration_nothing_is_stated(void **state)
{
	struct bench b;

	(void)state;
	two_modules(&b);
	merge(&b, 0, 0, 0.5, false);
	assert_null(strstr(judge(&b, NULL).text, "stated"));
	b.files.config = (struct adapter_config){true, 0, 0, false};
	assert_null(strstr(judge(&b, NULL).text, "stated"));
	bench_release(&b);
}

static void
an_adapter_that_was_taken_out_has_a_negative_scale(void **state)
{
	struct bench b;
	struct told t;

	(void)state;
	two_modules(&b);
	merge(&b, 0, 0, -2, false);
	t = judge(&b, NULL);
	assert_true(fabs(t.scale + 2) < 1e-4);
	assert_non_null(strstr(t.text, "taken out"));
	bench_release(&b);
}

static void
another_adapter_does_not_fit(void **state)
{
	struct bench b;
	float *fa;

	(void)state;
	two_modules(&b);
	merge(&b, 0, 0, 2, false);
	merge(&b, 1, 1, 2, false);
	/* One of four directions is another now: still 3/4 of the change. */
	fa = (float *)(uintptr_t)b.factor[0].p;
	for (size_t i = 0; i < N; i++)
		fa[i] = (float)(0.1 * fixture_gauss());
	fa = (float *)(uintptr_t)b.factor[2].p;
	for (size_t i = 0; i < R * M; i++)
		fa[i] = (float)(0.1 * fixture_gauss());
	assert_int_equal(judge(&b, NULL).merged, 0);
	bench_release(&b);
}

static void
nothing_fits_where_nothing_changed(void **state)
{
	struct bench b;

	(void)state;
	two_modules(&b);
	assert_int_equal(judge(&b, NULL).merged, 0);
	bench_release(&b);
}

static void
coarse_storage_leaves_the_scale_readable(void **state)
{
	struct bench b;
	struct told t;

	(void)state;
	two_modules(&b);
	b.files.config = (struct adapter_config){true, 2, R, false};
	merge(&b, 0, 0, 0.5, false);
	store_coarsely(&b, 0);
	store_coarsely(&b, 1);	/* rounded, and nothing else */
	t = judge(&b, NULL);
	assert_int_equal(t.merged, 1);
	assert_true(fabs(t.scale - 0.5) < 1e-3);
	assert_non_null(strstr(t.text, "modules of stated scale 1"));
	bench_release(&b);
}

static void
inputs_in_rows_are_held_against_the_transpose(void **state)
{
	struct bench b;
	struct told t;

	(void)state;
	memset(&b, 0, sizeof(b));
	add_item(&b, "transformer.h.3.attn.c_attn.weight", N, M);
	add_item(&b, "transformer.h.3.attn.c_proj.weight", N, N);
	add_factors(&b,
	    "base_model.model.transformer.h.3.attn.c_attn.lora_A.weight",
	    "base_model.model.transformer.h.3.attn.c_attn.lora_B.weight", N,
	    M);
	add_factors(&b,
	    "base_model.model.transformer.h.3.attn.c_proj.lora_A.weight",
	    "base_model.model.transformer.h.3.attn.c_proj.lora_B.weight", N,
	    N);
	merge(&b, 0, 0, 3, true);
	merge(&b, 1, 1, 3, true);	/* square: shapes do not tell */
	t = judge(&b, NULL);
	assert_int_equal(t.merged, 2);
	assert_true(fabs(t.scale - 3) < 1e-3);
	bench_release(&b);
}

static void
names_of_wrappers_and_of_gguf_are_found(void **state)
{
	static const char *const names[][2] = {
	    {"bert.encoder.layer.1.attention.self.query",
		"bert.encoder.layer.1.attention.self.query.weight"},
	    {"model.layers.1.mlp.up_proj", "blk.1.ffn_up.weight"},
	    {"model.layers.1.mlp.up_proj",
		"model.model.layers.1.mlp.up_proj.weight"}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char a[128], c[128];
		struct bench b;

		memset(&b, 0, sizeof(b));
		snprintf(a, sizeof(a), "base_model.model.%s.lora_A.default."
		    "weight", names[i][0]);
		snprintf(c, sizeof(c), "base_model.model.%s.lora_B.default."
		    "weight", names[i][0]);
		add_item(&b, names[i][1], M, N);
		add_factors(&b, a, c, N, M);
		merge(&b, 0, 0, 2, false);
		assert_int_equal(judge(&b, NULL).merged, 1);
		bench_release(&b);
	}
}

static void
factors_of_two_adapters_are_not_mixed(void **state)
{
	struct bench b;

	(void)state;
	memset(&b, 0, sizeof(b));
	add_item(&b, "model.layers.0.mlp.up_proj.weight", M, N);
	add_factors(&b, PEFT "mlp.up_proj.lora_A.first.weight",
	    PEFT "mlp.up_proj.lora_B.first.weight", N, M);
	add_factors(&b, PEFT "mlp.up_proj.lora_A.second.weight",
	    PEFT "mlp.up_proj.lora_B.second.weight", N, M);
	merge(&b, 0, 1, 2, false);
	assert_int_equal(judge(&b, NULL).merged, 1);
	bench_release(&b);
}

static void
factors_that_do_not_fit_are_left_out(void **state)
{
	struct bench b;
	struct tensor *a, *c;

	(void)state;
	two_modules(&b);
	merge(&b, 0, 0, 2, false);
	a = &b.factor[0];
	c = &b.factor[1];
	c->rows = M / 2;
	c->cols = 2 * R;
	assert_int_equal(judge(&b, NULL).merged, 0);	/* another r */
	c->rows = M;
	c->cols = R;
	a->cols = N / 2;
	a->rows = 2 * R;
	assert_int_equal(judge(&b, NULL).merged, 0);
	a->cols = N;
	a->rows = R;
	free((void *)(uintptr_t)a->p);
	a->p = NULL;
	assert_int_equal(judge(&b, NULL).merged, 0);	/* not at hand */
	free((void *)(uintptr_t)c->p);
	c->p = NULL;
	assert_int_equal(judge(&b, NULL).merged, 0);
	bench_release(&b);
}

static void
what_is_no_number_is_left_out(void **state)
{
	struct bench b;
	float *v;

	(void)state;
	two_modules(&b);
	merge(&b, 0, 0, 2, false);
	v = (float *)(uintptr_t)b.new[0].p;
	v[5] = NAN;
	v[77] = INFINITY;
	assert_true(fabs(judge(&b, NULL).scale - 2) < 1e-4);
	v = (float *)(uintptr_t)b.factor[0].p;
	for (size_t i = 0; i < R * N; i++)
		v[i] = NAN;
	assert_int_equal(judge(&b, NULL).merged, 0);
	bench_release(&b);
}

static void
threads_give_the_same_figures(void **state)
{
	struct err e = {0};
	struct pool *pool = pool_new(3, &e);
	struct bench b;
	struct told one;

	(void)state;
	assert_non_null(pool);
	two_modules(&b);
	merge(&b, 0, 0, 2, false);
	one = judge(&b, NULL);
	assert_string_equal(judge(&b, pool).text, one.text);
	bench_release(&b);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_merged_adapter_gives_its_exact_scale),
	    cmocka_unit_test(another_scale_than_stated_is_seen),
	    cmocka_unit_test(without_a_configuration_nothing_is_stated),
	    cmocka_unit_test(
		an_adapter_that_was_taken_out_has_a_negative_scale),
	    cmocka_unit_test(another_adapter_does_not_fit),
	    cmocka_unit_test(nothing_fits_where_nothing_changed),
	    cmocka_unit_test(coarse_storage_leaves_the_scale_readable),
	    cmocka_unit_test(inputs_in_rows_are_held_against_the_transpose),
	    cmocka_unit_test(names_of_wrappers_and_of_gguf_are_found),
	    cmocka_unit_test(factors_of_two_adapters_are_not_mixed),
	    cmocka_unit_test(factors_that_do_not_fit_are_left_out),
	    cmocka_unit_test(what_is_no_number_is_left_out),
	    cmocka_unit_test(threads_give_the_same_figures)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
