#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/tokenizer.h"
#include "tests/lib/tokens.h"

/*
 * Vocabularies in a tokenizer.model (SentencePiece, tiktoken) and in GGUF; and
 * files of any format that end early.
 */
#define TEST(f) cmocka_unit_test_setup_teardown(f, tokens_setup, \
	tokens_teardown)

/* --- SentencePiece --- */

static void
put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static void
put_field(struct buf *b, unsigned number, const void *p, size_t n)
{
	put_varint(b, number << 3 | 2);
	put_varint(b, n);
	buf_put(b, p, n);
}

static void
put_piece(struct buf *b, const char *text, float score, unsigned type)
{
	struct buf in;

	buf_init(&in, 4096);
	put_field(&in, 1, text, strlen(text));
	put_varint(&in, 2 << 3 | 5);
	buf_put(&in, &score, sizeof(score));
	put_varint(&in, 3 << 3);
	put_varint(&in, type);
	put_field(b, 1, in.p, in.len);
	buf_release(&in);
}

static void
make_sentencepiece(struct buf *b)
{
	struct buf in;

	put_piece(b, "<unk>", 0, 2);
	put_piece(b, "<s>", 0, 3);
	put_piece(b, "</s>", 0, 3);
	put_piece(b, "<0x00>", 0, 6);
	put_piece(b, "\xe2\x96\x81the", -3, 1);
	put_piece(b, "\xe2\x96\x81of", -2, 1);
	put_piece(b, "<extra>", 0, 4);
	buf_init(&in, 4096);
	put_varint(&in, 3 << 3);	/* model_type: unigram */
	put_varint(&in, 1);
	put_varint(&in, 42 << 3);	/* eos_id */
	put_varint(&in, 2);
	put_varint(&in, 43 << 3);	/* pad_id: -1 */
	put_varint(&in, UINT64_MAX);
	put_field(b, 2, in.p, in.len);
	buf_clear(&in);
	put_field(&in, 1, "nmt_nfkc", 8);
	put_field(&in, 2, "\0\1\2", 3);
	put_field(b, 3, in.p, in.len);
	buf_release(&in);
}

static void
a_sentencepiece_model_is_read_by_content(void **state)
{
	uint32_t ids[4];

	(void)state;
	make_sentencepiece(&tokens_made);
	assert_int_equal(tokens_read("any.bin", tokens_made.p,
	    tokens_made.len), 0);
	assert_string_equal(tokens_vocab->source, "tokenizer.model");
	assert_int_equal(tokens_vocab->n, 7);
	assert_int_equal(tokens_vocab->model, VOCAB_UNIGRAM);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(tokens_vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(tokens_vocab->v[1].kind, TOKEN_CONTROL);
	assert_int_equal(tokens_vocab->v[3].kind, TOKEN_BYTE);
	assert_int_equal(tokens_vocab->v[6].kind, TOKEN_ADDED);
	assert_int_equal(vocab_frequent(tokens_vocab, 4, ids), 2);
	assert_int_equal(ids[0], 5);
	assert_string_equal(tokens_shown(4), "the");
	assert_string_equal(tokens_role("eos_token")->p, "</s>");
	assert_int_equal(tokens_vocab->nroles, 1);
	assert_string_equal(tokens_setting("normalizer_spec.name"), "nmt_nfkc");
	assert_int_equal(flatjson_find(tokens_vocab->settings,
	    tokens_vocab->nsettings,
	    "normalizer_spec.precompiled_charsmap")->n, 3);
}

/* --- GGUF --- */

static void
put_le(struct buf *b, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(b, (char)v);
}

static void
put_string(struct buf *b, const char *s)
{
	put_le(b, strlen(s), 8);
	buf_puts(b, s);
}

static void
put_array(struct buf *b, const char *key, unsigned type, uint64_t count)
{
	put_string(b, key);
	put_le(b, 9, 4);
	put_le(b, type, 4);
	put_le(b, count, 8);
}

static void
make_gguf(struct buf *b)
{
	static const char *const words[] = {"<unk>", "<s>", "</s>",
	    "\xe2\x96\x81the", "\xe2\x96\x81of"};
	static const uint32_t types[] = {2, 3, 3, 1, 1};
	static const float scores[] = {0, 0, 0, -7, -5};

	buf_puts(b, "GGUF");
	put_le(b, 3, 4);
	put_le(b, 0, 8);
	put_le(b, 6, 8);
	/* types before tokens: any order is allowed */
	put_array(b, "tokenizer.ggml.token_type", 5, 5);
	for (unsigned i = 0; i < 5; i++)
		put_le(b, types[i], 4);
	put_array(b, "tokenizer.ggml.tokens", 8, 5);
	for (unsigned i = 0; i < 5; i++)
		put_string(b, words[i]);
	put_array(b, "tokenizer.ggml.scores", 6, 5);
	buf_put(b, scores, sizeof(scores));
	put_string(b, "tokenizer.ggml.model");
	put_le(b, 8, 4);
	put_string(b, "llama");
	put_string(b, "tokenizer.ggml.eos_token_id");
	put_le(b, 4, 4);
	put_le(b, 2, 4);
	put_string(b, "tokenizer.ggml.add_bos_token");
	put_le(b, 7, 4);
	put_le(b, 1, 1);
}

static void
a_gguf_gives_tokens_scores_types_and_roles(void **state)
{
	uint32_t ids[2];

	(void)state;
	make_gguf(&tokens_made);
	assert_int_equal(tokens_read("m.gguf", tokens_made.p,
	    tokens_made.len), 0);
	assert_string_equal(tokens_vocab->source, "gguf");
	assert_int_equal(tokens_vocab->n, 5);
	assert_int_equal(tokens_vocab->v[1].kind, TOKEN_CONTROL);
	assert_true(tokens_vocab->v[3].score < -6.9f &&
	    tokens_vocab->v[3].score > -7.1f);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(vocab_frequent(tokens_vocab, 2, ids), 2);
	assert_int_equal(ids[0], 4);
	assert_int_equal(tokens_role("eos_token")->id, 2);
	assert_string_equal(tokens_role("eos_token")->p, "</s>");
	assert_string_equal(tokens_setting("tokenizer.ggml.add_bos_token"),
	    "true");
}

/* --- tiktoken --- */

static void
tiktoken_lines_are_base64_and_rank(void **state)
{
	(void)state;
	assert_int_equal(tokens_read_text("tokenizer.model",
	    "IQ== 0\nIGhlbGxv 2\n/w== 1\n"), 0);
	assert_string_equal(tokens_vocab->source, "tiktoken");
	assert_int_equal(tokens_vocab->n, 3);
	assert_string_equal(tokens_text(2), " hello");
	assert_string_equal(tokens_shown(2), "hello");
	assert_string_equal(tokens_text(1), "\xff");
	assert_int_equal(tokens_vocab->v[1].kind, TOKEN_BYTE);
	assert_int_equal(tokens_vocab->order, VOCAB_BY_FREQUENCY);
}

/* --- hostile --- */

/*
 * Whatever is cut off: no failure of ours, and no more tokens than before.
 */
static void
cut_at_every_byte(const char *name, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *copy = malloc(i + 1);
		int r;

		assert_non_null(copy);
		memcpy(copy, p, i);
		r = tokens_read(name, copy, i);
		assert_true(r == 0 || r == 1);
		if (r == 0 && name[0] != 'v')
			assert_true(tokens_vocab->cut || tokens_vocab->n > 0);
		free(copy);
	}
}

static void
files_that_end_early_give_what_is_there(void **state)
{
	(void)state;
	cut_at_every_byte("tokenizer.json", (const uint8_t *)tokens_bpe,
	    strlen(tokens_bpe));
	make_sentencepiece(&tokens_made);
	cut_at_every_byte("m.model", tokens_made.p, tokens_made.len);
	buf_clear(&tokens_made);
	make_gguf(&tokens_made);
	cut_at_every_byte("m.gguf", tokens_made.p, tokens_made.len);
	assert_int_equal(tokens_read("tokenizer.json", tokens_bpe,
	    strlen(tokens_bpe) - 40), 0);
	assert_true(tokens_vocab->cut);
	assert_int_equal(tokens_vocab->n, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sentencepiece_model_is_read_by_content),
		TEST(a_gguf_gives_tokens_scores_types_and_roles),
		TEST(tiktoken_lines_are_base64_and_rank),
		TEST(files_that_end_early_give_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
