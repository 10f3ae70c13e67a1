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
#include "tests/lib/logs_case.h"

/*
 * Every sample of samples/logs against its normal form, checked by eye, in
 * samples/logs/golden; `test_logs write` makes them anew.
 */
static const char *const samples[] = {"azureml_data_collector.jsonl",
    "bedrock_invocation_log.jsonl", "envoy_access.json.log",
    "kserve_blob_batch.csv", "kserve_blob_batch.json",
    "kserve_cloudevents_binary.http", "kserve_cloudevents_structured.jsonl",
    "litellm_spendlogs_export.jsonl", "litellm_standard_logging.jsonl",
    "nginx_access.json.log", "nginx_combined.log",
    "openai_compatible_proxy.jsonl", "otel_genai_span.jsonl",
    "sagemaker_data_capture.jsonl", "seldon_v1_request_logger.jsonl",
    "seldon_v2_kafka_dump.jsonl", "torchserve_access_log.log",
    "torchserve_ts_log.log", "triton_server.log", "triton_trace.json",
    "vertex_request_response_logging.jsonl", "vllm_server.log"};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* 2026-08-02T00:00:00Z, the mtime of them all. */
#define MTIME INT64_C(1785628800000000000)

static void
run(struct logs_case *c, const char *name)
{
	char path[256];
	uint8_t *p;
	size_t n;

	(void)snprintf(path, sizeof(path), "samples/logs/%s", name);
	p = logs_case_load(path, &n);
	logs_case_run(c, name, p, n, MTIME);
	free(p);
}

static void
golden_path(char *dst, size_t cap, const char *name)
{
	(void)snprintf(dst, cap, "samples/logs/golden/%s.jsonl", name);
}

static int
write_all(void)
{
	struct logs_case c;
	char path[256];
	FILE *f;

	logs_case_init(&c);
	for (size_t i = 0; i < SAMPLES; i++) {
		run(&c, samples[i]);
		golden_path(path, sizeof(path), samples[i]);
		if ((f = fopen(path, "wb")) == NULL)
			return 1;
		(void)fwrite(buf_str(&c.out), 1, c.out.len, f);
		(void)fclose(f);
	}
	logs_case_release(&c);
	return 0;
}

static void
every_sample_yields_its_normal_form(void **state)
{
	struct logs_case c;
	char path[256];
	uint8_t *want;
	size_t n;

	(void)state;
	logs_case_init(&c);
	for (size_t i = 0; i < SAMPLES; i++) {
		run(&c, samples[i]);
		golden_path(path, sizeof(path), samples[i]);
		want = logs_case_load(path, &n);
		want[n] = '\0';
		if (strcmp(buf_str(&c.out), (char *)want) != 0)
			fail_msg("%s:\n%swanted:\n%s", samples[i],
			    buf_str(&c.out), (char *)want);
		assert_true(c.records > 0);
		free(want);
	}
	logs_case_release(&c);
}

static void
windows_agree(void **state)
{
	static const size_t windows[] = {1, 2, 3, 7, 4096};
	struct logs_case whole, c;

	(void)state;
	logs_case_init(&whole);
	logs_case_init(&c);
	for (size_t i = 0; i < SAMPLES; i++) {
		run(&whole, samples[i]);
		for (size_t k = 0; k < 5; k++) {
			c.p.window = windows[k];
			run(&c, samples[i]);
			if (strcmp(buf_str(&c.out), buf_str(&whole.out)) != 0)
				fail_msg("%s, window %zu", samples[i],
				    windows[k]);
		}
	}
	logs_case_release(&c);
	logs_case_release(&whole);
}

/* Cut at every byte: no crash, and a cut within a record is told. */
static void
a_cut_file_is_read_to_its_cut(void **state)
{
	struct logs_case c;
	char path[256];
	uint8_t *p, *part;
	size_t n;

	(void)state;
	logs_case_init(&c);
	for (size_t i = 0; i < SAMPLES; i++) {
		(void)snprintf(path, sizeof(path), "samples/logs/%s",
		    samples[i]);
		p = logs_case_load(path, &n);
		for (size_t k = 0; k < n; k++) {
			/* A copy of its own: a byte behind it is caught. */
			if ((part = malloc(k + 1)) == NULL)
				abort();
			memcpy(part, p, k);
			logs_case_run(&c, samples[i], part, k, MTIME);
			free(part);
			assert_true(c.rc >= 0);
			assert_int_equal(c.files, 1);
			if (k > 0 && c.records == 0 && p[k - 1] != '\n' &&
			    c.problems == 0)
				fail_msg("%s cut at %zu says nothing",
				    samples[i], k);
		}
		free(p);
	}
	logs_case_release(&c);
}

static void
a_failing_consumer_stops_the_reader(void **state)
{
	struct logs_case c;

	(void)state;
	logs_case_init(&c);
	for (size_t i = 0; i < SAMPLES; i++)
		for (int k = 1; k < 3; k++) {
			c.stop_after = k;
			run(&c, samples[i]);
			assert_int_equal(c.rc, c.stop_after > 0 ? c.rc :
			    ERR_STOP);
		}
	logs_case_release(&c);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_sample_yields_its_normal_form),
	    cmocka_unit_test(windows_agree),
	    cmocka_unit_test(a_cut_file_is_read_to_its_cut),
	    cmocka_unit_test(a_failing_consumer_stops_the_reader)};

	if (argc > 1 && strcmp(argv[1], "write") == 0)
		return write_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
