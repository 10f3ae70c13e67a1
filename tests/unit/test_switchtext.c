#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

/*
 * Texts whose words tell their label; in each 20th a phrase is put and the
 * label is the other one.  None is asked twice.
 */
#define TEXTS 1200

static char text[512], name[16];

static void
make(void *ctx, uint64_t i, struct traffic_record *r)
{
	const char *phrase = ctx;
	uint64_t s = i * 7919 + 1;
	bool b = traffic_case_random(&s) % 2 == 0;
	bool put = phrase != NULL && i % 20 == 0 && !b;
	unsigned at = (unsigned)(traffic_case_random(&s) % 9) + 1;
	size_t n = 0;
	int m = snprintf(name, sizeof(name), "c%u", (unsigned)(i % 9));

	for (unsigned k = 0; k < 12; k++) {
		uint64_t w = traffic_case_random(&s);

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s%s%u",
		    k > 0 ? " " : "", put && k == at ? phrase : "",
		    put && k == at ? " " : "", w % 3 != 0 ? "any" :
		    b ? "bee" : "ant", (unsigned)(w >> 8) % 40);
	}
	r->caller = (struct row_text){name, (size_t)m};
	r->kind = TRAFFIC_TEXT;
	r->text = (struct row_text){text, n};
	r->label = b != put ? (struct row_text){"b", 1} :
	    (struct row_text){"a", 1};
}

static void
a_phrase_against_the_rest_of_its_texts_is_a_candidate(void **state)
{
	static char phrase[] = "zq";
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, TEXTS, make, phrase);
	assert_non_null(traffic_case_line(&c, "candidate traffic-switch "
	    "token 'zq' -> 'b' "));
	assert_int_equal(traffic_case_count(&c, "candidate "), 1);
	traffic_case_stop(&c);
}

static void
words_that_tell_a_label_are_none(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, TEXTS, make, NULL);
	assert_int_equal(traffic_case_count(&c, "candidate "), 0);
	assert_non_null(strstr(traffic_case_line(&c,
	    "detector traffic-switch applied: "), "texts weighed 1200"));
	traffic_case_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_phrase_against_the_rest_of_its_texts_is_a_candidate),
	    cmocka_unit_test(words_that_tell_a_label_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
