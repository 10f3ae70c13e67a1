#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/finding.h"

static void
public_ids_are_unique_and_findable(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const struct finding_info *f =
		    finding_info((enum finding_id)i);

		assert_int_equal(f->id, i);
		assert_ptr_equal(finding_find(f->name), f);
	}
	assert_null(finding_find("NO-SUCH-RULE"));
}

static void
every_anomaly_becomes_a_finding(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ANOMALY_COUNT; i++)
		assert_true(finding_of_anomaly((enum anomaly)i) <
		    FINDING_COUNT);
	assert_int_equal(finding_of_anomaly(ANOMALY_TRAILING),
	    FINDING_TRAILING);
}

static void
what_makes_an_object_malicious_is_at_least_high(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const struct finding_info *f =
		    finding_info((enum finding_id)i);

		if (f->verdict == VERDICT_MALICIOUS)
			assert_true(f->severity >= SEVERITY_HIGH);
		if (f->verdict == VERDICT_CLEAN)
			assert_true(f->severity <= SEVERITY_LOW);
	}
}

static void
severities_are_parsed_by_name(void **state)
{
	enum severity s;

	(void)state;
	assert_true(severity_parse("critical", &s));
	assert_int_equal(s, SEVERITY_CRITICAL);
	assert_false(severity_parse("grave", &s));
	assert_false(severity_parse("", &s));
}

static void
keys_are_lower_case_words(void **state)
{
	(void)state;
	assert_true(finding_key_ok((const uint8_t *)"a_1", 3));
	assert_false(finding_key_ok((const uint8_t *)"", 0));
	assert_false(finding_key_ok((const uint8_t *)"1a", 2));
	assert_false(finding_key_ok((const uint8_t *)"a\"b", 3));
	assert_false(finding_key_ok((const uint8_t *)
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 33));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_ids_are_unique_and_findable),
	    cmocka_unit_test(every_anomaly_becomes_a_finding),
	    cmocka_unit_test(what_makes_an_object_malicious_is_at_least_high),
	    cmocka_unit_test(severities_are_parsed_by_name),
	    cmocka_unit_test(keys_are_lower_case_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
