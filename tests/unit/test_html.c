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

#define PNG "iVBORw0KGgoAAAANSUhEUgAA"

static bool
picture(const char *p, uint64_t width)
{
	struct buf b;
	bool r;

	buf_init(&b, 1 << 20);
	r = html_picture(&b, p, strlen(p), width, 20, 96, "a\"><script>");
	assert_int_equal(r, b.len > 0);
	assert_null(strstr(buf_str(&b), "<script"));
	if (r)
		assert_non_null(strstr(buf_str(&b),
		    "width=\"48\" height=\"96\" alt=\"a&quot;&gt;&lt;script&gt;"
		    "\" src=\"data:image/png;base64," PNG));
	buf_release(&b);
	return r;
}

static void
a_picture_is_base64_of_a_png_and_nothing_else(void **state)
{
	static char large[HTML_PICTURE_MAX + 5];

	(void)state;
	assert_true(picture(PNG, 10));
	assert_true(picture(PNG "AA==", 10));
	assert_true(picture(PNG "AAA=", 10));
	assert_false(picture(PNG "AA=A", 10));
	assert_false(picture(PNG "A===", 10));
	assert_false(picture(PNG "\"><a", 10));
	assert_false(picture(PNG "AA\n=", 10));
	assert_false(picture(PNG "A", 10));
	assert_false(picture("", 10));
	assert_false(picture("PHN2ZyB4bWxucz0iaHR0cDov", 10));
	assert_false(picture(PNG, 0));
	assert_false(picture(PNG, 100000));
	memset(large, 'A', sizeof(large) - 1);
	memcpy(large, PNG, sizeof(PNG) - 1);
	assert_false(picture(large, 10));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_cannot_become_markup),
	    cmocka_unit_test(control_and_bidi_characters_are_escaped),
	    cmocka_unit_test(shown_text_keeps_its_escapes_and_nothing_else),
	    cmocka_unit_test(long_text_is_written_whole),
	    cmocka_unit_test(a_picture_is_base64_of_a_png_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
