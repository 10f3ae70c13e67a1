#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static void
form_is(const char *src, size_t n, unsigned flags, const char *want)
{
	uint8_t *in = malloc(n == 0 ? 1 : n);
	char dst[512];
	size_t used = 99, len;

	assert_non_null(in);
	memcpy(in, src, n);
	len = text_printable(dst, sizeof(dst) - 1, in, n, flags, &used);
	dst[len] = '\0';
	assert_string_equal(dst, want);
	assert_int_equal(used, n);
	free(in);
}
#define FORM(src, flags, want) form_is(src, sizeof(src) - 1, flags, want)

static void
printable_text_stays(void **state)
{
	(void)state;
	FORM("", TEXT_PLAIN, "");
	FORM("a b~!", TEXT_PLAIN, "a b~!");
	FORM("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", TEXT_PLAIN,
	    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	FORM("\xc2\xa0\xef\xbf\xbd\xed\x9f\xbf", TEXT_PLAIN,
	    "\xc2\xa0\xef\xbf\xbd\xed\x9f\xbf");
}

static void
controls_and_backslash_are_escaped(void **state)
{
	(void)state;
	FORM("\x1b[31m", TEXT_PLAIN, "\\x1B[31m");
	FORM("\0\x1f\x7f", TEXT_PLAIN, "\\x00\\x1F\\x7F");
	FORM("\xc2\x80\xc2\x9f", TEXT_PLAIN, "\\xC2\\x80\\xC2\\x9F");
	FORM("\\x41", TEXT_PLAIN, "\\x5Cx41");
	FORM("\n\t\r", TEXT_PLAIN, "\\x0A\\x09\\x0D");
	FORM("\n\t\r", TEXT_LINES, "\n\t\\x0D");
	FORM("a!b", TEXT_PATH, "a\\x21b");
	FORM("!\n", TEXT_PATH | TEXT_LINES, "\\x21\n");
}

static void
ill_formed_sequences_are_escaped(void **state)
{
	(void)state;
	FORM("\x80\xbf\xc0\xaf\xc1\xbf", TEXT_PLAIN,
	    "\\x80\\xBF\\xC0\\xAF\\xC1\\xBF");
	FORM("\xe0\x9f\xbf", TEXT_PLAIN, "\\xE0\\x9F\\xBF");
	FORM("\xed\xa0\x80", TEXT_PLAIN, "\\xED\\xA0\\x80");
	FORM("\xf0\x8f\xbf\xbf", TEXT_PLAIN, "\\xF0\\x8F\\xBF\\xBF");
	FORM("\xf4\x90\x80\x80", TEXT_PLAIN, "\\xF4\\x90\\x80\\x80");
	FORM("\xf5\xff", TEXT_PLAIN, "\\xF5\\xFF");
	FORM("\xe2\x82", TEXT_PLAIN, "\\xE2\\x82");
	FORM("\xf0\x9f\x98", TEXT_PLAIN, "\\xF0\\x9F\\x98");
	FORM("\xc3", TEXT_PLAIN, "\\xC3");
	/* A cut sequence takes nothing of what follows. */
	FORM("\xe2\x82\xc3\xa9", TEXT_PLAIN, "\\xE2\\x82\xc3\xa9");
	FORM("\xe2" "A", TEXT_PLAIN, "\\xE2" "A");
}

/* An encoder of our own for the sweep: any number below 2^21. */
static size_t
encode(uint8_t out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | cp >> 18);
	out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (cp & 0x3f));
	return 4;
}

static void
every_code_point_is_decoded_or_refused(void **state)
{
	uint8_t s[4];
	uint32_t cp, got;
	size_t n, len, cut;

	(void)state;
	for (cp = 0; cp < 0x200000; cp++) {
		n = encode(s, cp);
		got = 7;
		len = text_utf8_len(s, n, &got);
		if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
			assert_int_equal(len, 0);
			continue;
		}
		if (len != n || got != cp)
			fail_msg("code point %x", cp);
		for (cut = 0; cut < n; cut++)
			assert_int_equal(text_utf8_len(s, cut, &got), 0);
	}
}

/* The list of the header, once more and in another form. */
static bool
listed(uint32_t cp)
{
	static const uint32_t ranges[][2] = {{0, 0x1f}, {0x7f, 0x9f},
	    {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e},
	    {0x200b, 0x200d}, {0x200e, 0x200f}, {0x2028, 0x2029},
	    {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x2069},
	    {0x206a, 0x206f}, {0xd800, 0xdfff}, {0xe000, 0xf8ff},
	    {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
	    {0xfff9, 0xfffb}, {0xe0000, 0xe007f}, {0xe0100, 0xe01ef},
	    {0xf0000, 0xffffffff}};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (cp >= ranges[i][0] && cp <= ranges[i][1])
			return true;
	return (cp & 0xfffe) == 0xfffe;
}

static void
every_listed_code_point_is_not_printable(void **state)
{
	uint32_t cp;

	(void)state;
	for (cp = 0; cp < 0x120000; cp++)
		if (text_cp_printable(cp) == listed(cp))
			fail_msg("code point %x", cp);
	assert_false(text_cp_printable(UINT32_MAX));
}

static void
room_is_never_passed_and_nothing_is_split(void **state)
{
	static const uint8_t src[] = "a\x01\xc3\xa9\xf0\x9f\x98\x80\xff";
	size_t n = sizeof(src) - 1;
	char whole[64], *dst;
	size_t cap, len, used, more, used2, all;

	(void)state;
	all = text_printable(whole, sizeof(whole), src, n, 0, &used);
	assert_int_equal(used, n);
	for (cap = 0; cap <= all; cap++) {
		dst = malloc(all + 1);
		assert_non_null(dst);
		memset(dst, 'Z', all + 1);
		len = text_printable(dst, cap, src, n, 0, &used);
		assert_true(len <= cap);
		assert_int_equal(dst[len], 'Z');
		assert_int_equal(used == n, cap == all);
		/* What is left over goes on where this ended. */
		more = text_printable(dst + len, all - len, src + used,
		    n - used, 0, &used2);
		assert_int_equal(len + more, all);
		assert_memory_equal(dst, whole, all);
		free(dst);
	}
}

static void
form_is_injective_on_pairs_of_bytes(void **state)
{
	static char forms[65536][9];
	uint8_t s[2];
	size_t i, len, used;
	uint64_t got;
	char *p;

	(void)state;
	for (i = 0; i < 65536; i++) {
		s[0] = (uint8_t)(i >> 8);
		s[1] = (uint8_t)i;
		len = text_printable(forms[i], 8, s, 2, TEXT_PLAIN, &used);
		assert_int_equal(used, 2);
		forms[i][len] = '\0';
		/* Undo it: the bytes come back. */
		used = 0;
		for (p = forms[i]; *p != '\0'; used++) {
			if (*p != '\\') {
				assert_int_equal((uint8_t)*p++, s[used]);
				continue;
			}
			assert_int_equal(p[1], 'x');
			assert_true(text_u64(p + 2, 2, 16, 255, &got));
			assert_int_equal(got, s[used]);
			p += 4;
		}
		assert_int_equal(used, 2);
	}
}

static void
whole_texts_are_utf8_or_not(void **state)
{
	(void)state;
	assert_true(text_is_utf8((const uint8_t *)"", 0));
	assert_true(text_is_utf8((const uint8_t *)"a\xc3\xa9\x01", 4));
	assert_false(text_is_utf8((const uint8_t *)"a\xc3\xa9\xc3", 4));
	assert_false(text_is_utf8((const uint8_t *)"\xed\xa0\x80", 3));
}

static void
put_goes_on_past_its_own_window(void **state)
{
	uint8_t src[5000];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i + 2 <= sizeof(src); i += 2)
		memcpy(src + i, "\xc3\xa9", 2);
	src[4999] = 0x1b;
	buf_init(&b, 100000);
	text_put(&b, src, sizeof(src), TEXT_PLAIN);
	assert_int_equal(b.len, 4998 + 8);
	assert_memory_equal(b.p, src, 4998);
	assert_string_equal(buf_str(&b) + 4998, "\\xC3\\x1B");
	buf_release(&b);
	buf_init(&b, 100);
	text_put(&b, src, sizeof(src), TEXT_PLAIN);
	assert_int_not_equal(buf_failed(&b), 0);
	buf_release(&b);
}

static void
z_cuts_with_dots(void **state)
{
	char dst[8];

	(void)state;
	assert_string_equal(text_z(dst, 8, "1234567", 7), "1234567");
	assert_string_equal(text_z(dst, 8, "12345678", 8), "1234...");
	assert_string_equal(text_z(dst, 8, "123\x01", 4), "123\\x01");
	assert_string_equal(text_z(dst, 8, "1234\x01", 5), "1234...");
	assert_string_equal(text_z(dst, 8, "123\xc3\xa9zzz", 8), "123...");
	assert_string_equal(text_z(dst, 8, "", 0), "");
}

static void
numbers_are_parsed_whole_or_not(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_true(text_u64("0", 1, 10, 0, &v));
	assert_int_equal(v, 0);
	assert_true(text_u64("18446744073709551615", 20, 10, UINT64_MAX,
	    &v));
	assert_true(v == UINT64_MAX);
	v = 42;
	assert_false(text_u64("18446744073709551616", 20, 10, UINT64_MAX,
	    &v));
	assert_false(text_u64("", 0, 10, UINT64_MAX, &v));
	assert_false(text_u64("+1", 2, 10, UINT64_MAX, &v));
	assert_false(text_u64("-1", 2, 10, UINT64_MAX, &v));
	assert_false(text_u64(" 1", 2, 10, UINT64_MAX, &v));
	assert_false(text_u64("1 ", 2, 10, UINT64_MAX, &v));
	assert_false(text_u64("0x1", 3, 16, UINT64_MAX, &v));
	assert_false(text_u64("1a", 2, 10, UINT64_MAX, &v));
	assert_false(text_u64("8", 1, 8, UINT64_MAX, &v));
	assert_false(text_u64("2", 1, 2, UINT64_MAX, &v));
	assert_false(text_u64("101", 3, 10, 100, &v));
	assert_false(text_u64("5", 1, 10, 4, &v));
	assert_int_equal(v, 42);
	assert_true(text_u64("100", 3, 10, 100, &v));
	assert_int_equal(v, 100);
	assert_true(text_u64("fFfF", 4, 16, UINT64_MAX, &v));
	assert_int_equal(v, 0xffff);
	assert_true(text_u64("ffffffffffffffff", 16, 16, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(text_u64("0000777", 7, 8, 511, &v));
	assert_int_equal(v, 511);
}

static void
unhex_takes_lower_case_pairs(void **state)
{
	uint8_t dst[2] = {1, 2};

	(void)state;
	assert_false(text_unhex(dst, "0fA0", 4));
	assert_false(text_unhex(dst, "0f0", 3));
	assert_false(text_unhex(dst, "0f0g", 4));
	assert_int_equal(dst[0], 1);
	assert_int_equal(dst[1], 2);
	assert_true(text_unhex(dst, "0fa9", 4));
	assert_int_equal(dst[0], 0x0f);
	assert_int_equal(dst[1], 0xa9);
	assert_true(text_unhex(dst, "", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(printable_text_stays),
	    cmocka_unit_test(controls_and_backslash_are_escaped),
	    cmocka_unit_test(ill_formed_sequences_are_escaped),
	    cmocka_unit_test(every_code_point_is_decoded_or_refused),
	    cmocka_unit_test(every_listed_code_point_is_not_printable),
	    cmocka_unit_test(room_is_never_passed_and_nothing_is_split),
	    cmocka_unit_test(form_is_injective_on_pairs_of_bytes),
	    cmocka_unit_test(whole_texts_are_utf8_or_not),
	    cmocka_unit_test(put_goes_on_past_its_own_window),
	    cmocka_unit_test(z_cuts_with_dots),
	    cmocka_unit_test(numbers_are_parsed_whole_or_not),
	    cmocka_unit_test(unhex_takes_lower_case_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
