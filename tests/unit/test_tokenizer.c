#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "formats/tokenizer.h"
#include "tests/lib/tokens.h"

/*
 * Vocabularies in JSON and in lines of text, the files beside them, and how
 * tokens of two are paired.
 */
#define TEST(f) cmocka_unit_test_setup_teardown(f, tokens_setup, \
	tokens_teardown)

static int
merge_text(const char *name, const char *text)
{
	struct bytesrc *src = bytesrc_mem(text, strlen(text), &tokens_err);
	const struct vocab_file file = {name, strlen(name), src};
	const int r = vocab_merge(tokens_vocab, &file, tokens_arena,
	    &tokens_vocab, &tokens_err);

	bytesrc_free(src);
	return r;
}

static void
a_tokenizer_json_gives_tokens_kinds_merges_and_settings(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.json", tokens_bpe), 0);
	assert_string_equal(tokens_vocab->source, "tokenizer.json");
	assert_int_equal(tokens_vocab->n, 7);
	assert_int_equal(tokens_vocab->named, 7);
	assert_int_equal(tokens_vocab->model, VOCAB_BPE);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_FREQUENCY);
	assert_false(tokens_vocab->cut);
	assert_int_equal(tokens_vocab->npairs, 2);
	assert_memory_equal(tokens_vocab->pairs[0].p, "\xc4\xa0h", 3);
	assert_int_equal(tokens_vocab->pairs[0].left, 2);
	assert_int_equal(tokens_vocab->pairs[1].right, 2);
	assert_string_equal(tokens_setting("normalizer.type"), "NFC");
	assert_string_equal(tokens_setting("model.type"), "BPE");
	assert_null(tokens_setting("model.vocab"));
	assert_int_equal(tokens_vocab->v[5].kind, TOKEN_CONTROL);
	assert_int_equal(tokens_vocab->v[5].flags, TOKEN_SPECIAL | TOKEN_LATER);
	assert_int_equal(tokens_vocab->v[6].kind, TOKEN_ADDED);
	assert_int_equal(tokens_vocab->v[6].flags,
	    TOKEN_LSTRIP | TOKEN_NORMALIZED | TOKEN_LATER);
	assert_int_equal(tokens_vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(tokens_role("unk_token")->id, 0);
}

static void
a_byte_alphabet_is_shown_as_people_write(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.json", tokens_bpe), 0);
	assert_string_equal(tokens_text(3), "\xc4\xa0h");
	assert_string_equal(tokens_shown(3), "h");
	assert_string_equal(tokens_shown(4), "\xc3\xa9");
	/* a space alone is not dropped, and is a byte */
	assert_string_equal(tokens_shown(2), " ");
	assert_int_equal(tokens_vocab->v[2].kind, TOKEN_BYTE);
	assert_string_equal(tokens_shown(6), "brand");
	assert_string_equal(tokens_shown(99), "");
}

static void
unigram_has_scores_and_its_order_is_theirs(void **state)
{
	uint32_t ids[4];

	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.json",
	    "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": "
	    "[[\"<unk>\", 0.0], [\"\xe2\x96\x81rare\", -9.5],"
	    " [\"\xe2\x96\x81the\", -2.5], [\"<0x0A>\", -1],"
	    " [\"s\", -3e0]]}}"), 0);
	assert_int_equal(tokens_vocab->model, VOCAB_UNIGRAM);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(tokens_vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(tokens_vocab->v[3].kind, TOKEN_BYTE);
	assert_int_equal(vocab_frequent(tokens_vocab, 4, ids), 3);
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], 4);
	assert_int_equal(ids[2], 1);
	assert_int_equal(vocab_frequent(tokens_vocab, 2, ids), 2);
	assert_int_equal(ids[1], 4);
	assert_string_equal(tokens_shown(2), "the");
	assert_string_equal(tokens_shown(3), "<0x0A>");
}

static void
equal_scores_order_nothing(void **state)
{
	uint32_t ids[2];

	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.json", "{\"model\": "
	    "{\"type\": \"Unigram\", \"vocab\": [[\"a\", 0], [\"b\", 0]]}}"),
	    0);
	assert_int_equal(tokens_vocab->order, VOCAB_UNORDERED);
	assert_int_equal(vocab_frequent(tokens_vocab, 2, ids), 0);
}

static void
a_word_list_counts_lines_and_knows_control_tokens(void **state)
{
	uint32_t ids[8];

	(void)state;
	assert_int_equal(tokens_read_text("bert/vocab.txt",
	    "[PAD]\n[unused1]\n[UNK]\n[CLS]\nthe\r\n\n##ing\nof"), 0);
	assert_int_equal(tokens_vocab->n, 8);
	assert_int_equal(tokens_vocab->model, VOCAB_WORDPIECE);
	assert_int_equal(tokens_vocab->v[0].kind, TOKEN_CONTROL);
	assert_int_equal(tokens_vocab->v[1].kind, TOKEN_UNUSED);
	assert_int_equal(tokens_vocab->v[2].kind, TOKEN_UNKNOWN);
	assert_string_equal(tokens_text(4), "the");
	assert_string_equal(tokens_text(5), "");
	assert_string_equal(tokens_shown(6), "##ing");
	assert_string_equal(tokens_text(7), "of");
	assert_int_equal(vocab_frequent(tokens_vocab, 8, ids), 4);
	assert_int_equal(ids[0], 4);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_FREQUENCY);
}

static void
an_alphabetical_list_says_nothing_of_frequency(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&tokens_made, "word%03u\n", i);
	assert_int_equal(tokens_read("vocab.txt", tokens_made.p,
	    tokens_made.len), 0);
	assert_int_equal(tokens_vocab->order, VOCAB_UNORDERED);
	buf_clear(&tokens_made);
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&tokens_made, "word%03u\n", i * 77 % 200);
	assert_int_equal(tokens_read("vocab.txt", tokens_made.p,
	    tokens_made.len), 0);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_FREQUENCY);
}

static void
only_a_name_makes_any_text_a_vocabulary(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("README.txt", "hello\nworld\n"), 1);
	assert_int_equal(tokens_read_text("config.json", "{\"hidden\": 8}"), 1);
	assert_int_equal(tokens_read_text("config.json",
	    "{\"model\": \"x\", \"a\": [1]}"), 1);
	assert_int_equal(tokens_read_text(NULL, "hello\nworld\n"), 0);
	assert_int_equal(tokens_vocab->n, 2);
	assert_int_equal(tokens_read_text(NULL, "{\"a\": 0, \"b\": 1}"), 0);
	assert_string_equal(tokens_vocab->source, "vocab.json");
	assert_int_equal(tokens_read_text(NULL, ""), 1);
	assert_int_equal(tokens_read(NULL, "a\0b\n", 4), 1);
}

static void
companions_add_merges_tokens_and_roles(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"a\": 0, \"b\": 1, \"ab\": 2}"), 0);
	assert_int_equal(merge_text("x/merges.txt",
	    "#version: 0.2\na b\n# #\n"), 0);
	assert_int_equal(tokens_vocab->npairs, 2);
	assert_int_equal(tokens_vocab->model, VOCAB_BPE);
	assert_int_equal(merge_text("added_tokens.json",
	    "{\"<|im_end|>\": 3, \"cf\": 4}"), 0);
	assert_int_equal(tokens_vocab->n, 5);
	assert_int_equal(tokens_vocab->v[3].kind, TOKEN_CONTROL);
	assert_int_equal(tokens_vocab->v[4].kind, TOKEN_ADDED);
	assert_int_equal(merge_text("special_tokens_map.json",
	    "{\"eos_token\": {\"content\": \"<|im_end|>\"},"
	    " \"unk_token\": \"b\", \"pad_token\": null}"), 0);
	assert_int_equal(tokens_role("eos_token")->id, 3);
	assert_int_equal(tokens_vocab->v[1].kind, TOKEN_UNKNOWN);
	assert_int_equal(tokens_vocab->nroles, 2);
	assert_int_equal(merge_text("tokenizer_config.json",
	    "{\"added_tokens_decoder\": {\"3\": {\"content\": \"<|im_end|>\","
	    " \"special\": true, \"rstrip\": true}}, \"bos_token\": \"zz\"}"),
	    0);
	assert_int_equal(tokens_vocab->v[3].flags,
	    TOKEN_LATER | TOKEN_SPECIAL | TOKEN_RSTRIP);
	assert_int_equal(tokens_role("bos_token")->id, VOCAB_NONE);
	assert_int_equal(tokens_vocab->npairs, 2);
	assert_int_equal(merge_text("other.json", "{}"), 1);
}

/* transformers takes tokens from tokenizer.json, ids of the rest not. */
static void
tokenizer_json_is_not_overruled(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.json", tokens_bpe), 0);
	assert_int_equal(merge_text("tokenizer_config.json",
	    "{\"added_tokens_decoder\": {\"1\": {\"content\": \"evil\"},"
	    " \"6\": {\"content\": \"brand\", \"rstrip\": true},"
	    " \"7\": {\"content\": \"new\"}}}"), 0);
	assert_string_equal(tokens_text(1), "h");
	assert_int_equal(tokens_vocab->clashes, 1);
	assert_int_equal(tokens_vocab->v[6].flags & TOKEN_RSTRIP, 0);
	assert_string_equal(tokens_text(7), "new");
}

/* --- hostile --- */

static void
an_absurd_id_costs_nothing_and_is_counted(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"a\": 0, \"b\": 4294967290, \"c\": 18446744073709551615,"
	    " \"d\": 99999999}"), 0);
	assert_int_equal(tokens_vocab->n, 1);
	assert_int_equal(tokens_vocab->stray, 3);
	assert_true(arena_used(tokens_arena) < MIB);
}

static void
two_texts_of_one_id_and_two_ids_of_one_text_are_counted(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"a\": 0, \"b\": 0, \"c\": 1, \"c\": 2}"), 0);
	assert_int_equal(tokens_vocab->clashes, 1);
	assert_int_equal(tokens_vocab->repeated, 1);
	assert_string_equal(tokens_text(0), "b");
	assert_int_equal(vocab_find(tokens_vocab, "c", 1), 2);
	assert_int_equal(vocab_find(tokens_vocab, "a", 1), VOCAB_NONE);
	assert_int_equal(vocab_find(tokens_vocab, "", 0), VOCAB_NONE);
}

static void
holes_have_no_text(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("vocab.json", "{\"a\": 0, \"b\": 3}"),
	    0);
	assert_int_equal(tokens_vocab->n, 4);
	assert_int_equal(tokens_vocab->named, 2);
	assert_null(tokens_vocab->v[1].p);
	assert_string_equal(tokens_shown(1), "");
}

static void
a_text_with_a_nul_is_not_its_head(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"a\": 0, \"a\\u0000\": 1, \"a\\u0000b\": 2}"), 0);
	assert_int_equal(vocab_find(tokens_vocab, "a", 1), 0);
	assert_int_equal(vocab_find(tokens_vocab, "a\0", 2), 1);
	assert_int_equal(vocab_find(tokens_vocab, "a\0b", 3), 2);
	assert_int_equal(tokens_vocab->repeated, 0);
}

static void
alignment_goes_by_text(void **state)
{
	const struct vocab *old;
	uint32_t map[4];

	(void)state;
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"a\": 0, \"b\": 1, \"c\": 2, \"d\": 3}"), 0);
	old = tokens_vocab;
	assert_true(vocab_align(old, old, map));
	assert_int_equal(tokens_read_text("vocab.json",
	    "{\"b\": 0, \"a\": 1, \"d\": 3, \"x\": 5}"), 0);
	assert_false(vocab_align(old, tokens_vocab, map));
	assert_int_equal(map[0], 1);
	assert_int_equal(map[1], 0);
	assert_int_equal(map[2], VOCAB_NONE);
	assert_int_equal(map[3], 3);
}

static void
an_id_that_keeps_its_text_keeps_its_place(void **state)
{
	uint32_t map[3];

	(void)state;
	assert_int_equal(tokens_read_text("vocab.txt", "x\ny\nx\n"), 0);
	assert_true(vocab_align(tokens_vocab, tokens_vocab, map));
	assert_int_equal(map[0], 0);
	assert_int_equal(map[2], 2);
}

static void
the_best_file_of_a_folder_is_read_with_its_companions(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {{"a/tokenizer.json", tokens_bpe}, {"merges.txt", "x y\n"},
	    {"special_tokens_map.json", "{\"eos_token\": \"y\"}"},
	    {"tokenizer.model", "neither this nor that"},
	    {"vocab.json", "{\"x\": 0, \"y\": 1}"}, {"vocab.txt", "no\n"}};
	struct vocab_file v[6];
	size_t which = 99;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		v[i] = (struct vocab_file){files[i].path,
		    strlen(files[i].path), bytesrc_mem(files[i].text,
		    strlen(files[i].text), &tokens_err)};
	assert_int_equal(vocab_find_in(v, 6, tokens_arena, &tokens_vocab,
	    &which, &tokens_err), 0);
	assert_int_equal(which, 4);
	assert_int_equal(tokens_vocab->n, 2);
	assert_int_equal(tokens_vocab->npairs, 1);
	assert_int_equal(tokens_role("eos_token")->id, 1);
	/* only the deeper folder is left */
	assert_int_equal(vocab_find_in(v, 3, tokens_arena, &tokens_vocab,
	    &which, &tokens_err), 0);
	assert_int_equal(which, 0);
	assert_int_equal(tokens_vocab->npairs, 2);
	assert_int_equal(tokens_vocab->nroles, 1);
	assert_int_equal(vocab_find_in(v + 1, 2, tokens_arena, &tokens_vocab,
	    &which, &tokens_err), 1);
	for (unsigned i = 0; i < 6; i++)
		bytesrc_free((struct bytesrc *)(uintptr_t)v[i].src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tokenizer_json_gives_tokens_kinds_merges_and_settings),
		TEST(a_byte_alphabet_is_shown_as_people_write),
		TEST(unigram_has_scores_and_its_order_is_theirs),
		TEST(equal_scores_order_nothing),
		TEST(a_word_list_counts_lines_and_knows_control_tokens),
		TEST(an_alphabetical_list_says_nothing_of_frequency),
		TEST(only_a_name_makes_any_text_a_vocabulary),
		TEST(companions_add_merges_tokens_and_roles),
		TEST(tokenizer_json_is_not_overruled),
		TEST(an_absurd_id_costs_nothing_and_is_counted),
		TEST(two_texts_of_one_id_and_two_ids_of_one_text_are_counted),
		TEST(holes_have_no_text),
		TEST(a_text_with_a_nul_is_not_its_head),
		TEST(alignment_goes_by_text),
		TEST(an_id_that_keeps_its_text_keeps_its_place),
		TEST(the_best_file_of_a_folder_is_read_with_its_companions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
