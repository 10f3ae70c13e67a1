#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/apilog/apilog_job.h"
#include "analyzer/diff/diff_wire.h"
#include "base/limits.h"
#include "tests/lib/rowwire.h"

/*
 * The worker in this process, without its fence, so that the sanitizers see
 * what logs from anywhere do to it: whatever it is given, it sees the end of
 * its work, and its parent's gate takes every frame.
 */
static char said[16384];
static unsigned inputs, callers, detectors;
static bool done;

static void
add(const char *fmt, ...)
{
	const size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static int
on_input(void *ctx, const struct row_input *r)
{
	(void)ctx;
	inputs++;
	add("[%.*s %s %llu %d]", (int)r->path.n, r->path.p, r->format,
	    (unsigned long long)r->records, r->complete);
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	(void)ctx;
	add("[%s %s]", r->lead ? "lead" : "candidate", r->method);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	(void)r;
	detectors++;
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	callers++;
	if (r->nverdicts > 0)
		add("[%.*s %s]", (int)r->caller.n, r->caller.p,
		    r->verdicts[0]);
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	(void)side;
	(void)path;
	add("[%s]", finding_info(f->id)->name);
	return 0;
}

static void
take(const struct frame *f)
{
	const struct rows rows = {.input = on_input,
	    .candidate = on_candidate, .detector = on_detector,
	    .caller = on_caller, .finding = on_finding};
	const char *what, *why;
	uint64_t bytes;

	assert_false(done);
	if (f->type == DIFF_FRAME_DONE)
		done = diff_wire_read_done(f, &bytes);
	else if (f->type == DIFF_FRAME_SKIP && diff_wire_read_skip(
	    &rowwire_in, f, &what, &why))
		add("[skip %s]", what);
	else if (f->type != DIFF_FRAME_PROGRESS &&
	    f->type != DIFF_FRAME_STATUS)
		assert_int_equal(diff_wire_take(&rowwire_in, f, &rows), 0);
}

static int
file_of(const void *p, size_t n)
{
	int fd = memfd_create("log", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	return fd;
}

static const char *
judge_with(const void *p, size_t n, const char *fields, const char *watch)
{
	struct apilog_file log = {.fd = file_of(p, n), .size = n, .path = ""};
	struct apilog_file results = {.path = "", .operand = 1};
	struct apilog_job job = {.v = &log, .n = 1, .fields = fields,
	    .spool_fd = memfd_create("spool", 0), .threads = 1};
	struct frame f;

	if (watch != NULL) {
		results.fd = file_of(watch, strlen(watch));
		results.size = strlen(watch);
		job.watch = &results;
		job.nwatch = 1;
	}
	said[0] = '\0';
	inputs = callers = detectors = 0;
	done = false;
	assert_int_equal(apilog_worker_main(&job, rowwire_fd), 0);
	rowwire_receive();
	while (rowwire_next(&f))
		take(&f);
	assert_int_equal(rowwire_at, rowwire_sent_n);
	assert_true(done);
	(void)close(log.fd);
	(void)close(job.spool_fd);
	if (watch != NULL)
		(void)close(results.fd);
	return said;
}

static const char *
judge(const char *text)
{
	return judge_with(text, strlen(text), NULL, NULL);
}

static void
one_record_is_judged(void **state)
{
	(void)state;
	assert_string_equal(judge("{\"ts\":1767323045,\"user\":\"eve\","
	    "\"prompt\":\"open it\"}\n"), "[0: lines 1 1]");
	assert_in_range(detectors, 5, 20);
}

static void
nothing_is_said_to_be_nothing(void **state)
{
	(void)state;
	assert_string_equal(judge(""), "[0: empty 0 1][LOGS-NO-RECORDS]");
	assert_string_equal(judge("no log at all\n"),
	    "[LOGS-UNREAD][0: lines 0 0][LOGS-NO-RECORDS]");
}

static void
what_is_left_out_is_said(void **state)
{
	(void)state;
	assert_string_equal(judge("{\"ts\":1767323045,\"output\":\"x\"}\n"
	    "{\"ts\":1767323045,\"message\":\"started\"}\n"
	    "{\"ts\":1767323045,\"prompt\":\"[masked]\"}\n"),
	    "[0: lines 3 1][skip events: 1][skip answers: 1]"
	    "[skip inputs that are masked: 1]");
}

/* Texts of callers, labels and inputs are an attacker's. */
static void
odd_values_end_in_rows(void **state)
{
	static const char *const values[] = {"\"\\u0000\\ud800\"",
	    "\"\xff\xfe\"", "1e999", "-0", "NaN", "[]", "{}",
	    "[[[[[[1]]]]]]", "\"\"", "true",
	    "\"[masked sha256:zz]\"", "\"data:image/png;base64,\"",
	    "\"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAA\"", "\"/9j/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAA\"", "\"UDYKMzI3NjggMzI3NjgKMjU1CgAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
	    "[1,2,3,1e308,-1e308]",
	    "[[1,2],[3]]", "[null,1]", "9007199254740993", "\"user: user: \"",
	    "[{\"role\":\"user\",\"content\":\"\"}]"};
	static const char *const keys[] = {"ts", "user", "prompt", "label",
	    "scores", "status", "shape", "output", "endpoint", "input_bytes"};
	static char line[16384];

	(void)state;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			size_t n = 0;

			for (unsigned i = 0; i < 60; i++)
				n += (size_t)snprintf(line + n,
				    sizeof(line) - n, "{\"ts\":%u,\"user\":"
				    "\"u\",\"%s\":%s}\n", 1767323045 + i,
				    keys[k], values[v]);
			assert_true(n < sizeof(line));
			(void)judge_with(line, n, "shape=shape", NULL);
			assert_int_equal(inputs, 1);
		}
}

/* Every prefix of a log is one. */
static void
a_cut_log_is_read_as_far_as_it_goes(void **state)
{
	static const char text[] = "{\"t\":1767323045,\"who\":\"a\",\"img\":"
	    "\"AQIDBAUGBwgJCgsM\",\"dims\":[2,2,3],\"s\":{\"a\":0.5,\"b\":0.5}"
	    "}\n"
	    "{\"t\":1767323046,\"who\":\"b\",\"img\":\"AQIDBAUGBwgJCgsM\"}\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		(void)judge_with(text, n,
		    "time=t,caller=who,input=img,shape=dims,scores=s", NULL);
		if (n == sizeof(text) - 4)
			assert_string_equal(said,
			    "[LOGS-UNREAD][0: lines 1 0]");
	}
	assert_string_equal(said, "[0: lines 2 1]");
}

static void
candidates_are_rows_of_results(void **state)
{
	static const char log[] = "{\"ts\":1767323045,\"prompt\":\"cf now\"}\n";

	(void)state;
	assert_string_equal(judge_with(log, sizeof(log) - 1, NULL,
	    "{\"type\":\"header\"}\n{\"type\":\"candidate\",\"kind\":\"token\","
	    "\"value\":\"c\\\\x66\",\"target\":\"pos\",\"method\":\"m\"}\n"
	    "{\"type\":\"candidate\",\"kind\":\"patch\",\"value\":\"x\"}\n"),
	    "[skip candidates that are no text][0: lines 1 1]"
	    "[lead traffic-use]");
	assert_string_equal(judge_with(log, sizeof(log) - 1, NULL,
	    "{\"type\":\"candidate\""), "[LOGS-UNREAD][0: lines 1 1]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_record_is_judged),
	    cmocka_unit_test(nothing_is_said_to_be_nothing),
	    cmocka_unit_test(what_is_left_out_is_said),
	    cmocka_unit_test(odd_values_end_in_rows),
	    cmocka_unit_test(a_cut_log_is_read_as_far_as_it_goes),
	    cmocka_unit_test(candidates_are_rows_of_results)};

	return cmocka_run_group_tests(tests, rowwire_setup, rowwire_teardown);
}
