#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/intake/unixtext.h"
#include "base/bytesrc.h"
#include "base/err.h"

static void
is_text(const char *raw, size_t n, const char *want)
{
	static const size_t windows[] = {1, 2, 3, 7, 4096};
	struct err e = ERR_INIT;
	struct bytesrc *src = bytesrc_mem(raw, n, &e), *text = NULL;
	char got[64];
	size_t len = strlen(want);

	assert_int_equal(unixtext(src, &text, &e), 0);
	assert_int_equal(bytesrc_size(text), len);
	for (size_t w = 0; w < sizeof(windows) / sizeof(*windows); w++) {
		memset(got, '#', sizeof(got));
		for (size_t i = 0; i < len; i += windows[w])
			assert_int_equal(bytesrc_read(text, i, got + i,
			    len - i < windows[w] ? len - i : windows[w], &e),
			    0);
		assert_memory_equal(got, want, len);
	}
	bytesrc_free(text);
	bytesrc_free(src);
}

static void
is_none(const char *raw, size_t n)
{
	struct err e = ERR_INIT;
	struct bytesrc *src = bytesrc_mem(raw, n, &e), *text = NULL;

	assert_int_equal(unixtext(src, &text, &e), 1);
	assert_null(text);
	bytesrc_free(src);
}

static void
each_crlf_becomes_one_lf(void **state)
{
	(void)state;
	is_text("a\r\nb\r\n", 6, "a\nb\n");
	is_text("a\nb\r\n\r\n", 7, "a\nb\n\n");
	is_text("\r\r\nx\r", 5, "\r\nx\r");
}

static void
what_has_no_crlf_or_is_no_text_is_left(void **state)
{
	(void)state;
	is_none("", 0);
	is_none("a\nb\n", 4);
	is_none("a\rb\r", 4);
	is_none("a\r\n\0", 4);
	is_none("\r", 1);
}

/* The second reading begins anew behind the end of the first. */
static void
a_crlf_at_the_end_of_the_buffer_is_one(void **state)
{
	static char raw[3 * 16384], want[sizeof(raw)], got[sizeof(raw)];
	struct err e = ERR_INIT;
	struct bytesrc *src, *text = NULL;
	size_t n = 0;

	(void)state;
	memset(raw, 'x', sizeof(raw));
	memcpy(raw + 16383, "\r\n", 2);
	memcpy(raw + 2 * 16384, "\r\n", 2);
	for (size_t i = 0; i < sizeof(raw); i++)
		if (raw[i] != '\r')
			want[n++] = raw[i];
	src = bytesrc_mem(raw, sizeof(raw), &e);
	assert_int_equal(unixtext(src, &text, &e), 0);
	assert_int_equal(bytesrc_size(text), n);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(bytesrc_read(text, 0, got, n, &e), 0);
		assert_memory_equal(got, want, n);
	}
	bytesrc_free(text);
	bytesrc_free(src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_crlf_becomes_one_lf),
	    cmocka_unit_test(what_has_no_crlf_or_is_no_text_is_left),
	    cmocka_unit_test(a_crlf_at_the_end_of_the_buffer_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
