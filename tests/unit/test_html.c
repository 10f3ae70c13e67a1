#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/html.h"
#include "base/buf.h"

static void
text_cannot_become_markup(void **state)
{
	static const char evil[] = "<script>alert('x')</script>&\"";
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	html_str(&b, evil);
	assert_string_equal(buf_str(&b), "&lt;script&gt;alert(&#39;x&#39;)"
	    "&lt;/script&gt;&amp;&quot;");
	buf_release(&b);
}

static void
control_and_bidi_characters_are_escaped(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	html_text(&b, "a\x1b[31m\xe2\x80\xae" "b\xff", 12);
	assert_null(strchr(buf_str(&b), 0x1b));
	assert_null(strstr(buf_str(&b), "\xe2\x80\xae"));
	assert_non_null(strstr(buf_str(&b), "\\x1B"));
	assert_non_null(strstr(buf_str(&b), "\\xFF"));
	buf_release(&b);
}

static void
shown_text_keeps_its_escapes_and_nothing_else(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	html_shown(&b, "a\\x1B<\x1b", 7);
	assert_string_equal(buf_str(&b), "a\\x1B&lt;\\x1B");
	buf_release(&b);
}

static void
long_text_is_written_whole(void **state)
{
	static char text[100000];
	struct buf b;

	(void)state;
	memset(text, '<', sizeof(text));
	buf_init(&b, 1 << 20);
	html_text(&b, text, sizeof(text));
	assert_int_equal(b.len, 4 * sizeof(text));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_cannot_become_markup),
	    cmocka_unit_test(control_and_bidi_characters_are_escaped),
	    cmocka_unit_test(shown_text_keeps_its_escapes_and_nothing_else),
	    cmocka_unit_test(long_text_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
