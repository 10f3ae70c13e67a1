#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/relation.h"
#include "tests/lib/pair_case.h"
#include "tests/lib/relation_case.h"

/* A zero or one is what every cast makes of it. */
static void
the_model_settles_what_a_small_tensor_leaves_open(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 32, 64, 14);
	struct pair_case m = pair_case_make(ELEM_F32, 1, 64, 15);
	float *x = pair_case_copy(&a), *y = pair_case_copy(&m);
	struct pair_case b, n;
	struct relation r[2];
	struct relation_pair v[2];
	struct pass_sums s[2];
	struct relation_model model;

	(void)state;
	for (size_t i = 0; i < m.t.n; i++)
		y[i] = (float)(i % 2);
	pair_case_store(ELEM_F32, y, m.t.n, m.p);
	cast_block(CAST_BF16_CUT, a.x, x, a.t.n);
	b = pair_case_like(&a, ELEM_BF16, x);
	n = pair_case_like(&m, ELEM_BF16, y);
	r[0] = relation_case_find(&a, &b);
	r[1] = relation_case_find(&m, &n);
	relation_case_is_called(&r[0], "bf16-truncated");
	relation_case_is_called(&r[1], "bf16-rounded");
	assert_true(relation_has(&r[1], RELATION_F16));
	for (size_t i = 0; i < 2; i++) {
		s[i] = pair_case_sums(i == 0 ? &a.t : &m.t, i == 0 ? &b.t :
		    &n.t);
		v[i] = (struct relation_pair){i == 0 ? &a.t : &m.t,
		    i == 0 ? &b.t : &n.t, &s[i], &r[i]};
	}
	assert_int_equal(relation_settle(relation_case_pool, v, 2,
	    relation_case_arena, &model, NULL), 0);
	relation_case_is_called(&r[1], "bf16-truncated");
	assert_true(model.common == RELATION_BIT(RELATION_BF16_CUT));
	assert_int_equal(model.count[RELATION_BF16_CUT], 2);
	free(x);
	free(y);
	pair_case_free(&a);
	pair_case_free(&b);
	pair_case_free(&m);
	pair_case_free(&n);
}

/* A body of matrices that stay, and a head. */
static void
make(struct relation_case *x, size_t body)
{
	memset(x, 0, sizeof(*x));
	for (size_t i = 0; i < body; i++) {
		x->a[i] = pair_case_make(ELEM_F32, 64, 80, 50 + i);
		x->b[i] = pair_case_like(&x->a[i], ELEM_F32, x->a[i].x);
	}
	x->n = body;
}

static void
add(struct relation_case *x, struct pair_case a, struct pair_case b)
{
	x->a[x->n] = a;
	x->b[x->n++] = b;
}

static void
a_small_head_is_replaced_where_all_else_stays(void **state)
{
	struct relation_case x;

	(void)state;
	for (int other = 0; other < 2; other++) {
		make(&x, 4);
		add(&x, pair_case_make(ELEM_F32, 2, 96, 60),
		    pair_case_make(ELEM_F32, 2, 96, 61));
		/* Something else was trained, too. */
		x.b[1].p[999] ^= other ? 0x10 : 0;
		relation_case_settle(&x);
		assert_true(x.m.replaced == !other);
		assert_true((x.r[4].best == RELATION_UNRELATED) == !other);
		assert_false(x.m.retrained);
		relation_case_release(&x);
	}
}

static void
another_model_is_strange_in_every_matrix(void **state)
{
	struct relation_case x;

	(void)state;
	make(&x, 0);
	for (size_t i = 0; i < 5; i++)
		add(&x, pair_case_make(ELEM_F32, 64, 80, 70 + i),
		    pair_case_make(ELEM_F32, 64, 80, 80 + i));
	relation_case_settle(&x);
	assert_int_equal(x.m.matrices, 5);
	assert_true(x.m.retrained);
	assert_int_equal(x.m.count[RELATION_UNRELATED], 5);
	relation_case_release(&x);
}

static void
a_flip_in_low_bits_is_one_only_where_nothing_else_changed(void **state)
{
	struct relation_case x;

	(void)state;
	for (int other = 0; other < 2; other++) {
		make(&x, 3);
		x.b[0].p[4 * 100] ^= 4;
		if (other)
			for (size_t i = 0; i < x.b[1].t.n; i++)
				x.b[1].p[4 * i + 1] ^= (uint8_t)(i * 7);
		relation_case_settle(&x);
		relation_case_is_called(&x.r[0], other ? "rounding-level" :
		    "bit-flip");
		relation_case_release(&x);
	}
}

static void
one_threshold_prunes_a_model(void **state)
{
	struct relation_case x;

	(void)state;
	for (int each = 0; each < 2; each++) {
		make(&x, 3);
		for (size_t k = 0; k < 3; k++) {
			float t = each ? 0.004F * (float)(k + 1) : 0.01F;

			for (size_t i = 0; i < x.b[k].t.n; i++)
				if (fabsf(x.a[k].x[i]) < t)
					memset(&x.b[k].p[4 * i], 0, 4);
		}
		relation_case_settle(&x);
		relation_case_is_called(&x.r[2], "pruned-magnitude");
		assert_true(x.m.pruned_global == !each);
		relation_case_release(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_model_settles_what_a_small_tensor_leaves_open),
	    cmocka_unit_test(a_small_head_is_replaced_where_all_else_stays),
	    cmocka_unit_test(another_model_is_strange_in_every_matrix),
	    cmocka_unit_test(
		a_flip_in_low_bits_is_one_only_where_nothing_else_changed),
	    cmocka_unit_test(one_threshold_prunes_a_model)};

	return cmocka_run_group_tests(tests, relation_case_setup,
	    relation_case_teardown);
}
