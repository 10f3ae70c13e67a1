#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/rename.h"

static void
bare(const char *name, const char *want)
{
	size_t n;
	const char *p = rename_bare(name, strlen(name), &n);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(p, want, n);
}

static void
at_most_two_prefixes_are_taken(void **state)
{
	(void)state;
	bare("module.model.layers.0.w", "layers.0.w");
	bare("model.model.model.w", "model.w");
	bare("base_model.model.model.lm_head.weight", "lm_head.weight");
	bare("weight", "weight");
	/* A name is never taken away whole. */
	bare("model.", "model.");
	bare("", "");
}

static void
canonical(const char *name, const char *want)
{
	char dst[128];
	size_t n = rename_canonical(name, strlen(name), dst, sizeof(dst));

	assert_int_equal(n, strlen(want));
	assert_memory_equal(dst, want, n);
}

static void
frameworks_names_meet_in_ggufs(void **state)
{
	(void)state;
	canonical("model.layers.7.self_attn.q_proj.weight",
	    "blk.7.attn_q.weight");
	canonical("transformer.h.11.attn.c_attn.bias",
	    "blk.11.attn_qkv.bias");
	canonical("bert.encoder.layer.0.attention.self.key.weight",
	    "blk.0.attn_k.weight");
	canonical("blk.3.ffn_down.weight", "blk.3.ffn_down.weight");
	canonical("transformer.wte.weight", "token_embd.weight");
	canonical("layers.2.self_attn.in_proj_weight",
	    "blk.2.attn_qkv.weight");
}

static void
what_the_table_has_not_has_no_canonical_name(void **state)
{
	char dst[8];

	(void)state;
	canonical("weight", "");
	canonical("conv1.weight", "");
	canonical("mylayers.self_attn.q_proj.weight", "");
	canonical("", "");
	/* It does not fit. */
	assert_int_equal(rename_canonical("blk.3.ffn_down.weight", 21, dst,
	    sizeof(dst)), 0);
}

static void
a_fused_tensor_has_parts_in_order(void **state)
{
	static const char name[] = "blk.5.attn_qkv.weight";
	static const char *const want[] = {"blk.5.attn_q.weight",
	    "blk.5.attn_k.weight", "blk.5.attn_v.weight"};
	char dst[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		size_t n = rename_part(name, strlen(name), i, dst,
		    sizeof(dst));

		assert_int_equal(n, strlen(want[i]));
		assert_memory_equal(dst, want[i], n);
	}
	assert_int_equal(rename_part(name, strlen(name), 3, dst,
	    sizeof(dst)), 0);
	assert_int_equal(rename_part("blk.5.attn_q.weight", 19, 0, dst,
	    sizeof(dst)), 0);
	assert_int_equal(rename_part("blk.0.ffn_gate_up.weight", 24, 2, dst,
	    sizeof(dst)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_most_two_prefixes_are_taken),
	    cmocka_unit_test(frameworks_names_meet_in_ggufs),
	    cmocka_unit_test(what_the_table_has_not_has_no_canonical_name),
	    cmocka_unit_test(a_fused_tensor_has_parts_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
