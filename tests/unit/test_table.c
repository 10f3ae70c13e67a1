#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/spill.h"
#include "analyzer/diff/table.h"
#include "base/err.h"
#include "tests/lib/model_case.h"

static struct model_told told;
static struct rows rows;
static struct spill *spill;
static int spool;

static struct table *
load(const struct model_case *m)
{
	struct err e = ERR_INIT;
	struct table *t;

	model_rows(&rows, &told);
	spool = model_case_spool();
	spill = spill_new(spool, &e);
	assert_non_null(spill);
	t = table_new(ROW_NEW, spill, &rows, &e);
	assert_non_null(t);
	assert_int_equal(table_load(t, &m->side, &e), 0);
	return t;
}

static void
drop(struct table *t, struct model_case *m)
{
	table_free(t);
	spill_free(spill);
	(void)close(spool);
	model_case_free(m);
}

static const float data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void
assert_named(const struct tensor *t, const char *name)
{
	assert_int_equal(t->name_len, strlen(name));
	assert_memory_equal(t->name, name, t->name_len);
}

static void
tensors_come_sorted_and_mapped(void **state)
{
	const struct model_tensor v[] = {
	    {"z.weight", "F32", {3, 4}, 2, data, 48},
	    {"a.bias", "F32", {3}, 1, data, 12},
	    {"empty", "F32", {0, 7}, 2, NULL, 0}};
	struct model_case m = {0};
	struct table *t;

	(void)state;
	model_case_add(&m, "", v, 3);
	t = load(&m);
	assert_int_equal(t->n, 3);
	assert_int_equal(t->nunits, 1);
	assert_int_equal(t->units[0].n, 3);
	assert_named(&t->v[0], "a.bias");
	assert_named(&t->v[1], "empty");
	assert_named(&t->v[2], "z.weight");
	assert_int_equal(t->v[0].rows, 1);
	assert_int_equal(t->v[0].cols, 3);
	assert_int_equal(t->v[1].n, 0);
	assert_non_null(t->v[1].p);
	assert_int_equal(t->v[2].rows, 3);
	assert_int_equal(t->v[2].cols, 4);
	assert_memory_equal(t->v[2].p, data, 48);
	assert_int_equal(t->inputs[0].tensors, 3);
	assert_true(t->inputs[0].complete);
	assert_int_equal(told.findings, 0);
	drop(t, &m);
}

static void
shards_are_one_model(void **state)
{
	const struct model_tensor v[] = {
	    {"b", "F32", {3}, 1, data, 12}, {"a", "F32", {3}, 1, data, 12}};
	struct model_case m = {0};
	struct table *t;

	(void)state;
	model_case_add(&m, "model-00001-of-00002.safetensors", &v[0], 1);
	model_case_add(&m, "model-00002-of-00002.safetensors", &v[1], 1);
	model_case_add(&m, "other.safetensors", &v[1], 1);
	t = load(&m);
	assert_int_equal(t->nunits, 2);
	assert_int_equal(t->units[0].n, 2);
	assert_int_equal(t->units[0].path_len, strlen("model.safetensors"));
	assert_memory_equal(t->units[0].path, "model.safetensors", 17);
	assert_named(&t->units[0].v[0], "a");
	assert_named(&t->units[1].v[0], "a");
	drop(t, &m);
}

static void
what_stands_beside_gives_no_tensors(void **state)
{
	const struct model_tensor v[] = {{"a", "F32", {3}, 1, data, 12}};
	struct model_case m = {0};
	struct table *t;

	(void)state;
	model_case_add(&m, "", v, 1);
	model_case_add(&m, "neighbour.safetensors", v, 1);
	m.part[1].flags = PART_BESIDE;
	t = load(&m);
	assert_int_equal(t->n, 1);
	assert_int_equal(t->leaves.n, 2);
	drop(t, &m);
}

static void
a_broken_model_is_told_and_kept_as_far_as_it_goes(void **state)
{
	static const char broken[] = "\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\"";
	const struct model_tensor v[] = {{"a", "F32", {3}, 1, data, 12}};
	struct model_case m = {0};
	struct table *t;

	(void)state;
	model_case_add(&m, "good.safetensors", v, 1);
	model_case_bytes(&m, "x.safetensors", broken, sizeof(broken));
	t = load(&m);
	assert_int_equal(t->n, 1);
	assert_int_equal(told.findings, 1);
	assert_int_equal(told.last, FINDING_DIFF_UNREAD);
	drop(t, &m);
}

static void
turning_a_matrix_exchanges_rows_and_columns(void **state)
{
	const struct model_tensor v[] = {
	    {"w", "F32", {3, 4}, 2, data, 48}};
	const struct tensor *x;
	struct model_case m = {0};
	struct err e = ERR_INIT;
	struct table *t;
	float f;

	(void)state;
	model_case_add(&m, "", v, 1);
	t = load(&m);
	for (unsigned again = 0; again < 3; again++) {
		x = table_transposed(t, &t->v[0], &e);
		assert_non_null(x);
		assert_int_equal(x->rows, 4);
		assert_int_equal(x->cols, 3);
		for (unsigned i = 0; i < 4; i++)
			for (unsigned k = 0; k < 3; k++) {
				memcpy(&f, x->p + 4 * (3 * i + k), 4);
				assert_true(f == data[4 * k + i]);
			}
	}
	drop(t, &m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tensors_come_sorted_and_mapped),
	    cmocka_unit_test(shards_are_one_model),
	    cmocka_unit_test(what_stands_beside_gives_no_tensors),
	    cmocka_unit_test(a_broken_model_is_told_and_kept_as_far_as_it_goes),
	    cmocka_unit_test(turning_a_matrix_exchanges_rows_and_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
