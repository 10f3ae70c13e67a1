#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/diff/alarm.h"
#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/session.h"
#include "base/err.h"
#include "base/fsio.h"
#include "tests/lib/parent.h"

/*
 * The parent of a comparison, with workers that are not worth their name:
 * whatever a worker does, the result says so and has its summary.
 */
#define TEXT(s) {(s), sizeof(s) - 1}

/* --- workers --------------------------------------------------------- */

static void
a_payload(enum finding_id id)
{
	const struct row_text none = {"", 0};
	struct finding f = {.id = id, .severity = SEVERITY_HIGH, .off = 64};

	(void)diff_wire_carve(&parent_wire, "abc", 3);
	(void)diff_wire_carve(&parent_wire, "def", 3);
	(void)parent_rows.finding(parent_rows.ctx, ROW_NEW, none, &f);
}

static int
honest(void *arg, int fd)
{
	const struct row_input in = {.side = ROW_OLD, .path = TEXT(""),
	    .format = "npy", .complete = true};
	const struct row_input part = {.side = ROW_NEW,
	    .path = TEXT("x\\x21y!m"), .format = "npy"};
	struct row_candidate c = {.kind = "token", .value = TEXT("cf"),
	    .rank = 1, .method = "m"};
	const struct row_conclusion k = {.kind = CONCLUSION_NOISED};
	struct rowtap alarm;

	(void)arg;
	parent_begin(fd);
	alarm_init(&alarm, &parent_rows);
	(void)parent_rows.input(parent_rows.ctx, &in);
	(void)parent_rows.input(parent_rows.ctx, &part);
	(void)parent_rows.conclusion(parent_rows.ctx, &k);
	parent_tensor();
	(void)alarm.rows.candidate(&alarm, &c);
	c.lead = true;
	(void)alarm.rows.candidate(&alarm, &c);
	(void)diff_wire_skip(&parent_wire, "a", "b");
	(void)diff_wire_done(&parent_wire, 99);
	return 0;
}

static int
payload(void *arg, int fd)
{
	(void)arg;
	parent_begin(fd);
	a_payload(FINDING_DIFF_PAYLOAD);
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static int
payload_of_nobody(void *arg, int fd)
{
	(void)arg;
	parent_begin(fd);
	a_payload(FINDING_DIFF_NOISE);
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static int
half_a_payload(void *arg, int fd)
{
	(void)arg;
	parent_begin(fd);
	(void)diff_wire_carve(&parent_wire, "abc", 3);
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static int
shrunk(void *arg, int fd)
{
	parent_begin(fd);
	parent_tensor();
	(void)diff_wire_flush(&parent_wire);
	(void)arg;
	if (truncate(parent_at("b"), 1) == 0)
		(void)raise(SIGBUS);
	return 0;
}

static int die_by;	/* a signal, or minus an exit code */

static int
dies(void *arg, int fd)
{
	(void)arg;
	parent_begin(fd);
	parent_tensor();
	(void)diff_wire_flush(&parent_wire);
	if (die_by > 0)
		(void)raise(die_by);
	return -die_by;
}

static int
says_nothing(void *arg, int fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

static int
without_status(void *arg, int fd)
{
	(void)arg;
	diff_wire_init(&parent_wire, fd, NULL);
	parent_rows = diff_wire_rows(&parent_wire);
	parent_tensor();
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static int
after_the_end(void *arg, int fd)
{
	parent_begin(fd);
	(void)diff_wire_done(&parent_wire, 0);
	parent_tensor();
	(void)diff_wire_done(&parent_wire, 0);
	(void)arg;
	return 0;
}

static int
babbles(void *arg, int fd)
{
	static const uint8_t junk[] = {1, 0, 0, 0, 99, 0, 255, 255, 255, 255};

	(void)arg;
	parent_begin(fd);
	(void)fsio_write_all(fd, junk, sizeof(junk), NULL);
	(void)pause();
	return 0;
}

static int
tells_a_version(void *arg, int fd)
{
	const struct row_version v = {.path = TEXT("")};

	(void)arg;
	parent_begin(fd);
	(void)parent_rows.version(parent_rows.ctx, &v);
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

static int
floods(void *arg, int fd)
{
	const struct row_text none = {"", 0};
	struct finding f = {.id = FINDING_DIFF_NOISE,
	    .severity = SEVERITY_MEDIUM};

	(void)arg;
	parent_begin(fd);
	for (unsigned i = 0; i < 130; i++)
		(void)parent_rows.finding(parent_rows.ctx, ROW_NEW, none, &f);
	(void)diff_wire_done(&parent_wire, 0);
	return 0;
}

/* --- tests ----------------------------------------------------------- */

static void
compare(int (*worker)(void *, int))
{
	const struct diff_options o = {.command = "diff", .old = parent_at("a"),
	    .new = parent_at("b"), .carve = true, .worker = worker,
	    .carve_dir = open(parent_at("carved"), O_RDONLY | O_DIRECTORY)};

	parent_put("a", 10);
	parent_put("b", 10);
	assert_true(o.carve_dir >= 0);
	assert_int_equal(parent_run(&o, NULL), 0);
	(void)close(o.carve_dir);
}

static void
rows_come_out_in_the_workers_order(void **state)
{
	(void)state;
	compare(honest);
	assert_string_equal(parent_told, "header diff a b\ninput a\n"
	    "input b!x\\x21y!m\nconclusion\ntensor a b\ncandidate\n"
	    "finding TRIG-CANDIDATE b token cf m\ncandidate\n"
	    "summary 1 incomplete, 1 high\n");
	assert_false(parent_failed);
	assert_int_equal(parent_sum.base.bytes, 99);
	assert_int_equal(parent_sum.base.nskips, 1);
	assert_string_equal(parent_sum.base.skips[0].why, "b");
	assert_int_equal(parent_sum.sums.candidates, 1);
	assert_int_equal(parent_sum.sums.leads, 1);
	assert_int_equal(parent_sum.sums.verdict, MODEL_CANDIDATES);
	assert_int_equal(parent_sum.sums.tensors[ROW_CHANGED], 1);
	assert_int_equal(parent_sum.sums.conclusions[CONCLUSION_NOISED], 1);
}

static void
a_payload_is_written_under_its_digest(void **state)
{
	struct buf b;

	(void)state;
	compare(payload);
	assert_string_equal(parent_told, "header diff a b\n"
	    "finding DIFF-PAYLOAD b\n"
	    "carved b 64 6 bef57ec7\nsummary 0 incomplete, 1 high\n");
	buf_init(&b, 64);
	assert_int_equal(fsio_read_file(AT_FDCWD, parent_at("carved/bef57ec7"
	    "f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721.bin"),
	    64, &b, NULL), 0);
	assert_string_equal(buf_str(&b), "abcdef");
	buf_release(&b);
}

static void
a_file_that_shrinks_is_named(void **state)
{
	(void)state;
	compare(shrunk);
	assert_string_equal(parent_told, "header diff a b\ntensor a b\n"
	    "finding DIFF-SHRANK b SIGBUS\nsummary 1 incomplete, 0 high\n");
	assert_false(parent_failed);
}

static void
however_it_dies_the_result_says_so(void **state)
{
	static const struct {
		int by;
		const char *finding;
		bool ours;
	} ends[] = {
		{SIGSYS, "SCAN-FENCE b SIGSYS", false},
		{SIGSEGV, "SCAN-CRASH b SIGSEGV", false},
		{SIGXCPU, "SCAN-DEADLINE b SIGXCPU", false},
		{SIGKILL, "SCAN-CRASH b SIGKILL", false},
		{-3, "DIFF-SHRANK b", false},
		{-4, "SCAN-CRASH b ended with code 4", false},
		{-1, "DIFF-UNREAD b ended with code 1", true},
		{0, "SCAN-CRASH b ended with code 0", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		die_by = ends[i].by;
		compare(dies);
		assert_non_null(strstr(parent_told, ends[i].finding));
		assert_non_null(strstr(parent_told, "tensor a b\n"));
		assert_non_null(strstr(parent_told, "summary "));
		assert_true(parent_sum.base.incomplete > 0);
		assert_int_equal(parent_failed, ends[i].ours);
	}
}

static void
who_breaks_the_protocol_is_ended(void **state)
{
	static int (*const workers[])(void *, int) = {without_status,
	    after_the_end, babbles, tells_a_version, payload_of_nobody};

	(void)state;
	for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		compare(workers[i]);
		assert_non_null(strstr(parent_told, "finding SCAN-PROTOCOL b"));
		assert_true(parent_sum.base.incomplete > 0);
		assert_true(parent_sum.base.severities[SEVERITY_HIGH] > 0);
	}
	compare(says_nothing);
	assert_non_null(strstr(parent_told, "finding SCAN-CRASH b"));
}

static void
half_a_payload_leaves_no_file(void **state)
{
	(void)state;
	compare(half_a_payload);
	assert_string_equal(parent_told,
	    "header diff a b\nsummary 0 incomplete, 0 high\n");
}

static void
a_payload_that_nobody_asked_for_is_refused(void **state)
{
	const struct diff_options o = {.command = "diff", .old = parent_at("a"),
	    .new = parent_at("b"), .worker = payload, .carve_dir = -1};

	(void)state;
	parent_put("a", 10);
	parent_put("b", 10);
	assert_int_equal(parent_run(&o, NULL), 0);
	assert_non_null(strstr(parent_told, "finding SCAN-PROTOCOL b"));
}

static void
a_flood_of_findings_is_cut_and_counted(void **state)
{
	unsigned n = 0;

	(void)state;
	compare(floods);
	for (const char *p = parent_told;
	    (p = strstr(p, "DIFF-NOISE")) != NULL; p++)
		n++;
	assert_int_equal(n, 100);
	assert_non_null(strstr(parent_told, "finding SCAN-CUT b 30\n"));
	assert_int_equal(parent_sum.base.severities[SEVERITY_MEDIUM], 130);
}

static void
without_a_base_every_detector_says_why_not(void **state)
{
	const struct diff_options o = {.command = "triggers",
	    .new = parent_at("alien.npy"), .triggers = true, .worker = dies};

	(void)state;
	parent_put("alien.npy", 300);
	assert_int_equal(parent_run(&o, NULL), 0);
	assert_string_equal(parent_told, "header triggers - alien.npy\n"
	    "detector embedding-rows 0\ndetector head-rows 0\n"
	    "detector edit-reading 0\nsummary 0 incomplete, 0 high\n");
	assert_int_equal(parent_sum.sums.verdict, MODEL_NOT_APPLICABLE);
}

static void
a_side_that_is_not_there_is_our_error(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .old = parent_at("none"), .new = parent_at("alien.npy"),
	    .worker = honest};
	struct err e = ERR_INIT;

	(void)state;
	parent_put("alien.npy", 300);
	assert_int_equal(parent_run(&o, &e), ERR_NOTFOUND);
	assert_string_equal(parent_told, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_in_the_workers_order),
		cmocka_unit_test(a_payload_is_written_under_its_digest),
		cmocka_unit_test(a_file_that_shrinks_is_named),
		cmocka_unit_test(however_it_dies_the_result_says_so),
		cmocka_unit_test(who_breaks_the_protocol_is_ended),
		cmocka_unit_test(half_a_payload_leaves_no_file),
		cmocka_unit_test(a_payload_that_nobody_asked_for_is_refused),
		cmocka_unit_test(a_flood_of_findings_is_cut_and_counted),
		cmocka_unit_test(without_a_base_every_detector_says_why_not),
		cmocka_unit_test(a_side_that_is_not_there_is_our_error),
	};

	return cmocka_run_group_tests(tests, parent_setup, parent_teardown);
}
