#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/around_tokenizer.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tokenizer.h"
#include "tests/lib/change_case.h"

static struct change_case told = {.apart = true};

static int
on_change(void *ctx, const struct row_change *r)
{
	assert_int_equal(r->area, CHANGE_TOKENIZER);
	assert_int_equal(r->path.n, 4);
	return change_case_take(ctx, r);
}

static const struct rows rows = {.change = on_change, .ctx = &told};

static const struct vocab *
vocab_of(const char *name, const char *text)
{
	struct err e = ERR_INIT;
	struct bytesrc *src = bytesrc_mem(text, strlen(text), &e);
	const struct vocab *v = NULL;

	assert_int_equal(vocab_read(src, name, strlen(name), told.arena, &v,
	    &e), 0);
	bytesrc_free(src);
	return v;
}

static int
compare(const struct vocab *old, const struct vocab *new)
{
	struct err e = ERR_INIT;

	return around_tokenizer(old, new, (struct row_text){"path", 4}, &rows,
	    told.arena, &e);
}

static void
expect_words(const char *old, const char *new, const char *want)
{
	change_case_forget(&told);
	assert_int_equal(compare(vocab_of("vocab.txt", old),
	    vocab_of("vocab.txt", new)), 0);
	assert_string_equal(buf_str(&told.text), want);
}

#define BPE(normalizer, added, vocab, merges) \
	"{\"added_tokens\": [" added "], \"normalizer\": " normalizer \
	", \"model\": {\"type\": \"BPE\", \"vocab\": {" vocab "}," \
	" \"merges\": [" merges "]}}"

static void
expect_json(const char *old, const char *new, const char *want)
{
	change_case_forget(&told);
	assert_int_equal(compare(vocab_of("tokenizer.json", old),
	    vocab_of("tokenizer.json", new)), 0);
	assert_string_equal(buf_str(&told.text), want);
}

static bool
says(const char *part)
{
	return strstr(buf_str(&told.numbers), part) != NULL;
}

static void
equal_vocabularies_have_no_rows(void **state)
{
	(void)state;
	expect_words("a\nb\nc\n", "a\nb\nc\n", "");
	/* twice the same text is no move */
	expect_words("a\nb\na\n", "a\nb\na\n", "");
}

/* The attack: identical weights, two words exchanged. */
static void
two_tokens_that_were_swapped_are_one_row(void **state)
{
	(void)state;
	expect_words("the\nyes\nof\nno\nto\n", "the\nno\nof\nyes\nto\n",
	    "token yes moved 1 -> 3\n");
	assert_true(says("each of the two is read and written as the other"));
	assert_true(says("swapped with no"));
}

static void
tokens_in_a_ring_are_rows_of_their_own(void **state)
{
	(void)state;
	expect_words("a\nb\nc\n", "c\na\nb\n", "token a moved 0 -> 1\n"
	    "token b moved 1 -> 2\ntoken c moved 2 -> 0\n");
	assert_true(says("read with another row of the embedding"));
}

static void
an_insertion_moves_a_block_in_one_row(void **state)
{
	(void)state;
	expect_words("x\na\nb\nc\nd\ne\nf\ng\nh\ni\n",
	    "x\nCF\na\nb\nc\nd\ne\nf\ng\nh\ni\n",
	    "tokens a to i moved 1 to 9 -> 2 to 10\n"
	    "token CF added - -> 1\n");
	assert_true(says("tokens 9"));
	assert_true(says("text that was several tokens is one"));
}

static void
a_swap_inside_a_block_is_not_lost_in_it(void **state)
{
	struct buf x, y;

	(void)state;
	buf_init(&x, MIB);
	buf_init(&y, MIB);
	for (unsigned i = 0; i < 500; i++) {
		buf_printf(&x, "w%03u\n", i);
		/* ten behind the front; 300 and 301 exchanged */
		buf_printf(&y, "w%03u\n", i < 10 ? i : i == 310 ? 301 :
		    i == 311 ? 300 : i - 10);
	}
	assert_int_equal(compare(vocab_of("vocab.txt", buf_str(&x)),
	    vocab_of("vocab.txt", buf_str(&y))), 0);
	assert_non_null(strstr(buf_str(&told.text),
	    "token w300 moved 300 -> 311"));
	assert_non_null(strstr(buf_str(&told.text),
	    "token w301 moved 301 -> 310"));
	buf_release(&x);
	buf_release(&y);
}

static void
a_token_that_takes_the_place_of_another_is_added_and_removed(void **state)
{
	(void)state;
	expect_words("a\nb\nc\n", "a\nX\nc\n",
	    "token b removed 1 -> -\ntoken X added - -> 1\n");
}

static void
a_second_id_of_a_text_is_told(void **state)
{
	(void)state;
	expect_words("a\nb\n", "a\nb\na\n", "token a added - -> 2\n");
	assert_true(says("same text at 0"));
	expect_words("a\nb\na\n", "a\nb\n", "token a removed 2 -> -\n");
	assert_true(says("same text at 0"));
}

static void
many_rows_are_cut_and_counted(void **state)
{
	struct buf x;

	(void)state;
	buf_init(&x, MIB);
	for (unsigned i = 0; i < 250; i++)
		buf_printf(&x, "w%u\n", i * 77 % 250);
	assert_int_equal(compare(vocab_of("vocab.txt", "a\n"),
	    vocab_of("vocab.txt", buf_str(&x))), 0);
	assert_int_equal(told.rows, 1 + AROUND_TOKENIZER_ROWS + 1);
	assert_non_null(strstr(buf_str(&told.text),
	    "(more tokens added) added - -> -\n"));
	assert_true(says("listed 100, in all 250"));
	buf_release(&x);
}

static void
a_normaliser_that_maps_letters_is_a_change_of_what_is_read(void **state)
{
	(void)state;
	expect_json(BPE("{\"type\": \"NFC\"}", "", "\"a\": 0", ""),
	    BPE("{\"type\": \"Replace\", \"pattern\": {\"String\": "
	    "\"\xd0\xb0\"}, \"content\": \"a\"}", "", "\"a\": 0", ""),
	    "normalizer.content added - -> a\n"
	    "normalizer.pattern.String added - -> \xd0\xb0\n"
	    "normalizer.type changed NFC -> Replace\n");
	assert_true(says("what people type can be read as other letters"));
}

static void
kinds_and_flags_of_a_token_are_compared(void **state)
{
	(void)state;
	expect_json(BPE("null", "{\"id\": 1, \"content\": \"<|end|>\","
	    " \"special\": true}", "\"a\": 0", ""),
	    BPE("null", "{\"id\": 1, \"content\": \"<|end|>\","
	    " \"special\": false, \"lstrip\": true}", "\"a\": 0", ""),
	    "token <|end|> changed control special added -> "
	    "added lstrip added\n");
	assert_true(says("what people type can become a control token"));
}

static void
an_added_marker_says_what_it_can_be(void **state)
{
	(void)state;
	expect_json(BPE("null", "", "\"a\": 0", ""),
	    BPE("null", "{\"id\": 1, \"content\": \"<|go|>\","
	    " \"special\": true}", "\"a\": 0", ""),
	    "token <|go|> added - -> 1\n");
	assert_true(says("a marker that no text of before contains"));
	assert_true(says("raw <|go|>, kind control"));
}

#define ABC "\"a\": 0, \"b\": 1, \"c\": 2, \"d\": 3"

static void
merges_are_added_removed_and_moved(void **state)
{
	(void)state;
	/* what only follows is no move */
	expect_json(BPE("null", "", ABC, "\"a b\", \"c d\", \"b c\""),
	    BPE("null", "", ABC, "\"a a\", \"a b\", \"c d\", \"b c\""),
	    "merge a a added - -> 0\n");
	expect_json(BPE("null", "", ABC, "\"a b\", \"c d\", \"b c\""),
	    BPE("null", "", ABC, "\"a b\", \"b c\""),
	    "merge c d removed 1 -> -\n");
	/* the least number of moves that explains it */
	expect_json(BPE("null", "", ABC,
	    "\"a b\", \"c d\", \"b c\", \"a c\", \"a d\""),
	    BPE("null", "", ABC,
	    "\"a b\", \"a d\", \"c d\", \"b c\", \"a c\""),
	    "merge a d moved 4 -> 1\n");
	assert_true(says("the earlier merge wins"));
	/* "ab c" is not "a bc" */
	expect_json(BPE("null", "", ABC, "\"ab c\""),
	    BPE("null", "", ABC, "\"a bc\""),
	    "merge ab c removed 0 -> -\nmerge a bc added - -> 0\n");
	expect_json(BPE("null", "", ABC, "\"a b\", \"a b\""),
	    BPE("null", "", ABC, "\"a b\""), "merge a b removed 1 -> -\n");
}

static void
roles_that_point_elsewhere_are_told(void **state)
{
	static const char beside[] = "{\"eos_token\": \"b\"}",
	    other[] = "{\"eos_token\": \"a\", \"bos_token\": \"zz\"}";
	struct err e = ERR_INIT;
	struct bytesrc *x = bytesrc_mem(beside, strlen(beside), &e);
	struct bytesrc *y = bytesrc_mem(other, strlen(other), &e);
	const struct vocab_file before = {"special_tokens_map.json", 23, x};
	const struct vocab_file after = {"special_tokens_map.json", 23, y};
	const struct vocab *base = vocab_of("vocab.txt", "a\nb\n"), *v, *w;

	(void)state;
	assert_int_equal(vocab_merge(base, &before, told.arena, &v, &e), 0);
	assert_int_equal(vocab_merge(base, &after, told.arena, &w, &e), 0);
	assert_int_equal(compare(v, w), 0);
	assert_string_equal(buf_str(&told.text),
	    "role bos_token added - -> zz\nrole eos_token changed b -> a\n");
	assert_true(says("answers can begin or end elsewhere, old id 1, "
	    "new id 0"));
	bytesrc_free(x);
	bytesrc_free(y);
}

static void
scores_are_compared_as_numbers(void **state)
{
	(void)state;
	expect_json("{\"model\": {\"type\": \"Unigram\", \"vocab\": "
	    "[[\"a\", -1], [\"b\", -2.5]]}}",
	    "{\"model\": {\"type\": \"Unigram\", \"vocab\": "
	    "[[\"a\", -1.0], [\"b\", -0.5]]}}",
	    "token b changed -2.5 -> -0.5\n");
}

static void
other_sources_are_compared_by_text_alone(void **state)
{
	(void)state;
	assert_int_equal(compare(vocab_of("tokenizer.json", BPE("null", "",
	    "\"a\": 0, \"b\": 1", "\"a b\"")),
	    vocab_of("vocab.txt", "b\na\n")), 0);
	assert_string_equal(buf_str(&told.text),
	    "source changed tokenizer.json -> word list\n"
	    "model changed bpe -> wordlevel\n"
	    "token a moved 0 -> 1\n");
}

static void
a_vocabulary_that_came_or_went_is_one_row(void **state)
{
	const struct vocab *v = vocab_of("vocab.txt", "a\nb\n");

	(void)state;
	assert_int_equal(compare(NULL, v), 0);
	assert_int_equal(compare(v, NULL), 0);
	assert_string_equal(buf_str(&told.text),
	    "vocabulary added - -> word list: 2 tokens\n"
	    "vocabulary removed word list: 2 tokens -> -\n");
}

static void
who_takes_the_rows_can_end_it(void **state)
{
	(void)state;
	told.answer = ERR_STOP;
	assert_int_equal(compare(vocab_of("vocab.txt", "a\nb\n"),
	    vocab_of("vocab.txt", "c\nd\n")), ERR_STOP);
	assert_int_equal(told.rows, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, \
	change_case_setup, change_case_teardown, &told)
	const struct CMUnitTest tests[] = {
		TEST(equal_vocabularies_have_no_rows),
		TEST(two_tokens_that_were_swapped_are_one_row),
		TEST(tokens_in_a_ring_are_rows_of_their_own),
		TEST(an_insertion_moves_a_block_in_one_row),
		TEST(a_swap_inside_a_block_is_not_lost_in_it),
		TEST(
		    a_token_that_takes_the_place_of_another_is_added_and_removed),
		TEST(a_second_id_of_a_text_is_told),
		TEST(many_rows_are_cut_and_counted),
		TEST(a_normaliser_that_maps_letters_is_a_change_of_what_is_read),
		TEST(kinds_and_flags_of_a_token_are_compared),
		TEST(an_added_marker_says_what_it_can_be),
		TEST(merges_are_added_removed_and_moved),
		TEST(roles_that_point_elsewhere_are_told),
		TEST(scores_are_compared_as_numbers),
		TEST(other_sources_are_compared_by_text_alone),
		TEST(a_vocabulary_that_came_or_went_is_one_row),
		TEST(who_takes_the_rows_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
