#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/structure_name.h"
#include "base/buf.h"
#include "tests/lib/layers.h"

/*
 * What is concluded of training, of what did not move, and of what noise
 * hides; and how names are read.
 */
#define TEST(f) cmocka_unit_test_setup_teardown(f, layers_begin, layers_end)

static unsigned
all_dense(unsigned layer, unsigned part)
{
	/* Two matrices that happen to be of low rank change nothing. */
	return layer == 1 && part < 2 ? 3 : LAYERS_DENSE;
}

static void
training_is_dense_whatever_single_matrices_are(void **state)
{
	(void)state;
	layers_llama(8, all_dense);
	layers_judge();
	assert_int_equal(layers_said.kind[0], CONCLUSION_CONTINUED_TRAINING);
	assert_false(layers_claim_low());
	layers_assert(CONCLUSION_CONTINUED_TRAINING, "of low rank");
	layers_assert(CONCLUSION_LAYERS_FROZEN, "all but embeddings");
}

static unsigned
all_hidden(unsigned layer, unsigned part)
{
	(void)layer;
	return part < 4 ? LAYERS_HIDDEN : 0;
}

static void
what_noise_hides_is_never_claimed(void **state)
{
	(void)state;
	layers_llama(8, all_hidden);
	layers_judge();
	assert_int_equal(layers_said.n, 1);
	layers_assert(CONCLUSION_LAYERS_FROZEN, "rank hidden by noise 32");
}

static unsigned
all_rounded(unsigned layer, unsigned part)
{
	(void)layer;
	(void)part;
	return LAYERS_ROUNDED;
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
	layers_llama(4, nothing);
	layers_judge();
	assert_int_equal(layers_said.n, 0);
	memset(&layers_model, 0, sizeof(layers_model));
	layers_llama(4, all_rounded);
	layers_judge();
	assert_int_equal(layers_said.n, 0);
	memset(&layers_model, 0, sizeof(layers_model));
	layers_judge();
	assert_int_equal(layers_said.n, 0);
}

static unsigned
last_two(unsigned layer, unsigned part)
{
	(void)part;
	return layer >= 6 ? LAYERS_DENSE : 0;
}

static void
patterns_of_what_moved_are_in_words(void **state)
{
	(void)state;
	layers_llama(8, last_two);
	layers_judge();
	layers_assert(CONCLUSION_LAYERS_FROZEN, "only the last 2 layers");
	memset(&layers_model, 0, sizeof(layers_model));
	layers_llama(4, nothing);
	layers_model.item[0].relation = STRUCTURE_CHANGED;
	layers_model.sums[0].changed = 7;
	layers_model.sums[0].d2 = 0.2;
	layers_model.spectrum[0].verdict = SPECTRUM_DENSE;
	layers_judge();
	layers_assert(CONCLUSION_LAYERS_FROZEN, "only embeddings");
	memset(&layers_model, 0, sizeof(layers_model));
	layers_llama(4, nothing);
	layers_put("model.layers.1.mlp.up_proj.bias", 1, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	layers_judge();
	assert_int_equal(layers_find(CONCLUSION_CONTINUED_TRAINING), -1);
	layers_assert(CONCLUSION_LAYERS_FROZEN, "only biases");
	layers_put("model.layers.1.post_attention_layernorm.weight", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	layers_judge();
	layers_assert(CONCLUSION_LAYERS_FROZEN, "only 1-D tensors");
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

static unsigned
q_by_a_hair(unsigned layer, unsigned part)
{
	(void)layer;
	return part == 0 ? LAYERS_DENSE_BY_A_HAIR : 0;
}

static unsigned
q_with_half_of_all(unsigned layer, unsigned part)
{
	(void)layer;
	return part == 0 ? LAYERS_AT_LEAST(32) : 0;
}

static void
dense_by_a_hair_is_undecided_and_a_third_is_dense(void **state)
{
	(void)state;
	layers_llama(4, q_by_a_hair);
	layers_judge();
	assert_int_equal(layers_said.n, 1);
	layers_assert(CONCLUSION_LAYERS_FROZEN, "rank hidden by noise 4");
	/* 32 components of 64, at least, and noise beyond. */
	layers_begin(state);
	layers_llama(4, q_with_half_of_all);
	layers_judge();
	assert_true(layers_find(CONCLUSION_CONTINUED_TRAINING) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(training_is_dense_whatever_single_matrices_are),
	    TEST(what_noise_hides_is_never_claimed),
	    TEST(rounding_and_equality_say_nothing),
	    TEST(patterns_of_what_moved_are_in_words),
	    TEST(names_of_several_frameworks_are_read),
	    TEST(names_of_one_module_sort_together),
	    TEST(dense_by_a_hair_is_undecided_and_a_third_is_dense)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
