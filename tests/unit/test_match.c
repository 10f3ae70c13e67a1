#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/match.h"
#include "analyzer/diff/spill.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/model_case.h"

/* Two sides, loaded and matched. */
struct bench {
	struct model_case side[2];
	struct table *t[2];
	struct arena *arena;
	struct spill *spill;
	struct pairs pairs;
	struct model_told told;
	struct rows rows;
	struct err e;
	int spool;
};

static void
run(struct bench *b)
{
	struct match m = {.rows = &b->rows, .out = &b->pairs, .e = &b->e};

	model_rows(&b->rows, &b->told);
	b->spool = model_case_spool();
	b->spill = spill_new(b->spool, &b->e);
	b->arena = arena_new(64 * MIB);
	for (unsigned s = 0; s < 2; s++) {
		b->t[s] = table_new((enum row_side)s, b->spill, &b->rows,
		    &b->e);
		assert_int_equal(table_load(b->t[s], &b->side[s].side,
		    &b->e), 0);
		m.side[s] = b->t[s];
	}
	m.arena = b->arena;
	assert_int_equal(match_tables(&m), 0);
}

static void
end(struct bench *b)
{
	match_release(&b->pairs);
	for (unsigned s = 0; s < 2; s++) {
		table_free(b->t[s]);
		model_case_free(&b->side[s]);
	}
	arena_free(b->arena);
	spill_free(b->spill);
	(void)close(b->spool);
	memset(b, 0, sizeof(*b));
}

static float noise[8][64 * 64];

static void
fill(void)
{
	uint64_t x = 88172645463325252ULL;

	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 64 * 64; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			noise[i][k] = (float)((double)(x >> 11) * 0x1p-53 -
			    0.5);
		}
}

static const struct pair *
find(const struct bench *b, const char *name)
{
	for (size_t i = 0; i < b->pairs.n; i++) {
		const struct pair *p = &b->pairs.v[i];
		const struct tensor *t = p->b != NULL ? p->b : p->a;

		if (t->name_len == strlen(name) &&
		    memcmp(t->name, name, t->name_len) == 0)
			return p;
	}
	fail_msg("no pair %s", name);
	return NULL;
}

#define W(name, i) {name, "F32", {64, 64}, 2, noise[i], sizeof(noise[i])}

static void
names_come_first_then_prefixes_then_bytes(void **state)
{
	const struct model_tensor old[] = {W("a.weight", 0),
	    W("b.weight", 1), W("gone.weight", 2), W("old.w", 3)};
	const struct model_tensor new[] = {W("a.weight", 4),
	    W("module.b.weight", 5), W("fresh.weight", 6), W("new.w", 3)};
	struct bench b = {0};

	(void)state;
	model_case_add(&b.side[0], "", old, 4);
	model_case_add(&b.side[1], "", new, 4);
	run(&b);
	assert_int_equal(b.pairs.n, 5);
	assert_int_equal(find(&b, "a.weight")->how, MATCH_NAME);
	assert_int_equal(find(&b, "module.b.weight")->how, MATCH_PREFIX);
	assert_int_equal(find(&b, "new.w")->how, MATCH_DIGEST);
	assert_memory_equal(find(&b, "new.w")->a->name, "old.w", 5);
	assert_int_equal(find(&b, "fresh.weight")->status, ROW_ADDED);
	assert_int_equal(find(&b, "gone.weight")->status, ROW_REMOVED);
	end(&b);
}

static void
a_renamed_and_changed_tensor_is_found_by_direction(void **state)
{
	static float close[64 * 64];
	const struct model_tensor old[] = {W("one", 0), W("two", 1)};
	const struct model_tensor new[] = {
	    {"x", "F32", {64, 64}, 2, close, sizeof(close)}, W("y", 7)};
	struct bench b = {0};

	(void)state;
	for (unsigned i = 0; i < 64 * 64; i++)
		close[i] = noise[1][i] + 0.1F * noise[5][i];
	model_case_add(&b.side[0], "", old, 2);
	model_case_add(&b.side[1], "", new, 2);
	run(&b);
	assert_int_equal(find(&b, "x")->how, MATCH_SIMILAR);
	assert_memory_equal(find(&b, "x")->a->name, "two", 3);
	assert_int_equal(find(&b, "y")->status, ROW_ADDED);
	end(&b);
}

static void
other_frameworks_names_match(void **state)
{
	const struct model_tensor old[] = {
	    W("model.layers.0.mlp.up_proj.weight", 0),
	    W("model.layers.1.mlp.up_proj.weight", 1)};
	const struct model_tensor new[] = {W("blk.0.ffn_up.weight", 2),
	    W("blk.1.ffn_up.weight", 3)};
	struct bench b = {0};

	(void)state;
	model_case_add(&b.side[0], "", old, 2);
	model_case_add(&b.side[1], "", new, 2);
	run(&b);
	assert_int_equal(b.pairs.n, 2);
	assert_int_equal(find(&b, "blk.1.ffn_up.weight")->how, MATCH_TABLE);
	assert_memory_equal(find(&b, "blk.1.ffn_up.weight")->a->name,
	    "model.layers.1", 14);
	end(&b);
}

static void
a_fused_tensor_is_matched_piece_by_piece(void **state)
{
	static float fused[3 * 64 * 64], turned[3 * 64 * 64];
	const struct model_tensor old[] = {
	    W("layers.0.self_attn.q_proj.weight", 0),
	    W("layers.0.self_attn.k_proj.weight", 1),
	    W("layers.0.self_attn.v_proj.weight", 2)};
	struct model_tensor new[] = {{"layers.0.self_attn.qkv_proj.weight",
	    "F32", {192, 64}, 2, fused, sizeof(fused)}};
	struct bench b = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		memcpy(fused + i * 64 * 64, noise[i], sizeof(noise[i]));
	for (unsigned i = 0; i < 192; i++)
		for (unsigned k = 0; k < 64; k++)
			turned[k * 192 + i] = fused[i * 64 + k];
	for (unsigned round = 0; round < 2; round++) {
		model_case_add(&b.side[0], "", old, 3);
		model_case_add(&b.side[1], "", new, 1);
		run(&b);
		assert_int_equal(b.pairs.n, 3);
		for (unsigned i = 0; i < 3; i++) {
			const struct pair *p = &b.pairs.v[i];

			assert_int_equal(p->how, MATCH_PART);
			assert_int_equal(p->status, ROW_RETIED);
			assert_memory_equal(p->a->p, p->b->p, 64 * 64 * 4);
		}
		end(&b);
		/* As Conv1D has it: inputs in rows. */
		new[0] = (struct model_tensor){
		    "layers.0.self_attn.qkv_proj.weight", "F32", {64, 192},
		    2, turned, sizeof(turned)};
	}
}

static void
a_tie_that_was_cut_is_a_tie(void **state)
{
	const struct model_tensor old[] = {W("embed.weight", 0),
	    W("x.weight", 1)};
	const struct model_tensor new[] = {W("embed.weight", 0),
	    W("x.weight", 1), W("lm_head.weight", 0)};
	struct bench b = {0};

	(void)state;
	model_case_add(&b.side[0], "", old, 2);
	model_case_add(&b.side[1], "", new, 3);
	run(&b);
	assert_int_equal(find(&b, "lm_head.weight")->how, MATCH_TIED);
	assert_int_equal(find(&b, "lm_head.weight")->status, ROW_RETIED);
	assert_memory_equal(find(&b, "lm_head.weight")->other->name,
	    "embed", 5);
	end(&b);
	model_case_add(&b.side[0], "", new, 3);
	model_case_add(&b.side[1], "", old, 2);
	run(&b);
	assert_int_equal(find(&b, "lm_head.weight")->how, MATCH_TIED);
	assert_null(find(&b, "lm_head.weight")->b);
	end(&b);
}

static void
a_matrix_that_was_turned_is_turned_back(void **state)
{
	static float turned[32 * 64];
	const struct model_tensor old[] = {
	    {"w", "F32", {64, 32}, 2, noise[0], 32 * 64 * 4}};
	const struct model_tensor new[] = {
	    {"w", "F32", {32, 64}, 2, turned, sizeof(turned)}};
	struct bench b = {0};

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		for (unsigned k = 0; k < 32; k++)
			turned[k * 64 + i] = noise[0][i * 32 + k];
	model_case_add(&b.side[0], "", old, 1);
	model_case_add(&b.side[1], "", new, 1);
	run(&b);
	assert_int_equal(b.pairs.n, 1);
	assert_true(b.pairs.v[0].transposed);
	assert_memory_equal(b.pairs.v[0].a->p, b.pairs.v[0].b->p,
	    sizeof(turned));
	end(&b);
}

static void
models_are_matched_by_path_and_the_rest_is_told(void **state)
{
	const struct model_tensor x[] = {W("a", 0)}, y[] = {W("b", 1)};
	struct bench b = {0};

	(void)state;
	model_case_add(&b.side[0], "a.safetensors", x, 1);
	model_case_add(&b.side[0], "b.safetensors", y, 1);
	model_case_add(&b.side[1], "b.safetensors", y, 1);
	run(&b);
	assert_int_equal(b.pairs.n, 1);
	assert_int_equal(b.pairs.v[0].how, MATCH_NAME);
	assert_int_equal(b.told.findings, 1);
	assert_int_equal(b.told.last, FINDING_DIFF_UNMATCHED);
	end(&b);
}

static void
zeros_in_number_are_matched_by_how_names_end(void **state)
{
	const struct model_tensor old[] = {
	    {"x.l1.bias", "F32", {64}, 1, NULL, 256},
	    {"x.l2.bias", "F32", {64}, 1, NULL, 256}};
	const struct model_tensor new[] = {
	    {"y.q.l2.bias", "F32", {64}, 1, NULL, 256},
	    {"y.q.l1.bias", "F32", {64}, 1, NULL, 256}};
	struct bench b = {0};

	(void)state;
	model_case_add(&b.side[0], "", old, 2);
	model_case_add(&b.side[1], "", new, 2);
	run(&b);
	assert_int_equal(b.pairs.n, 2);
	assert_memory_equal(find(&b, "y.q.l1.bias")->a->name, "x.l1", 4);
	assert_memory_equal(find(&b, "y.q.l2.bias")->a->name, "x.l2", 4);
	end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_come_first_then_prefixes_then_bytes),
	    cmocka_unit_test(
		a_renamed_and_changed_tensor_is_found_by_direction),
	    cmocka_unit_test(other_frameworks_names_match),
	    cmocka_unit_test(a_fused_tensor_is_matched_piece_by_piece),
	    cmocka_unit_test(a_tie_that_was_cut_is_a_tie),
	    cmocka_unit_test(a_matrix_that_was_turned_is_turned_back),
	    cmocka_unit_test(models_are_matched_by_path_and_the_rest_is_told),
	    cmocka_unit_test(zeros_in_number_are_matched_by_how_names_end),
	};

	fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
