#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/headshare.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

#define D 96
static float a[D * D], b[D * D];
static const uint64_t shape[2] = {D, D};

static struct tensor
tensor(const char *name, const float *p)
{
	struct tensor t = {.name = name, .name_len = (uint32_t)strlen(name),
	    .elem = ELEM_F32, .dtype = "F32", .shape = shape, .rank = 2,
	    .n = D * D, .rows = D, .cols = D, .p = (const uint8_t *)p,
	    .len = sizeof(a)};

	return t;
}

static void
heads_of_q_are_rows_and_of_o_columns(void **state)
{
	const struct tensor q = tensor("model.layers.3.self_attn.q_proj.weight",
	    a), k = tensor("blk.3.attn_k.weight", a),
	    o = tensor("model.layers.3.self_attn.o_proj.weight", a),
	    mlp = tensor("model.layers.3.mlp.up_proj.weight", a);
	const struct headshare_config c = {12, 4}, odd = {7, 0}, none = {0, 0};
	int columns = 0;

	(void)state;
	assert_int_equal(headshare_heads(&c, &q, &columns), 12);
	assert_false(columns);
	assert_int_equal(headshare_heads(&c, &k, &columns), 4);
	assert_int_equal(headshare_heads(&c, &o, &columns), 12);
	assert_true(columns);
	assert_int_equal(headshare_heads(&c, &mlp, &columns), 0);
	assert_int_equal(headshare_heads(&odd, &q, &columns), 0);
	assert_int_equal(headshare_heads(&none, &q, &columns), 0);
}

static void
the_head_that_changed_has_the_share(void **state)
{
	struct pool *pool = pool_new(3, NULL);
	const struct tensor old = tensor("w", a), new = tensor("w", b);
	const struct delta d = {&old, &new, CAST_NONE};
	double one[12], two[12];

	(void)state;
	assert_non_null(pool);
	memset(b, 0, sizeof(b));
	for (unsigned r = 0; r < D; r++)
		for (unsigned k = 0; k < D; k++)
			if (r / 8 == 5)
				b[r * D + k] = k / 8 == 2 ? 2 : 1;
	b[0] = NAN;
	assert_int_equal(headshare_find(NULL, &d, 12, 0, one, NULL), 0);
	for (unsigned h = 0; h < 12; h++)
		assert_true(fabs(one[h] - (h == 5)) < 1e-12);
	assert_int_equal(headshare_find(NULL, &d, 12, 1, one, NULL), 0);
	for (unsigned h = 0; h < 12; h++)
		assert_true(fabs(one[h] - (h == 2 ? 4.0 : 1.0) / 15) < 1e-12);
	assert_int_equal(headshare_find(pool, &d, 12, 1, two, NULL), 0);
	assert_memory_equal(one, two, sizeof(one));
	pool_free(pool);
}

static void
nothing_changed_has_no_shares(void **state)
{
	const struct tensor old = tensor("w", a);
	const struct delta d = {&old, &old, CAST_NONE};
	double share[4];

	(void)state;
	assert_int_equal(headshare_find(NULL, &d, 4, 0, share, NULL), 0);
	for (unsigned h = 0; h < 4; h++)
		assert_true(share[h] == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads_of_q_are_rows_and_of_o_columns),
	    cmocka_unit_test(the_head_that_changed_has_the_share),
	    cmocka_unit_test(nothing_changed_has_no_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
