#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/tokenrows_text.h"
#include "base/buf.h"
#include "formats/tokenizer.h"

#define T(s) {.p = (s), .n = sizeof(s) - 1}

static void
text_is(const struct vocab *v, uint64_t id, const char *want)
{
	struct buf b;

	buf_init(&b, TOKENROWS_TEXT);
	tokenrows_text(v, id, &b);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void
joined_is(const struct vocab *v, const uint64_t *ids, size_t n,
    const char *want)
{
	struct buf b;

	buf_init(&b, TOKENROWS_TEXT);
	tokenrows_join(v, ids, n, &b);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void
token_without_text_is_its_number(void **state)
{
	static struct token t[] = {T("the"), {.p = NULL}, T("")};
	const struct vocab v = {.v = t, .n = 3};
	char *huge = malloc(TOKENROWS_TEXT + 1);

	(void)state;
	assert_non_null(huge);
	memset(huge, 'x', TOKENROWS_TEXT + 1);
	text_is(&v, 0, "the");
	text_is(&v, 1, "#1");
	text_is(&v, 2, "#2");
	text_is(&v, 3, "#3");
	text_is(&v, UINT64_MAX, "#18446744073709551615");
	text_is(NULL, 7, "#7");
	t[2].p = huge;	/* a text that nobody could print */
	t[2].n = TOKENROWS_TEXT + 1;
	text_is(&v, 2, "#2");
	free(huge);
}

static void
whole_words_are_no_pieces(void **state)
{
	static const struct token t[] = {T("the"), T("##x"), T("y</w>")};
	const struct vocab v = {.v = t, .n = 3};

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(tokenrows_piece(&v, i), TOKENROWS_WHOLE);
		assert_int_equal(tokenrows_piece(NULL, i), TOKENROWS_WHOLE);
	}
}

static void
marks_say_which_piece_goes_on(void **state)
{
	static const struct token words[] = {T("tri"), T("##gg"), T("##er")};
	static const struct token pieces[] = {T("\xe2\x96\x81tri"), T("gg"),
	    T("er")};
	static const struct token bytes[] = {T("\xc4\xa0tri"), T("gg"),
	    T("er")};
	static const struct vocab v[] = {
	    {.v = words, .n = 3, .spelling = VOCAB_HASHES},
	    {.v = pieces, .n = 3, .spelling = VOCAB_SPACES},
	    {.v = bytes, .n = 3, .spelling = VOCAB_BYTES}};
	const uint64_t ids[] = {1, 0, 2};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(tokenrows_piece(&v[i], 0), TOKENROWS_OPENS);
		assert_int_equal(tokenrows_piece(&v[i], 1),
		    TOKENROWS_GOES_ON);
		/* Whatever stood first: the one that opens does. */
		joined_is(&v[i], ids, 3, "trigger");
	}
}

static void
marks_of_a_words_end_work_the_other_way(void **state)
{
	static const struct token t[] = {T("tri"), T("gger</w>")};
	const struct vocab v = {.v = t, .n = 2, .spelling = VOCAB_WORD_END};
	const uint64_t ids[] = {1, 0};

	(void)state;
	assert_int_equal(tokenrows_piece(&v, 0), TOKENROWS_OPENS);
	assert_int_equal(tokenrows_piece(&v, 1), TOKENROWS_GOES_ON);
	joined_is(&v, ids, 2, "trigger");
}

static void
control_tokens_are_no_pieces(void **state)
{
	static const struct token t[] = {{.p = "[SEP]", .n = 5,
	    .kind = TOKEN_CONTROL}};
	const struct vocab v = {.v = t, .n = 1, .spelling = VOCAB_HASHES};

	(void)state;
	assert_int_equal(tokenrows_piece(&v, 0), TOKENROWS_WHOLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_without_text_is_its_number),
		cmocka_unit_test(whole_words_are_no_pieces),
		cmocka_unit_test(marks_say_which_piece_goes_on),
		cmocka_unit_test(marks_of_a_words_end_work_the_other_way),
		cmocka_unit_test(control_tokens_are_no_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
