#include "custody/case_log.h"
#include "tests/unit/case_fixture.h"

static const uint8_t request[32] = {0xab, 0xcd};

static void
put_request(void *ctx, struct json_write *w)
{
	json_khex(w, "request_sha256", ctx, 32);
}

static void
put_bundle(void *ctx, struct json_write *w)
{
	(void)ctx;
	json_khex(w, "bundle_sha256", request, 32);
	json_ku64(w, "size", 5);
}

static void
begin_one(struct fixture *f, char bag[CASE_BAG_MAX])
{
	uint8_t mine[32];

	memcpy(mine, request, sizeof(mine));
	assert_int_equal(case_take_exhibit(f->c, put_request, mine, bag,
	    NULL), 0);
}

static enum case_log_state
state_of(struct fixture *f, const char *exhibit)
{
	const struct case_log_exhibit *x;
	struct case_log *log = NULL;
	enum case_log_state s;

	assert_int_equal(case_log_read(case_ledger(f->c), NULL, NULL, &log,
	    NULL), 0);
	assert_non_null(x = case_log_find(log, exhibit));
	s = x->state;
	case_log_free(log);
	return s;
}

static void
put_journal(const struct fixture *f, const char *name)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s/bundles", f->path);
	put_file(dir, name, 1);
}

static void
an_exhibit_that_was_cut_can_be_resumed_and_sealed(void **state)
{
	struct fixture *f = *state;
	char bag[CASE_BAG_MAX], found[CASE_BAG_MAX];

	make_and_open(f);
	begin_one(f, bag);
	reopen(f);
	assert_int_equal(state_of(f, bag), CASE_LOG_INCIDENT);
	assert_int_equal(case_event(f->c, "seal", bag, put_bundle, NULL, NULL,
	    NULL), ERR_DENIED);
	assert_int_equal(case_resumable(f->c, found, NULL), ERR_NOTFOUND);
	put_journal(f, "LAB-7-E01.journal");
	assert_int_equal(case_resumable(f->c, found, NULL), 0);
	assert_string_equal(found, bag);
	assert_int_equal(case_resume_exhibit(f->c, bag, request, NULL), 0);
	assert_int_equal(state_of(f, bag), CASE_LOG_BEGUN);
	/* Killed once more, resumed once more. */
	reopen(f);
	assert_int_equal(state_of(f, bag), CASE_LOG_INCIDENT);
	assert_int_equal(case_resume_exhibit(f->c, bag, request, NULL), 0);
	assert_int_equal(case_event(f->c, "seal", bag, put_bundle, NULL, NULL,
	    NULL), 0);
	assert_int_equal(state_of(f, bag), CASE_LOG_SEALED);
	reopen(f);
	assert_int_equal(state_of(f, bag), CASE_LOG_SEALED);
	/* Sealed: said, and no event more. */
	assert_int_equal(case_resume_exhibit(f->c, bag, request, NULL), 1);
}

static void
another_request_or_exhibit_is_refused(void **state)
{
	static const uint8_t other[32] = {1};
	struct fixture *f = *state;
	char bag[CASE_BAG_MAX];

	make_and_open(f);
	begin_one(f, bag);
	assert_int_equal(case_resume_exhibit(f->c, bag, other, NULL),
	    ERR_VERIFY);
	assert_int_equal(case_resume_exhibit(f->c, "LAB-7-E07", request,
	    NULL), ERR_NOTFOUND);
	assert_int_equal(state_of(f, bag), CASE_LOG_BEGUN);
}

static void
several_that_can_be_resumed_are_named(void **state)
{
	struct fixture *f = *state;
	char bag[CASE_BAG_MAX], found[CASE_BAG_MAX];
	struct err e = ERR_INIT;

	make_and_open(f);
	begin_one(f, bag);
	begin_one(f, bag);
	put_journal(f, "LAB-7-E01.journal");
	put_journal(f, "LAB-7-E02.journal");
	assert_int_equal(case_resumable(f->c, found, &e), ERR_ARG);
	assert_non_null(strstr(e.msg, "LAB-7-E01"));
	assert_non_null(strstr(e.msg, "LAB-7-E02"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		an_exhibit_that_was_cut_can_be_resumed_and_sealed, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		another_request_or_exhibit_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		several_that_can_be_resumed_are_named, setup, teardown)};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
