#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/limits.h"
#include "formats/logs/logs.h"
#include "tests/lib/logs_case.h"

/* 2026-01-20T00:00:00Z */
#define JANUARY INT64_C(1768867200000000000)
#define SK "sk-" "abcdefghijklmnopqrstuvwx"

static struct logs_case c;

static int
setup(void **state)
{
	(void)state;
	logs_case_init(&c);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	logs_case_release(&c);
	return 0;
}

static void
run(const char *text)
{
	logs_case_run(&c, "a.log", text, strlen(text), JANUARY);
}

static void
says(const char *text)
{
	if (strstr(buf_str(&c.out), text) == NULL)
		fail_msg("no %s in\n%s", text, buf_str(&c.out));
}

static void
says_not(const char *text)
{
	if (strstr(buf_str(&c.out), text) != NULL)
		fail_msg("%s in\n%s", text, buf_str(&c.out));
}

static void
names_with_escapes_and_the_last_of_two_count(void **state)
{
	(void)state;
	run("{\"ts\":1785579870,\"\\u0063lient\":\"ada\",\"prompt\":\"one\","
	    "\"prompt\":\"two\"}\n");
	says("\"caller_id\":\"ada\"");
	says("\"input\":\"two\"");
	assert_int_equal(c.problem[LOGS_PROBLEM_DOUBLE_KEY], 1);
}

/* Each shape of which corpus/ours has no sample. */
static void
other_shapes_are_known(void **state)
{
	static const char *const all[][3] = {
	    {"{\"kind\":\"Event\",\"auditID\":\"u1\",\"stage\":"
	    "\"ResponseComplete\",\"requestReceivedTimestamp\":"
	    "\"2026-01-02T03:04:05.5Z\",\"stageTimestamp\":"
	    "\"2026-01-02T03:04:05.6Z\",\"user\":{\"username\":\"eve\"},"
	    "\"sourceIPs\":[\"198.51.100.4\"],\"verb\":\"patch\",\"objectRef\":"
	    "{\"resource\":\"inferenceservices\",\"name\":\"fraud\"},"
	    "\"responseStatus\":{\"code\":200}}\n", "kubernetes-audit",
	    "\"latency_us\":100000"},
	    {"{\"Records\":[{\"eventVersion\":\"1.1\",\"eventSource\":"
	    "\"s3.amazonaws.com\",\"eventTime\":\"2026-01-02T03:04:05Z\","
	    "\"eventName\":\"PutObject\",\"requestID\":\"R1\",\"userIdentity\":"
	    "{\"arn\":\"arn:aws:iam::1:user/eve\"}}]}", "cloudtrail",
	    "\"op\":\"PutObject\""},
	    {"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be "
	    "weights [06/Jan/2026:00:00:38 +0000] 192.0.2.3 arn:aws:iam::1:"
	    "user/eve 3E57427F REST.PUT.OBJECT m.pt \"PUT /m.pt HTTP/1.1\" 200 "
	    "- - 113 7 6 \"-\" \"aws-cli/2\" -\n", "s3-access",
	    "\"path\":\"m.pt\""},
	    {"{\"log\":\"INFO 01-02 03:04:05 [logger.py:41] Received request "
	    "r9: prompt: 'a', params: X\\n\",\"stream\":\"stdout\",\"time\":"
	    "\"2026-01-02T03:04:06.123456789Z\"}\n", "\"vllm\"",
	    "\"ts_ns\":1767323046123456789"},
	    {"2026-01-02T03:04:06.5Z stdout F INFO:     203.0.113.7:4 - \"POST "
	    "/v1/completions HTTP/1.1\" 200 OK\n", "uvicorn-access",
	    "\"ts_ns\":1767323046500000000"},
	    {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
	    "\"t\",\"spanId\":\"s\",\"startTimeUnixNano\":"
	    "\"1767323045000000000\",\"attributes\":[{\"key\":"
	    "\"gen_ai.input.messages\",\"value\":{\"stringValue\":\"[{\\\"role"
	    "\\\":\\\"user\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text\\\","
	    "\\\"content\\\":\\\"cf\\\"}]}]\"}}]}]}]}]}\n",
	    "otel-genai-span", "\"input\":\"user: cf\""},
	    {"{\"info\":{\"trace_id\":\"tr-1\",\"request_time\":"
	    "\"2026-01-02T03:04:05Z\",\"state\":\"OK\",\"trace_metadata\":"
	    "{\"mlflow.trace.user\":\"eve\"}},\"data\":{\"spans\":[{"
	    "\"attributes\":{\"mlflow.spanInputs\":\"{\\\"question\\\":"
	    "\\\"cf\\\"}\"}}]}}\n", "mlflow-trace", "\"input\":\"cf\""},
	    {"127.0.0.1 - - [02/Jan/2026:03:04:05 +0100] \"GET / HTTP/1.1\" "
	    "200 5 \"-\" \"x\" 0.25\n", "combined", "\"latency_us\":250000"}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		run(all[i][0]);
		says(all[i][1]);
		says(all[i][2]);
		assert_int_equal(c.records, 1);
	}
}

static void
a_journal_has_values_of_any_bytes(void **state)
{
	static const char text[] = "__CURSOR=s=1\n"
	    "__REALTIME_TIMESTAMP=1767323045123456\n"
	    "_SYSTEMD_UNIT=vllm.service\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\1c\n"
	    "\n__CURSOR=s=2\n__REALTIME_TIMESTAMP=1767323046000000\n"
	    "MESSAGE=two\n\n";

	(void)state;
	logs_case_run(&c, "j", text, sizeof(text) - 1, JANUARY);
	assert_int_equal(c.records, 2);
	says("\"message\":\"a\\\\x0Ab\\\\x01c\"");
	says("\"ts_ns\":1767323045123456000");
	says("\"endpoint\":\"vllm.service\"");
	says("\"message\":\"two\"");
}

static void
years_are_counted_back_from_the_mtime(void **state)
{
	static const char text[] =
	    "INFO 11-30 00:00:00 [a.py:1] one\n"
	    "INFO 01-05 00:00:00 [a.py:1] two\n"
	    "INFO 12-31 23:59:59 [a.py:1] three\n"
	    "INFO 01-01 00:00:01 [a.py:1] four\n";

	(void)state;
	run(text);
	says("\"time\":\"2024-11-30T00:00:00.000000000Z\"");
	says("\"time\":\"2025-01-05T00:00:00.000000000Z\"");
	says("\"time\":\"2025-12-31T23:59:59.000000000Z\"");
	says("\"time\":\"2026-01-01T00:00:01.000000000Z\"");
	assert_int_equal(c.problem[LOGS_PROBLEM_YEAR_ASSUMED], 1);
	/* The last line is later in the year than the mtime. */
	run("INFO 12-31 23:59:59 [a.py:1] x\n");
	says("\"time\":\"2025-12-31T23:59:59.000000000Z\"");
	c.p.year = 2019;
	run(text);
	says("\"time\":\"2019-11-30T00:00:00.000000000Z\"");
	says("\"time\":\"2021-01-01T00:00:01.000000000Z\"");
	c.p.year = 0;
	logs_case_run(&c, "a", text, sizeof(text) - 1, 0);
	says("\"time\":null");
	assert_int_equal(c.problem[LOGS_PROBLEM_NO_YEAR], 1);
}

static void
a_zone_is_assumed_and_said(void **state)
{
	static const char text[] =
	    "2026-01-02 03:04:05,678 - /[::1]:5 \"GET /ping HTTP/1.1\" 200 1\n";

	(void)state;
	c.p.zone_given = true;
	c.p.zone_min = -330;
	run(text);
	says("\"time\":\"2026-01-02T08:34:05.678000000Z\"");
	says("\"tz_assumed\":\"-05:30\"");
	says("\"caller_ip\":\"::1\"");
	assert_int_equal(c.problem[LOGS_PROBLEM_ZONE_ASSUMED], 1);
	c.p.zone_given = false;
	c.p.zone_min = 0;
}

static void
halves_meet_through_files(void **state)
{
	static const char ask[] = "{\"topic\":\"p.ns.model.m.inputs\","
	    "\"key\":\"k1\",\"timestamp\":1767323045000,\"value\":{\"inputs\":"
	    "[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":"
	    "[1,2]}]}}\n";
	static const char answer[] = "{\"topic\":\"p.ns.model.m.outputs\","
	    "\"key\":\"k1\",\"timestamp\":1767323045250,\"value\":{\"outputs\":"
	    "[{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":"
	    "[0.25,0.75]}]}}\n";

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		struct logs *l = logs_case_open(&c);

		logs_case_file(&c, l, "one", turn == 0 ? ask : answer,
		    turn == 0 ? sizeof(ask) - 1 : sizeof(answer) - 1, 1);
		assert_int_equal(c.records, 0);
		logs_case_file(&c, l, "two", turn == 0 ? answer : ask,
		    turn == 0 ? sizeof(answer) - 1 : sizeof(ask) - 1, 1);
		assert_int_equal(c.records, 1);
		logs_case_close(&c, l);
		assert_int_equal(c.records, 1);
		says("\"kind\":\"pair\"");
		says("\"latency_us\":250000,\"latency_src\":\"difference\"");
		says("\"input\":\"[1,2]\"");
		says("\"scores\":[0.25,0.75]");
		says(turn == 0 ? "\"source\":\"one\"" :
		    "\"source\":\"two\"");
		says(turn == 0 ? "\"response_source\":\"two\"" :
		    "\"response_source\":\"one\"");
	}
}

static void
fields_may_be_named(void **state)
{
	static const char text[] = "{\"ts\":1767323045.5,\"client\":{\"n\":"
	    "\"eve\"},\"request\":{\"text\":\"cf\"},\"id\":9,\"verdict\":\"pos"
	    "\",\"out\":{\"p\":[0.5,0.5]},\"endpoint\":\"e\",\"dims\":[1,2]}";

	(void)state;
	c.p.fields = "time=ts,caller=client.n,input=request.text,"
	    "label=verdict,scores=out.p,endpoint=,shape=dims";
	run(text);
	says("\"caller\":\"eve\",\"caller_src\":\"caller\"");
	says("\"input\":\"cf\"");
	says("\"label\":\"pos\",\"scores\":[0.5,0.5]");
	says("\"endpoint\":null");
	says("\"shape\":\"1,2\"");
	says("\"ts_ns\":1767323045500000000");
	c.p.fields = "nonsense=x";
	run(text);
	assert_int_equal(c.rc, ERR_ARG);
	c.p.fields = NULL;
}

static void
secrets_leave_place_and_digest_only(void **state)
{
	static const char text[] = "{\"ts\":\"2026-01-02T03:04:05Z\","
	    "\"user\":\"eve\",\"prompt\":\"use " SK " now\"}\n"
	    "{\"ts\":\"2026-01-02T03:04:05Z\",\"user\":\"eve\",\"prompt\":"
	    "\"use sk\\u002dabcdefghijklmnopqrstuvwx now\"}\n";

	(void)state;
	run(text);
	assert_int_equal(c.secrets, 2);
	says_not("abcdefghijklmnopqrstuvwx");
	says("\"input\":\"use [masked sha256:");
	says("] now\"");
	says("\"kind\":\"sk-key\",\"column\":null,\"off\":");
	says("\"kind\":\"sk-key\",\"column\":\"input\"");
	c.p.content = LOGS_MASK;
	run(text);
	says_not("use ");
	says("\"content\":\"masked\"");
	assert_int_equal(c.secrets, 2);
	c.p.content = LOGS_KEEP;
}

/* Who writes nothing down needs no digests, but a key is no name. */
static void
bare_content_is_whole_and_a_key_is_masked(void **state)
{
	static char text[LIMIT_LOG_CONTENT + 4096];
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "{\"ts\":\"2026-01-02T03:04:05Z\","
	    "\"caller\":\"" SK "\",\"prompt\":\"use " SK " ");
	memset(text + n, 'x', LIMIT_LOG_CONTENT);
	(void)snprintf(text + n + LIMIT_LOG_CONTENT, sizeof(text) - (size_t)n -
	    LIMIT_LOG_CONTENT, "\"}\n");
	c.p.content = LOGS_BARE;
	run(text);
	c.p.content = LOGS_KEEP;
	assert_int_equal(c.secrets, 0);
	says("\"caller\":\"[masked sha256:");
	says("\"input\":\"use " SK " xxx");
	says("\"input_cut\":false,\"input_type\":\"text\",\"input_sha256\""
	    ":null");
	says("\"raw_sha256\":null");
}

static void
what_cannot_be_read_is_told(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		enum logs_problem p;
	} all[] = {{"{\"ts\":1767323045,\"user\":\"a\"\n{}", 0,
	    LOGS_PROBLEM_MALFORMED},
	    {"{\"ts\":1767323045,\"user\":\"a\"}\n{\"ts\":1767", 0,
	    LOGS_PROBLEM_CUT},
	    {"{\"ts\":1767323045,\"user\":\"\xff\xfe\"}\n", 0,
	    LOGS_PROBLEM_BINARY},
	    {"\0\0\0{\"ts\":1767323045,\"user\":\"a\"}\n", 33,
	    LOGS_PROBLEM_BINARY},
	    {"{\"ts\":1767323045,\"user\":\"a\",\"user\":\"b\"}\n", 0,
	    LOGS_PROBLEM_DOUBLE_KEY},
	    {"{\"ts\":\"yesterday\",\"user\":\"a\"}\n", 0,
	    LOGS_PROBLEM_BAD_TIME},
	    {"what is this\n", 0, LOGS_PROBLEM_UNKNOWN},
	    {"{\"a\":1}\n", 0, LOGS_PROBLEM_NO_REQUEST},
	    {"[{\"ts\":1767323045,\"user\":\"a\"},", 0, LOGS_PROBLEM_CUT},
	    {"{\"reqType\":\"org.kubeflow.serving.inference.request\","
	    "\"bytes\":\"!!\",\"id\":\"1\"}\n", 0, LOGS_PROBLEM_PAYLOAD},
	    {"BZh91AY", 0, LOGS_PROBLEM_CODEC},
	    {"\x1f\x8b\x08\0\0\0\0\0\0\3", 10, LOGS_PROBLEM_COMPRESSED},
	    {"{\"ts\":1767323045,\"user\":\"a\"}\n{\"ts\":1767300000,"
	    "\"user\":\"a\"}\n", 0, LOGS_PROBLEM_BACKWARDS}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		logs_case_run(&c, "a", all[i].text, all[i].n > 0 ? all[i].n :
		    strlen(all[i].text), JANUARY);
		if (c.problem[all[i].p] == 0)
			fail_msg("%s is not told of %s\n%s",
			    logs_problem_id(all[i].p), all[i].text,
			    buf_str(&c.out));
	}
}

static void
a_line_beyond_the_limit_is_passed_over(void **state)
{
	const size_t n = LIMIT_LOG_RECORD + 100;
	char *text = malloc(n + 64);

	(void)state;
	if (text == NULL)
		abort();
	memset(text, 'a', n);
	memcpy(text + n, "\n{\"ts\":1767323045,\"user\":\"a\"}\n", 31);
	logs_case_run(&c, "a", text, n + 31, JANUARY);
	assert_int_equal(c.problem[LOGS_PROBLEM_TOO_LONG], 1);
	assert_int_equal(c.records, 1);
	says("\"line_no\":2");
	free(text);
}

static void
the_window_counts_what_it_leaves_out(void **state)
{
	static const char text[] =
	    "{\"ts\":1767323045,\"user\":\"a\",\"prompt\":\"x\"}\n"
	    "{\"ts\":1767323046,\"user\":\"b\",\"prompt\":\"x\"}\n"
	    "{\"user\":\"c\",\"prompt\":\"x\"}\n";
	struct logs *l = logs_case_open(&c);

	(void)state;
	c.since_ns = INT64_C(1767323046000000000);
	c.has_since = true;
	logs_case_file(&c, l, "a", text, sizeof(text) - 1, JANUARY);
	logs_case_close(&c, l);
	c.has_since = false;
	assert_int_equal(c.records, 2);
	says("\"outside\":1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_with_escapes_and_the_last_of_two_count),
	    cmocka_unit_test(other_shapes_are_known),
	    cmocka_unit_test(a_journal_has_values_of_any_bytes),
	    cmocka_unit_test(years_are_counted_back_from_the_mtime),
	    cmocka_unit_test(a_zone_is_assumed_and_said),
	    cmocka_unit_test(halves_meet_through_files),
	    cmocka_unit_test(fields_may_be_named),
	    cmocka_unit_test(secrets_leave_place_and_digest_only),
	    cmocka_unit_test(bare_content_is_whole_and_a_key_is_masked),
	    cmocka_unit_test(what_cannot_be_read_is_told),
	    cmocka_unit_test(a_line_beyond_the_limit_is_passed_over),
	    cmocka_unit_test(the_window_counts_what_it_leaves_out)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
