#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/structure_name.h"
#include "analyzer/diff/tensor.h"
#include "base/buf.h"
#include "base/err.h"

/* A model of at most MOST tensors, and what was concluded about it. */
#define MOST 128

static struct {
	struct tensor t[MOST];
	char name[MOST][64];
	struct pass_sums sums[MOST];
	struct spectrum spectrum[MOST];
	struct pass_detail detail[MOST];
	struct structure_item item[MOST];
	size_t n;
} model;

static struct {
	unsigned n;
	enum conclusion_kind kind[8];
	enum confidence confidence[8];
	uint64_t tensors[8];
	char first[8][64];
	struct buf line[8];
} said;

static int
on_conclusion(void *ctx, const struct row_conclusion *c)
{
	const uint8_t *p;
	size_t n;

	(void)ctx;
	assert_true(said.n < 8);
	said.kind[said.n] = c->kind;
	said.confidence[said.n] = c->confidence;
	said.tensors[said.n] = c->tensors_in_all;
	(void)snprintf(said.first[said.n], 64, "%.*s",
	    c->ntensors > 0 ? (int)c->tensors[0].n : 0,
	    c->ntensors > 0 ? c->tensors[0].p : "");
	p = basis_bytes(c->evidence, &n);
	assert_true(basis_check(p, n));
	buf_init(&said.line[said.n], 1 << 20);
	basis_line(p, n, &said.line[said.n]);
	said.n++;
	return 0;
}

static void
judge(void)
{
	const struct rows rows = {.conclusion = on_conclusion};
	const struct structure_model m = {model.item, model.n};

	for (unsigned i = 0; i < said.n; i++)
		buf_release(&said.line[i]);
	said.n = 0;
	assert_int_equal(structure_judge(&m, &rows, NULL), 0);
}

static int
begin(void **state)
{
	(void)state;
	memset(&model, 0, sizeof(model));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < said.n; i++)
		buf_release(&said.line[i]);
	said.n = 0;
	return 0;
}

/* One tensor; spectrum SKIPPED: a vector, or a matrix without a verdict. */
static void
put(const char *name, uint64_t rows, uint64_t cols,
    enum structure_relation relation, enum spectrum_verdict v, unsigned rank)
{
	size_t i = model.n++;
	struct tensor *t = &model.t[i];

	assert_true(i < MOST);
	(void)snprintf(model.name[i], sizeof(model.name[i]), "%s", name);
	*t = (struct tensor){.name = model.name[i],
	    .name_len = (uint32_t)strlen(name), .elem = ELEM_F32,
	    .rank = rows > 1 ? 2 : 1, .rows = rows, .cols = cols,
	    .n = rows * cols};
	model.sums[i] = (struct pass_sums){.n = t->n, .a2 = 100, .b2 = 101,
	    .ab = 100.4, .d2 = relation == STRUCTURE_SAME ? 0 : 0.2,
	    .changed = relation == STRUCTURE_SAME ? 0 : t->n};
	model.spectrum[i] = (struct spectrum){.verdict = v, .rank = rank,
	    .sure = v == SPECTRUM_LOW_RANK, .m = rows, .n = cols, .q = 24,
	    .energy = 0.2, .nt = 0.01, .gap = 9,
	    .tail_ratio = v == SPECTRUM_DENSE ? 3 : 0.99};
	model.item[i] = (struct structure_item){.old = t, .new = t,
	    .relation = relation, .sums = &model.sums[i],
	    .spectrum = rows > 1 ? &model.spectrum[i] : NULL};
}

static const char *const parts[] = {"self_attn.q_proj", "self_attn.k_proj",
    "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
    "mlp.down_proj"};

/* Whether a part of a layer moved, and to what rank. */
typedef unsigned rank_of(unsigned layer, unsigned part);
#define DENSE 1000
#define ROUNDED 1001
#define HIDDEN 1002
#define DENSE_BY_A_HAIR 1003

/* UNDECIDED, with so many components above the noise. */
#define AT_LEAST(n) (2000u + (n))

static void
put_near(const char *name, uint64_t rows)
{
	put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_DENSE, 0);
	model.spectrum[model.n - 1].tail_ratio = 1.06;
	model.spectrum[model.n - 1].above = 10;
}

static void
put_by(const char *name, uint64_t rows, unsigned rank)
{
	if (rank == 0)
		put(name, rows, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	else if (rank == DENSE)
		put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_DENSE, 0);
	else if (rank == ROUNDED)
		put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_ROUNDING, 0);
	else if (rank == HIDDEN)
		put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_UNDECIDED, 2);
	else if (rank >= AT_LEAST(0))
		put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_UNDECIDED,
		    rank - AT_LEAST(0));
	else if (rank == DENSE_BY_A_HAIR)
		put_near(name, rows);
	else
		put(name, rows, 64, STRUCTURE_CHANGED, SPECTRUM_LOW_RANK,
		    rank);
}

static void
llama(unsigned layers, rank_of *rank)
{
	char name[64];

	put("model.embed_tokens.weight", 500, 64, STRUCTURE_SAME,
	    SPECTRUM_SKIPPED, 0);
	for (unsigned l = 0; l < layers; l++) {
		for (unsigned p = 0; p < 7; p++) {
			(void)snprintf(name, sizeof(name),
			    "model.layers.%u.%s.weight", l, parts[p]);
			put_by(name, 64, rank(l, p));
		}
		(void)snprintf(name, sizeof(name),
		    "model.layers.%u.input_layernorm.weight", l);
		put(name, 1, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	}
	put("model.norm.weight", 1, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	put("lm_head.weight", 500, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
}

/* The index of what was said of this kind, or -1. */
static int
find(enum conclusion_kind k)
{
	for (unsigned i = 0; i < said.n; i++)
		if (said.kind[i] == k)
			return (int)i;
	return -1;
}

static void
assert_says(enum conclusion_kind k, const char *text)
{
	int i = find(k);

	assert_true(i >= 0);
	if (strstr(buf_str(&said.line[i]), text) == NULL)
		fail_msg("'%s' is not in: %s", text,
		    buf_str(&said.line[i]));
}

static bool
claims_low(void)
{
	return find(CONCLUSION_MERGED_ADAPTER) >= 0 ||
	    find(CONCLUSION_RANK_ONE_EDIT) >= 0 ||
	    find(CONCLUSION_LOW_RANK_EDIT) >= 0;
}

static unsigned
q_and_v(unsigned layer, unsigned part)
{
	/* One layer falls short, as bfloat16 lets some do. */
	return part != 0 && part != 2 ? 0 : layer == 3 ? 6 : 8;
}

static void
low_rank_in_all_layers_is_an_adapter(void **state)
{
	(void)state;
	llama(8, q_and_v);
	judge();
	assert_int_equal(said.n, 2);
	assert_int_equal(said.kind[0], CONCLUSION_MERGED_ADAPTER);
	assert_int_equal(said.confidence[0], CONFIDENCE_STRONG);
	assert_int_equal(said.tensors[0], 16);
	assert_says(CONCLUSION_MERGED_ADAPTER, "rank 8");
	assert_says(CONCLUSION_MERGED_ADAPTER, "least rank 6");
	assert_says(CONCLUSION_LAYERS_FROZEN,
	    "only attention q, v in all layers");
}

static unsigned
some_drown(unsigned layer, unsigned part)
{
	return part != 0 ? 0 : layer == 1 ? ROUNDED : layer == 2 ? HIDDEN : 4;
}

static void
layers_that_drown_in_rounding_do_not_break_an_adapter(void **state)
{
	(void)state;
	llama(8, some_drown);
	judge();
	assert_int_equal(find(CONCLUSION_MERGED_ADAPTER), 0);
	/* All eight are named, as all eight were changed. */
	assert_int_equal(said.tensors[0], 8);
	assert_int_equal(find(CONCLUSION_LOW_RANK_EDIT), -1);
}

static unsigned
one_down(unsigned layer, unsigned part)
{
	return layer == 5 && part == 6 ? 1 : 0;
}

static void
one_matrix_of_rank_one_is_an_edit(void **state)
{
	(void)state;
	llama(8, one_down);
	judge();
	assert_int_equal(said.n, 2);
	assert_int_equal(said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	assert_says(CONCLUSION_LAYERS_FROZEN, "only layer 5");
	assert_string_equal(said.first[0],
	    "model.layers.5.mlp.down_proj.weight");
	assert_says(CONCLUSION_RANK_ONE_EDIT, "layers [5]");
}

static unsigned
three_of_four(unsigned layer, unsigned part)
{
	return layer > 0 && part == 6 ? 1 : 0;
}

static unsigned
four_facts(unsigned layer, unsigned part)
{
	return layer == 2 && part == 6 ? 4 : 0;
}

static void
some_layers_of_a_module_are_an_edit(void **state)
{
	(void)state;
	llama(4, three_of_four);
	judge();
	assert_int_equal(said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	assert_int_equal(said.tensors[0], 3);
	memset(&model, 0, sizeof(model));
	llama(4, four_facts);
	judge();
	assert_int_equal(said.kind[0], CONCLUSION_LOW_RANK_EDIT);
	assert_says(CONCLUSION_LOW_RANK_EDIT, "rank 4");
}

static unsigned
edit_in_requantised(unsigned layer, unsigned part)
{
	return part != 6 ? ROUNDED : layer > 2 && layer < 6 ? 1 : ROUNDED;
}

/* No rule reproduces the quantiser: all else is at the level of rounding. */
static void
rounding_around_an_edit_makes_it_no_adapter(void **state)
{
	(void)state;
	llama(12, edit_in_requantised);
	judge();
	assert_int_equal(said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	assert_int_equal(said.tensors[0], 3);
	assert_int_equal(find(CONCLUSION_CONTINUED_TRAINING), -1);
}

static unsigned
all_dense(unsigned layer, unsigned part)
{
	/* Two matrices that happen to be of low rank change nothing. */
	return layer == 1 && part < 2 ? 3 : DENSE;
}

static void
training_is_dense_whatever_single_matrices_are(void **state)
{
	(void)state;
	llama(8, all_dense);
	judge();
	assert_int_equal(said.kind[0], CONCLUSION_CONTINUED_TRAINING);
	assert_false(claims_low());
	assert_says(CONCLUSION_CONTINUED_TRAINING, "of low rank");
	assert_says(CONCLUSION_LAYERS_FROZEN, "all but embeddings");
}

static unsigned
low_but_one(unsigned layer, unsigned part)
{
	return layer == 4 && part == 3 ? DENSE : part < 4 ? 8 : 0;
}

static void
one_dense_matrix_in_a_layer_forbids_an_adapter(void **state)
{
	(void)state;
	llama(8, low_but_one);
	judge();
	assert_false(claims_low());
	assert_int_equal(said.kind[0], CONCLUSION_CONTINUED_TRAINING);
}

static void
a_vector_that_moved_forbids_edit_and_adapter(void **state)
{
	(void)state;
	llama(8, q_and_v);
	put("model.layers.3.post_attention_layernorm.weight", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	judge();
	assert_false(claims_low());
	assert_says(CONCLUSION_CONTINUED_TRAINING, "of low rank");
	memset(&model, 0, sizeof(model));
	llama(8, one_down);
	put("model.layers.5.mlp.down_proj.bias", 1, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	judge();
	assert_false(claims_low());
}

static void
a_vector_that_only_rounded_forbids_nothing(void **state)
{
	(void)state;
	llama(8, one_down);
	put("model.layers.5.mlp.down_proj.bias", 1, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	model.t[model.n - 1].elem = ELEM_BF16;
	model.sums[model.n - 1].d2 = 100 * 1e-3 * 1e-3;
	judge();
	assert_int_equal(find(CONCLUSION_RANK_ONE_EDIT), 0);
}

static void
a_head_that_was_trained_beside_an_adapter_leaves_it_one(void **state)
{
	(void)state;
	llama(8, q_and_v);
	put("classifier.weight", 2, 64, STRUCTURE_CHANGED, SPECTRUM_SKIPPED,
	    0);
	put("classifier.bias", 1, 2, STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	judge();
	assert_int_equal(find(CONCLUSION_MERGED_ADAPTER), 0);
	assert_int_equal(find(CONCLUSION_CONTINUED_TRAINING), 1);
	assert_int_equal(said.tensors[0], 16);
	assert_int_equal(said.tensors[1], 2);
}

static unsigned
all_hidden(unsigned layer, unsigned part)
{
	(void)layer;
	return part < 4 ? HIDDEN : 0;
}

static void
what_noise_hides_is_never_claimed(void **state)
{
	(void)state;
	llama(8, all_hidden);
	judge();
	assert_int_equal(said.n, 1);
	assert_says(CONCLUSION_LAYERS_FROZEN, "rank hidden by noise 32");
}

static unsigned
all_rounded(unsigned layer, unsigned part)
{
	(void)layer;
	(void)part;
	return ROUNDED;
}

static unsigned
nothing(unsigned layer, unsigned part)
{
	(void)layer;
	(void)part;
	return 0;
}

static void
rounding_and_equality_say_nothing(void **state)
{
	(void)state;
	llama(4, nothing);
	judge();
	assert_int_equal(said.n, 0);
	memset(&model, 0, sizeof(model));
	llama(4, all_rounded);
	judge();
	assert_int_equal(said.n, 0);
	memset(&model, 0, sizeof(model));
	judge();
	assert_int_equal(said.n, 0);
}

static unsigned
last_two(unsigned layer, unsigned part)
{
	(void)part;
	return layer >= 6 ? DENSE : 0;
}

static void
patterns_of_what_moved_are_in_words(void **state)
{
	(void)state;
	llama(8, last_two);
	judge();
	assert_says(CONCLUSION_LAYERS_FROZEN, "only the last 2 layers");
	memset(&model, 0, sizeof(model));
	llama(4, nothing);
	model.item[0].relation = STRUCTURE_CHANGED;
	model.sums[0].changed = 7;
	model.sums[0].d2 = 0.2;
	model.spectrum[0].verdict = SPECTRUM_DENSE;
	judge();
	assert_says(CONCLUSION_LAYERS_FROZEN, "only embeddings");
	memset(&model, 0, sizeof(model));
	llama(4, nothing);
	put("model.layers.1.mlp.up_proj.bias", 1, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	judge();
	assert_int_equal(find(CONCLUSION_CONTINUED_TRAINING), -1);
	assert_says(CONCLUSION_LAYERS_FROZEN, "only biases");
	put("model.layers.1.post_attention_layernorm.weight", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	judge();
	assert_says(CONCLUSION_LAYERS_FROZEN, "only 1-D tensors");
}

static void
assert_module(const char *name, const char *module, int layer)
{
	uint32_t n = 0;
	struct buf b;
	bool found = structure_name_layer(name, strlen(name), &n);

	buf_init(&b, 256);
	structure_name_module(name, strlen(name), &b);
	assert_string_equal(buf_str(&b), module);
	assert_int_equal(found ? (int)n : -1, layer);
	buf_release(&b);
}

static void
names_of_several_frameworks_are_read(void **state)
{
	(void)state;
	assert_module("model.layers.17.mlp.up_proj.weight",
	    "model.layers.*.mlp.up_proj", 17);
	assert_module("blk.3.attn_q.weight", "blk.*.attn_q", 3);
	assert_module("bert/encoder/layer_11/output/dense/kernel",
	    "bert.encoder.layer_*.output.dense.kernel", 11);
	assert_module("layer1.0.conv1.weight", "layer1.*.conv1", 0);
	assert_module("embedding.weight", "embedding", -1);
	assert_module("lstm.weight_ih_l0", "lstm.weight_ih_l0", -1);
	assert_module("", "", -1);
	assert_module("...", "..", -1);
	assert_int_equal(structure_name_role("transformer.wte.weight", 22),
	    STRUCTURE_EMBEDDING);
	assert_int_equal(structure_name_role("lm_head.weight", 14),
	    STRUCTURE_HEAD);
	assert_int_equal(structure_name_role("h.3.attn.c_attn.weight", 22),
	    STRUCTURE_ATTENTION);
	assert_string_equal(structure_name_attention(
	    "blk.0.attn_v.weight", 19), "v");
}

static void
names_of_one_module_sort_together(void **state)
{
	static const char a[] = "layers.2.q.weight", b[] = "layers.10.q.weight",
	    c[] = "layers.2.q.weights", d[] = "layers.x.q.weight";

	(void)state;
	assert_int_equal(structure_name_compare(a, sizeof(a) - 1, b,
	    sizeof(b) - 1), 0);
	assert_int_not_equal(structure_name_compare(a, sizeof(a) - 1, c,
	    sizeof(c) - 1), 0);
	assert_int_not_equal(structure_name_compare(a, sizeof(a) - 1, d,
	    sizeof(d) - 1), 0);
	assert_true(structure_name_compare(a, sizeof(a) - 1, "layers", 6) >
	    0);
	assert_true(structure_name_compare("layers", 6, a, sizeof(a) - 1) <
	    0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* So many rows of the tensor of that name changed, and no others. */
static void
change_rows(const char *name, uint64_t n)
{
	for (size_t i = 0; i < model.n; i++) {
		if (strstr(model.name[i], name) == NULL)
			continue;
		model.detail[i] = (struct pass_detail){.rows_changed = n,
		    .cols_changed = model.t[i].cols};
		model.item[i].detail = &model.detail[i];
	}
}

static void
few_rows_of_many_matrices_are_no_adapter(void **state)
{
	(void)state;
	llama(4, q_and_v);
	judge();
	assert_true(find(CONCLUSION_MERGED_ADAPTER) >= 0);
	change_rows("_proj", 64);
	judge();
	assert_true(find(CONCLUSION_MERGED_ADAPTER) >= 0);
	/* Units that never fire got no gradient: rank 8 of 9 rows. */
	change_rows("_proj", 9);
	judge();
	assert_false(claims_low());
}

static unsigned
down_of_layer_2(unsigned layer, unsigned part)
{
	return layer == 2 && part == 6 ? 1 : 0;
}

static void
one_row_and_nothing_else_is_an_edit_of_rank_one(void **state)
{
	(void)state;
	llama(4, down_of_layer_2);
	change_rows("down_proj", 1);
	judge();
	assert_says(CONCLUSION_RANK_ONE_EDIT, "few rows or columns");
	/* Beside anything else that moved it says nothing. */
	put("model.layers.2.mlp.down_proj.bias", 1, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	judge();
	assert_false(claims_low());
}

static void
few_rows_of_embedding_or_head_are_no_edit(void **state)
{
	static const char *const names[] = {"embedding.weight",
	    "classifier.weight"};

	for (size_t i = 0; i < 2; i++) {
		begin(state);
		put("encoder.layers.0.linear1.weight", 64, 64,
		    STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
		put(names[i], 900, 64, STRUCTURE_CHANGED, SPECTRUM_LOW_RANK,
		    12);
		change_rows(names[i], 30);
		judge();
		assert_false(claims_low());
	}
}

static void
a_small_matrix_has_no_rank(void **state)
{
	(void)state;
	/* A first convolution and a head: 16 x 27 and 8 x 64. */
	put("conv1.weight", 16, 27, STRUCTURE_CHANGED, SPECTRUM_LOW_RANK, 3);
	put("conv2.weight", 64, 144, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	put("fc.weight", 8, 64, STRUCTURE_CHANGED, SPECTRUM_LOW_RANK, 2);
	judge();
	assert_false(claims_low());
}

static unsigned
k_drowned_in_half(unsigned layer, unsigned part)
{
	return part == 0 || part == 2 ? 4 : part == 1 && layer % 2 == 0 ? 3 :
	    0;
}

static unsigned
down_of_two_of_eight(unsigned layer, unsigned part)
{
	return part == 0 || part == 2 ? 4 : part == 6 && (layer == 2 ||
	    layer == 5) ? 3 : 0;
}

static void
half_of_a_module_beside_whole_ones_is_of_the_adapter(void **state)
{
	int i;

	(void)state;
	llama(8, k_drowned_in_half);
	judge();
	assert_true((i = find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(said.tensors[i], 20);
	assert_true(find(CONCLUSION_LOW_RANK_EDIT) < 0);
	begin(state);
	llama(8, down_of_two_of_eight);
	judge();
	assert_true((i = find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(said.tensors[i], 16);
	assert_true((i = find(CONCLUSION_LOW_RANK_EDIT)) >= 0);
	assert_int_equal(said.tensors[i], 2);
}

/* Of an adapter of rank 16 in Q4_0, noise leaves few a gap. */
static unsigned
sixteen_at_most(unsigned layer, unsigned part)
{
	static const unsigned left[] = {AT_LEAST(16), AT_LEAST(13), 16,
	    AT_LEAST(15), AT_LEAST(11), AT_LEAST(16), AT_LEAST(12)};

	return layer == 1 && part == 6 ? DENSE_BY_A_HAIR : left[part];
}

/* Training: another number in each. */
static unsigned
any_number(unsigned layer, unsigned part)
{
	unsigned n = 5 + (7 * layer + 5 * part) % 23;

	return layer == 2 && part == 3 ? 16 : AT_LEAST(n);
}

static unsigned
one_or_more(unsigned layer, unsigned part)
{
	return part == 0 || part == 2 ? layer < 2 ? 1 : AT_LEAST(1) : 0;
}

static void
a_number_that_many_reach_and_none_exceeds_is_the_rank(void **state)
{
	int i;

	(void)state;
	llama(4, sixteen_at_most);
	judge();
	assert_true((i = find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(said.tensors[i], 28);
	assert_int_equal(said.confidence[i], CONFIDENCE_WEAK);
	assert_says(CONCLUSION_MERGED_ADAPTER, "rank 16");
	assert_true(find(CONCLUSION_CONTINUED_TRAINING) < 0);
}

static void
more_components_than_any_rank_forbid_a_claim(void **state)
{
	(void)state;
	llama(4, any_number);
	judge();
	assert_false(claims_low());
	begin(state);
	llama(4, sixteen_at_most);
	put("model.layers.0.mlp.extra.weight", 64, 64, STRUCTURE_CHANGED,
	    SPECTRUM_UNDECIDED, 17);
	judge();
	assert_false(claims_low());
}

static unsigned
three_edits(unsigned layer, unsigned part)
{
	return part != 6 || layer > 2 ? 0 : layer == 1 ? AT_LEAST(1) : 1;
}

static void
what_shows_one_component_at_least_may_be_of_rank_one(void **state)
{
	int i;

	(void)state;
	llama(4, three_edits);
	judge();
	assert_true((i = find(CONCLUSION_RANK_ONE_EDIT)) >= 0);
	assert_int_equal(said.tensors[i], 3);
	/* But ones meet by chance: half of an adapter must be seen. */
	begin(state);
	llama(8, one_or_more);
	judge();
	assert_false(claims_low());
}

static unsigned
q_by_a_hair(unsigned layer, unsigned part)
{
	(void)layer;
	return part == 0 ? DENSE_BY_A_HAIR : 0;
}

static unsigned
q_with_half_of_all(unsigned layer, unsigned part)
{
	(void)layer;
	return part == 0 ? AT_LEAST(32) : 0;
}

static void
dense_by_a_hair_is_undecided_and_a_third_is_dense(void **state)
{
	(void)state;
	llama(4, q_by_a_hair);
	judge();
	assert_int_equal(said.n, 1);
	assert_says(CONCLUSION_LAYERS_FROZEN, "rank hidden by noise 4");
	/* 32 components of 64, at least, and noise beyond. */
	begin(state);
	llama(4, q_with_half_of_all);
	judge();
	assert_true(find(CONCLUSION_CONTINUED_TRAINING) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(low_rank_in_all_layers_is_an_adapter),
	    TEST(layers_that_drown_in_rounding_do_not_break_an_adapter),
	    TEST(one_matrix_of_rank_one_is_an_edit),
	    TEST(some_layers_of_a_module_are_an_edit),
	    TEST(rounding_around_an_edit_makes_it_no_adapter),
	    TEST(training_is_dense_whatever_single_matrices_are),
	    TEST(one_dense_matrix_in_a_layer_forbids_an_adapter),
	    TEST(a_vector_that_moved_forbids_edit_and_adapter),
	    TEST(a_vector_that_only_rounded_forbids_nothing),
	    TEST(a_head_that_was_trained_beside_an_adapter_leaves_it_one),
	    TEST(what_noise_hides_is_never_claimed),
	    TEST(rounding_and_equality_say_nothing),
	    TEST(patterns_of_what_moved_are_in_words),
	    TEST(names_of_several_frameworks_are_read),
	    TEST(names_of_one_module_sort_together),
	    TEST(few_rows_of_many_matrices_are_no_adapter),
	    TEST(one_row_and_nothing_else_is_an_edit_of_rank_one),
	    TEST(few_rows_of_embedding_or_head_are_no_edit),
	    TEST(a_small_matrix_has_no_rank),
	    TEST(half_of_a_module_beside_whole_ones_is_of_the_adapter),
	    TEST(a_number_that_many_reach_and_none_exceeds_is_the_rank),
	    TEST(more_components_than_any_rank_forbid_a_claim),
	    TEST(what_shows_one_component_at_least_may_be_of_rank_one),
	    TEST(dense_by_a_hair_is_undecided_and_a_third_is_dense)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
