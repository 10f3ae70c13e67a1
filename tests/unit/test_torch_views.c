#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"
#include "tests/lib/pt.h"

/* Checkpoints, read for their named tensors. */
extern const struct format format_zip, format_torch_legacy;

static void
real_files_have_the_keys_of_their_state_dict(void **state)
{
	static const struct {
		const char *sample;
		const struct format *f;
	} files[] = {{"benign/digits_state_dict.pt", &format_zip},
	    {"benign/digits_state_dict_legacy.pt", &format_torch_legacy}};
	const struct pt_seen *s;
	uint8_t *p;
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		p = format_case_sample(files[i].sample, &n);
		pt_read(files[i].f, p, n);
		free(p);
		assert_int_equal(pt_rc, 0);
		assert_int_equal(pt_anomalies, 0);
		assert_int_equal(pt_views, 9);
		assert_non_null(s = pt_named("conv.weight"));
		assert_string_equal(s->dtype, "F32");
		assert_int_equal(s->rank, 4);
		assert_int_equal(s->stride[0], 9);
		assert_int_equal(s->len, 288);
		assert_non_null(s = pt_named("bn.num_batches_tracked"));
		assert_string_equal(s->dtype, "I64");
		assert_int_equal(s->rank, 0);
		assert_non_null(pt_named("fc.bias"));
	}
}

static void
many(unsigned n, const char *dict)
{
	char key[32];

	pt_begin();
	pt_ops(dict);
	for (unsigned i = 0; i < n; i++) {
		if (i % 1000 == 0)
			pt_ops("(");
		(void)snprintf(key, sizeof(key), "layer.%u.weight", i);
		pt_text(key);
		pt_vector("1");
		if (i % 1000 == 999 || i + 1 == n)
			pt_ops("u");
	}
	pt_read_archive(false);
}

static void
a_dictionary_of_thousands_is_whole(void **state)
{
	static const char *const dicts[] = {"}",
	    "ccollections\nOrderedDict\n)R"};
	char key[32];

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		many(3500, dicts[k]);
		assert_int_equal(pt_rc, 0);
		assert_int_equal(pt_views, 3500);
		for (unsigned i = 0; i < 3500; i++) {
			(void)snprintf(key, sizeof(key), "layer.%u.weight",
			    i);
			assert_string_equal(pt_seen[i].name, key);
		}
	}
}

static void
lists_and_tuples_of_any_length_are_numbered(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("}(");
	pt_text("l");
	pt_ops("](");
	for (unsigned i = 0; i < 700; i++)
		pt_ops("N");
	pt_vector("1");
	pt_ops("e");
	pt_text("t");
	pt_ops("(");
	for (unsigned i = 0; i < 700; i++)
		pt_ops("K\x07");
	pt_vector("2");
	pt_ops("t");
	pt_text("u");
	pt_vector("3");
	pt_ops("\x85u");
	pt_read_archive(false);
	assert_int_equal(pt_views, 3);
	assert_non_null(pt_named("l.700"));
	assert_non_null(pt_named("t.700"));
	assert_non_null(pt_named("u.0"));
}

static void
views_share_a_storage_as_they_lie_in_it(void **state)
{
	static const struct pt_tensor flipped = {"4", "Half", 8, 2, 2, {2, 3},
	    {1, 2}};
	const struct pt_seen *a, *b, *c;

	(void)state;
	pt_begin();
	pt_ops("}(");
	pt_text("a");
	pt_vector("3");
	pt_text("b");
	pt_vector("3");
	pt_text("c");
	pt_tensor(&flipped);
	pt_ops("u");
	pt_read_archive(false);
	a = pt_named("a");
	b = pt_named("b");
	c = pt_named("c");
	assert_true(a != NULL && b != NULL && c != NULL);
	assert_int_equal(a->storage, b->storage);
	assert_int_not_equal(a->storage, c->storage);
	assert_int_equal(a->byte, 'd');
	assert_int_equal(c->byte, 'e');
	assert_string_equal(c->dtype, "F16");
	assert_int_equal(c->first, 2);
	assert_int_equal(c->shape[1], 3);
	assert_int_equal(c->stride[1], 2);
}

static void
nested_checkpoints_are_named_from_the_top(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("}(");
	pt_text("optimizer");
	pt_ops("}");
	pt_text("state");
	pt_ops("}");
	pt_number(0);
	pt_ops("}");
	pt_text("exp_avg");
	pt_vector("1");
	pt_ops("sss");
	pt_text("p");
	pt_ops("ctorch._utils\n_rebuild_parameter\n(");
	pt_vector("2");
	pt_ops("\x88" "NtRu");
	pt_read_archive(false);
	assert_int_equal(pt_views, 2);
	assert_non_null(pt_named("optimizer.state.0.exp_avg"));
	assert_non_null(pt_named("p"));
}

/* A module with a child that knows its parent, and a list of the child. */
static void
a_whole_module_has_its_state_dicts_names(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("cnet\nNet\n)\x81q\x01}(");
	pt_text("_parameters");
	pt_ops("ccollections\nOrderedDict\n)R(");
	pt_text("scale");
	pt_vector("1");
	pt_text("none");
	pt_ops("Nu");
	pt_text("_modules");
	pt_ops("}(");
	pt_text("layer");
	pt_ops("cnet\nLayer\n)\x81q\x02}(");
	pt_text("_buffers");
	pt_ops("}");
	pt_text("mean");
	pt_vector("2");
	pt_ops("s");
	pt_text("parent");
	pt_ops("h\x01ubu");
	pt_text("all");
	pt_ops("]h\x02" "a");
	pt_text("extra");
	pt_vector("3");
	pt_ops("ub");
	pt_read_archive(false);
	assert_int_equal(pt_rc, 0);
	assert_int_equal(pt_anomalies, 7); /* storages that nobody uses */
	assert_int_equal(pt_views, 3);
	assert_non_null(pt_named("scale"));
	assert_non_null(pt_named("layer.mean"));
	assert_non_null(pt_named("extra"));
}

static void
a_key_that_is_set_again_has_its_new_value(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("}(");
	pt_text("a");
	pt_vector("1");
	pt_text("gone");
	pt_vector("2");
	pt_text("a");
	pt_vector("3");
	pt_text("gone");
	pt_ops("Nu");
	pt_read_archive(false);
	assert_int_equal(pt_views, 1);
	assert_string_equal(pt_seen[0].name, "a");
	assert_int_equal(pt_seen[0].byte, 'd');
}

static void
what_is_no_view_of_a_storage_is_not_named(void **state)
{
	static const struct pt_tensor unknown = {"1", "QUInt4x2", 4, 0, 1, {4},
	    {1}};

	(void)state;
	pt_begin();
	pt_ops("}(");
	pt_text("sparse");
	pt_ops("ctorch._utils\n_rebuild_sparse_tensor\n("
	    "Nctorch\nsparse_coo\n(");
	pt_vector("1");
	pt_vector("2");
	pt_ops("tt\x86R");
	pt_text("odd");
	pt_tensor(&unknown);
	pt_ops("u");
	pt_read_archive(false);
	assert_int_equal(pt_views, 0);
}

/* x = [t], then x = [x, x] forty times over: 2^40 names. */
static void
shared_pairs_end_at_the_limit(void **state)
{
	static const struct events only_anomalies = {.anomaly = pt_on_anomaly,
	    .view = pt_count};

	(void)state;
	pt_begin();
	pt_ops("]");
	pt_vector("1");
	pt_ops("a");
	for (unsigned i = 0; i < 40; i++) {
		pt_ops("q");
		pt_u8(i);
		pt_ops("0](h");
		pt_u8(i);
		pt_ops("h");
		pt_u8(i);
		pt_ops("e");
	}
	pt_ops(".");
	pt_member("m/data.pkl", pt_pickle.p, pt_pickle.n, false);
	pt_end();
	pt_read_with(&format_zip, pt_file.p, pt_file.n, &only_anomalies);
	assert_int_equal(pt_rc, 0);
	assert_true(pt_has(ANOMALY_LIMIT));
	assert_true(pt_views > 1000);
}

static void
cuts_and_mutations_keep_the_laws(void **state)
{
	const char *broken;

	(void)state;
	a_whole_module_has_its_state_dicts_names(state);
	broken = format_case_laws(&format_zip, pt_file.p, pt_file.n);
	if (broken == NULL)
		broken = format_case_truncate(&format_zip, pt_file.p,
		    pt_file.n);
	if (broken == NULL)
		broken = format_case_mutate(&format_zip, pt_file.p, pt_file.n,
		    2000, 1);
	if (broken != NULL)
		fail_msg("%s", broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_files_have_the_keys_of_their_state_dict),
	    cmocka_unit_test(a_dictionary_of_thousands_is_whole),
	    cmocka_unit_test(lists_and_tuples_of_any_length_are_numbered),
	    cmocka_unit_test(views_share_a_storage_as_they_lie_in_it),
	    cmocka_unit_test(nested_checkpoints_are_named_from_the_top),
	    cmocka_unit_test(a_whole_module_has_its_state_dicts_names),
	    cmocka_unit_test(a_key_that_is_set_again_has_its_new_value),
	    cmocka_unit_test(what_is_no_view_of_a_storage_is_not_named),
	    cmocka_unit_test(shared_pairs_end_at_the_limit),
	    cmocka_unit_test(cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
