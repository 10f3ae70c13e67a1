#include <limits.h>

#include "base/clock.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/version.h"
#include "custody/case_log.h"
#include "custody/digest.h"
#include "tests/unit/case_fixture.h"

static void
put_result(void *ctx, struct json_write *w)
{
	json_kstr(w, "result", ctx);
}

static void
an_event_has_every_common_field(void **state)
{
	static char ok[] = "ok";
	struct fixture *f = *state;
	struct ledger_head head;
	struct case_body b;
	struct digests exe;
	struct buf file;
	uint8_t hash[32];
	uint64_t seq = 0, v;

	make_and_open(f);
	assert_int_equal(ledger_head(case_ledger(f->c), &head, NULL), 0);
	clock_pin(INT64_C(1764000000123456789));
	assert_int_equal(
	    case_event(f->c, "verify", "LAB-7-E01", put_result, ok, &seq, NULL),
	    0);
	clock_pin(0);
	assert_int_equal(seq, 2);
	get_body(f, 2, &b);
	assert_true(case_body_hash(&b, "actor.cert_sha256", hash));
	assert_memory_equal(hash, signer_cert_sha256(signer), 32);
	assert_string_equal(case_body_str(&b, "actor.name"), "Ada Example");
	assert_string_equal(case_body_str(&b, "actor.role"), "examiner");
	assert_string_equal(case_body_str(&b, "case"), "LAB-7");
	assert_string_equal(case_body_str(&b, "data.result"), "ok");
	assert_string_equal(case_body_str(&b, "exhibit"), "LAB-7-E01");
	assert_non_null(case_body_str(&b, "host"));
	assert_string_equal(case_body_str(&b, "kind"), "verify");
	assert_true(case_body_hash(&b, "prev_head.root", hash));
	assert_memory_equal(hash, head.root, 32);
	assert_true(case_body_u64(&b, "prev_head.size", &v));
	assert_int_equal(v, 1);
	assert_true(case_body_u64(&b, "seq", &v));
	assert_int_equal(v, 2);
	assert_string_equal(case_body_str(&b, "time.clock_status"),
	    "synchronized");
	assert_string_equal(case_body_str(&b, "time.mono_ns"), "0");
	assert_string_equal(case_body_str(&b, "time.utc"),
	    "2025-11-24T16:00:00.123456789Z");
	assert_string_equal(case_body_str(&b, "tool.version"), EXHIBIT_VERSION);
	assert_true(case_body_hash(&b, "tool.exe_sha256", hash));
	assert_true(case_body_u64(&b, "v", &v));
	assert_int_equal(v, 1);
	case_body_release(&b);
	/* The program's digest, by a second way of reading it. */
	buf_init(&file, 512 * MIB);
	{
		char exe_path[PATH_MAX];
		ssize_t n =
		    readlink("/proc/self/exe", exe_path, sizeof(exe_path) - 1);

		assert_true(n > 0);
		exe_path[n] = '\0';
		assert_int_equal(
		    fsio_read_file(AT_FDCWD, exe_path, 512 * MIB, &file, NULL),
		    0);
	}
	assert_int_equal(
	    digest_mem(file.p, file.len, DIGEST_SHA256, &exe, NULL), 0);
	assert_memory_equal(hash, exe.sha256, 32);
	buf_release(&file);
}

static void
events_that_are_not_a_callers_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	make_and_open(f);
	assert_int_equal(
	    case_event(f->c, "genesis", NULL, NULL, NULL, NULL, NULL), ERR_ARG);
	assert_int_equal(
	    case_event(f->c, "acquire", "LAB-7-E09", NULL, NULL, NULL, NULL),
	    ERR_ARG);
	assert_int_equal(
	    case_event(f->c, "verify", "a/b", NULL, NULL, NULL, NULL), ERR_ARG);
	assert_int_equal(
	    case_event(f->c, "seal", NULL, put_seal, NULL, NULL, NULL),
	    ERR_ARG);
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", put_seal, NULL, NULL, &e),
	    ERR_DENIED);
	assert_non_null(strstr(e.msg, "never taken"));
	assert_int_equal(events(f), 1);
}

static void
a_seal_ends_an_exhibit_once(void **state)
{
	struct fixture *f = *state;
	const struct case_log_exhibit *x;
	struct case_log *log = NULL;
	static char stream[] = "";
	struct err e = ERR_INIT;

	make_and_open(f);
	take(f, "LAB-7-E01");
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", NULL, NULL, NULL, NULL),
	    ERR_ARG);
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", put_seal, NULL, NULL, NULL),
	    0);
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", put_seal, NULL, NULL, &e),
	    ERR_DENIED);
	assert_non_null(strstr(e.msg, "has it as sealed"));
	take(f, "LAB-7-E02");
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E02", put_seal, stream, NULL, NULL),
	    0);
	assert_int_equal(events(f), 5);
	/* Nothing to reconcile. */
	reopen(f);
	assert_int_equal(events(f), 5);
	assert_int_equal(
	    case_log_read(case_ledger(f->c), NULL, NULL, &log, NULL), 0);
	x = case_log_exhibit(log, 0);
	assert_int_equal(x->state, CASE_LOG_SEALED);
	assert_int_equal(x->size, 20992);
	assert_int_equal(x->bundle_sha256[0], 0xab);
	assert_int_equal(case_log_exhibit(log, 1)->state, CASE_LOG_STREAMED);
	case_log_free(log);
}

static void
put_request(void *ctx, struct json_write *w)
{
	(void)ctx;
	json_kstr(w, "method", "live");
	json_kstr(w, "scope", "all");
}

static void
a_request_is_kept_with_the_number(void **state)
{
	struct fixture *f = *state;
	char bag[CASE_BAG_MAX];
	struct case_body b;

	make_and_open(f);
	assert_int_equal(case_take_exhibit(f->c, put_request, NULL, bag, NULL),
	    0);
	get_body(f, 0, &b);
	assert_string_equal(case_body_str(&b, "kind"), "acquire");
	assert_string_equal(case_body_str(&b, "data.phase"), "begin");
	assert_string_equal(case_body_str(&b, "data.request.method"), "live");
	assert_string_equal(case_body_str(&b, "data.request.scope"), "all");
	case_body_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE_TEST(an_event_has_every_common_field),
	    CASE_TEST(events_that_are_not_a_callers_are_refused),
	    CASE_TEST(a_seal_ends_an_exhibit_once),
	    CASE_TEST(a_request_is_kept_with_the_number),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
