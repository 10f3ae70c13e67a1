#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/policy.h"
#include "analyzer/policy_file.h"
#include "base/err.h"
#include "custody/digest.h"

/* Load a file with this text; 0, or the error's message in ${e}. */
static int
load(const char *text, size_t n, struct policy_file **f, struct err *e)
{
	char path[] = "/tmp/exhibit-policy-XXXXXX";
	uint8_t sha256[32];
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_true(write(fd, text, n) == (ssize_t)n);
	(void)close(fd);
	r = policy_file_load(path, f, sha256, e);
	(void)unlink(path);
	return r;
}

static void
rows_of_every_kind_are_read(void **state)
{
	static const char text[] =
	    "# a laboratory's rows\n"
	    "\n"
	    "allow      acme.models.^          # layers\n"
	    "allow\tacme.load shape=s|si\r\n"
	    "dangerous  acme.debug.* critical  # runs what it is given\n"
	    "judge acme.any\n"
	    "unknown    numpy.memmap";
	const struct policy_row *row;
	struct policy_file *f = NULL;
	struct err e = ERR_INIT;

	(void)state;
	if (load(text, sizeof(text) - 1, &f, &e) < 0)
		fail_msg("%s", e.msg);
	row = policy_judge("acme.models.Net", 15);
	assert_non_null(row);
	assert_int_equal(row->cls, POLICY_ALLOW);
	assert_string_equal(row->why, "layers");
	row = policy_judge("acme.load", 9);
	assert_string_equal(row->shape, "s|si");
	row = policy_judge("acme.debug.run", 14);
	assert_int_equal(row->severity, SEVERITY_CRITICAL);
	assert_int_equal(policy_judge("acme.any", 8)->cls, POLICY_JUDGE);
	assert_null(policy_judge("numpy.memmap", 12));
	policy_file_free(f);
	assert_null(policy_judge("acme.models.Net", 15));
	assert_non_null(policy_judge("numpy.memmap", 12));
}

static void
what_is_no_row_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"permit os.system\n", "line 1"},
	    {"allow a.b\nallow\n", "line 2"},
	    {"allow a.b\n\n# x\nallow a..b\n", "line 4"},
	    {"allow .a\n", "line 1"}, {"allow a.\n", "line 1"},
	    {"allow *\n", "line 1"}, {"allow a.*.b\n", "line 1"},
	    {"dangerous a.b enormous\n", "line 1"},
	    {"allow a.b shape=Q\n", "line 1"},
	    {"allow a.b\nallow a.b\n", "twice"},
	};
	struct policy_file *f = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(load(bad[i].text, strlen(bad[i].text), &f,
		    &e), ERR_FORMAT);
		if (strstr(e.msg, bad[i].says) == NULL)
			fail_msg("'%s': %s", bad[i].text, e.msg);
		assert_null(f);
		assert_null(policy_judge("a.b", 3));
	}
	assert_int_equal(load("allow a.b\0c\n", 12, &f, NULL), ERR_FORMAT);
}

static void
a_missing_file_is_an_error(void **state)
{
	struct policy_file *f = NULL;
	uint8_t sha256[32];

	(void)state;
	assert_true(policy_file_load("/nonexistent/policy", &f, sha256,
	    NULL) < 0);
	policy_file_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_of_every_kind_are_read),
	    cmocka_unit_test(what_is_no_row_is_refused_with_its_line),
	    cmocka_unit_test(a_missing_file_is_an_error),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
