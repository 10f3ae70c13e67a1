#include "base/buf.h"
#include "custody/case_log.h"
#include "custody/case_summary.h"
#include "tests/unit/ledger_fixture.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GENESIS                                                                \
	"{\"parties\":[{\"cert_sha256\":\"" HASH "\",\"role\":"                \
	"\"examiner\"}]}"

/* Append an event as case.h makes it; ${exhibit} as JSON. */
static void
event(struct fixture *f, const char *kind, const char *exhibit,
    const char *data)
{
	struct ledger_head head;
	struct buf b;

	assert_int_equal(ledger_head(f->l, &head, NULL), 0);
	buf_init(&b, 100000);
	buf_printf(&b,
	    "{\"actor\":{\"name\":\"Ada\"},\"case\":\"C\","
	    "\"data\":%s,\"exhibit\":%s,\"kind\":\"%s\",\"seq\":%llu,"
	    "\"time\":{\"utc\":\"2026-11-24T10:00:00.000000000Z\"},\"v\":1}",
	    data, exhibit, kind, (unsigned long long)head.size + 1);
	assert_int_equal(
	    ledger_append(f->l, (const char *)b.p, b.len, NULL, NULL), 0);
	buf_release(&b);
}

struct lines {
	char text[16][CASE_SUMMARY_MAX + 8];
	size_t count;
	int stop_with;
};

static int
on_line(void *ctx, const struct case_log_event *ev)
{
	struct lines *l = ctx;

	assert_true(l->count < 16);
	assert_string_equal(ev->actor, "Ada");
	assert_string_equal(ev->utc, "2026-11-24T10:00:00.000000000Z");
	assert_int_equal(ev->seq, l->count + 1);
	assert_true(strlen(ev->summary) < sizeof(l->text[0]));
	snprintf(l->text[l->count++], sizeof(l->text[0]), "%s", ev->summary);
	return l->stop_with;
}

static void
read_fails(struct fixture *f, const char *why)
{
	struct case_log *log = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(case_log_read(f->l, NULL, NULL, &log, &e), ERR_FORMAT);
	assert_null(log);
	if (strstr(e.msg, why) == NULL)
		fail_msg("'%s' does not say '%s'", e.msg, why);
}

static void
each_kind_has_its_line(void **state)
{
	struct fixture *f = *state;
	struct lines *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	event(f, "genesis", "null", GENESIS);
	event(f, "acquire", "\"C-E01\"",
	    "{\"phase\":\"begin\",\"request\":"
	    "{\"method\":\"live\",\"roots\":[\"/srv/a\",\"/srv/b\"]}}");
	event(f, "seal", "\"C-E01\"",
	    "{\"bundle_sha256\":\"" HASH "\",\"size\":20992}");
	event(f, "incident", "\"C-E02\"",
	    "{\"acquire_seq\":9,\"files\":[],"
	    "\"found\":\"nothing\"}");
	event(f, "incident", "\"C-E03\"",
	    "{\"acquire_seq\":9,\"files\":["
	    "{\"checked\":\"not verified here\",\"kind\":\"final\",\"name\":"
	    "\"C-E03.tar\",\"size\":7}],\"found\":\"final\"}");
	event(f, "verify", "null",
	    "{\"bundle_sha256\":null,\"result\":"
	    "\"failed\"}");
	event(f, "analyse", "null",
	    "{\"command\":\"scan\",\"complete\":"
	    "false,\"findings\":3}");
	event(f, "handshake", "null", "{}");
	assert_int_equal(case_log_read(f->l, on_line, l, NULL, NULL), 0);
	assert_int_equal(l->count, 8);
	assert_string_equal(l->text[0],
	    "case begun; examiner certificate " HASH);
	assert_string_equal(l->text[1],
	    "begin; method=live, roots.0=/srv/a, roots.1=/srv/b");
	assert_string_equal(l->text[2], "sealed, 20992 bytes, SHA-256 " HASH);
	assert_string_equal(l->text[3],
	    "never sealed, begun in event 9; in bundles/: nothing");
	assert_string_equal(l->text[4],
	    "never sealed, begun in event 9; in "
	    "bundles/: final file C-E03.tar of 7 bytes, not verified here");
	assert_string_equal(l->text[5], "result failed, bundle SHA-256 null");
	assert_string_equal(l->text[6],
	    "command=scan, complete=false, findings=3");
	assert_string_equal(l->text[7], "");
	free(l);
}

static void
exhibits_have_the_state_that_the_events_leave(void **state)
{
	static const enum case_log_state want[] = {CASE_LOG_SEALED,
	    CASE_LOG_BEGUN, CASE_LOG_INCIDENT, CASE_LOG_STREAMED,
	    CASE_LOG_INCIDENT};
	static const char *const names[] = {"\"C-E01\"", "\"C-E02\"",
	    "\"C-E03\"", "\"C-E04\"", "\"C-E05\""};
	static const char seal[] =
	    "{\"bundle_sha256\":\"" HASH "\",\"size\":5}";
	static const char streamed[] =
	    "{\"bundle_sha256\":\"" HASH
	    "\",\"check\":\"not re-read\",\"size\":6}";
	struct fixture *f = *state;
	const struct case_log_exhibit *x;
	struct case_log *log = NULL;
	size_t i;

	event(f, "genesis", "null", GENESIS);
	for (i = 0; i < 5; i++)
		event(f, "acquire", names[i], "{\"phase\":\"begin\"}");
	event(f, "seal", names[0], seal);
	event(f, "incident", names[2], "{\"acquire_seq\":4,\"files\":[]}");
	event(f, "seal", names[3], streamed);
	event(f, "seal", names[4], seal);
	event(f, "incident", names[4], "{\"reason\":\"broken seal\"}");
	event(f, "verify", "\"OTHER-E01\"", "{}");
	assert_int_equal(case_log_read(f->l, NULL, NULL, &log, NULL), 0);
	assert_int_equal(case_log_count(log), 5);
	for (i = 0; i < 5; i++) {
		x = case_log_exhibit(log, i);
		assert_int_equal(x->state, want[i]);
		assert_int_equal(x->begin_seq, i + 2);
		assert_int_equal(x->has_seal, i != 1 && i != 2);
	}
	x = case_log_find(log, "C-E04");
	assert_non_null(x);
	assert_int_equal(x->end_seq, 9);
	assert_int_equal(x->size, 6);
	assert_int_equal(x->bundle_sha256[0], 0x01);
	assert_null(case_log_find(log, "C-E06"));
	assert_string_equal(case_log_state_name(CASE_LOG_STREAMED),
	    "sealed, streamed, not re-read");
	case_log_free(log);
}

static void
a_long_line_is_cut_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct lines *l = calloc(1, sizeof(*l));
	struct buf b;
	int i;

	assert_non_null(l);
	buf_init(&b, 10000);
	buf_puts(&b, "{\"a\":\"");
	for (i = 0; i < 900; i++)
		buf_puts(&b, "\xc3\xa9");
	buf_puts(&b, "\"}");
	event(f, "genesis", "null", GENESIS);
	event(f, "analyse", "null", buf_str(&b));
	assert_int_equal(case_log_read(f->l, on_line, l, NULL, NULL), 0);
	/* "a=" and two bytes a letter: 477 is within one. */
	assert_int_equal(strlen(l->text[1]), 476 + 3);
	assert_string_equal(l->text[1] + 474, "\xc3\xa9...");
	buf_release(&b);
	free(l);
}

static void
control_characters_do_not_reach_the_line(void **state)
{
	struct fixture *f = *state;
	struct lines *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	event(f, "genesis", "null", GENESIS);
	event(f, "analyse", "null", "{\"a\":\"x\\u001b[2Jy\\n\"}");
	assert_int_equal(case_log_read(f->l, on_line, l, NULL, NULL), 0);
	assert_string_equal(l->text[1], "a=x\\x1B[2Jy\\x0A");
	free(l);
}

static void
a_reader_may_stop(void **state)
{
	struct fixture *f = *state;
	struct lines *l = calloc(1, sizeof(*l));
	struct case_log *log = NULL;

	assert_non_null(l);
	event(f, "genesis", "null", GENESIS);
	event(f, "analyse", "null", "{}");
	l->stop_with = ERR_STOP;
	assert_int_equal(case_log_read(f->l, on_line, l, &log, NULL), ERR_STOP);
	assert_null(log);
	assert_int_equal(l->count, 1);
	free(l);
}

static void
an_exhibit_number_taken_twice_is_refused(void **state)
{
	struct fixture *f = *state;

	event(f, "genesis", "null", GENESIS);
	event(f, "acquire", "\"C-E01\"", "{\"phase\":\"begin\"}");
	event(f, "acquire", "\"C-E01\"", "{\"phase\":\"begin\"}");
	read_fails(f, "event 3 of the ledger: it takes an exhibit number");
}

static void
a_case_begins_with_genesis(void **state)
{
	struct fixture *f = *state;

	event(f, "analyse", "null", "{}");
	read_fails(f, "event 1 of the ledger: genesis");
}

static void
genesis_comes_once(void **state)
{
	struct fixture *f = *state;

	event(f, "genesis", "null", GENESIS);
	event(f, "genesis", "null", GENESIS);
	read_fails(f, "event 2 of the ledger: genesis");
}

static void
bodies_that_are_not_this_event_of_this_case_are_refused(void **state)
{
#define REST "\"time\":{\"utc\":\"t\"}"
	static const struct {
		const char *body, *why;
	} rows[] = {
	    {"{\"actor\":{\"name\":\"A\"},\"case\":\"C\",\"exhibit\":null,"
	     "\"kind\":\"x\",\"seq\":3," REST ",\"v\":1}",
		"another number"},
	    {"{\"actor\":{\"name\":\"A\"},\"case\":\"D\",\"exhibit\":null,"
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":1}",
		"another case"},
	    {"{\"actor\":{\"name\":\"A\"},\"case\":\"C\",\"exhibit\":null,"
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":2}",
		"version"},
	    {"{\"actor\":{\"name\":\"A\"},\"case\":\"C\",\"exhibit\":7,"
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":1}",
		"common field"},
	    {"{\"actor\":{},\"case\":\"C\",\"exhibit\":null,"
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":1}",
		"common field"},
	    {"{\"actor\":{\"name\":\"A\"},\"case\":\"C\","
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":1}",
		"common field"},
	    {"{\"case\":\"C\",\"actor\":{\"name\":\"A\"},\"exhibit\":null,"
	     "\"kind\":\"x\",\"seq\":2," REST ",\"v\":1}",
		"ascending order"},
	    {"{\"actor\":", "event 2 of the ledger"}};
	struct fixture *f = *state;
	size_t i;

	shut(f);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unlink(f->path);
		assert_int_equal(ledger_create(f->path, &f->l, NULL), 0);
		event(f, "genesis", "null", GENESIS);
		assert_int_equal(ledger_append(f->l, rows[i].body,
				     strlen(rows[i].body), NULL, NULL),
		    0);
		read_fails(f, rows[i].why);
		shut(f);
	}
}

static void
names_that_are_too_long_are_refused(void **state)
{
	struct fixture *f = *state;

	event(f, "genesis", "null", GENESIS);
	event(f, "acquire", "\"" HASH "9\"", "{\"phase\":\"begin\"}");
	read_fails(f, "too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEDGER_TEST(each_kind_has_its_line),
	    LEDGER_TEST(exhibits_have_the_state_that_the_events_leave),
	    LEDGER_TEST(a_long_line_is_cut_and_says_so),
	    LEDGER_TEST(control_characters_do_not_reach_the_line),
	    LEDGER_TEST(a_reader_may_stop),
	    LEDGER_TEST(an_exhibit_number_taken_twice_is_refused),
	    LEDGER_TEST(a_case_begins_with_genesis),
	    LEDGER_TEST(genesis_comes_once),
	    LEDGER_TEST(
		bodies_that_are_not_this_event_of_this_case_are_refused),
	    LEDGER_TEST(names_that_are_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
