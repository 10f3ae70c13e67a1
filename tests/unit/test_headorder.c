#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/headorder.h"
#include "analyzer/diff/spill.h"
#include "analyzer/diff/table.h"
#include "base/err.h"
#include "tests/lib/model_case.h"
#include "tests/lib/pair_case.h"

#define ROWS 256
#define COLS 32
#define HEAD 64

static float base[ROWS * COLS], turned[ROWS * COLS], other[ROWS * COLS];
static struct model_told told;
static struct rows rows;

/* Row head * d + 2 j + i of GGUF is head * d + i * d / 2 + j. */
static int
fill(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < ROWS * COLS; i++) {
		base[i] = (float)pair_case_normal(&seed);
		other[i] = (float)pair_case_normal(&seed);
	}
	for (unsigned head = 0; head < ROWS / HEAD; head++)
		for (unsigned j = 0; j < HEAD / 2; j++)
			for (unsigned i = 0; i < 2; i++)
				memcpy(turned + (head * HEAD + 2 * j + i) *
				    COLS, base + (head * HEAD + i * HEAD / 2 +
				    j) * COLS, COLS * sizeof(float));
	return 0;
}

/* The size of a head that was found, 0 for none; the copy is like ${b}. */
static unsigned
find(struct model_tensor a, struct model_tensor b, bool room)
{
	int fd = room ? model_case_spool() : -1;
	struct model_case old = {0}, new = {0};
	struct err e = ERR_INIT;
	struct spill *s = spill_new(fd, &e);
	struct table *t[2];
	const struct tensor *x;
	unsigned head = 0;

	model_rows(&rows, &told);
	model_case_add(&old, "", &a, 1);
	model_case_add(&new, "", &b, 1);
	t[0] = table_new(ROW_OLD, s, &rows, &e);
	t[1] = table_new(ROW_NEW, s, &rows, &e);
	assert_int_equal(table_load(t[0], &old.side, &e), 0);
	assert_int_equal(table_load(t[1], &new.side, &e), 0);
	x = headorder_find(t[0], &t[0]->v[0], &t[1]->v[0], &head, &e);
	if (x != NULL)
		assert_memory_equal(x->p, t[1]->v[0].p, x->len);
	else
		head = 0;
	assert_int_equal(e.code, ERR_OK);
	table_free(t[0]);
	table_free(t[1]);
	spill_free(s);
	if (fd >= 0)
		(void)close(fd);
	model_case_free(&old);
	model_case_free(&new);
	return head;
}

static struct model_tensor
matrix(const char *name, const float *v)
{
	return (struct model_tensor){name, "F32", {ROWS, COLS}, 2, v,
	    sizeof(base)};
}

static void
halves_and_neighbours_are_found_both_ways(void **state)
{
	(void)state;
	assert_int_equal(find(matrix("layers.0.self_attn.q_proj.weight",
	    base), matrix("blk.0.attn_q.weight", turned), true), HEAD);
	assert_int_equal(find(matrix("blk.0.attn_k.weight", turned),
	    matrix("layers.0.self_attn.k_proj.weight", base), true), HEAD);
}

static void
vectors_have_heads_too(void **state)
{
	static float a[ROWS], b[ROWS];
	const char *name = "layers.0.self_attn.q_proj.bias";
	(void)state;
	for (unsigned i = 0; i < ROWS; i++) {
		a[i] = base[i * COLS];
		b[i] = turned[i * COLS];
	}
	assert_int_equal(find((struct model_tensor){name, "F32", {ROWS}, 1,
	    a, sizeof(a)}, (struct model_tensor){"blk.0.attn_q.bias", "F32",
	    {ROWS}, 1, b, sizeof(b)}, true), HEAD);
}

static void
nothing_is_found_where_nothing_is(void **state)
{
	(void)state;
	assert_int_equal(find(matrix("layers.0.self_attn.q_proj.weight",
	    base), matrix("blk.0.attn_q.weight", other), true), 0);
	/* v has no rotary embedding. */
	assert_int_equal(find(matrix("layers.0.self_attn.v_proj.weight",
	    base), matrix("blk.0.attn_v.weight", turned), true), 0);
	assert_int_equal(find((struct model_tensor){"blk.0.attn_q.weight",
	    "F32", {0, 4}, 2, NULL, 0}, (struct model_tensor){
	    "blk.0.attn_q.weight", "F32", {0, 4}, 2, NULL, 0}, true), 0);
}

static void
without_room_nothing_is_turned(void **state)
{
	(void)state;
	assert_int_equal(find(matrix("layers.0.self_attn.q_proj.weight",
	    base), matrix("blk.0.attn_q.weight", turned), false), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(halves_and_neighbours_are_found_both_ways),
	    cmocka_unit_test(vectors_have_heads_too),
	    cmocka_unit_test(nothing_is_found_where_nothing_is),
	    cmocka_unit_test(without_room_nothing_is_turned),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
