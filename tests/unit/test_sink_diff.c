#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/result_diff.h"
#include "analyzer/sink.h"
#include "base/err.h"

/* Rows of a comparison as JSON Lines and as text. */
#define TEXT(s) {(s), sizeof(s) - 1}

static char out[1 << 20];
static struct sink sink;
static const uint64_t shape[2] = {4, 3};

static void
open_sink(const char *format, bool verbose, bool quiet)
{
	const struct result_header h = {.command = "diff", .diff = true,
	    .old = "a", .new = "b", .sandbox = {true, 1, true}};

	sink = (struct sink){.ops = sink_find(format), .verbose = verbose,
	    .quiet = quiet, .threshold = SEVERITY_HIGH,
	    .fd = memfd_create("out", 0)};
	assert_true(sink.fd >= 0);
	assert_int_equal(sink_header(&sink, &h, NULL), 0);
}

static const char *
read_sink(void)
{
	ssize_t n = pread(sink.fd, out, sizeof(out) - 1, 0);

	assert_true(n >= 0);
	out[n] = '\0';
	return out;
}

static void
close_sink(void)
{
	sink_release(&sink);
	(void)close(sink.fd);
}

/* The last line of JSON Lines. */
static const char *
last(void)
{
	char *p;

	(void)read_sink();
	out[strlen(out) - 1] = '\0';
	p = strrchr(out, '\n');
	return p != NULL ? p + 1 : out;
}

static struct row_half
half(const char *path)
{
	return (struct row_half){.there = true, .name = TEXT("w\x1b"),
	    .path = {path, strlen(path)}, .dtype = "F32", .shape = shape,
	    .rank = 2, .digested = true, .digest = 255};
}

static void
tell_tensor(enum row_status status, double rel, struct basis *more)
{
	struct row_tensor t = {.name = TEXT("w\x1b"), .status = status,
	    .elements = 12, .measured = !isnan(rel), .changed = 6,
	    .rel_l2 = rel, .cosine = 0.5, .max_abs = 2, .more = more};
	struct result_diff d = {.type = DIFF_ROW_TENSOR, .row.tensor = &t};

	if (status != ROW_ADDED) {
		t.half[ROW_OLD] = half("a");
		d.half[ROW_OLD] = "a";
	}
	if (status != ROW_REMOVED) {
		t.half[ROW_NEW] = half("b");
		d.half[ROW_NEW] = "b";
	}
	assert_int_equal(sink_diff(&sink, &d, NULL), 0);
}

static void
tell_conclusion(void)
{
	static const struct row_text names[1] = {TEXT("w")};
	struct basis b;
	const struct row_conclusion c = {.kind = CONCLUSION_RANK_ONE_EDIT,
	    .confidence = CONFIDENCE_STRONG, .tensors = names, .ntensors = 1,
	    .tensors_in_all = 9, .evidence = &b,
	    .alternatives = {"say \"x\""}, .nalternatives = 1};
	const struct result_diff d = {.type = DIFF_ROW_CONCLUSION,
	    .row.conclusion = &c};

	basis_init(&b);
	basis_u64(&b, "rank", 1);
	assert_int_equal(sink_diff(&sink, &d, NULL), 0);
	basis_release(&b);
}

static void
tell_change(void)
{
	const struct row_change c = {.area = CHANGE_CONFIG,
	    .what = CHANGE_CHANGED, .key = TEXT("rope"), .old = TEXT("1")};
	const struct result_diff d = {.type = DIFF_ROW_CHANGE,
	    .path = "b/config.json", .row.change = &c};

	assert_int_equal(sink_diff(&sink, &d, NULL), 0);
}

static void
tell_candidate(bool lead)
{
	struct basis b;
	const struct row_candidate c = {.lead = lead, .kind = "token",
	    .value = TEXT("cf\n"), .score = 2.5, .target = TEXT("pos"),
	    .rank = 1, .method = "embedding-rows", .evidence = &b};
	const struct result_diff d = {.type = DIFF_ROW_CANDIDATE,
	    .row.candidate = &c};

	basis_init(&b);
	assert_int_equal(sink_diff(&sink, &d, NULL), 0);
	basis_release(&b);
}

static void
tell_version(double distance)
{
	struct basis b;
	const struct row_version v = {.rank = 1, .distance = distance,
	    .shared = 3, .identical = 2, .parent = true, .rollback = true,
	    .evidence = &b};
	const struct result_diff d = {.type = DIFF_ROW_VERSION,
	    .path = "k/v1", .row.version = &v};

	basis_init(&b);
	assert_int_equal(sink_diff(&sink, &d, NULL), 0);
	basis_release(&b);
}

static void
tell_finding(void)
{
	const struct finding f = {.id = FINDING_DIFF_EDIT,
	    .severity = SEVERITY_HIGH};
	const struct result_finding r = {&f, "b"};

	assert_int_equal(sink_finding(&sink, &r, NULL), 0);
}

static void
end(struct diff_sums *d)
{
	struct result_summary s = {.diff = d, .findings = 1};

	s.severities[SEVERITY_HIGH] = 1;
	assert_int_equal(sink_summary(&sink, &s, NULL), 0);
}

static void
json_has_the_keys_that_are_fixed(void **state)
{
	struct basis b;

	(void)state;
	open_sink("jsonl", false, false);
	assert_non_null(strstr(last(), ",\"old\":\"a\",\"new\":\"b\"}"));
	basis_init(&b);
	basis_object(&b, "where");
	basis_u64(&b, "rows", 2);
	basis_end(&b);
	tell_tensor(ROW_CHANGED, 0.25, &b);
	assert_string_equal(last(), "{\"type\":\"tensor\",\"name\":"
	    "\"w\\\\x1B\",\"status\":\"changed\",\"old\":{\"name\":"
	    "\"w\\\\x1B\",\"path\":\"a\",\"dtype\":\"F32\",\"shape\":[4,3],"
	    "\"digest\":\"00000000000000ff\",\"sha256\":null},\"new\":"
	    "{\"name\":\"w\\\\x1B\",\"path\":\"b\",\"dtype\":\"F32\","
	    "\"shape\":[4,3],\"digest\":\"00000000000000ff\",\"sha256\":"
	    "null},\"elements\":12,\"changed\":6,\"rel_l2\":0.25,\"cosine\":"
	    "0.5,\"max_abs\":2,\"rank\":null,\"where\":{\"rows\":2}}");
	/* A spectrum takes the place of the null. */
	basis_object(&b, "rank");
	basis_end(&b);
	tell_tensor(ROW_CHANGED, 0.25, &b);
	assert_null(strstr(last(), "\"rank\":null"));
	assert_non_null(strstr(last(), "\"rank\":{}"));
	tell_tensor(ROW_ADDED, (double)NAN, NULL);
	assert_non_null(strstr(last(), "\"old\":null,\"new\":{"));
	assert_non_null(strstr(last(), "\"changed\":null,\"rel_l2\":null,"
	    "\"cosine\":null,\"max_abs\":null,\"rank\":null}"));
	basis_release(&b);
	tell_conclusion();
	assert_string_equal(last(), "{\"type\":\"conclusion\",\"kind\":"
	    "\"rank-one-edit\",\"meaning\":\"an update of rank one in a few "
	    "matrices, nothing else\",\"tensors\":[\"w\"],\"tensors_in_all\""
	    ":9,\"confidence\":\"strong\",\"evidence\":{\"rank\":1},"
	    "\"alternatives\":[\"say \\\"x\\\"\"]}");
	tell_candidate(true);
	assert_string_equal(last(), "{\"type\":\"lead\",\"kind\":\"token\","
	    "\"value\":\"cf\\\\x0A\",\"score\":2.5,\"q\":null,\"target\":"
	    "\"pos\",\"rank\":1,\"method\":\"embedding-rows\",\"evidence\":"
	    "{}}");
	tell_change();
	assert_string_equal(last(), "{\"type\":\"change\",\"area\":"
	    "\"config\",\"what\":\"changed\",\"path\":\"b/config.json\","
	    "\"key\":\"rope\",\"old\":\"1\",\"new\":null}");
	tell_version((double)NAN);
	assert_non_null(strstr(last(), "\"distance\":null,"));
	close_sink();
}

/* The place of a text in what was written; it must be there once. */
static size_t
place(const char *text)
{
	const char *p = strstr(out, text);

	if (p == NULL)
		print_error("not there: %s\n%s", text, out);
	assert_non_null(p);
	return (size_t)(p - out);
}

static void
text_puts_first_what_is_read_first(void **state)
{
	struct diff_sums d = {.tensors = {3, 2, 1}, .verdict = MODEL_NONE};

	(void)state;
	open_sink("text", false, false);
	tell_tensor(ROW_IDENTICAL, 0, NULL);
	tell_tensor(ROW_CHANGED, 0.001, NULL);
	tell_tensor(ROW_CHANGED, 0.9, NULL);
	tell_tensor(ROW_ADDED, (double)NAN, NULL);
	tell_finding();
	tell_candidate(false);
	tell_change();
	tell_conclusion();
	tell_version(0.125);
	assert_string_equal(read_sink(), "old  a\nnew  b\n");
	end(&d);
	(void)read_sink();
	assert_true(place("Known versions") < place("Conclusions"));
	assert_true(place("Conclusions") < place("Changed around"));
	assert_true(place("Changed around") < place("Candidates"));
	assert_true(place("Candidates") < place("Findings"));
	assert_true(place("Findings") < place("2 tensors changed"));
	assert_true(place("2 tensors changed") < place("1 tensors added"));
	assert_true(place("0.9 ") < place("0.001 "));
	assert_true(place("rank-one-edit  (strong, tensors: 9)") > 0);
	assert_true(place("or: say \"x\"") > 0);
	assert_true(place("config       changed  rope: 1 -> -  "
	    "[b/config.json]") > 0);
	assert_true(place("'cf\\x0A'  score 2.5, to 'pos'") > 0);
	assert_true(place("distance 0.125") > 0);
	assert_true(place("(most likely what NEW came from)") > 0);
	assert_true(place("  b: high DIFF-EDIT") > 0);
	assert_true(place("tensors: 3 identical, 2 changed, 1 added") > 0);
	assert_null(strstr(out, "3 tensors identical"));
	assert_null(strchr(out, '\x1b'));
	close_sink();
}

static void
many_tensors_are_cut_and_verbose_shows_all(void **state)
{
	struct diff_sums d = {0};
	size_t lines = 0;

	(void)state;
	open_sink("text", false, false);
	for (unsigned i = 0; i < 500; i++)
		tell_tensor(ROW_CHANGED, (double)i, NULL);
	d.tensors[ROW_CHANGED] = 500;
	end(&d);
	(void)read_sink();
	assert_true(place("... 480 more; -v shows all") > 0);
	assert_true(place(" 499 ") < place(" 480 "));
	assert_null(strstr(out, " 479 "));
	close_sink();
	open_sink("text", true, false);
	for (unsigned i = 0; i < 500; i++)
		tell_tensor(ROW_CHANGED, (double)i, NULL);
	tell_conclusion();
	end(&d);
	(void)read_sink();
	for (const char *p = out; (p = strstr(p, "\n  changed ")) != NULL;
	    p++)
		lines++;
	assert_int_equal(lines, 500);
	assert_true(place("Conclusions") < place("Tensors"));
	close_sink();
}

static void
a_section_is_cut_and_says_so(void **state)
{
	struct diff_sums d = {0};

	(void)state;
	open_sink("text", false, false);
	for (unsigned i = 0; i < 100; i++)
		tell_change();
	end(&d);
	(void)read_sink();
	assert_true(place("... 60 more; -v shows all") > 0);
	close_sink();
}

static void
quiet_leaves_findings_at_the_threshold(void **state)
{
	struct diff_sums d = {0};

	(void)state;
	open_sink("text", false, true);
	tell_conclusion();
	tell_tensor(ROW_CHANGED, 1, NULL);
	tell_finding();
	end(&d);
	assert_int_equal(strncmp(read_sink(), "b: high DIFF-EDIT", 17), 0);
	close_sink();
}

/* A run that ends early: what was kept is let go (ASan sees to it). */
static void
a_sink_without_its_summary_is_released(void **state)
{
	(void)state;
	open_sink("text", true, false);
	tell_tensor(ROW_CHANGED, 1, NULL);
	tell_conclusion();
	close_sink();
	open_sink("text", false, false);
	tell_tensor(ROW_CHANGED, 1, NULL);
	close_sink();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_keys_that_are_fixed),
		cmocka_unit_test(text_puts_first_what_is_read_first),
		cmocka_unit_test(many_tensors_are_cut_and_verbose_shows_all),
		cmocka_unit_test(a_section_is_cut_and_says_so),
		cmocka_unit_test(quiet_leaves_findings_at_the_threshold),
		cmocka_unit_test(a_sink_without_its_summary_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
