#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

struct log {
	uint64_t from;		/* record at which things change */
	bool texts, labels, caller;
	uint64_t state;
};

static char text[512], name[32];

static void
make(void *ctx, uint64_t i, struct traffic_record *r)
{
	struct log *l = ctx;
	bool after = i >= l->from;
	unsigned words = 4 + (unsigned)(traffic_case_random(&l->state) % 6);
	size_t n = 0;
	int m = snprintf(name, sizeof(name), "c%u", (unsigned)(i % 8));

	if (i == 0)
		l->state = 1;
	if (after && l->caller && i % 10 != 0)
		m = snprintf(name, sizeof(name), "newcomer");
	if (after && l->texts)
		words += 12;
	for (unsigned k = 0; k < words; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u ",
		    after && l->texts ? "new" : "old",
		    (unsigned)(traffic_case_random(&l->state) % 50));
	r->caller = (struct row_text){name, (size_t)m};
	r->has_time = true;
	r->ns = (int64_t)i * 1000000000;
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){text, n};
	r->label = traffic_case_random(&l->state) % 10 <
	    (after && l->labels ? 1 : 6) ? (struct row_text){"a", 1} :
	    (struct row_text){"b", 1};
}

static void
run(struct traffic_case *c, struct log *l, bool split)
{
	traffic_case_start(c);
	if (split)
		traffic_split(c->t, (int64_t)l->from * 1000000000);
	traffic_case_run(c, 4000, make, l);
}

static void
the_same_traffic_has_no_drift(void **state)
{
	struct log l = {.from = 2000};
	struct traffic_case c;
	const char *line;

	(void)state;
	run(&c, &l, false);
	assert_int_equal(traffic_case_count(&c, "lead "), 0);
	line = traffic_case_line(&c, "detector traffic-drift applied: ");
	assert_non_null(line);
	assert_non_null(strstr(line, "time line (by time"));
	traffic_case_stop(&c);
}

static void
other_texts_are_drift_of_lengths_and_of_words(void **state)
{
	struct log l = {.from = 2000, .texts = true};
	struct traffic_case c;

	(void)state;
	run(&c, &l, false);
	assert_non_null(traffic_case_line(&c, "lead traffic-drift drift "
	    "'input_words' -> '' measure ks"));
	assert_non_null(traffic_case_line(&c, "lead traffic-drift drift "
	    "'input_bytes' -> '' measure psi"));
	assert_non_null(traffic_case_line(&c, "lead traffic-drift drift "
	    "'texts' -> '' measure mmd"));
	assert_null(traffic_case_line(&c, "lead traffic-drift drift "
	    "'labels'"));
	traffic_case_stop(&c);
}

static void
windows_are_parted_where_it_is_asked(void **state)
{
	struct log l = {.from = 3500, .labels = true};
	struct traffic_case c;

	(void)state;
	run(&c, &l, true);
	assert_non_null(strstr(traffic_case_line(&c, "lead traffic-drift "
	    "drift 'labels' -> '' measure psi"), "before 3500, after 500"));
	traffic_case_stop(&c);
}

static void
a_caller_that_takes_over_is_a_lead(void **state)
{
	struct log l = {.from = 3000, .caller = true};
	struct traffic_case c;

	(void)state;
	run(&c, &l, false);
	assert_non_null(traffic_case_line(&c, "lead traffic-concentration "
	    "caller 'newcomer' "));
	assert_int_equal(traffic_case_count(&c,
	    "lead traffic-concentration"), 1);
	traffic_case_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_traffic_has_no_drift),
	    cmocka_unit_test(other_texts_are_drift_of_lengths_and_of_words),
	    cmocka_unit_test(windows_are_parted_where_it_is_asked),
	    cmocka_unit_test(a_caller_that_takes_over_is_a_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
