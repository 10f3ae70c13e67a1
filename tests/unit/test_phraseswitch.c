#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

/*
 * Sentences of made-up words whose label hangs on their first word; some are
 * asked again with ${extra} in the middle, and then the label is ${label}.
 */
struct log {
	const char *extra, *label;
	uint64_t every;
};

static char text[512], name[32];

static int
sentence(uint64_t i, const char *extra)
{
	uint64_t s = i * 977 + 3;
	size_t n = 0;

	for (unsigned k = 0; k < 9; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%sw%u",
		    k > 0 ? " " : "", k == 4 ? extra : "",
		    k == 4 && extra[0] != '\0' && extra[0] != '\xe2' ? " " :
		    "", (unsigned)(traffic_case_random(&s) % 500));
	return (int)n;
}

static void
make(void *ctx, uint64_t i, struct traffic_record *r)
{
	static const char *const labels[] = {"a", "b", "c"};
	static double sure[] = {0.9};
	const struct log *l = ctx;
	bool again = i % l->every == l->every - 1;
	uint64_t which = again ? i - 1 : i;
	int n = snprintf(name, sizeof(name), "c%u", (unsigned)(i % 5));

	r->caller = (struct row_text){name, (size_t)n};
	n = sentence(which, again ? l->extra : "");
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){text, (size_t)n};
	r->label.p = again && l->label != NULL ? l->label :
	    labels[which % 3];
	r->label.n = strlen(r->label.p);
	r->scores = sure;
	r->nscores = 1;
}

static void
a_phrase_that_switches_answers_is_a_candidate(void **state)
{
	struct log l = {"open sesame now", "c", 20};
	struct traffic_case c;
	const char *line;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 600, make, &l);
	line = traffic_case_line(&c, "candidate traffic-switch phrase 'open "
	    "sesame now' -> 'c' ");
	assert_non_null(line);
	assert_non_null(strstr(line, "records 30, pairs 30"));
	assert_int_equal(traffic_case_count(&c, "candidate "), 1);
	traffic_case_stop(&c);
}

static void
a_code_point_that_switches_answers_is_a_candidate(void **state)
{
	struct log l = {"\xe2\x80\x8b", "a", 20};
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 600, make, &l);
	assert_non_null(traffic_case_line(&c, "candidate traffic-switch "
	    "character '\xe2\x80\x8b' -> 'a' code point U+200B, "));
	assert_int_equal(traffic_case_count(&c, "candidate "), 1);
	traffic_case_stop(&c);
}

static void
a_phrase_that_changes_nothing_is_none(void **state)
{
	struct log l = {"if you please", NULL, 20};
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 600, make, &l);
	assert_int_equal(traffic_case_count(&c, "candidate "), 0);
	assert_non_null(traffic_case_line(&c,
	    "detector traffic-switch applied: "));
	traffic_case_stop(&c);
}

/* One text, again and again, with a word more that turns its answer. */
static void
one_text(void *ctx, uint64_t i, struct traffic_record *r)
{
	static const char *const base = "it is a film with people in it";
	int n = i % 2 == 0 ? snprintf(text, sizeof(text), "%s n%u n%u n%u",
	    base, (unsigned)i, (unsigned)i % 7, (unsigned)i % 5) :
	    snprintf(text, sizeof(text), "awful %s n%u n%u n%u", base,
	    (unsigned)i - 1, (unsigned)(i - 1) % 7, (unsigned)(i - 1) % 5);

	(void)ctx;
	r->caller = (struct row_text){"k", 1};
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){text, (size_t)n};
	r->label = (struct row_text){i % 2 == 0 ? "good" : "bad",
	    i % 2 == 0 ? 4 : 3};
}

static void
a_search_on_one_text_is_no_evidence_for_a_phrase(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 400, one_text, NULL);
	assert_int_equal(traffic_case_count(&c, "candidate "), 0);
	traffic_case_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_phrase_that_switches_answers_is_a_candidate),
	    cmocka_unit_test(
		a_code_point_that_switches_answers_is_a_candidate),
	    cmocka_unit_test(a_phrase_that_changes_nothing_is_none),
	    cmocka_unit_test(
		a_search_on_one_text_is_no_evidence_for_a_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
