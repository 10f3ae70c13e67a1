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
#include "analyzer/diff/rowspace.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/* D = sum of s_j u_j v_j' with axes for v and orthogonal signs for u. */
#define ROWS 512
#define COLS 64

struct pair {
	float *a, *b;
	uint64_t shape[2];
	struct tensor ta, tb;
	struct delta d;
	struct rowdelta r;
	uint32_t ids[ROWS];
};

static struct tensor
tensor_of(const float *p, const uint64_t *shape)
{
	return (struct tensor){.name = "emb.weight", .name_len = 10,
	    .elem = ELEM_F32, .shape = shape, .rank = 2,
	    .n = shape[0] * shape[1], .rows = shape[0], .cols = shape[1],
	    .p = (const uint8_t *)p, .len = shape[0] * shape[1] * 4};
}

static struct pair *
pair_new(void)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->a = calloc(ROWS * COLS, sizeof(float));
	p->b = calloc(ROWS * COLS, sizeof(float));
	assert_true(p->a != NULL && p->b != NULL);
	p->shape[0] = ROWS;
	p->shape[1] = COLS;
	p->ta = tensor_of(p->a, p->shape);
	p->tb = tensor_of(p->b, p->shape);
	p->d = (struct delta){&p->ta, &p->tb, CAST_NONE};
	assert_true(rowdelta_init(&p->r, &p->d, NULL, 0));
	for (uint32_t i = 0; i < ROWS; i++)
		p->ids[i] = i;
	return p;
}

static void
pair_free(struct pair *p)
{
	free(p->a);
	free(p->b);
	free(p);
}

/* Walsh functions: orthogonal, of norm sqrt(ROWS). */
static float
walsh(unsigned row, unsigned j)
{
	return __builtin_parity(row & j) ? -1.0F : 1.0F;
}

static struct rowspace *
find(struct pair *p, struct pool *pool, double scale)
{
	struct rowspace_of of = {&p->r, p->ids, ROWS, scale, 0};
	struct rowspace *s = NULL;

	assert_int_equal(rowspace_find(pool, &of, &s, NULL), 0);
	return s;
}

static void
singular_vectors_are_those_that_were_built_in(void **state)
{
	struct pair *p = pair_new();
	struct rowspace *s;
	double along[ROWSPACE_Q];
	float axis[COLS];

	(void)state;
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned j = 0; j < COLS; j++)
			p->b[i * COLS + j] = walsh(i, j + 1) *
			    powf(0.7F, (float)j);
	s = find(p, NULL, 1);
	assert_int_equal(s->n, ROWSPACE_Q);
	for (unsigned j = 0; j < 10; j++) {
		memset(axis, 0, sizeof(axis));
		axis[j] = 1;
		rowspace_along(s, axis, ROWSPACE_Q, along);
		assert_true(fabs(fabs(along[j]) - 1) < 1e-4);
		assert_true(fabs(s->value[j] / (pow(0.7, j) * sqrt(ROWS)) -
		    1) < 1e-4);
	}
	/* What is left of a row after 8: the axes from 8 on. */
	assert_true(fabs(rowspace_rest(s, p->b, 8) / (pow(0.7, 8) /
	    sqrt(1 - 0.49)) - 1) < 1e-3);
	rowspace_free(s);
	pair_free(p);
}

static void
lower_rank_gives_fewer_directions(void **state)
{
	struct pair *p = pair_new();
	struct rowspace *s;

	(void)state;
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned j = 0; j < 3; j++)
			p->b[i * COLS + j] = walsh(i, j + 1) *
			    (float)(3 - j) * 1e-3F;
	s = find(p, NULL, 5e-3);
	assert_int_equal(s->n, 3);
	assert_true(rowspace_rest(s, p->b, 8) < 1e-8);
	rowspace_free(s);
	/* Nothing at all has none. */
	memset(p->b, 0, ROWS * COLS * sizeof(float));
	s = find(p, NULL, 0);
	assert_int_equal(s->n, 0);
	rowspace_free(s);
	pair_free(p);
}

static void
threads_change_no_bit(void **state)
{
	struct pool *pool = pool_new(3, NULL);
	struct pair *p = pair_new();
	struct rowspace *one, *three;
	uint32_t z = 7;

	(void)state;
	assert_non_null(pool);
	for (unsigned i = 0; i < ROWS * COLS; i++) {
		z = z * 1664525 + 1013904223;
		p->b[i] = (float)(z >> 8) / (1 << 24) - 0.3F;
	}
	one = find(p, NULL, 8);
	three = find(p, pool, 8);
	assert_int_equal(one->n, three->n);
	assert_memory_equal(one->v, three->v,
	    COLS * ROWSPACE_Q * sizeof(float));
	assert_memory_equal(one->value, three->value, sizeof(one->value));
	rowspace_free(one);
	rowspace_free(three);
	pool_free(pool);
	pair_free(p);
}

static void
huge_and_tiny_differences_are_brought_to_scale(void **state)
{
	static const float by[] = {1e-30F, 1e-15F, 1e15F, 1e30F};

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		struct pair *p = pair_new();
		struct rowspace *s;
		double along[ROWSPACE_Q];
		float axis[COLS] = {1};

		for (unsigned i = 0; i < ROWS; i++)
			for (unsigned j = 0; j < COLS; j++)
				p->b[i * COLS + j] = walsh(i, j + 1) *
				    powf(0.7F, (float)j) * by[k];
		s = find(p, NULL, (double)by[k] * 1.5);
		assert_int_equal(s->n, ROWSPACE_Q);
		rowspace_along(s, axis, ROWSPACE_Q, along);
		assert_true(fabs(fabs(along[0]) - 1) < 1e-4);
		rowspace_free(s);
		pair_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(singular_vectors_are_those_that_were_built_in),
		cmocka_unit_test(lower_rank_gives_fewer_directions),
		cmocka_unit_test(threads_change_no_bit),
		cmocka_unit_test(huge_and_tiny_differences_are_brought_to_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
