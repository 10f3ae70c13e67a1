#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/pt.h"

/* Where the bytes of named tensors are, and when they are not there. */
extern const struct format format_zip;

static void
a_view_beyond_its_storage_is_told_and_not_given(void **state)
{
	static const struct pt_tensor bad[] = {
	    {"1", "Float", 4, 1, 1, {4}, {1}},
	    {"1", "Float", 4, 0, 2, {2, 2}, {0x7fffffff, 0x7fffffff}},
	    {"1", "Float", 4, 0x7fffffff, 0, {0}, {0}}};
	static const struct pt_tensor good = {"1", "Float", 4, 3, 1, {1}, {1}};
	static const struct pt_tensor none = {"1", "Float", 4, 99, 1, {0}, {1}};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		pt_begin();
		pt_ops("}");
		pt_text("bad");
		pt_tensor(&bad[i]);
		pt_ops("s");
		pt_read_archive(false);
		assert_int_equal(pt_views, 0);
		assert_true(pt_has(ANOMALY_TORCH_VIEW_BOUNDS));
	}
	pt_begin();
	pt_ops("}");
	pt_text("good");
	pt_tensor(&good);
	pt_ops("s");
	pt_text("none");
	pt_tensor(&none);
	pt_ops("s");
	pt_read_archive(false);
	assert_int_equal(pt_views, 2);
	assert_false(pt_has(ANOMALY_TORCH_VIEW_BOUNDS));
}

static void
deflated_storages_are_at_hand_for_the_time_of_the_event(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("}");
	pt_text("w");
	pt_vector("5");
	pt_ops("s");
	pt_read_archive(true);
	assert_int_equal(pt_views, 1);
	assert_string_equal(pt_seen[0].name, "w");
	assert_int_equal(pt_seen[0].len, 16);
	assert_int_equal(pt_seen[0].byte, 'f');
}

static void
a_missing_storage_leaves_the_name(void **state)
{
	(void)state;
	pt_begin();
	pt_ops("}");
	pt_text("w");
	pt_vector("77");
	pt_ops("s");
	pt_read_archive(false);
	assert_int_equal(pt_views, 1);
	assert_int_equal(pt_seen[0].len, 0);
	assert_true(pt_has(ANOMALY_TORCH_STORAGE_MISSING));
}

static void
constants_and_packages_have_names_of_their_own(void **state)
{
	static const uint8_t raw[16] = {'x'};

	(void)state;
	pt_begin();
	pt_ops("}.");
	pt_member("m/data.pkl", pt_pickle.p, pt_pickle.n, false);
	pt_pickle.n = 2;
	pt_vector("0");
	pt_ops("\x85.");
	pt_member("m/constants.pkl", pt_pickle.p, pt_pickle.n, false);
	pt_member("m/constants/0", raw, sizeof(raw), false);
	pt_end();
	pt_read(&format_zip, pt_file.p, pt_file.n);
	assert_int_equal(pt_views, 1);
	assert_string_equal(pt_seen[0].name, "constants.0");
	assert_int_equal(pt_seen[0].byte, 'x');
	pt_begin();
	pt_ops("}");
	pt_text("w");
	pt_vector("0");
	pt_ops("s.");
	pt_member("p/.data/version", "6\n", 2, false);
	pt_member("p/net/model.pkl", pt_pickle.p, pt_pickle.n, false);
	pt_member("p/.data/0.storage", raw, sizeof(raw), false);
	pt_end();
	pt_read(&format_zip, pt_file.p, pt_file.n);
	assert_int_equal(pt_views, 1);
	assert_string_equal(pt_seen[0].name, "net/model.w");
	assert_int_equal(pt_seen[0].byte, 'x');
}

static void
who_wants_no_views_sees_what_was_always_seen(void **state)
{
	static const struct events ev = {.tensor = pt_on_tensor,
	    .anomaly = pt_on_anomaly};
	static const struct pt_tensor bad = {"1", "Float", 4, 9, 1, {4}, {1}};

	(void)state;
	pt_begin();
	pt_ops("}");
	pt_text("bad");
	pt_tensor(&bad);
	pt_ops("s");
	pt_read_archive(false);
	assert_true(pt_has(ANOMALY_TORCH_VIEW_BOUNDS));
	pt_read_with(&format_zip, pt_file.p, pt_file.n, &ev);
	assert_false(pt_has(ANOMALY_TORCH_VIEW_BOUNDS));
	assert_int_equal(pt_tensors, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_view_beyond_its_storage_is_told_and_not_given),
	    cmocka_unit_test(
		deflated_storages_are_at_hand_for_the_time_of_the_event),
	    cmocka_unit_test(a_missing_storage_leaves_the_name),
	    cmocka_unit_test(constants_and_packages_have_names_of_their_own),
	    cmocka_unit_test(who_wants_no_views_sees_what_was_always_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
