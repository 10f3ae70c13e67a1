#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/layers.h"

/*
 * Updates of low rank: what is an adapter or an edit, and what forbids to
 * call it so.
 */
#define TEST(f) cmocka_unit_test_setup_teardown(f, layers_begin, layers_end)

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
	layers_llama(8, q_and_v);
	layers_judge();
	assert_int_equal(layers_said.n, 2);
	assert_int_equal(layers_said.kind[0], CONCLUSION_MERGED_ADAPTER);
	assert_int_equal(layers_said.confidence[0], CONFIDENCE_STRONG);
	assert_int_equal(layers_said.tensors[0], 16);
	layers_assert(CONCLUSION_MERGED_ADAPTER, "rank 8");
	layers_assert(CONCLUSION_MERGED_ADAPTER, "least rank 6");
	layers_assert(CONCLUSION_LAYERS_FROZEN,
	    "only attention q, v in all layers");
}

static unsigned
some_drown(unsigned layer, unsigned part)
{
	return part != 0 ? 0 : layer == 1 ? LAYERS_ROUNDED :
	    layer == 2 ? LAYERS_HIDDEN : 4;
}

static void
layers_that_drown_in_rounding_do_not_break_an_adapter(void **state)
{
	(void)state;
	layers_llama(8, some_drown);
	layers_judge();
	assert_int_equal(layers_find(CONCLUSION_MERGED_ADAPTER), 0);
	/* All eight are named, as all eight were changed. */
	assert_int_equal(layers_said.tensors[0], 8);
	assert_int_equal(layers_find(CONCLUSION_LOW_RANK_EDIT), -1);
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
	layers_llama(8, one_down);
	layers_judge();
	assert_int_equal(layers_said.n, 2);
	assert_int_equal(layers_said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	layers_assert(CONCLUSION_LAYERS_FROZEN, "only layer 5");
	assert_string_equal(layers_said.first[0],
	    "model.layers.5.mlp.down_proj.weight");
	layers_assert(CONCLUSION_RANK_ONE_EDIT, "layers [5]");
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
	layers_llama(4, three_of_four);
	layers_judge();
	assert_int_equal(layers_said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	assert_int_equal(layers_said.tensors[0], 3);
	memset(&layers_model, 0, sizeof(layers_model));
	layers_llama(4, four_facts);
	layers_judge();
	assert_int_equal(layers_said.kind[0], CONCLUSION_LOW_RANK_EDIT);
	layers_assert(CONCLUSION_LOW_RANK_EDIT, "rank 4");
}

static unsigned
edit_in_requantised(unsigned layer, unsigned part)
{
	return part != 6 ? LAYERS_ROUNDED : layer > 2 && layer < 6 ? 1 :
	    LAYERS_ROUNDED;
}

/* No rule reproduces the quantiser: all else is at the level of rounding. */
static void
rounding_around_an_edit_makes_it_no_adapter(void **state)
{
	(void)state;
	layers_llama(12, edit_in_requantised);
	layers_judge();
	assert_int_equal(layers_said.kind[0], CONCLUSION_RANK_ONE_EDIT);
	assert_int_equal(layers_said.tensors[0], 3);
	assert_int_equal(layers_find(CONCLUSION_CONTINUED_TRAINING), -1);
}

static unsigned
low_but_one(unsigned layer, unsigned part)
{
	return layer == 4 && part == 3 ? LAYERS_DENSE : part < 4 ? 8 : 0;
}

static void
one_dense_matrix_in_a_layer_forbids_an_adapter(void **state)
{
	(void)state;
	layers_llama(8, low_but_one);
	layers_judge();
	assert_false(layers_claim_low());
	assert_int_equal(layers_said.kind[0], CONCLUSION_CONTINUED_TRAINING);
}

static void
a_vector_that_moved_forbids_edit_and_adapter(void **state)
{
	(void)state;
	layers_llama(8, q_and_v);
	layers_put("model.layers.3.post_attention_layernorm.weight", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	layers_judge();
	assert_false(layers_claim_low());
	layers_assert(CONCLUSION_CONTINUED_TRAINING, "of low rank");
	memset(&layers_model, 0, sizeof(layers_model));
	layers_llama(8, one_down);
	layers_put("model.layers.5.mlp.down_proj.bias", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	layers_judge();
	assert_false(layers_claim_low());
}

static void
a_vector_that_only_rounded_forbids_nothing(void **state)
{
	(void)state;
	layers_llama(8, one_down);
	layers_put("model.layers.5.mlp.down_proj.bias", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	layers_model.t[layers_model.n - 1].elem = ELEM_BF16;
	layers_model.sums[layers_model.n - 1].d2 = 100 * 1e-3 * 1e-3;
	layers_judge();
	assert_int_equal(layers_find(CONCLUSION_RANK_ONE_EDIT), 0);
}

static void
a_head_that_was_trained_beside_an_adapter_leaves_it_one(void **state)
{
	(void)state;
	layers_llama(8, q_and_v);
	layers_put("classifier.weight", 2, 64, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	layers_put("classifier.bias", 1, 2, STRUCTURE_CHANGED,
	    SPECTRUM_SKIPPED, 0);
	layers_judge();
	assert_int_equal(layers_find(CONCLUSION_MERGED_ADAPTER), 0);
	assert_int_equal(layers_find(CONCLUSION_CONTINUED_TRAINING), 1);
	assert_int_equal(layers_said.tensors[0], 16);
	assert_int_equal(layers_said.tensors[1], 2);
}

static void
few_rows_of_many_matrices_are_no_adapter(void **state)
{
	(void)state;
	layers_llama(4, q_and_v);
	layers_judge();
	assert_true(layers_find(CONCLUSION_MERGED_ADAPTER) >= 0);
	layers_change_rows("_proj", 64);
	layers_judge();
	assert_true(layers_find(CONCLUSION_MERGED_ADAPTER) >= 0);
	/* Units that never fire got no gradient: rank 8 of 9 rows. */
	layers_change_rows("_proj", 9);
	layers_judge();
	assert_false(layers_claim_low());
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
	layers_llama(4, down_of_layer_2);
	layers_change_rows("down_proj", 1);
	layers_judge();
	layers_assert(CONCLUSION_RANK_ONE_EDIT, "few rows or columns");
	/* Beside anything else that moved it says nothing. */
	layers_put("model.layers.2.mlp.down_proj.bias", 1, 64,
	    STRUCTURE_CHANGED, SPECTRUM_SKIPPED, 0);
	layers_judge();
	assert_false(layers_claim_low());
}

static void
few_rows_of_embedding_or_head_are_no_edit(void **state)
{
	static const char *const names[] = {"embedding.weight",
	    "classifier.weight"};

	for (size_t i = 0; i < 2; i++) {
		layers_begin(state);
		layers_put("encoder.layers.0.linear1.weight", 64, 64,
		    STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
		layers_put(names[i], 900, 64, STRUCTURE_CHANGED,
		    SPECTRUM_LOW_RANK, 12);
		layers_change_rows(names[i], 30);
		layers_judge();
		assert_false(layers_claim_low());
	}
}

static void
a_small_matrix_has_no_rank(void **state)
{
	(void)state;
	/* A first convolution and a head: 16 x 27 and 8 x 64. */
	layers_put("conv1.weight", 16, 27, STRUCTURE_CHANGED,
	    SPECTRUM_LOW_RANK, 3);
	layers_put("conv2.weight", 64, 144, STRUCTURE_SAME,
	    SPECTRUM_SKIPPED, 0);
	layers_put("fc.weight", 8, 64, STRUCTURE_CHANGED, SPECTRUM_LOW_RANK, 2);
	layers_judge();
	assert_false(layers_claim_low());
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
	layers_llama(8, k_drowned_in_half);
	layers_judge();
	assert_true((i = layers_find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(layers_said.tensors[i], 20);
	assert_true(layers_find(CONCLUSION_LOW_RANK_EDIT) < 0);
	layers_begin(state);
	layers_llama(8, down_of_two_of_eight);
	layers_judge();
	assert_true((i = layers_find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(layers_said.tensors[i], 16);
	assert_true((i = layers_find(CONCLUSION_LOW_RANK_EDIT)) >= 0);
	assert_int_equal(layers_said.tensors[i], 2);
}

/* Of an adapter of rank 16 in Q4_0, noise leaves few a gap. */
static unsigned
sixteen_at_most(unsigned layer, unsigned part)
{
	static const unsigned left[] = {LAYERS_AT_LEAST(16),
	    LAYERS_AT_LEAST(13), 16, LAYERS_AT_LEAST(15), LAYERS_AT_LEAST(11),
	    LAYERS_AT_LEAST(16), LAYERS_AT_LEAST(12)};

	return layer == 1 && part == 6 ? LAYERS_DENSE_BY_A_HAIR : left[part];
}

/* Training: another number in each. */
static unsigned
any_number(unsigned layer, unsigned part)
{
	unsigned n = 5 + (7 * layer + 5 * part) % 23;

	return layer == 2 && part == 3 ? 16 : LAYERS_AT_LEAST(n);
}

static unsigned
one_or_more(unsigned layer, unsigned part)
{
	return part == 0 || part == 2 ? layer < 2 ? 1 : LAYERS_AT_LEAST(1) : 0;
}

static void
a_number_that_many_reach_and_none_exceeds_is_the_rank(void **state)
{
	int i;

	(void)state;
	layers_llama(4, sixteen_at_most);
	layers_judge();
	assert_true((i = layers_find(CONCLUSION_MERGED_ADAPTER)) >= 0);
	assert_int_equal(layers_said.tensors[i], 28);
	assert_int_equal(layers_said.confidence[i], CONFIDENCE_WEAK);
	layers_assert(CONCLUSION_MERGED_ADAPTER, "rank 16");
	assert_true(layers_find(CONCLUSION_CONTINUED_TRAINING) < 0);
}

static void
more_components_than_any_rank_forbid_a_claim(void **state)
{
	(void)state;
	layers_llama(4, any_number);
	layers_judge();
	assert_false(layers_claim_low());
	layers_begin(state);
	layers_llama(4, sixteen_at_most);
	layers_put("model.layers.0.mlp.extra.weight", 64, 64, STRUCTURE_CHANGED,
	    SPECTRUM_UNDECIDED, 17);
	layers_judge();
	assert_false(layers_claim_low());
}

static unsigned
three_edits(unsigned layer, unsigned part)
{
	return part != 6 || layer > 2 ? 0 : layer == 1 ? LAYERS_AT_LEAST(1) : 1;
}

static void
what_shows_one_component_at_least_may_be_of_rank_one(void **state)
{
	int i;

	(void)state;
	layers_llama(4, three_edits);
	layers_judge();
	assert_true((i = layers_find(CONCLUSION_RANK_ONE_EDIT)) >= 0);
	assert_int_equal(layers_said.tensors[i], 3);
	/* But ones meet by chance: half of an adapter must be seen. */
	layers_begin(state);
	layers_llama(8, one_or_more);
	layers_judge();
	assert_false(layers_claim_low());
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
	    TEST(one_dense_matrix_in_a_layer_forbids_an_adapter),
	    TEST(a_vector_that_moved_forbids_edit_and_adapter),
	    TEST(a_vector_that_only_rounded_forbids_nothing),
	    TEST(a_head_that_was_trained_beside_an_adapter_leaves_it_one),
	    TEST(few_rows_of_many_matrices_are_no_adapter),
	    TEST(one_row_and_nothing_else_is_an_edit_of_rank_one),
	    TEST(few_rows_of_embedding_or_head_are_no_edit),
	    TEST(a_small_matrix_has_no_rank),
	    TEST(half_of_a_module_beside_whole_ones_is_of_the_adapter),
	    TEST(a_number_that_many_reach_and_none_exceeds_is_the_rank),
	    TEST(more_components_than_any_rank_forbid_a_claim),
	    TEST(what_shows_one_component_at_least_may_be_of_rank_one)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
