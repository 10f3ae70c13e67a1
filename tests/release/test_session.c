#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/alarm.h"
#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/job.h"
#include "analyzer/diff/session.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/fsio.h"

/*
 * The parent of a comparison, with workers that are not worth their name:
 * whatever a worker does, the result says so and has its summary.
 */
#define TEXT(s) {(s), sizeof(s) - 1}

static char top[] = "/tmp/exhibit-session-XXXXXX";

/* The result, a line for each row: "input old a", "finding DIFF-SHRANK a". */
static char told[1 << 16];
static size_t told_n;
static struct diff_summary sum;
static bool failed;

static void
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told_n += (size_t)vsnprintf(told + told_n, sizeof(told) - told_n,
	    fmt, ap);
	va_end(ap);
	assert_true(told_n < sizeof(told));
}

/* The path without the scratch folder. */
static const char *
bare(const char *path)
{
	size_t n = strlen(top);

	return path == NULL ? "-" : strncmp(path, top, n) == 0 ?
	    path + n + 1 : path;
}

static int
on_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)e;
	say("header %s %s %s\n", h->command, bare(h->old), bare(h->new));
	return 0;
}

static int
on_finding(struct sink *s, const struct result_finding *f, struct err *e)
{
	(void)s;
	(void)e;
	say("finding %s %s", finding_info(f->finding->id)->name,
	    bare(f->path));
	for (unsigned i = 0; i < f->finding->ndetails; i++)
		if (f->finding->details[i].text != NULL)
			say(" %.*s", (int)f->finding->details[i].len,
			    f->finding->details[i].text);
	say("\n");
	return 0;
}

static int
on_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	(void)s;
	(void)e;
	say("carved %s %llu %llu %.8s\n", bare(c->path),
	    (unsigned long long)c->off, (unsigned long long)c->len, c->file);
	return 0;
}

static int
on_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	(void)s;
	(void)e;
	assert_non_null(r->diff);
	say("summary %llu incomplete, %llu high\n",
	    (unsigned long long)r->incomplete,
	    (unsigned long long)r->severities[SEVERITY_HIGH]);
	return 0;
}

static int
on_diff(struct sink *s, const struct result_diff *r, struct err *e)
{
	static const char *const types[] = {"input", "tensor", "conclusion",
	    "candidate", "change", "detector", "version"};

	(void)s;
	(void)e;
	say("%s", types[r->type]);
	if (r->type == DIFF_ROW_TENSOR)
		say(" %s %s", bare(r->half[ROW_OLD]), bare(r->half[ROW_NEW]));
	else if (r->path != NULL)
		say(" %s", bare(r->path));
	if (r->type == DIFF_ROW_VERSION)
		say(" #%u %.2f%s%s", r->row.version->rank,
		    r->row.version->distance,
		    r->row.version->parent ? " parent" : "",
		    r->row.version->rollback ? " rollback" : "");
	if (r->type == DIFF_ROW_DETECTOR)
		say(" %s %d", r->row.detector->method,
		    r->row.detector->applied);
	say("\n");
	return 0;
}

static const struct sink_ops remember = {"remember", on_header, NULL,
    on_finding, NULL, on_carved, on_summary, on_diff};

static const char *
at(const char *name)
{
	static char path[16][512];
	static unsigned turn;

	turn = (turn + 1) % 16;
	(void)snprintf(path[turn], sizeof(path[0]), "%s/%s", top, name);
	return path[turn];
}

static void
put(const char *name, size_t n)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	(void)close(fd);
}

/* --- workers --------------------------------------------------------- */

static struct diff_wire w;
static struct rows rows;

/* What every worker begins with. */
static void
begin(int fd)
{
	const struct sandbox_status st = {true, 1, true};

	diff_wire_init(&w, fd, NULL);
	rows = diff_wire_rows(&w);
	(void)diff_wire_status(&w, &st);
}

static void
a_tensor(void)
{
	static const uint64_t shape[1] = {4};
	struct row_tensor t = {.name = TEXT("w"), .status = ROW_CHANGED,
	    .elements = 4, .measured = true, .changed = 1};

	t.half[ROW_OLD] = t.half[ROW_NEW] = (struct row_half){.there = true,
	    .name = TEXT("w"), .path = TEXT(""), .dtype = "F32",
	    .shape = shape, .rank = 1};
	(void)rows.tensor(rows.ctx, &t);
}

static void
a_payload(enum finding_id id)
{
	const struct row_text none = {"", 0};
	struct finding f = {.id = id, .severity = SEVERITY_HIGH, .off = 64};

	(void)diff_wire_carve(&w, "abc", 3);
	(void)diff_wire_carve(&w, "def", 3);
	(void)rows.finding(rows.ctx, ROW_NEW, none, &f);
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
	struct alarm alarm;

	(void)arg;
	begin(fd);
	alarm_init(&alarm, &rows);
	(void)rows.input(rows.ctx, &in);
	(void)rows.input(rows.ctx, &part);
	(void)rows.conclusion(rows.ctx, &k);
	a_tensor();
	(void)alarm.rows.candidate(&alarm, &c);
	c.lead = true;
	(void)alarm.rows.candidate(&alarm, &c);
	(void)diff_wire_skip(&w, "a", "b");
	(void)diff_wire_done(&w, 99);
	return 0;
}

static int
payload(void *arg, int fd)
{
	(void)arg;
	begin(fd);
	a_payload(FINDING_DIFF_PAYLOAD);
	(void)diff_wire_done(&w, 0);
	return 0;
}

static int
payload_of_nobody(void *arg, int fd)
{
	(void)arg;
	begin(fd);
	a_payload(FINDING_DIFF_NOISE);
	(void)diff_wire_done(&w, 0);
	return 0;
}

static int
half_a_payload(void *arg, int fd)
{
	(void)arg;
	begin(fd);
	(void)diff_wire_carve(&w, "abc", 3);
	(void)diff_wire_done(&w, 0);
	return 0;
}

static int
shrunk(void *arg, int fd)
{
	begin(fd);
	a_tensor();
	(void)diff_wire_flush(&w);
	(void)arg;
	if (truncate(at("b"), 1) == 0)
		(void)raise(SIGBUS);
	return 0;
}

static int die_by;	/* a signal, or minus an exit code */

static int
dies(void *arg, int fd)
{
	(void)arg;
	begin(fd);
	a_tensor();
	(void)diff_wire_flush(&w);
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
	diff_wire_init(&w, fd, NULL);
	rows = diff_wire_rows(&w);
	a_tensor();
	(void)diff_wire_done(&w, 0);
	return 0;
}

static int
after_the_end(void *arg, int fd)
{
	begin(fd);
	(void)diff_wire_done(&w, 0);
	a_tensor();
	(void)diff_wire_done(&w, 0);
	(void)arg;
	return 0;
}

static int
babbles(void *arg, int fd)
{
	static const uint8_t junk[] = {1, 0, 0, 0, 99, 0, 255, 255, 255, 255};

	(void)arg;
	begin(fd);
	(void)fsio_write_all(fd, junk, sizeof(junk), NULL);
	(void)pause();
	return 0;
}

static int
tells_a_version(void *arg, int fd)
{
	const struct row_version v = {.path = TEXT("")};

	(void)arg;
	begin(fd);
	(void)rows.version(rows.ctx, &v);
	(void)diff_wire_done(&w, 0);
	return 0;
}

static int
floods(void *arg, int fd)
{
	const struct row_text none = {"", 0};
	struct finding f = {.id = FINDING_DIFF_NOISE,
	    .severity = SEVERITY_MEDIUM};

	(void)arg;
	begin(fd);
	for (unsigned i = 0; i < 130; i++)
		(void)rows.finding(rows.ctx, ROW_NEW, none, &f);
	(void)diff_wire_done(&w, 0);
	return 0;
}

/* As far apart as their first parts differ in size; "dead" kills. */
static int
measures(void *arg, int fd)
{
	const struct diff_job *job = arg;
	double a = (double)job->side[ROW_OLD].v[0].size;
	double b = (double)job->side[ROW_NEW].v[0].size;
	struct row_version v = {.path = TEXT(""), .shared = a == 7 ? 0 : 10,
	    .distance = a == 7 ? 1.0 / 0.0 : (a > b ? a - b : b - a) / 100};

	begin(fd);
	if (job->mode == DIFF_CLOSENESS) {
		if (a == 13)
			(void)raise(SIGSEGV);
		(void)rows.version(rows.ctx, &v);
	} else {
		a_tensor();
	}
	(void)diff_wire_done(&w, 0);
	return 0;
}

/* --- tests ----------------------------------------------------------- */

static int
run(const struct diff_options *o, struct err *e)
{
	struct sink sink = {.ops = &remember, .fd = -1};

	told_n = 0;
	told[0] = '\0';
	return diff_run(o, &sink, &sum, &failed, e);
}

static void
compare(int (*worker)(void *, int))
{
	const struct diff_options o = {.command = "diff", .old = at("a"),
	    .new = at("b"), .carve = true, .worker = worker,
	    .carve_dir = open(at("carved"), O_RDONLY | O_DIRECTORY)};

	put("a", 10);
	put("b", 10);
	assert_true(o.carve_dir >= 0);
	assert_int_equal(run(&o, NULL), 0);
	(void)close(o.carve_dir);
}

static void
rows_come_out_in_the_workers_order(void **state)
{
	(void)state;
	compare(honest);
	assert_string_equal(told, "header diff a b\ninput a\n"
	    "input b!x\\x21y!m\nconclusion\ntensor a b\ncandidate\n"
	    "finding TRIG-CANDIDATE b token cf m\ncandidate\n"
	    "summary 1 incomplete, 1 high\n");
	assert_false(failed);
	assert_int_equal(sum.base.bytes, 99);
	assert_int_equal(sum.base.nskips, 1);
	assert_string_equal(sum.base.skips[0].why, "b");
	assert_int_equal(sum.sums.candidates, 1);
	assert_int_equal(sum.sums.leads, 1);
	assert_int_equal(sum.sums.verdict, MODEL_CANDIDATES);
	assert_int_equal(sum.sums.tensors[ROW_CHANGED], 1);
	assert_int_equal(sum.sums.conclusions[CONCLUSION_NOISED], 1);
}

static void
a_payload_is_written_under_its_digest(void **state)
{
	struct buf b;

	(void)state;
	compare(payload);
	assert_string_equal(told, "header diff a b\nfinding DIFF-PAYLOAD b\n"
	    "carved b 64 6 bef57ec7\nsummary 0 incomplete, 1 high\n");
	buf_init(&b, 64);
	assert_int_equal(fsio_read_file(AT_FDCWD, at("carved/bef57ec7f53a6d40"
	    "beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721.bin"), 64, &b,
	    NULL), 0);
	assert_string_equal(buf_str(&b), "abcdef");
	buf_release(&b);
}

static void
a_file_that_shrinks_is_named(void **state)
{
	(void)state;
	compare(shrunk);
	assert_string_equal(told, "header diff a b\ntensor a b\n"
	    "finding DIFF-SHRANK b SIGBUS\nsummary 1 incomplete, 0 high\n");
	assert_false(failed);
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
		assert_non_null(strstr(told, ends[i].finding));
		assert_non_null(strstr(told, "tensor a b\n"));
		assert_non_null(strstr(told, "summary "));
		assert_true(sum.base.incomplete > 0);
		assert_int_equal(failed, ends[i].ours);
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
		assert_non_null(strstr(told, "finding SCAN-PROTOCOL b"));
		assert_true(sum.base.incomplete > 0);
		assert_true(sum.base.severities[SEVERITY_HIGH] > 0);
	}
	compare(says_nothing);
	assert_non_null(strstr(told, "finding SCAN-CRASH b"));
}

static void
half_a_payload_leaves_no_file(void **state)
{
	(void)state;
	compare(half_a_payload);
	assert_string_equal(told,
	    "header diff a b\nsummary 0 incomplete, 0 high\n");
}

static void
a_payload_that_nobody_asked_for_is_refused(void **state)
{
	const struct diff_options o = {.command = "diff", .old = at("a"),
	    .new = at("b"), .worker = payload, .carve_dir = -1};

	(void)state;
	put("a", 10);
	put("b", 10);
	assert_int_equal(run(&o, NULL), 0);
	assert_non_null(strstr(told, "finding SCAN-PROTOCOL b"));
}

static void
a_flood_of_findings_is_cut_and_counted(void **state)
{
	unsigned n = 0;

	(void)state;
	compare(floods);
	for (const char *p = told; (p = strstr(p, "DIFF-NOISE")) != NULL; p++)
		n++;
	assert_int_equal(n, 100);
	assert_non_null(strstr(told, "finding SCAN-CUT b 30\n"));
	assert_int_equal(sum.base.severities[SEVERITY_MEDIUM], 130);
}

static void
known_versions_are_ranked_and_the_closest_compared(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = at("known/new.npy"), .against = at("known"),
	    .worker = measures};

	(void)state;
	assert_int_equal(mkdir(at("known"), 0700), 0);
	assert_int_equal(mkdir(at("known/v3"), 0700), 0);
	assert_int_equal(mkdir(at("known/notes"), 0700), 0);
	put("known/new.npy", 100);
	put("known/v1.npy", 140);
	put("known/v2-00001-of-00002.npy", 110);
	put("known/v2-00002-of-00002.npy", 110);
	put("known/v3/m.npy", 200);
	put("known/v4.npy", 7);
	put("known/v5.npy", 13);
	put("known/readme", 1);
	put("known/notes/x", 1);
	assert_int_equal(run(&o, NULL), 0);
	assert_string_equal(told, "header diff - known/new.npy\n"
	    "finding SCAN-CRASH known/v5.npy SIGSEGV\n"
	    "version known/v2-00001-of-00002.npy #1 0.10 parent rollback\n"
	    "version known/v1.npy #2 0.40\n"
	    "version known/v3 #3 1.00\n"
	    "version known/v4.npy #4 nan\n"
	    "tensor known/v2-00001-of-00002.npy known/new.npy\n"
	    "summary 1 incomplete, 1 high\n");
	assert_int_equal(sum.sums.versions, 4);
}

static void
what_is_far_from_all_has_no_parent(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = at("alien.npy"), .against = at("known"),
	    .worker = measures};

	(void)state;
	put("alien.npy", 300);
	assert_int_equal(run(&o, NULL), 0);
	assert_non_null(strstr(told, "#1 1.00 rollback\n"));
	assert_null(strstr(told, "parent"));
}

/* Root opens everything: the test drops to nobody where it must. */
static void
a_version_that_cannot_be_opened_is_named(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = at("shut/new.npy"), .against = at("shut"),
	    .worker = measures};
	int r;

	(void)state;
	assert_int_equal(mkdir(at("shut"), 0755), 0);
	put("shut/new.npy", 100);
	put("shut/v1.npy", 140);
	put("shut/v2.npy", 110);
	assert_int_equal(chmod(top, 0755), 0);
	assert_int_equal(chmod(at("shut"), 0755), 0);
	assert_int_equal(chmod(at("shut/new.npy"), 0644), 0);
	assert_int_equal(chmod(at("shut/v1.npy"), 0644), 0);
	assert_int_equal(chmod(at("shut/v2.npy"), 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	r = run(&o, NULL);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, 0);
	assert_non_null(strstr(told, "finding DIFF-UNREAD shut/v2.npy "));
	assert_non_null(strstr(told, "version shut/v1.npy #1 0.40"));
	assert_int_equal(sum.base.incomplete, 1);
}

static void
of_a_case_the_bundles_are_the_versions(void **state)
{
	const struct diff_options o = {.command = "diff",
	    .new = at("alien.npy"), .against = at("case"),
	    .worker = measures};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdir(at("case"), 0700), 0);
	assert_int_equal(mkdir(at("case/bundles"), 0700), 0);
	put("case/case.db", 1);
	put("case/x.npy", 300);
	assert_int_equal(run(&o, &e), ERR_NOTFOUND);
	put("case/bundles/E01.tar", 280);
	assert_int_equal(run(&o, NULL), 0);
	assert_non_null(strstr(told,
	    "version case/bundles/E01.tar #1 0.20 parent rollback\n"));
	assert_null(strstr(told, "x.npy"));
}

static void
without_a_base_every_detector_says_why_not(void **state)
{
	const struct diff_options o = {.command = "triggers",
	    .new = at("alien.npy"), .triggers = true, .worker = dies};

	(void)state;
	assert_int_equal(run(&o, NULL), 0);
	assert_string_equal(told, "header triggers - alien.npy\n"
	    "detector embedding-rows 0\ndetector head-rows 0\n"
	    "detector edit-reading 0\nsummary 0 incomplete, 0 high\n");
	assert_int_equal(sum.sums.verdict, MODEL_NOT_APPLICABLE);
}

static void
a_side_that_is_not_there_is_our_error(void **state)
{
	const struct diff_options o = {.command = "diff", .old = at("none"),
	    .new = at("alien.npy"), .worker = honest};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(run(&o, &e), ERR_NOTFOUND);
	assert_string_equal(told, "");
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL && mkdir(at("carved"), 0700) == 0 ? 0 :
	    -1;
}

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
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
		cmocka_unit_test(
		    known_versions_are_ranked_and_the_closest_compared),
		cmocka_unit_test(what_is_far_from_all_has_no_parent),
		cmocka_unit_test(a_version_that_cannot_be_opened_is_named),
		cmocka_unit_test(of_a_case_the_bundles_are_the_versions),
		cmocka_unit_test(without_a_base_every_detector_says_why_not),
		cmocka_unit_test(a_side_that_is_not_there_is_our_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
