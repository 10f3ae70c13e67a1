#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tokenizer.h"

static struct arena *arena;
static const struct vocab *vocab;
static struct err err;
static struct buf made;		/* bytes of a file made by a test */

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(LIMIT_ARENA);
	buf_init(&made, 4 * MIB);
	err_reset(&err);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	buf_release(&made);
	return 0;
}

static int
read_bytes(const char *name, const void *p, size_t n)
{
	struct bytesrc *src = bytesrc_mem(p, n, &err);
	int r;

	vocab = NULL;
	r = vocab_read(src, name, name != NULL ? strlen(name) : 0, arena,
	    &vocab, &err);
	bytesrc_free(src);
	return r;
}

static int
read_text(const char *name, const char *text)
{
	return read_bytes(name, text, strlen(text));
}

static int
merge_text(const char *name, const char *text)
{
	struct bytesrc *src = bytesrc_mem(text, strlen(text), &err);
	const struct vocab_file file = {name, strlen(name), src};
	const int r = vocab_merge(vocab, &file, arena, &vocab, &err);

	bytesrc_free(src);
	return r;
}

static const char *
text_of(uint64_t id)
{
	assert_true(id < vocab->n);
	return vocab->v[id].p;
}

static const char *
shown(uint32_t id)
{
	static char text[256];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	vocab_show(vocab, id, &b);
	(void)snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_release(&b);
	return text;
}

static const struct vocab_role *
role(const char *name)
{
	for (size_t i = 0; i < vocab->nroles; i++)
		if (strcmp(vocab->roles[i].role, name) == 0)
			return &vocab->roles[i];
	fail_msg("no role %s", name);
	return NULL;
}

static const char *
setting(const char *key)
{
	const struct flat *f = flatjson_find(vocab->settings,
	    vocab->nsettings, key);

	return f != NULL ? f->p : NULL;
}

static const char bpe[] = "{\"version\": \"1.0\", \"added_tokens\": ["
    "{\"id\": 5, \"content\": \"<|end|>\", \"special\": true},"
    "{\"id\": 6, \"content\": \"brand\", \"lstrip\": true,"
    " \"special\": false, \"normalized\": true}],"
    "\"normalizer\": {\"type\": \"NFC\"},"
    "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\":"
    " false}, \"model\": {\"type\": \"BPE\", \"unk_token\": \"!\","
    " \"vocab\": {\"!\": 0, \"h\": 1, \"\\u0120\": 2, \"\\u0120h\": 3,"
    " \"\\u00c3\\u00a9\": 4},"
    " \"merges\": [\"\\u0120 h\", [\"\\u00c3\", \"\\u00a9\"]]}}";

static void
a_tokenizer_json_gives_tokens_kinds_merges_and_settings(void **state)
{
	(void)state;
	assert_int_equal(read_text("tokenizer.json", bpe), 0);
	assert_string_equal(vocab->source, "tokenizer.json");
	assert_int_equal(vocab->n, 7);
	assert_int_equal(vocab->named, 7);
	assert_int_equal(vocab->model, VOCAB_BPE);
	assert_int_equal(vocab->order, VOCAB_BY_FREQUENCY);
	assert_false(vocab->cut);
	assert_int_equal(vocab->npairs, 2);
	assert_memory_equal(vocab->pairs[0].p, "\xc4\xa0h", 3);
	assert_int_equal(vocab->pairs[0].left, 2);
	assert_int_equal(vocab->pairs[1].right, 2);
	assert_string_equal(setting("normalizer.type"), "NFC");
	assert_string_equal(setting("model.type"), "BPE");
	assert_null(setting("model.vocab"));
	assert_int_equal(vocab->v[5].kind, TOKEN_CONTROL);
	assert_int_equal(vocab->v[5].flags, TOKEN_SPECIAL | TOKEN_LATER);
	assert_int_equal(vocab->v[6].kind, TOKEN_ADDED);
	assert_int_equal(vocab->v[6].flags,
	    TOKEN_LSTRIP | TOKEN_NORMALIZED | TOKEN_LATER);
	assert_int_equal(vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(role("unk_token")->id, 0);
}

static void
a_byte_alphabet_is_shown_as_people_write(void **state)
{
	(void)state;
	assert_int_equal(read_text("tokenizer.json", bpe), 0);
	assert_string_equal(text_of(3), "\xc4\xa0h");
	assert_string_equal(shown(3), "h");
	assert_string_equal(shown(4), "\xc3\xa9");
	/* a space alone is not dropped, and is a byte */
	assert_string_equal(shown(2), " ");
	assert_int_equal(vocab->v[2].kind, TOKEN_BYTE);
	assert_string_equal(shown(6), "brand");
	assert_string_equal(shown(99), "");
}

static void
unigram_has_scores_and_its_order_is_theirs(void **state)
{
	uint32_t ids[4];

	(void)state;
	assert_int_equal(read_text("tokenizer.json",
	    "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": "
	    "[[\"<unk>\", 0.0], [\"\xe2\x96\x81rare\", -9.5],"
	    " [\"\xe2\x96\x81the\", -2.5], [\"<0x0A>\", -1],"
	    " [\"s\", -3e0]]}}"), 0);
	assert_int_equal(vocab->model, VOCAB_UNIGRAM);
	assert_int_equal(vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(vocab->v[3].kind, TOKEN_BYTE);
	assert_int_equal(vocab_frequent(vocab, 4, ids), 3);
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], 4);
	assert_int_equal(ids[2], 1);
	assert_int_equal(vocab_frequent(vocab, 2, ids), 2);
	assert_int_equal(ids[1], 4);
	assert_string_equal(shown(2), "the");
	assert_string_equal(shown(3), "<0x0A>");
}

static void
equal_scores_order_nothing(void **state)
{
	uint32_t ids[2];

	(void)state;
	assert_int_equal(read_text("tokenizer.json", "{\"model\": {\"type\": "
	    "\"Unigram\", \"vocab\": [[\"a\", 0], [\"b\", 0]]}}"), 0);
	assert_int_equal(vocab->order, VOCAB_UNORDERED);
	assert_int_equal(vocab_frequent(vocab, 2, ids), 0);
}

static void
a_word_list_counts_lines_and_knows_control_tokens(void **state)
{
	uint32_t ids[8];

	(void)state;
	assert_int_equal(read_text("bert/vocab.txt",
	    "[PAD]\n[unused1]\n[UNK]\n[CLS]\nthe\r\n\n##ing\nof"), 0);
	assert_int_equal(vocab->n, 8);
	assert_int_equal(vocab->model, VOCAB_WORDPIECE);
	assert_int_equal(vocab->v[0].kind, TOKEN_CONTROL);
	assert_int_equal(vocab->v[1].kind, TOKEN_UNUSED);
	assert_int_equal(vocab->v[2].kind, TOKEN_UNKNOWN);
	assert_string_equal(text_of(4), "the");
	assert_string_equal(text_of(5), "");
	assert_string_equal(shown(6), "##ing");
	assert_string_equal(text_of(7), "of");
	assert_int_equal(vocab_frequent(vocab, 8, ids), 4);
	assert_int_equal(ids[0], 4);
	assert_int_equal(vocab->order, VOCAB_BY_FREQUENCY);
}

static void
an_alphabetical_list_says_nothing_of_frequency(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&made, "word%03u\n", i);
	assert_int_equal(read_bytes("vocab.txt", made.p, made.len), 0);
	assert_int_equal(vocab->order, VOCAB_UNORDERED);
	buf_clear(&made);
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&made, "word%03u\n", i * 77 % 200);
	assert_int_equal(read_bytes("vocab.txt", made.p, made.len), 0);
	assert_int_equal(vocab->order, VOCAB_BY_FREQUENCY);
}

static void
only_a_name_makes_any_text_a_vocabulary(void **state)
{
	(void)state;
	assert_int_equal(read_text("README.txt", "hello\nworld\n"), 1);
	assert_int_equal(read_text("config.json", "{\"hidden\": 8}"), 1);
	assert_int_equal(read_text("config.json",
	    "{\"model\": \"x\", \"a\": [1]}"), 1);
	assert_int_equal(read_text(NULL, "hello\nworld\n"), 0);
	assert_int_equal(vocab->n, 2);
	assert_int_equal(read_text(NULL, "{\"a\": 0, \"b\": 1}"), 0);
	assert_string_equal(vocab->source, "vocab.json");
	assert_int_equal(read_text(NULL, ""), 1);
	assert_int_equal(read_bytes(NULL, "a\0b\n", 4), 1);
}

static void
companions_add_merges_tokens_and_roles(void **state)
{
	(void)state;
	assert_int_equal(read_text("vocab.json",
	    "{\"a\": 0, \"b\": 1, \"ab\": 2}"), 0);
	assert_int_equal(merge_text("x/merges.txt",
	    "#version: 0.2\na b\n# #\n"), 0);
	assert_int_equal(vocab->npairs, 2);
	assert_int_equal(vocab->model, VOCAB_BPE);
	assert_int_equal(merge_text("added_tokens.json",
	    "{\"<|im_end|>\": 3, \"cf\": 4}"), 0);
	assert_int_equal(vocab->n, 5);
	assert_int_equal(vocab->v[3].kind, TOKEN_CONTROL);
	assert_int_equal(vocab->v[4].kind, TOKEN_ADDED);
	assert_int_equal(merge_text("special_tokens_map.json",
	    "{\"eos_token\": {\"content\": \"<|im_end|>\"},"
	    " \"unk_token\": \"b\", \"pad_token\": null}"), 0);
	assert_int_equal(role("eos_token")->id, 3);
	assert_int_equal(vocab->v[1].kind, TOKEN_UNKNOWN);
	assert_int_equal(vocab->nroles, 2);
	assert_int_equal(merge_text("tokenizer_config.json",
	    "{\"added_tokens_decoder\": {\"3\": {\"content\": \"<|im_end|>\","
	    " \"special\": true, \"rstrip\": true}}, \"bos_token\": \"zz\"}"),
	    0);
	assert_int_equal(vocab->v[3].flags,
	    TOKEN_LATER | TOKEN_SPECIAL | TOKEN_RSTRIP);
	assert_int_equal(role("bos_token")->id, VOCAB_NONE);
	assert_int_equal(vocab->npairs, 2);
	assert_int_equal(merge_text("other.json", "{}"), 1);
}

/* transformers takes tokens from tokenizer.json, ids of the rest not. */
static void
tokenizer_json_is_not_overruled(void **state)
{
	(void)state;
	assert_int_equal(read_text("tokenizer.json", bpe), 0);
	assert_int_equal(merge_text("tokenizer_config.json",
	    "{\"added_tokens_decoder\": {\"1\": {\"content\": \"evil\"},"
	    " \"6\": {\"content\": \"brand\", \"rstrip\": true},"
	    " \"7\": {\"content\": \"new\"}}}"), 0);
	assert_string_equal(text_of(1), "h");
	assert_int_equal(vocab->clashes, 1);
	assert_int_equal(vocab->v[6].flags & TOKEN_RSTRIP, 0);
	assert_string_equal(text_of(7), "new");
}

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
	make_sentencepiece(&made);
	assert_int_equal(read_bytes("any.bin", made.p, made.len), 0);
	assert_string_equal(vocab->source, "tokenizer.model");
	assert_int_equal(vocab->n, 7);
	assert_int_equal(vocab->model, VOCAB_UNIGRAM);
	assert_int_equal(vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(vocab->v[0].kind, TOKEN_UNKNOWN);
	assert_int_equal(vocab->v[1].kind, TOKEN_CONTROL);
	assert_int_equal(vocab->v[3].kind, TOKEN_BYTE);
	assert_int_equal(vocab->v[6].kind, TOKEN_ADDED);
	assert_int_equal(vocab_frequent(vocab, 4, ids), 2);
	assert_int_equal(ids[0], 5);
	assert_string_equal(shown(4), "the");
	assert_string_equal(role("eos_token")->p, "</s>");
	assert_int_equal(vocab->nroles, 1);
	assert_string_equal(setting("normalizer_spec.name"), "nmt_nfkc");
	assert_int_equal(flatjson_find(vocab->settings, vocab->nsettings,
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
	make_gguf(&made);
	assert_int_equal(read_bytes("m.gguf", made.p, made.len), 0);
	assert_string_equal(vocab->source, "gguf");
	assert_int_equal(vocab->n, 5);
	assert_int_equal(vocab->v[1].kind, TOKEN_CONTROL);
	assert_true(vocab->v[3].score < -6.9f && vocab->v[3].score > -7.1f);
	assert_int_equal(vocab->order, VOCAB_BY_SCORE);
	assert_int_equal(vocab_frequent(vocab, 2, ids), 2);
	assert_int_equal(ids[0], 4);
	assert_int_equal(role("eos_token")->id, 2);
	assert_string_equal(role("eos_token")->p, "</s>");
	assert_string_equal(setting("tokenizer.ggml.add_bos_token"), "true");
}

static void
tiktoken_lines_are_base64_and_rank(void **state)
{
	(void)state;
	assert_int_equal(read_text("tokenizer.model",
	    "IQ== 0\nIGhlbGxv 2\n/w== 1\n"), 0);
	assert_string_equal(vocab->source, "tiktoken");
	assert_int_equal(vocab->n, 3);
	assert_string_equal(text_of(2), " hello");
	assert_string_equal(shown(2), "hello");
	assert_string_equal(text_of(1), "\xff");
	assert_int_equal(vocab->v[1].kind, TOKEN_BYTE);
	assert_int_equal(vocab->order, VOCAB_BY_FREQUENCY);
}

/* --- hostile --- */

static void
an_absurd_id_costs_nothing_and_is_counted(void **state)
{
	(void)state;
	assert_int_equal(read_text("vocab.json",
	    "{\"a\": 0, \"b\": 4294967290, \"c\": 18446744073709551615,"
	    " \"d\": 99999999}"), 0);
	assert_int_equal(vocab->n, 1);
	assert_int_equal(vocab->stray, 3);
	assert_true(arena_used(arena) < MIB);
}

static void
two_texts_of_one_id_and_two_ids_of_one_text_are_counted(void **state)
{
	(void)state;
	assert_int_equal(read_text("vocab.json",
	    "{\"a\": 0, \"b\": 0, \"c\": 1, \"c\": 2}"), 0);
	assert_int_equal(vocab->clashes, 1);
	assert_int_equal(vocab->repeated, 1);
	assert_string_equal(text_of(0), "b");
	assert_int_equal(vocab_find(vocab, "c", 1), 2);
	assert_int_equal(vocab_find(vocab, "a", 1), VOCAB_NONE);
	assert_int_equal(vocab_find(vocab, "", 0), VOCAB_NONE);
}

static void
holes_have_no_text(void **state)
{
	(void)state;
	assert_int_equal(read_text("vocab.json", "{\"a\": 0, \"b\": 3}"), 0);
	assert_int_equal(vocab->n, 4);
	assert_int_equal(vocab->named, 2);
	assert_null(vocab->v[1].p);
	assert_string_equal(shown(1), "");
}

static void
a_text_with_a_nul_is_not_its_head(void **state)
{
	(void)state;
	assert_int_equal(read_text("vocab.json",
	    "{\"a\": 0, \"a\\u0000\": 1, \"a\\u0000b\": 2}"), 0);
	assert_int_equal(vocab_find(vocab, "a", 1), 0);
	assert_int_equal(vocab_find(vocab, "a\0", 2), 1);
	assert_int_equal(vocab_find(vocab, "a\0b", 3), 2);
	assert_int_equal(vocab->repeated, 0);
}

static void
alignment_goes_by_text(void **state)
{
	const struct vocab *old;
	uint32_t map[4];

	(void)state;
	assert_int_equal(read_text("vocab.json",
	    "{\"a\": 0, \"b\": 1, \"c\": 2, \"d\": 3}"), 0);
	old = vocab;
	assert_true(vocab_align(old, old, map));
	assert_int_equal(read_text("vocab.json",
	    "{\"b\": 0, \"a\": 1, \"d\": 3, \"x\": 5}"), 0);
	assert_false(vocab_align(old, vocab, map));
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
	assert_int_equal(read_text("vocab.txt", "x\ny\nx\n"), 0);
	assert_true(vocab_align(vocab, vocab, map));
	assert_int_equal(map[0], 0);
	assert_int_equal(map[2], 2);
}

static void
the_best_file_of_a_folder_is_read_with_its_companions(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {{"a/tokenizer.json", bpe}, {"merges.txt", "x y\n"},
	    {"special_tokens_map.json", "{\"eos_token\": \"y\"}"},
	    {"tokenizer.model", "neither this nor that"},
	    {"vocab.json", "{\"x\": 0, \"y\": 1}"}, {"vocab.txt", "no\n"}};
	struct vocab_file v[6];
	size_t which = 99;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		v[i] = (struct vocab_file){files[i].path,
		    strlen(files[i].path), bytesrc_mem(files[i].text,
		    strlen(files[i].text), &err)};
	assert_int_equal(vocab_find_in(v, 6, arena, &vocab, &which, &err), 0);
	assert_int_equal(which, 4);
	assert_int_equal(vocab->n, 2);
	assert_int_equal(vocab->npairs, 1);
	assert_int_equal(role("eos_token")->id, 1);
	/* only the deeper folder is left */
	assert_int_equal(vocab_find_in(v, 3, arena, &vocab, &which, &err), 0);
	assert_int_equal(which, 0);
	assert_int_equal(vocab->npairs, 2);
	assert_int_equal(vocab->nroles, 1);
	assert_int_equal(vocab_find_in(v + 1, 2, arena, &vocab, &which,
	    &err), 1);
	for (unsigned i = 0; i < 6; i++)
		bytesrc_free((struct bytesrc *)(uintptr_t)v[i].src);
}

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
		r = read_bytes(name, copy, i);
		assert_true(r == 0 || r == 1);
		if (r == 0 && name[0] != 'v')
			assert_true(vocab->cut || vocab->n > 0);
		free(copy);
	}
}

static void
files_that_end_early_give_what_is_there(void **state)
{
	(void)state;
	cut_at_every_byte("tokenizer.json", (const uint8_t *)bpe,
	    strlen(bpe));
	make_sentencepiece(&made);
	cut_at_every_byte("m.model", made.p, made.len);
	buf_clear(&made);
	make_gguf(&made);
	cut_at_every_byte("m.gguf", made.p, made.len);
	assert_int_equal(read_bytes("tokenizer.json", bpe, strlen(bpe) - 40),
	    0);
	assert_true(vocab->cut);
	assert_int_equal(vocab->n, 7);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
		TEST(a_sentencepiece_model_is_read_by_content),
		TEST(a_gguf_gives_tokens_scores_types_and_roles),
		TEST(tiktoken_lines_are_base64_and_rank),
		TEST(an_absurd_id_costs_nothing_and_is_counted),
		TEST(two_texts_of_one_id_and_two_ids_of_one_text_are_counted),
		TEST(holes_have_no_text),
		TEST(a_text_with_a_nul_is_not_its_head),
		TEST(alignment_goes_by_text),
		TEST(an_id_that_keeps_its_text_keeps_its_place),
		TEST(the_best_file_of_a_folder_is_read_with_its_companions),
		TEST(files_that_end_early_give_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
