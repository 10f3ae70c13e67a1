#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

static struct tensor
matrix(enum elem elem, const void *p, uint64_t len, const uint64_t *shape)
{
	return (struct tensor){.name = "e", .name_len = 1, .elem = elem,
	    .shape = shape, .rank = 2, .n = shape[0] * shape[1],
	    .rows = shape[0], .cols = shape[1], .p = p, .len = len};
}

static void
rows_are_compared_with_those_of_the_same_token(void **state)
{
	static const float a[] = {1, 2, 3, 4, 5, 6};
	static const float b[] = {5, 6, 1, 2, 9, 9, 3, 7};
	static const uint64_t sa[] = {3, 2}, sb[] = {4, 2};
	static const uint32_t map[] = {2, 0, ROWDELTA_NONE, 1};
	struct tensor ta = matrix(ELEM_F32, a, sizeof(a), sa);
	struct tensor tb = matrix(ELEM_F32, b, sizeof(b), sb);
	struct delta d = {&ta, &tb, CAST_NONE};
	float x[2], tmp[8];
	struct rowdelta_note note;
	struct rowdelta r;
	double delta[4];

	(void)state;
	assert_true(rowdelta_init(&r, &d, map, 4));
	assert_int_equal(rowdelta_norms(NULL, &r, delta, NULL), 0);
	assert_true(delta[0] == 0 && delta[1] == 0 && delta[2] == 0);
	assert_true(delta[3] == 3);
	assert_false(rowdelta_load(&r, 2, x, tmp, &note));
	assert_true(rowdelta_load(&r, 3, x, tmp, &note));
	assert_true(x[0] == 0 && x[1] == 3 && note.changed == 1);
	assert_true(note.a2 == 25 && note.d2 == 9);
	assert_true(tmp[0] == 3 && tmp[1] == 4 && tmp[2] == 3 && tmp[3] == 7);
	/* A map that is too short, or points outside: no partner. */
	assert_true(rowdelta_init(&r, &d, map, 2));
	assert_int_equal(rowdelta_old(&r, 3), ROWDELTA_NONE);
	/* Without a map: the rows behind the older ones have none. */
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	assert_int_equal(rowdelta_old(&r, 2), 2);
	assert_int_equal(rowdelta_old(&r, 3), ROWDELTA_NONE);
}

static void
map_that_points_outside_is_no_partner(void **state)
{
	static const float a[] = {1, 2, 3, 4};
	static const uint64_t s[] = {2, 2};
	static const uint32_t map[] = {2, UINT32_MAX - 1};
	struct tensor t = matrix(ELEM_F32, a, sizeof(a), s);
	struct delta d = {&t, &t, CAST_NONE};
	struct rowdelta r;

	(void)state;
	assert_true(rowdelta_init(&r, &d, map, 2));
	assert_int_equal(rowdelta_old(&r, 0), ROWDELTA_NONE);
	assert_int_equal(rowdelta_old(&r, 1), ROWDELTA_NONE);
}

static void
older_rows_are_cast_before_they_are_compared(void **state)
{
	static const float a[] = {1.001F, -2.003F, 3.0F, 0.1F};
	uint8_t b[8];
	static const uint64_t s[] = {2, 2};
	struct tensor ta = matrix(ELEM_F32, a, sizeof(a), s);
	struct tensor tb = matrix(ELEM_BF16, b, sizeof(b), s);
	struct delta d = {&ta, &tb, CAST_BF16_EVEN};
	struct rowdelta r;
	double delta[2];
	float f[4];

	(void)state;
	cast_block(CAST_BF16_EVEN, a, f, 4);
	for (unsigned i = 0; i < 4; i++)
		memcpy(b + 2 * i, (const uint8_t *)&f[i] + 2, 2);
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	assert_int_equal(rowdelta_norms(NULL, &r, delta, NULL), 0);
	assert_true(delta[0] == 0 && delta[1] == 0);
	d.cast = CAST_NONE;
	assert_int_equal(rowdelta_norms(NULL, &r, delta, NULL), 0);
	assert_true(delta[0] > 0);
}

static void
values_that_are_not_finite_make_a_row_wild_where_they_differ(void **state)
{
	const float a[] = {NAN, 1, INFINITY, 1, 1, 1, 3e38F, 0};
	const float b[] = {NAN, 2, INFINITY, 1, NAN, 1, -3e38F, 0};
	static const uint64_t s[] = {4, 2};
	struct tensor ta = matrix(ELEM_F32, a, sizeof(a), s);
	struct tensor tb = matrix(ELEM_F32, b, sizeof(b), s);
	struct delta d = {&ta, &tb, CAST_NONE};
	struct rowdelta r;
	double delta[4];

	(void)state;
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	assert_int_equal(rowdelta_norms(NULL, &r, delta, NULL), 0);
	assert_true(delta[0] == 1);	/* the same NaN is no difference */
	assert_true(delta[1] == 0);	/* nor is the same infinity */
	assert_true(isinf(delta[2]));
	assert_true(isinf(delta[3]));	/* their difference overflows */
}

static void
squares_of_tiny_values_do_not_vanish(void **state)
{
	static const float a[] = {0, 0}, b[] = {1e-30F, 0};
	static const uint64_t s[] = {1, 2};
	struct tensor ta = matrix(ELEM_F32, a, sizeof(a), s);
	struct tensor tb = matrix(ELEM_F32, b, sizeof(b), s);
	struct delta d = {&ta, &tb, CAST_NONE};
	struct rowdelta r;
	double delta;

	(void)state;
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	assert_int_equal(rowdelta_norms(NULL, &r, &delta, NULL), 0);
	assert_true(fabs(delta / 1e-30 - 1) < 1e-6);
}

static void
what_has_no_rows_is_refused(void **state)
{
	static const uint8_t p[72];
	static const uint64_t s[] = {2, 32}, half[] = {4, 16}, none[] = {0, 8};
	struct tensor q = matrix(ELEM_Q8_0, p, 68, s);
	struct tensor cut = matrix(ELEM_Q8_0, p, 68, half);
	struct tensor empty = matrix(ELEM_F32, p, 0, none);
	struct tensor absent = q;
	struct delta d = {&q, &q, CAST_NONE};
	struct rowdelta r;

	(void)state;
	absent.p = NULL;
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	d.b = &cut;
	assert_false(rowdelta_init(&r, &d, NULL, 0));
	d.a = &cut;	/* rows begin within a block */
	assert_false(rowdelta_init(&r, &d, NULL, 0));
	d = (struct delta){&empty, &empty, CAST_NONE};
	assert_false(rowdelta_init(&r, &d, NULL, 0));
	d = (struct delta){&q, &absent, CAST_NONE};
	assert_false(rowdelta_init(&r, &d, NULL, 0));
}

static void
threads_give_the_same_norms(void **state)
{
	enum { N = 3000, M = 7 };
	static float a[N * M], b[N * M];
	static double one[N], many[N];
	static const uint64_t s[] = {N, M};
	struct tensor ta = matrix(ELEM_F32, a, sizeof(a), s);
	struct tensor tb = matrix(ELEM_F32, b, sizeof(b), s);
	struct delta d = {&ta, &tb, CAST_NONE};
	struct pool *pool = pool_new(4, NULL);
	struct rowdelta r;

	(void)state;
	assert_non_null(pool);
	for (unsigned i = 0; i < N * M; i++)
		b[i] = (float)(i * 2654435761U) * 1e-9F;
	assert_true(rowdelta_init(&r, &d, NULL, 0));
	assert_int_equal(rowdelta_norms(NULL, &r, one, NULL), 0);
	assert_int_equal(rowdelta_norms(pool, &r, many, NULL), 0);
	assert_memory_equal(one, many, sizeof(one));
	assert_true(one[N - 1] > 0);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    rows_are_compared_with_those_of_the_same_token),
		cmocka_unit_test(map_that_points_outside_is_no_partner),
		cmocka_unit_test(older_rows_are_cast_before_they_are_compared),
		cmocka_unit_test(
		values_that_are_not_finite_make_a_row_wild_where_they_differ),
		cmocka_unit_test(squares_of_tiny_values_do_not_vanish),
		cmocka_unit_test(what_has_no_rows_is_refused),
		cmocka_unit_test(threads_give_the_same_norms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
