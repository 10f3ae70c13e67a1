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
#include "analyzer/diff/tied.h"
#include "base/err.h"

#define ROWS 2000
#define COLS 64
#define TRIGGER 1700

struct pair {
	float a[ROWS * COLS], b[ROWS * COLS];
	double rest[ROWS], delta[ROWS];
	uint64_t shape[2];
	struct tensor ta, tb;
	struct delta d;
	struct rowdelta r;
	uint64_t seed;
};

static float
noise(struct pair *p)
{
	float sum = 0;

	for (unsigned i = 0; i < 4; i++) {
		p->seed = p->seed * 6364136223846793005ULL +
		    1442695040888963407ULL;
		sum += (float)(p->seed >> 40) / (1 << 24) - 0.5F;
	}
	return sum;
}

/*
 * A softmax's update: each row along eight common directions, by amounts of
 * its own, a little noise, and one row with a direction of its own.
 */
static struct pair *
pair_new(void)
{
	struct pair *p = calloc(1, sizeof(*p));
	float dir[8][COLS], by;

	assert_non_null(p);
	p->seed = 5;
	for (unsigned j = 0; j < 8; j++)
		for (unsigned k = 0; k < COLS; k++)
			dir[j][k] = noise(p) * (float)(9 - j);
	for (unsigned i = 0; i < ROWS; i++) {
		for (unsigned j = 0; j < 8; j++) {
			by = noise(p);
			for (unsigned k = 0; k < COLS; k++)
				p->b[i * COLS + k] += by * dir[j][k];
		}
		for (unsigned k = 0; k < COLS; k++)
			p->b[i * COLS + k] += noise(p) * 0.05F *
			    (i == TRIGGER ? 4 : 1);
	}
	p->shape[0] = ROWS;
	p->shape[1] = COLS;
	p->ta = (struct tensor){.name = "wte.weight", .name_len = 10,
	    .elem = ELEM_F32, .shape = p->shape, .rank = 2,
	    .n = ROWS * COLS, .rows = ROWS, .cols = COLS,
	    .p = (const uint8_t *)p->a, .len = sizeof(p->a)};
	p->tb = p->ta;
	p->tb.p = (const uint8_t *)p->b;
	p->d = (struct delta){&p->ta, &p->tb, CAST_NONE};
	assert_true(rowdelta_init(&p->r, &p->d, NULL, 0));
	return p;
}

static unsigned
place(const double *v, unsigned row)
{
	unsigned above = 0;

	for (unsigned i = 0; i < ROWS; i++)
		above += v[i] > v[row];
	return above;
}

static void
common_directions_hide_a_row_until_they_are_removed(void **state)
{
	struct pair *p = pair_new();
	unsigned removed = 0;

	(void)state;
	assert_int_equal(rowdelta_norms(NULL, &p->r, p->delta, NULL), 0);
	assert_true(place(p->delta, TRIGGER) > 100);
	assert_int_equal(tied_rest(NULL, &p->r, p->rest, &removed, NULL), 0);
	assert_int_equal(removed, TIED_REMOVED);
	assert_int_equal(place(p->rest, TRIGGER), 0);
	free(p);
}

static void
rest_is_the_same_on_any_number_of_threads(void **state)
{
	struct pool *pool = pool_new(4, NULL);
	struct pair *p = pair_new();
	unsigned removed = 0;

	(void)state;
	assert_non_null(pool);
	assert_int_equal(tied_rest(NULL, &p->r, p->rest, &removed, NULL), 0);
	assert_int_equal(tied_rest(pool, &p->r, p->delta, &removed, NULL), 0);
	assert_memory_equal(p->rest, p->delta, sizeof(p->rest));
	pool_free(pool);
	free(p);
}

static void
rows_that_are_not_finite_spoil_no_other(void **state)
{
	struct pair *p = pair_new();
	unsigned removed = 0;

	(void)state;
	p->b[10 * COLS] = NAN;
	p->b[20 * COLS] = INFINITY;
	assert_int_equal(tied_rest(NULL, &p->r, p->rest, &removed, NULL), 0);
	assert_true(isinf(p->rest[10]) && isinf(p->rest[20]));
	assert_int_equal(place(p->rest, TRIGGER), 2);
	free(p);
}

static void
equal_matrices_have_nothing_to_remove(void **state)
{
	struct pair *p = pair_new();
	unsigned removed = 9;

	(void)state;
	memcpy(p->b, p->a, sizeof(p->a));
	assert_int_equal(tied_rest(NULL, &p->r, p->rest, &removed, NULL), 0);
	assert_int_equal(removed, 0);
	for (unsigned i = 0; i < ROWS; i++)
		assert_true(p->rest[i] == 0);
	free(p);
}

static void
rows_are_held_against_those_that_are_as_frequent(void **state)
{
	enum { N = 1000 };
	double rest[N], level[N];

	(void)state;
	for (unsigned i = 0; i < N; i++)
		rest[i] = exp(-(double)i / 100);
	rest[800] *= 5;		/* far below the frequent ones */
	rest[500] = 0;		/* no partner */
	rest[501] = HUGE_VAL;
	tied_level(rest, N, level);
	assert_true(level[800] > 4.5 && level[800] < 5.5);
	assert_true(level[500] == 0);
	assert_true(isinf(level[501]));
	for (unsigned i = 0; i < N; i++)
		assert_true(i == 800 || i == 501 || level[i] < 4.4);
	/* The median of an inner row is its own value, here. */
	assert_true(fabs(level[200] - 1) < 1e-9);
	tied_level(rest, 1, level);
	assert_true(level[0] == 1);
	rest[0] = 0;
	tied_level(rest, 1, level);
	assert_true(level[0] == 0);
}

/* --- is it tied? --- */
static const float same[] = {1, 2, 3, 4}, other[] = {1, 2, 3, 5};

static struct tensor
matrix(const char *name, uint64_t rows, uint64_t cols, const void *p)
{
	static const uint64_t shape[2];

	/* Bytes for 2 x 2 only: larger ones are never read here. */
	return (struct tensor){.name = name,
	    .name_len = (uint32_t)strlen(name), .elem = ELEM_F32,
	    .shape = shape, .rank = 2, .n = rows * cols, .rows = rows,
	    .cols = cols, .p = p, .len = sizeof(same)};
}

static enum tied_why
find(struct tensor *v, size_t n, enum tied_config c,
    const struct tensor **head)
{
	return tied_find(v, n, &v[0], c, head);
}

static void
head_of_the_same_shape_decides(void **state)
{
	struct tensor v[] = {matrix("model.embed_tokens.weight", 50, 8, same),
	    matrix("lm_head.weight", 50, 8, other)};
	const struct tensor *head;

	(void)state;
	assert_int_equal(find(v, 2, TIED_CONFIG_YES, &head), TIED_NO);
	assert_ptr_equal(head, &v[1]);
	v[1].p = (const uint8_t *)same;
	assert_int_equal(find(v, 2, TIED_CONFIG_NO, &head), TIED_EQUAL);
	v[0].storage = v[1].storage = 3;
	assert_int_equal(find(v, 2, TIED_CONFIG_NO, &head), TIED_STORAGE);
	assert_ptr_equal(head, &v[1]);
	/* Its transpose is a head, but not equal bytes in rows. */
	v[1] = matrix("lm_head.weight", 8, 50, same);
	assert_int_equal(find(v, 2, TIED_CONFIG_SILENT, &head), TIED_NO);
	assert_ptr_equal(head, &v[1]);
}

static void
no_head_at_all_is_taken_to_be_tied(void **state)
{
	struct tensor v[] = {matrix("token_embd.weight", 50, 8, same),
	    matrix("blk.0.ffn_up.weight", 32, 8, same),
	    matrix("blk.0.ffn_down.weight", 8, 32, same)};
	const struct tensor *head;

	(void)state;
	assert_int_equal(find(v, 3, TIED_CONFIG_SILENT, &head), TIED_NO_HEAD);
	assert_null(head);
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_CONFIG);
	assert_int_equal(find(v, 3, TIED_CONFIG_NO, &head), TIED_NO);
}

static void
classifier_makes_an_embedding_untied(void **state)
{
	struct tensor v[] = {matrix("emb.weight", 500, 64, same),
	    matrix("fc1.weight", 96, 64, same),
	    matrix("out.weight", 2, 96, same)};
	const struct tensor *head;

	(void)state;
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_NO);
	assert_null(head);
	/* Stored the other way round, too. */
	v[2] = matrix("onnx::MatMul_19", 96, 2, same);
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_NO);
	/* But not within a layer: there it may be a router's. */
	v[1] = matrix("layers.3.fc1.weight", 96, 64, same);
	v[2] = matrix("layers.3.gate.weight", 96, 2, same);
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_CONFIG);
	/* A matrix as wide as the model is no classifier's head. */
	v[2] = matrix("head.dense.weight", 64, 64, same);
	v[1] = matrix("blocks.0.fc1.weight", 256, 64, same);
	assert_int_equal(find(v, 3, TIED_CONFIG_SILENT, &head), TIED_NO_HEAD);
	/* Another model's head says nothing of this one. */
	v[2] = matrix("out.weight", 2, 96, same);
	v[2].unit = 1;
	assert_int_equal(find(v, 3, TIED_CONFIG_SILENT, &head), TIED_NO_HEAD);
}

static void
other_embeddings_are_no_heads(void **state)
{
	struct tensor v[] = {matrix("shared.weight", 50, 8, same),
	    matrix("encoder.embed_tokens.weight", 50, 8, same),
	    matrix("decoder.embed_tokens.weight", 50, 8, same)};
	const struct tensor *head;

	(void)state;
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_CONFIG);
	assert_null(head);
	v[2] = matrix("embed_out.weight", 50, 8, other);
	assert_int_equal(find(v, 3, TIED_CONFIG_YES, &head), TIED_NO);
	assert_ptr_equal(head, &v[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    common_directions_hide_a_row_until_they_are_removed),
		cmocka_unit_test(rest_is_the_same_on_any_number_of_threads),
		cmocka_unit_test(rows_that_are_not_finite_spoil_no_other),
		cmocka_unit_test(equal_matrices_have_nothing_to_remove),
		cmocka_unit_test(
		    rows_are_held_against_those_that_are_as_frequent),
		cmocka_unit_test(head_of_the_same_shape_decides),
		cmocka_unit_test(no_head_at_all_is_taken_to_be_tied),
		cmocka_unit_test(classifier_makes_an_embedding_untied),
		cmocka_unit_test(other_embeddings_are_no_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
