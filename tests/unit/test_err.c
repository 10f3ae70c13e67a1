#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void
first_failure_is_kept(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, ERR_TRUNC, "cannot read '%s'", "x"),
	    ERR_TRUNC);
	assert_int_equal(err_set(&e, ERR_FORMAT, "second"), ERR_FORMAT);
	assert_int_equal(err_sys(&e, EIO, "third"), ERR_IO);
	assert_int_equal(e.code, ERR_TRUNC);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.msg, "cannot read 'x'");
}

static void
null_takes_the_code_only(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_ARG, "lost"), ERR_ARG);
	assert_int_equal(err_sys(NULL, ENOENT, "lost"), ERR_NOTFOUND);
	err_reset(NULL);
}

static void
errno_becomes_a_code_and_a_text(void **state)
{
	static const struct {
		int errnum;
		enum err_code code;
		const char *msg;
	} rows[] = {
	    {ENOENT, ERR_NOTFOUND, "cannot open 'f': No such file or "
				   "directory"},
	    {EEXIST, ERR_EXISTS, "cannot open 'f': File exists"},
	    {EACCES, ERR_DENIED, "cannot open 'f': Permission denied"},
	    {EPERM, ERR_DENIED, "cannot open 'f': Operation not permitted"},
	    {ENOMEM, ERR_NOMEM, "cannot open 'f': Cannot allocate memory"},
	    {EIO, ERR_IO, "cannot open 'f': Input/output error"},
	    {99999, ERR_IO, "cannot open 'f': error 99999"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(err_sys(&e, rows[i].errnum, "cannot open "
							     "'%s'", "f"),
		    rows[i].code);
		assert_int_equal(e.code, rows[i].code);
		assert_int_equal(e.sys, rows[i].errnum);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static void
reset_forgets_everything(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_sys(&e, EIO, "a");
	e.off = 7;
	err_reset(&e);
	assert_int_equal(e.code, ERR_OK);
	assert_int_equal(e.sys, 0);
	assert_int_equal(e.off, 0);
	assert_string_equal(e.msg, "");
	err_set(&e, ERR_ARG, "b");
	assert_string_equal(e.msg, "b");
}

static void
control_bytes_do_not_reach_the_message(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ERR_FORMAT, "a\x1b[31m\nb\x7f %s|%s|%s", "\xc2\x9b",
	    "\xff", "\xc3\xa9");
	assert_string_equal(e.msg, "a?[31m?b? ??|?|\xc3\xa9");
}

static void
long_message_is_cut_between_characters(void **state)
{
	struct err e = ERR_INIT;
	char long_name[512];
	size_t i;

	(void)state;
	for (i = 0; i + 2 < sizeof(long_name); i += 2) {
		long_name[i] = '\xc3';
		long_name[i + 1] = '\xa9';
	}
	long_name[i] = '\0';
	err_set(&e, ERR_IO, "%s", long_name);
	assert_int_equal(strlen(e.msg), 254);
	assert_memory_equal(e.msg, long_name, 254);
	err_reset(&e);
	err_sys(&e, EIO, "x%s", long_name);
	assert_int_equal(strlen(e.msg), 255);
	assert_int_equal(e.msg[0], 'x');
	assert_memory_equal(e.msg + 1, long_name, 254);
}

static void
every_code_has_a_name_of_its_own(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a >= ERR_CHILD; a--) {
		assert_non_null(err_name((enum err_code)a));
		for (b = 0; b > a; b--)
			assert_string_not_equal(err_name((enum err_code)a),
			    err_name((enum err_code)b));
	}
	assert_string_equal(err_name((enum err_code) - 99), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_failure_is_kept),
	    cmocka_unit_test(null_takes_the_code_only),
	    cmocka_unit_test(errno_becomes_a_code_and_a_text),
	    cmocka_unit_test(reset_forgets_everything),
	    cmocka_unit_test(control_bytes_do_not_reach_the_message),
	    cmocka_unit_test(long_message_is_cut_between_characters),
	    cmocka_unit_test(every_code_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
