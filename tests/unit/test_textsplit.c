#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/triggers/textcp.h"
#include "analyzer/triggers/textsplit.h"
#include "base/limits.h"

static struct textsplit s;

static void
split(const char *text)
{
	textsplit_run(&s, (const uint8_t *)text, strlen(text));
}

static bool
has(enum textsplit_special kind, uint32_t cp)
{
	for (size_t i = 0; i < s.specials; i++)
		if (s.special[i] == TEXTSPLIT_SPECIAL(kind, cp))
			return true;
	return false;
}

static void
word_is(size_t i, const char *w)
{
	assert_true(i < s.words);
	assert_int_equal(s.word[i].len, strlen(w));
	assert_memory_equal(s.low + s.word[i].off, w, strlen(w));
}

static void
words_are_lower_case_and_keep_their_marks(void **state)
{
	(void)state;
	split(" A Fine,\tFILM\xc2\xa0\xc3\x84rger \xd0\x9c\xd0\x98\xd0\xa0 ");
	assert_int_equal(s.words, 5);
	word_is(0, "a");
	word_is(1, "fine,");
	word_is(2, "film");
	word_is(3, "\xc3\xa4rger");
	word_is(4, "\xd0\xbc\xd0\xb8\xd1\x80");
	assert_true(has(TEXTSPLIT_CAPITALS, 0));
	assert_true(has(TEXTSPLIT_SIGN, 0xa0));
	assert_true(has(TEXTSPLIT_FOREIGN, 0));
	assert_false(has(TEXTSPLIT_DOUBLE_BLANK, 0));
}

static void
han_stands_word_by_word(void **state)
{
	(void)state;
	split("\xe4\xbd\xa0\xe5\xa5\xbd ok");
	assert_int_equal(s.words, 3);
	word_is(0, "\xe4\xbd\xa0");
	word_is(2, "ok");
}

static void
doubled_blanks_count_between_words_only(void **state)
{
	(void)state;
	split("  a b  ");
	assert_int_equal(s.specials, 0);
	split("a  b");
	assert_true(has(TEXTSPLIT_DOUBLE_BLANK, 0));
	split("a \t b");
	assert_int_equal(s.specials, 0);
}

static void
joiners_count_where_they_do_not_belong(void **state)
{
	(void)state;
	split("love \xe2\x9d\xa4\xef\xb8\x8f and 1\xef\xb8\x8f\xe2\x83\xa3");
	assert_false(has(TEXTSPLIT_MISPLACED, 0xfe0f));
	split("wo\xef\xb8\x8frd");
	assert_true(has(TEXTSPLIT_MISPLACED, 0xfe0f));
	split("wo\xe2\x80\x8drd");
	assert_true(has(TEXTSPLIT_MISPLACED, 0x200d));
	split("\xd9\x85\xe2\x80\x8c\xd9\x85");
	assert_int_equal(s.specials, 1);
	assert_true(has(TEXTSPLIT_FOREIGN, 0));
	split("a\xe2\x80\x8b");
	assert_true(has(TEXTSPLIT_INVISIBLE, 0x200b));
	/* the flag of Wales is six tags behind a black flag */
	split("\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2 w\xf3\xa0\x81"
	    "\x81");
	assert_true(has(TEXTSPLIT_INVISIBLE, 0xe0041));
	assert_false(has(TEXTSPLIT_INVISIBLE, 0xe0067));
}

static void
mixed_words_are_told_from_units(void **state)
{
	(void)state;
	split("m\xd0\xbevie");
	assert_true(has(TEXTSPLIT_MIXED, 0));
	split("\xce\xb1-helix 5\xce\xbcm k\xce\xa9 \xce\xb8x");
	assert_false(has(TEXTSPLIT_MIXED, 0));
	split("p\xef\xbd\x81y");
	assert_true(has(TEXTSPLIT_MIXED, 0));
}

static void
ill_formed_bytes_are_words_too(void **state)
{
	(void)state;
	split("caf\xe9 \xff\xfe");
	assert_int_equal(s.words, 2);
	assert_true(has(TEXTSPLIT_ILL_FORMED, 0));
	split("a\x01" "b");
	assert_true(has(TEXTSPLIT_CONTROL, 1));
}

static void
long_texts_keep_both_ends(void **state)
{
	size_t n = LIMIT_TRIGGER_TEXT * 2 + 1;
	uint8_t *p = malloc(n);

	(void)state;
	assert_non_null(p);
	for (size_t shift = 0; shift < 3; shift++) {
		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)"\xe2\x82\xac"[(i + shift) % 3];
		memcpy(p, "first ", 6);
		memcpy(p + n - 5, " last", 5);
		textsplit_run(&s, p, n);
		assert_true(s.cut);
		word_is(0, "first");
		word_is(s.words - 1, "last");
		assert_true(s.nlow <= LIMIT_TRIGGER_TEXT);
	}
	memset(p, 'x', n);
	textsplit_run(&s, p, n);
	assert_int_equal(s.words, 2);
	for (size_t i = 0; i < n; i++)
		p[i] = i % 2 == 0 ? 'x' : ' ';
	textsplit_run(&s, p, n);
	assert_true(s.words <= LIMIT_TRIGGER_TEXT / 2 + 2);
	free(p);
}

static void
lower_case_is_never_longer(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp < 0x20000; cp++) {
		uint32_t low = textcp_lower(cp);

		assert_true((low < 0x80) >= (cp < 0x80));
		assert_true((low < 0x800) >= (cp < 0x800));
		assert_true((low < 0x10000) >= (cp < 0x10000));
		assert_int_equal(textcp_lower(low), low);
	}
}

static int
setup(void **state)
{
	(void)state;
	return textsplit_init(&s);
}

static int
teardown(void **state)
{
	(void)state;
	textsplit_release(&s);
	return 0;
}

static void
marks_of_editors_are_typographic_and_signs_are_not(void **st)
{
	static const uint32_t yes[] = {0xab, 0xbb, 0x2013, 0x2014, 0x2018,
	    0x2019, 0x201c, 0x201d, 0x2026};
	static const uint32_t no[] = {'"', '-', 0xa0, 0xa7, 0xad, 0x200b,
	    0x202e, 0x203b, 0x2603, 0x1f600};

	(void)st;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(textcp_typographic(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(textcp_typographic(no[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    marks_of_editors_are_typographic_and_signs_are_not),
		cmocka_unit_test(words_are_lower_case_and_keep_their_marks),
		cmocka_unit_test(han_stands_word_by_word),
		cmocka_unit_test(doubled_blanks_count_between_words_only),
		cmocka_unit_test(joiners_count_where_they_do_not_belong),
		cmocka_unit_test(mixed_words_are_told_from_units),
		cmocka_unit_test(ill_formed_bytes_are_words_too),
		cmocka_unit_test(long_texts_keep_both_ends),
		cmocka_unit_test(lower_case_is_never_longer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
