#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_xml;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_xml, p, n, 0);
	free(p);
}

static void
tags_in_pairs_are_whole(void **state)
{
	(void)state;
	run("xml/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
a_cut_tag_is_incomplete(void **state)
{
	(void)state;
	run("xml/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
}

static void
an_entity_is_told(void **state)
{
	(void)state;
	run("xml/hostile");
	assert_true(format_case_has(&c, ANOMALY_XML_ENTITY));
}

static void
run_text(const char *text)
{
	format_case_run(&c, &format_xml, text, strlen(text), 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
}

static void
a_document_type_by_its_public_name_is_a_note(void **state)
{
	(void)state;
	run_text("<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD "
	    "SVG 1.1//EN\" \"http://www.w3.org/svg11.dtd\"><svg/>");
	assert_int_equal(c.anomaly[0], ANOMALY_XML_DOCTYPE);
	run_text("<!DOCTYPE x><x/>");
	assert_int_equal(c.anomaly[0], ANOMALY_XML_DOCTYPE);
	run_text("<!DOCTYPE x SYSTEM \"http://198.51.100.7/x.dtd\"><x/>");
	assert_int_equal(c.anomaly[0], ANOMALY_XML_ENTITY);
	run_text("<!DOCTYPE x [<!ELEMENT x ANY><!ENTITY e \"y\">]><x/>");
	assert_int_equal(c.anomaly[0], ANOMALY_XML_ENTITY);
}

static void
html_is_no_xml(void **state)
{
	static const char html[] = "<!doctype HTML><p>open";
	static const char upper[] = "<!DOCTYPE HTML><p>open";

	(void)state;
	assert_int_equal(format_case_bid(&format_xml, html,
	    sizeof(html) - 1), 0);
	assert_int_equal(format_case_bid(&format_xml, upper,
	    sizeof(upper) - 1), 0);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"xml/good",
	    "xml/truncated",
	    "xml/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_xml,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tags_in_pairs_are_whole),
	    cmocka_unit_test(a_cut_tag_is_incomplete),
	    cmocka_unit_test(an_entity_is_told),
	    cmocka_unit_test(a_document_type_by_its_public_name_is_a_note),
	    cmocka_unit_test(html_is_no_xml),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
