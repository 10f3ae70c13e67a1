#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "formats/logs/logs.h"
#include "tests/lib/logs_case.h"
#include "tests/lib/rows_pack.h"

/*
 * The reader of logs where a record means to mislead it, or costs more than
 * it should: halves of other requests, claimed addresses, secrets by their
 * name alone, time that is not linear.
 */
/* 2026-01-20T00:00:00Z */
#define JANUARY INT64_C(1768867200000000000)

static struct logs_case c;
static struct buf text;

static int
setup(void **state)
{
	(void)state;
	logs_case_init(&c);
	buf_init(&text, 64 * MIB);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	logs_case_release(&c);
	buf_release(&text);
	return 0;
}

static void
run(const char *line)
{
	logs_case_run(&c, "a.log", line, strlen(line), JANUARY);
}

static unsigned
count_of(const char *what)
{
	const char *p = buf_str(&c.out);
	unsigned n = 0;

	for (; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
says(const char *what)
{
	if (count_of(what) == 0)
		fail_msg("no %s in\n%s", what, buf_str(&c.out));
}

static void
half_of(const char *type, const char *component, const char *data)
{
	buf_printf(&text, "{\"specversion\":\"1.0\",\"id\":\"x1\",\"type\":"
	    "\"org.kubeflow.serving.inference.%s\",\"component\":\"%s\","
	    "\"time\":\"2026-01-01T00:00:00Z\",\"data\":{\"instances\":[%s]}}"
	    "\n", type, component, data);
}

/* KServe's transformer hands its id on to the predictor. */
static void
halves_of_two_components_do_not_meet(void **state)
{
	(void)state;
	buf_clear(&text);
	half_of("request", "transformer", "11");
	half_of("request", "predictor", "22");
	half_of("response", "transformer", "33");
	half_of("response", "predictor", "44");
	run(buf_str(&text));
	assert_int_equal(c.records, 2);
	assert_int_equal(count_of("\"kind\":\"pair\""), 2);
	assert_true(strstr(buf_str(&c.out), "\"[11]\"") < strstr(
	    buf_str(&c.out), "33"));
	assert_true(strstr(buf_str(&c.out), "33") < strstr(
	    buf_str(&c.out), "\"[22]\""));
}

static void
topic(const char *model, const char *way, const char *data)
{
	buf_printf(&text, "{\"topic\":\"seldon.ns.model.%s.%s\",\"key\":\"k\","
	    "\"timestamp\":1767323045000,\"value\":{\"%s\":[{\"name\":\"x\","
	    "\"datatype\":\"FP32\",\"shape\":[1],\"data\":[%s]}]}}\n", model,
	    way, way, data);
}

/* All models of a pipeline of Seldon 2 write with the key of its request. */
static void
halves_of_two_models_do_not_meet(void **state)
{
	(void)state;
	buf_clear(&text);
	topic("a", "inputs", "1.5");
	topic("b", "inputs", "2.5");
	topic("a", "outputs", "3.5");
	topic("b", "outputs", "4.5");
	run(buf_str(&text));
	assert_int_equal(count_of("\"kind\":\"pair\""), 2);
	assert_true(strstr(buf_str(&c.out), "1.5") < strstr(
	    buf_str(&c.out), "3.5"));
	assert_true(strstr(buf_str(&c.out), "3.5") < strstr(
	    buf_str(&c.out), "2.5"));
}

static void
the_peer_is_the_last_of_the_source_addresses(void **state)
{
	(void)state;
	run("{\"auditID\":\"a\",\"stage\":\"ResponseComplete\","
	    "\"requestReceivedTimestamp\":\"2026-01-01T00:00:00Z\","
	    "\"sourceIPs\":[\"8.8.8.8\",\"10.0.0.1\",\"172.18.0.1\"]}\n");
	says("\"caller_ip\":\"172.18.0.1\"");
	says("\"forwarded_for\":\"8.8.8.8\"");
}

static void
a_column_that_is_a_secret_by_its_name_is_masked(void **state)
{
	(void)state;
	c.p.fields = "time=t,caller=api_key,input=q";
	run("{\"t\":1767323045,\"api_key\":\"correct-horse\",\"q\":\"hello\"}"
	    "\n");
	c.p.fields = NULL;
	assert_int_equal(c.records, 1);
	assert_int_equal(c.secrets, 1);
	assert_int_equal(count_of("correct-horse"), 0);
	says("\"caller\":\"[masked sha256:");
}

static void
a_line_that_comes_late_is_no_new_year(void **state)
{
	(void)state;
	run("INFO 12-31 23:59:59 [a.py:1] one\n"
	    "INFO 01-01 00:00:00 [a.py:1] two\n"
	    "INFO 12-31 23:59:59 [a.py:1] three\n"
	    "INFO 01-01 00:00:01 [a.py:1] four\n");
	assert_int_equal(c.records, 4);
	assert_int_equal(count_of("\"time\":\"2025-12-31T23:59:59"), 2);
	assert_int_equal(count_of("\"time\":\"2026-01-01T00:00:0"), 2);
}

static void
what_a_file_is_does_not_depend_on_how_it_is_read(void **state)
{
	static const size_t windows[] = {0, 1, 7, 4096};

	(void)state;
	buf_clear(&text);
	for (unsigned i = 0; i < 64 * KIB + 5; i++)
		buf_putc(&text, '\n');
	buf_puts(&text, "{\n\"ts\": 1767323045,\n\"prompt\": \"hello\"\n}\n");
	for (size_t i = 0; i < 4; i++) {
		c.p.window = windows[i];
		run(buf_str(&text));
		says("\"framing\":\"json-values\"");
		assert_int_equal(c.records, 1);
	}
	c.p.window = 0;
}

/* 20,000 spans in one line of a container: its bytes are searched once. */
static void
spans_of_one_line_are_read_in_linear_time(void **state)
{
	(void)state;
	buf_clear(&text);
	buf_puts(&text, "{\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\","
	    "\"log\":\"{\\\"resourceSpans\\\":[{\\\"scopeSpans\\\":[{"
	    "\\\"spans\\\":[{\\\"api_key\\\":\\\"correct-horse\\\"}");
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&text, ",{\\\"spanId\\\":\\\"%u\\\",\\\"attributes"
		    "\\\":{\\\"user.id\\\":\\\"token=1 password=hunter%u\\\"}}",
		    i, i);
	buf_puts(&text, "]}]}]}\"}\n");
	assert_int_equal(buf_failed(&text), 0);
	(void)alarm(60);
	run(buf_str(&text));
	(void)alarm(0);
	assert_int_equal(c.records, 20001);
	assert_int_equal(count_of("password=hunter"), 0);
	assert_int_equal(c.problem[LOGS_PROBLEM_TOO_LONG], 0);
}

static void
digits_without_end_are_folded_in_linear_time(void **state)
{
	(void)state;
	buf_clear(&text);
	buf_puts(&text, "{\"ts\":1767323045,\"instances\":[1");
	for (unsigned i = 0; i < 1000000; i++)
		buf_putc(&text, '1');
	buf_puts(&text, "]}\n");
	(void)alarm(60);
	run(buf_str(&text));
	(void)alarm(0);
	assert_int_equal(c.records, 1);
}

/* Exporters write a member for each record. */
static void
members_of_a_compressed_file_do_not_add_up(void **state)
{
	static const char line[] = "{\"ts\":1767323045,\"prompt\":\"hello\"}\n";
	uint8_t *one;
	char *big;
	size_t n;

	(void)state;
	big = malloc(64 * KIB);
	assert_non_null(big);
	memset(big, ' ', 64 * KIB);
	memcpy(big, line, sizeof(line) - 1);
	big[64 * KIB - 1] = '\n';
	one = rows_pack_filter(big, 64 * KIB, "gzip", &n);
	buf_clear(&text);
	for (unsigned i = 0; i < 300; i++)
		buf_put(&text, one, n);
	logs_case_run(&c, "a.gz", text.p, text.len, JANUARY);
	assert_true(c.rc >= 0);
	assert_int_equal(c.records, 300);
	free(one);
	free(big);
}

static void
what_stands_behind_a_value_within_a_line_is_told(void **state)
{
	(void)state;
	run("{\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\",\"log\":"
	    "\"{\\\"ts\\\":1767323045,\\\"prompt\\\":\\\"a\\\"}"
	    "{\\\"ts\\\":1767323046,\\\"prompt\\\":\\\"b\\\"}\"}\n");
	assert_int_equal(c.records, 1);
	assert_int_equal(c.problem[LOGS_PROBLEM_MALFORMED], 1);
}

/* The rest of a dump that is no dump is told with its length. */
static void
what_is_not_read_of_a_dump_is_told(void **state)
{
	(void)state;
	buf_clear(&text);
	buf_puts(&text, "POST / HTTP/1.1\nContent-Length: 2\n\nhinonsense\n");
	for (unsigned i = 0; i < 300000; i++)
		buf_puts(&text, "x\n");
	run(buf_str(&text));
	says("\"problem\":\"MALFORMED\"");
	says("\"len\":600009");
}

static void
the_oldest_goes_out_alone_when_the_table_is_full(void **state)
{
	(void)state;
	buf_clear(&text);
	for (unsigned i = 0; i < 300; i++)
		buf_printf(&text, "INFO 01-01 00:00:00 [a.py:1] Received "
		    "request r%u: prompt: '%064u', params: x\n", i, i);
	c.p.pending = MIB;
	run(buf_str(&text));
	c.p.pending = 0;
	assert_int_equal(c.records, 300);
	assert_true(c.problem[LOGS_PROBLEM_PAIRS_FULL] > 0);
}

/* ModelInferRequest with raw_input_contents of this type. */
static void
proto(const char *type, const char *raw, size_t n)
{
	struct buf m;

	buf_init(&m, 4096);
	buf_put(&m, "\x0a\x01m", 3);
	buf_putc(&m, 0x2a);
	buf_putc(&m, (char)(5 + strlen(type)));
	buf_put(&m, "\x0a\x01x\x12", 4);
	buf_putc(&m, (char)strlen(type));
	buf_puts(&m, type);
	buf_putc(&m, 0x3a);
	buf_putc(&m, (char)n);
	buf_put(&m, raw, n);
	buf_clear(&text);
	buf_puts(&text, "{\"topic\":\"seldon.ns.model.m.inputs\",\"key\":\"k\","
	    "\"timestamp\":1767323045000,\"value_b64\":\"");
	buf_base64(&text, m.p, m.len);
	buf_puts(&text, "\"}\n");
	buf_release(&m);
	run(buf_str(&text));
}

static void
tensors_are_read_by_their_type(void **state)
{
	(void)state;
	proto("BYTES", "\x05\0\0\0hello\x02\0\0\0\xc3\xa9", 15);
	says("\"input\":\"[\\\"hello\\\",\\\"\xc3\xa9\\\"]\"");
	proto("FP16", "\0\x3c\0\xc1\0\xff", 4);
	says("\"input\":\"[1,-2.5]\"");
	proto("BF16", "\x80\x3f\x20\xc0", 4);
	says("\"input\":\"[1,-2.5]\"");
	proto("UINT8", "\xff\x01", 2);
	says("\"input\":\"[255,1]\"");
	proto("INT16", "\xff\xff\x01\0", 4);
	says("\"input\":\"[-1,1]\"");
	proto("UINT32", "\xff\xff\xff\xff", 4);
	says("\"input\":\"[4294967295]\"");
	proto("INT64", "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
	says("\"input\":\"[9223372036854775807]\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(halves_of_two_components_do_not_meet),
	    cmocka_unit_test(halves_of_two_models_do_not_meet),
	    cmocka_unit_test(the_peer_is_the_last_of_the_source_addresses),
	    cmocka_unit_test(a_column_that_is_a_secret_by_its_name_is_masked),
	    cmocka_unit_test(a_line_that_comes_late_is_no_new_year),
	    cmocka_unit_test(what_a_file_is_does_not_depend_on_how_it_is_read),
	    cmocka_unit_test(spans_of_one_line_are_read_in_linear_time),
	    cmocka_unit_test(digits_without_end_are_folded_in_linear_time),
	    cmocka_unit_test(members_of_a_compressed_file_do_not_add_up),
	    cmocka_unit_test(what_stands_behind_a_value_within_a_line_is_told),
	    cmocka_unit_test(what_is_not_read_of_a_dump_is_told),
	    cmocka_unit_test(the_oldest_goes_out_alone_when_the_table_is_full),
	    cmocka_unit_test(tensors_are_read_by_their_type)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
