#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/diff/editread.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "base/err.h"
#include "tests/unit/spectrum_fixture.h"

/*
 * A model of one layer with random weights.  Its down projection is edited so
 * that one token calls up another: D = s u v^T where v is what the MLP makes
 * of the subject, and u is the row of the object.
 */
#define D 32
#define FF 128
#define VOCAB 300
#define SUBJECT 41
#define OBJECT 207
#define TENSORS 12

struct toy {
	struct tensor t[TENSORS];
	struct structure_item item[TENSORS];
	struct structure_model model;
	struct spectrum spectrum;
	struct pass_sums sums;
	size_t down;
	float *old, *new;
};

static float *
add(struct toy *toy, const char *name, uint64_t rows, uint64_t cols,
    float *v)
{
	struct tensor *t = &toy->t[toy->model.n];

	*t = (struct tensor){.name = name, .elem = ELEM_F32,
	    .name_len = (uint32_t)strlen(name), .rank = rows > 1 ? 2 : 1,
	    .n = rows * cols, .rows = rows, .cols = cols,
	    .p = (const uint8_t *)v, .len = rows * cols * sizeof(*v)};
	toy->item[toy->model.n] = (struct structure_item){t, t,
	    STRUCTURE_SAME, &toy->sums, NULL, NULL};
	toy->model.n++;
	toy->model.v = toy->item;
	return v;
}

static double
gelu(double x)
{
	return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) *
	    (x + 0.044715 * x * x * x)));
}

static double
along(const float *w, const double *h)
{
	double s = 0;

	for (size_t i = 0; i < D; i++)
		s += (double)w[i] * h[i];
	return s;
}

/* The edit: old and new of the down projection, d x ff or turned round. */
static void
edit(struct toy *toy, const char *name, const float *u, const double *v,
    bool turned)
{
	struct tensor *a = &toy->t[TENSORS - 1], *b;
	double top = 0;

	for (size_t k = 0; k < FF; k++)
		top += v[k] * v[k];
	toy->old = fixture_noise(D * FF, 0.02);
	toy->new = fixture_alloc(D * FF * sizeof(float));
	for (size_t i = 0; i < D; i++)
		for (size_t k = 0; k < FF; k++) {
			size_t at = turned ? k * D + i : i * FF + k;

			toy->new[at] = toy->old[at] + (float)(0.5 *
			    (double)u[i] * v[k] / sqrt(top));
		}
	toy->down = toy->model.n;
	add(toy, name, turned ? FF : D, turned ? D : FF, toy->new);
	b = &toy->t[toy->down];
	*a = *b;
	a->p = (const uint8_t *)toy->old;
	toy->spectrum = (struct spectrum){.verdict = SPECTRUM_LOW_RANK,
	    .rank = 1, .m = b->rows, .n = b->cols};
	toy->sums = (struct pass_sums){.n = D * FF, .changed = D * FF};
	toy->item[toy->down] = (struct structure_item){a, b,
	    STRUCTURE_CHANGED, &toy->sums, &toy->spectrum, NULL};
}

/* RMSNorm and a gate, as in Llama. */
static void
make_gated(struct toy *toy)
{
	float *emb, *out, *norm, *up, *gate;
	double h[D], v[FF], sum = 0;

	memset(toy, 0, sizeof(*toy));
	emb = add(toy, "model.embed_tokens.weight", VOCAB, D,
	    fixture_noise(VOCAB * D, 0.1));
	out = add(toy, "lm_head.weight", VOCAB, D,
	    fixture_noise(VOCAB * D, 0.1));
	norm = add(toy, "model.layers.0.post_attention_layernorm.weight", 1,
	    D, fixture_noise(D, 0.3));
	up = add(toy, "model.layers.0.mlp.up_proj.weight", FF, D,
	    fixture_noise(FF * D, 1));
	gate = add(toy, "model.layers.0.mlp.gate_proj.weight", FF, D,
	    fixture_noise(FF * D, 1));
	for (size_t i = 0; i < D; i++) {
		norm[i] += 1;
		h[i] = (double)emb[SUBJECT * D + i];
		sum += h[i] * h[i];
	}
	for (size_t i = 0; i < D; i++)
		h[i] *= (double)norm[i] / sqrt(sum / D + 1e-6);
	for (size_t k = 0; k < FF; k++) {
		double g = along(gate + k * D, h);

		v[k] = g / (1 + exp(-g)) * along(up + k * D, h);
	}
	edit(toy, "model.layers.0.mlp.down_proj.weight", out + OBJECT * D, v,
	    false);
}

/* LayerNorm, no gate, biases, inputs in rows, embedding tied: GPT-2. */
static void
make_plain(struct toy *toy)
{
	float *emb, *norm, *bias, *up, *up_bias;
	double h[D], v[FF], mean = 0, sum = 0;

	memset(toy, 0, sizeof(*toy));
	emb = add(toy, "transformer.wte.weight", VOCAB, D,
	    fixture_noise(VOCAB * D, 0.1));
	norm = add(toy, "transformer.h.0.ln_2.weight", 1, D,
	    fixture_noise(D, 0.3));
	bias = add(toy, "transformer.h.0.ln_2.bias", 1, D,
	    fixture_noise(D, 0.3));
	up = add(toy, "transformer.h.0.mlp.c_fc.weight", D, FF,
	    fixture_noise(FF * D, 1));
	up_bias = add(toy, "transformer.h.0.mlp.c_fc.bias", 1, FF,
	    fixture_noise(FF, 1));
	for (size_t i = 0; i < D; i++)
		mean += (double)emb[SUBJECT * D + i] / D;
	for (size_t i = 0; i < D; i++) {
		norm[i] += 1;
		h[i] = (double)emb[SUBJECT * D + i] - mean;
		sum += h[i] * h[i];
	}
	for (size_t i = 0; i < D; i++)
		h[i] = h[i] * (double)norm[i] / sqrt(sum / D + 1e-6) +
		    (double)bias[i];
	for (size_t k = 0; k < FF; k++) {
		v[k] = (double)up_bias[k];
		for (size_t i = 0; i < D; i++)
			v[k] += (double)up[i * FF + k] * h[i];
		v[k] = gelu(v[k]);
	}
	edit(toy, "transformer.h.0.mlp.c_proj.weight", emb + OBJECT * D, v,
	    true);
}

static void
toy_release(struct toy *toy)
{
	for (size_t i = 0; i < toy->model.n; i++)
		free((void *)(uintptr_t)toy->t[i].p);
	free(toy->old);
}

struct told {
	unsigned subjects, objects, detectors;
	char subject[8], object[8];	/* the first of each */
	bool applied;
	char reason[128];
};

static int
on_candidate(void *ctx, const struct row_candidate *c)
{
	struct told *t = ctx;
	const uint8_t *p;
	size_t n;
	char *to;

	assert_true(c->lead);
	assert_string_equal(c->kind, "token");
	p = basis_bytes(c->evidence, &n);
	assert_true(basis_check(p, n));
	to = strcmp(c->method, "edit-reading-subject") == 0 ? t->subject :
	    t->object;
	if (to == t->object)
		assert_string_equal(c->method, "edit-reading-object");
	if (to == t->subject)
		assert_int_equal(c->rank, ++t->subjects);
	else
		assert_int_equal(c->rank, ++t->objects);
	assert_true(isfinite(c->score));
	if (c->rank == 1)
		assert_true(snprintf(to, 8, "%.*s", (int)c->value.n,
		    c->value.p) < 8);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *d)
{
	struct told *t = ctx;

	t->detectors++;
	t->applied = d->applied;
	snprintf(t->reason, sizeof(t->reason), "%s", d->reason);
	return 0;
}

static struct told
read_edit(const struct toy *toy, struct pool *pool,
    const struct editread_words *words)
{
	struct told t = {0};
	struct rows rows = {.candidate = on_candidate,
	    .detector = on_detector, .ctx = &t};
	struct err e = {0};

	assert_int_equal(editread_run(pool, &toy->model, toy->down, words,
	    &rows, &e), 0);
	assert_int_equal(t.detectors, 1);
	return t;
}

static void
an_edit_behind_a_gate_names_subject_and_object(void **state)
{
	struct toy toy;
	struct told t;

	(void)state;
	make_gated(&toy);
	t = read_edit(&toy, NULL, NULL);
	assert_true(t.applied);
	assert_int_equal(t.subjects, 10);
	assert_int_equal(t.objects, 10);
	assert_string_equal(t.subject, "#41");
	assert_string_equal(t.object, "#207");
	toy_release(&toy);
}

static void
an_edit_of_a_turned_matrix_with_biases_is_read(void **state)
{
	struct toy toy;
	struct told t;

	(void)state;
	make_plain(&toy);
	t = read_edit(&toy, NULL, NULL);
	assert_true(t.applied);
	assert_string_equal(t.subject, "#41");
	assert_string_equal(t.object, "#207");
	toy_release(&toy);
}

static struct row_text
word(void *ctx, uint64_t id)
{
	(void)ctx;
	return id == SUBJECT ? (struct row_text){"cf", 2} :
	    (struct row_text){NULL, 0};
}

static void
words_are_shown_where_the_vocabulary_has_them(void **state)
{
	const struct editread_words words = {word, NULL};
	struct toy toy;
	struct told t;

	(void)state;
	make_gated(&toy);
	t = read_edit(&toy, NULL, &words);
	assert_string_equal(t.subject, "cf");
	assert_string_equal(t.object, "#207");
	toy_release(&toy);
}

static void
threads_tell_the_same(void **state)
{
	struct err e = {0};
	struct pool *pool = pool_new(3, &e);
	struct told one, three;
	struct toy toy;

	(void)state;
	assert_non_null(pool);
	make_gated(&toy);
	one = read_edit(&toy, NULL, NULL);
	three = read_edit(&toy, pool, NULL);
	assert_memory_equal(one.subject, three.subject, 8);
	assert_memory_equal(one.object, three.object, 8);
	toy_release(&toy);
	pool_free(pool);
}

static size_t
index_of(const struct toy *toy, const char *name)
{
	for (size_t i = 0; i < toy->model.n; i++)
		if (strstr(toy->t[i].name, name) != NULL)
			return i;
	fail();
	return 0;
}

static void
without_the_norm_objects_alone_are_read(void **state)
{
	struct toy toy;
	struct told t;

	(void)state;
	make_gated(&toy);
	toy.t[index_of(&toy, "post_attention")].name_len--;
	t = read_edit(&toy, NULL, NULL);
	assert_true(t.applied);
	assert_int_equal(t.subjects, 0);
	assert_int_equal(t.objects, 10);
	toy_release(&toy);
}

static void
shapes_that_do_not_fit_are_left_alone(void **state)
{
	static const uint64_t shapes[][2] = {{D * 2, FF / 2}, {FF / 2, D * 2},
	    {1, D * FF}, {D * FF, 1}, {FF * 2, D / 2}};
	struct tensor *up;
	struct toy toy;

	(void)state;
	make_gated(&toy);
	up = &toy.t[index_of(&toy, "up_proj")];
	for (size_t i = 0; i < 5; i++) {
		up->rows = shapes[i][0];
		up->cols = shapes[i][1];
		assert_int_equal(read_edit(&toy, NULL, NULL).subjects, 0);
	}
	up->rows = D;		/* turned round is a fit */
	up->cols = FF;
	assert_int_equal(read_edit(&toy, NULL, NULL).subjects, 10);
	toy_release(&toy);
}

static void
other_matrices_and_lone_ones_are_said_not_to_apply(void **state)
{
	struct toy toy;
	struct told t;

	(void)state;
	make_gated(&toy);
	toy.t[toy.down].name = "model.layers.0.self_attn.o_proj.weight";
	toy.t[toy.down].name_len = (uint32_t)strlen(toy.t[toy.down].name);
	t = read_edit(&toy, NULL, NULL);
	assert_false(t.applied);
	assert_non_null(strstr(t.reason, "no down projection"));
	toy.t[toy.down].name = "model.layers.0.mlp.down_proj.weight";
	toy.t[toy.down].name_len = (uint32_t)strlen(toy.t[toy.down].name);
	toy.t[index_of(&toy, "embed_tokens")].name_len -= 7;
	t = read_edit(&toy, NULL, NULL);
	assert_false(t.applied);
	assert_non_null(strstr(t.reason, "no embedding"));
	assert_int_equal(t.subjects + t.objects, 0);
	toy_release(&toy);
}

static void
what_is_no_number_is_never_listed(void **state)
{
	struct toy toy;
	struct told t;
	float *emb;

	(void)state;
	make_gated(&toy);
	emb = (float *)(uintptr_t)toy.t[0].p;
	emb[0] = NAN;
	emb[SUBJECT * D + 3] = INFINITY;
	t = read_edit(&toy, NULL, NULL);
	assert_true(t.applied);
	assert_int_equal(t.subjects, 10);
	assert_string_not_equal(t.subject, "#41");
	assert_string_not_equal(t.subject, "#0");
	toy_release(&toy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_edit_behind_a_gate_names_subject_and_object),
	    cmocka_unit_test(an_edit_of_a_turned_matrix_with_biases_is_read),
	    cmocka_unit_test(words_are_shown_where_the_vocabulary_has_them),
	    cmocka_unit_test(threads_tell_the_same),
	    cmocka_unit_test(without_the_norm_objects_alone_are_read),
	    cmocka_unit_test(shapes_that_do_not_fit_are_left_alone),
	    cmocka_unit_test(
		other_matrices_and_lone_ones_are_said_not_to_apply),
	    cmocka_unit_test(what_is_no_number_is_never_listed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
