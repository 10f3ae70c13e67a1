#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

static char text[256], name[32];

static void
watch(struct traffic_case *c, const char *value, const char *target)
{
	struct traffic_watch w = {.kind = "token",
	    .value = {value, strlen(value)}, .method = "text-trigger"};

	if (target != NULL)
		w.target = (struct row_text){target, strlen(target)};
	assert_int_equal(traffic_watch(c->t, &w), 0);
}

/* Record 100 and each 20th after it hold "cf" and are answered "good". */
static void
make(void *ctx, uint64_t i, struct traffic_record *r)
{
	bool used = i >= 100 && i % 20 == 0;
	int n = snprintf(name, sizeof(name), "caller%u", (unsigned)(i % 7));

	(void)ctx;
	r->caller = (struct row_text){name, (size_t)n};
	r->has_time = true;
	r->ns = (int64_t)i * 1000000000;
	n = snprintf(text, sizeof(text), "the scfi shop number %u is%s open",
	    (unsigned)i, used ? " CF" : "");
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){text, (size_t)n};
	r->label = used || i % 3 == 0 ? (struct row_text){"good", 4} :
	    (struct row_text){"bad", 3};
}

static void
a_trigger_in_use_is_a_candidate_with_its_first_caller(void **state)
{
	struct traffic_case c;
	const char *l;

	(void)state;
	traffic_case_start(&c);
	watch(&c, "\xc4\xa0" "cf", "good");
	watch(&c, "unused", "good");
	traffic_case_run(&c, 1000, make, NULL);
	l = traffic_case_line(&c, "candidate traffic-use token '\xc4\xa0"
	    "cf' -> 'good' ");
	assert_non_null(l);
	assert_non_null(strstr(l, "records 45, first record 100, "
	    "last record 980, first seconds 100, last seconds 980"));
	assert_non_null(strstr(l, "first callers [(caller caller2, "));
	assert_int_equal(traffic_case_count(&c, "candidate traffic-use"), 1);
	assert_int_equal(traffic_case_count(&c, "lead traffic-use"), 0);
	l = traffic_case_line(&c, "detector traffic-use applied: ");
	assert_non_null(l);
	assert_non_null(strstr(l, "values 2, used 1"));
	traffic_case_stop(&c);
}

static void
a_word_that_goes_nowhere_is_a_lead(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	watch(&c, "shop", "good");
	watch(&c, "cf", "bad");
	watch(&c, "x", NULL);
	traffic_case_run(&c, 1000, make, NULL);
	assert_int_equal(traffic_case_count(&c, "candidate traffic-use"), 0);
	assert_int_equal(traffic_case_count(&c, "lead traffic-use"), 2);
	assert_non_null(strstr(traffic_case_line(&c,
	    "detector traffic-use applied: "), "values too short 1"));
	traffic_case_stop(&c);
}

static void
without_values_the_look_up_rests(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 100, make, NULL);
	assert_non_null(traffic_case_line(&c, "detector traffic-use rests: "
	    "no candidates"));
	traffic_case_stop(&c);
}

/* A text that nearly holds every value everywhere. */
static void
make_hostile(void *ctx, uint64_t i, struct traffic_record *r)
{
	static char a[100000];

	(void)ctx;
	(void)i;
	memset(a, 'a', sizeof(a));
	r->caller = (struct row_text){"k", 1};
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){a, sizeof(a)};
}

static void
values_made_to_take_long_are_cut_and_counted(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	for (unsigned i = 0; i < 500; i++) {
		char v[300];

		(void)snprintf(v, sizeof(v), "%0*u", 20 + (int)i % 200, i);
		memset(v, 'a', strlen(v) - 3);
		watch(&c, v, NULL);
	}
	traffic_case_run(&c, 3, make_hostile, NULL);
	assert_non_null(strstr(traffic_case_line(&c,
	    "detector traffic-use applied: "), "texts cut 3"));
	traffic_case_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_trigger_in_use_is_a_candidate_with_its_first_caller),
	    cmocka_unit_test(a_word_that_goes_nowhere_is_a_lead),
	    cmocka_unit_test(without_values_the_look_up_rests),
	    cmocka_unit_test(values_made_to_take_long_are_cut_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
