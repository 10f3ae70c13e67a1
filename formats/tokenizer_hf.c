#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/tokenizer_parts.h"

/*
 * JSON vocabularies (huggingface/tokenizers, tokenizers/src/tokenizer/
 * serialization.rs and models/<model>/serialization.rs):
 *
 *   {"added_tokens": [{"id", "content", "special", ...}], "normalizer": ...,
 *    "model": {"type": "BPE" "WordPiece" "WordLevel" "Unigram",
 *      "vocab": {token: id} or, of Unigram, [[token, score], ...],
 *      "merges": ["a b", ...] or [["a", "b"], ...], options}}
 *
 * or only the object token -> id, or only an array of tokens.
 */
enum shape { SHAPE_NONE, SHAPE_TOKENIZER, SHAPE_MAP, SHAPE_LIST };

/* An object with so many numbers, nothing else, is one of ids throughout. */
#define MAP_SURE 64

static int
shape_of_object(struct tokenizer_json *j, enum shape *ret)
{
	unsigned numbers = 0, others = 0;
	bool model;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		model = tokenizer_is(j->t.str, j->t.len, "model");
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (model && j->t.type == JSON_OBJECT) {
			*ret = SHAPE_TOKENIZER;
			return 0;
		}
		numbers += j->t.type == JSON_NUMBER && j->t.is_u64;
		others += j->t.type != JSON_NUMBER;
		if (numbers == MAP_SURE && others == 0)
			break;
		if ((r = tokenizer_json_skip(j)) < 0)
			return r;
	}
	*ret = numbers > 0 && others == 0 ? SHAPE_MAP : SHAPE_NONE;
	return r;
}

static int
shape_of(const struct bytesrc *src, struct err *e, enum shape *ret)
{
	struct tokenizer_json j;
	int r;

	*ret = SHAPE_NONE;
	if ((r = tokenizer_json_open(&j, src, e)) < 0)
		return r;
	if ((r = tokenizer_json_next(&j)) == 0) {
		if (j.t.type == JSON_OBJECT)
			r = shape_of_object(&j, ret);
		else if (j.t.type == JSON_ARRAY &&
		    (r = tokenizer_json_next(&j)) == 0 &&
		    j.t.type == JSON_STRING)
			*ret = SHAPE_LIST;
	}
	tokenizer_json_close(&j);
	return r;
}

/* token -> id; its JSON_OBJECT was just got. */
static int
read_map(struct vocab_build *b, struct tokenizer_json *j)
{
	struct token t;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		t = (struct token){.p = j->t.str, .n = (uint32_t)j->t.len};
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (j->t.type != JSON_NUMBER || !j->t.is_u64) {
			b->cut = true;
			r = tokenizer_json_skip(j);
		} else {
			r = tokenizer_token(b, j->t.u64, &t);
		}
		if (r < 0)
			return r;
	}
	return r;
}

/* [token, score], its JSON_ARRAY just got, or a token alone. */
static int
read_scored(struct vocab_build *b, struct tokenizer_json *j, uint64_t id)
{
	struct token t = {.p = NULL};
	int r;

	if (j->t.type == JSON_STRING) {
		t.p = j->t.str;
		t.n = (uint32_t)j->t.len;
		return tokenizer_token(b, id, &t);
	}
	if (j->t.type != JSON_ARRAY) {
		b->cut = true;
		return tokenizer_json_skip(j);
	}
	j->hold = true;
	while ((r = tokenizer_json_next(j)) == 0 &&
	    j->t.type != JSON_ARRAY_END) {
		if (j->t.type == JSON_STRING && t.p == NULL) {
			t.p = j->t.str;
			t.n = (uint32_t)j->t.len;
		} else if (j->t.type == JSON_NUMBER) {
			t.score = strtof(j->t.str, NULL);
			t.flags = TOKEN_SCORED;
		} else if ((r = tokenizer_json_skip(j)) < 0) {
			break;
		}
	}
	if (r == 0 && t.p != NULL)
		r = tokenizer_token(b, id, &t);
	j->hold = false;
	return r;
}

static int
read_list(struct vocab_build *b, struct tokenizer_json *j)
{
	uint64_t id = 0;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 &&
	    j->t.type != JSON_ARRAY_END)
		if ((r = read_scored(b, j, id++)) < 0)
			return r;
	return r;
}

int
tokenizer_merge(struct vocab_build *b, const char *p, size_t n)
{
	const char *space = n > 0 ? memchr(p, ' ', n) : NULL;
	size_t left;

	if (space == NULL) {
		b->cut = true;
		return 0;
	}
	left = (size_t)(space - p);
	return tokenizer_pair(b, p, left, space + 1, n - left - 1);
}

/* ["left", "right"] */
static int
read_pair(struct vocab_build *b, struct tokenizer_json *j)
{
	const char *text[2] = {NULL, NULL};
	size_t len[2] = {0, 0};
	unsigned n = 0;
	int r;

	j->hold = true;
	while ((r = tokenizer_json_next(j)) == 0 &&
	    j->t.type != JSON_ARRAY_END) {
		if (j->t.type == JSON_STRING && n < 2) {
			text[n] = j->t.str;
			len[n++] = j->t.len;
		} else if ((r = tokenizer_json_skip(j)) < 0) {
			break;
		}
	}
	if (r == 0 && n == 2)
		r = tokenizer_pair(b, text[0], len[0], text[1], len[1]);
	else
		b->cut = true;
	j->hold = false;
	return r;
}

static int
read_merges(struct vocab_build *b, struct tokenizer_json *j)
{
	int r;

	while ((r = tokenizer_json_next(j)) == 0 &&
	    j->t.type != JSON_ARRAY_END) {
		if (j->t.type == JSON_STRING) {
			r = tokenizer_merge(b, j->t.str, j->t.len);
		} else if (j->t.type == JSON_ARRAY) {
			r = read_pair(b, j);
		} else {
			b->cut = true;
			r = tokenizer_json_skip(j);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static const struct {
	const char *key;
	uint8_t flag;
} options[] = {{"special", TOKEN_SPECIAL}, {"normalized", TOKEN_NORMALIZED},
    {"lstrip", TOKEN_LSTRIP}, {"rstrip", TOKEN_RSTRIP},
    {"single_word", TOKEN_SINGLE_WORD}};

static uint8_t
option_of(const struct json_token *key)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (tokenizer_is(key->str, key->len, options[i].key))
			return options[i].flag;
	return 0;
}

int
tokenizer_added(struct vocab_build *b, struct tokenizer_json *j, uint64_t id)
{
	struct token t = {.flags = TOKEN_LATER |
	    (b->weak ? TOKENIZER_WEAK : 0)};
	bool is_id, is_text;
	uint8_t flag;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		is_id = tokenizer_is(j->t.str, j->t.len, "id");
		is_text = tokenizer_is(j->t.str, j->t.len, "content");
		flag = option_of(&j->t);
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (is_id && j->t.type == JSON_NUMBER && j->t.is_u64) {
			id = j->t.u64;
		} else if (is_text && j->t.type == JSON_STRING) {
			t.n = (uint32_t)j->t.len;
			if ((t.p = arena_dup(b->work, j->t.str, t.n)) == NULL)
				return err_set(b->e, ERR_NOMEM,
				    "out of memory for a token");
		} else if (j->t.type == JSON_TRUE) {
			t.flags |= flag;
		} else if ((r = tokenizer_json_skip(j)) < 0) {
			return r;
		}
	}
	t.kind = (t.flags & TOKEN_SPECIAL) != 0 ? TOKEN_CONTROL : TOKEN_ADDED;
	return r < 0 || t.p == NULL ? r : tokenizer_token(b, id, &t);
}

static int
read_added(struct vocab_build *b, struct tokenizer_json *j)
{
	int r;

	while ((r = tokenizer_json_next(j)) == 0 &&
	    j->t.type != JSON_ARRAY_END) {
		r = j->t.type == JSON_OBJECT ?
		    tokenizer_added(b, j, VOCAB_NONE) : tokenizer_json_skip(j);
		if (r < 0)
			return r;
	}
	return r;
}

/*
 * What decides how text is cut up, each with its way; the readers of these
 * files refuse or ignore all else.
 */
static const char *const settings[] = {"version", "truncation", "padding",
    "normalizer", "pre_tokenizer", "post_processor", "decoder", NULL},
    *const model[] = {"model.type", "model.dropout", "model.unk_token",
    "model.unk_id", "model.continuing_subword_prefix",
    "model.end_of_word_suffix", "model.fuse_unk", "model.byte_fallback",
    "model.ignore_merges", "model.max_input_chars_per_word", NULL};

static int
read_setting(struct vocab_build *b, struct tokenizer_json *j,
    const char *const *known, size_t skip)
{
	int r;

	while (*known != NULL &&
	    !tokenizer_is(j->t.str, j->t.len, *known + skip))
		known++;
	if (*known == NULL)
		return tokenizer_json_skip(j);
	if ((r = tokenizer_json_next(j)) < 0)
		return r;
	return flatjson_value(&b->settings, *known, &j->j, &j->t, b->e);
}

/* A key of the model, whose value is a table, unless it is an option. */
static int
read_model_key(struct vocab_build *b, struct tokenizer_json *j)
{
	const bool vocab = tokenizer_is(j->t.str, j->t.len, "vocab");
	int r;

	if (!vocab && !tokenizer_is(j->t.str, j->t.len, "merges"))
		return read_setting(b, j, model, strlen("model."));
	if ((r = tokenizer_json_next(j)) < 0)
		return r;
	if (j->t.type == JSON_ARRAY)
		return vocab ? read_list(b, j) : read_merges(b, j);
	if (vocab && j->t.type == JSON_OBJECT)
		return read_map(b, j);
	return tokenizer_json_skip(j);
}

static int
read_tokenizer(struct vocab_build *b, struct tokenizer_json *j)
{
	bool added;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		added = tokenizer_is(j->t.str, j->t.len, "added_tokens");
		if (!added && !tokenizer_is(j->t.str, j->t.len, "model")) {
			r = read_setting(b, j, settings, 0);
		} else if ((r = tokenizer_json_next(j)) < 0) {
			return r;
		} else if (added && j->t.type == JSON_ARRAY) {
			r = read_added(b, j);
		} else if (!added && j->t.type == JSON_OBJECT) {
			while ((r = tokenizer_json_next(j)) == 0 &&
			    j->t.type == JSON_KEY)
				if ((r = read_model_key(b, j)) < 0)
					return r;
		} else {
			r = tokenizer_json_skip(j);
		}
		if (r < 0)
			return r;
	}
	return r;
}

int
tokenizer_hf(struct vocab_build *b, const struct bytesrc *src, bool certain)
{
	static int (*const readers[])(struct vocab_build *,
	    struct tokenizer_json *) = {NULL, read_tokenizer, read_map,
	    read_list};
	static const char *const sources[] = {NULL, "tokenizer.json",
	    "vocab.json", "token list"};
	struct tokenizer_json j;
	enum shape shape;
	int r;

	r = shape_of(src, b->e, &shape);
	if (shape == SHAPE_NONE || (shape != SHAPE_TOKENIZER && !certain))
		return r < 0 && (r = tokenizer_soft(b, r)) < 0 ? r : 1;
	if (r < 0 && (r = tokenizer_soft(b, r)) < 0)
		return r;
	if ((r = tokenizer_json_open(&j, src, b->e)) < 0)
		return r;
	b->source = sources[shape];
	if ((r = tokenizer_json_next(&j)) == 0)
		r = readers[shape](b, &j);
	tokenizer_json_close(&j);
	return r < 0 ? tokenizer_soft(b, r) : b->count > 0 ? 0 : 1;
}
