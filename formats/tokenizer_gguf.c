#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/gguf_pairs.h"
#include "formats/tokenizer_parts.h"

/*
 * GGUF (ggml-org/ggml docs/gguf.md, "Tokenizer"): parallel arrays
 *
 *	tokenizer.ggml.tokens       texts, by id
 *	tokenizer.ggml.scores       f32, of models "llama" and "t5" alone
 *	tokenizer.ggml.token_type   1 normal 2 unknown 3 control 4 user-defined
 *	                            5 unused 6 byte
 *	tokenizer.ggml.merges       "left right"
 *	tokenizer.ggml.*_token_id   roles
 *
 * They may come in any order, so scores and types are kept until the end.
 */
static const char head[] = "tokenizer.";
static const char id_tail[] = "_token_id", ggml[] = "tokenizer.ggml.";

static const enum token_kind kinds[] = {TOKEN_NORMAL, TOKEN_NORMAL,
    TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_ADDED, TOKEN_UNUSED, TOKEN_BYTE};

/* What a model's name says: llama.cpp src/llama-vocab.cpp. */
static const struct {
	const char *name;
	enum vocab_model model;
	bool scores;
	unsigned spelling;
} models[] = {
	{"llama", VOCAB_BPE, true, VOCAB_SPACES},
	{"gpt2", VOCAB_BPE, false, VOCAB_BYTES},
	{"bert", VOCAB_WORDPIECE, false, VOCAB_SPACES},
	{"t5", VOCAB_UNIGRAM, true, VOCAB_SPACES},
};

struct gguf_vocab {
	struct vocab_build *b;
	uint64_t tokens;	/* how many were told */
	float *score;
	uint8_t *kind;
	uint64_t scores, kinds;
};

static bool
is(const struct gguf_value *v, const char *tail)
{
	const size_t n = sizeof(ggml) - 1;

	return v->key_len > n && memcmp(v->key, ggml, n) == 0 &&
	    tokenizer_is(v->key + n, v->key_len - n, tail);
}

static int
take_token(struct gguf_vocab *w, const struct gguf_value *v)
{
	const struct token t = {.p = v->p, .n = (uint32_t)v->n};

	if (v->type != GGUF_STRING || v->count == 0)
		return 0;
	w->tokens++;
	return tokenizer_token(w->b, v->index, &t);
}

/* An array of numbers, kept; ${size} bytes an element. */
static int
room_for(struct gguf_vocab *w, const struct gguf_value *v, size_t size,
    void *ret)
{
	void *p;

	if (v->index != 0)
		return 0;
	if (v->count > LIMIT_VOCAB_TOKENS)
		return err_set(w->b->e, ERR_LIMIT,
		    "a vocabulary is too large");
	if ((p = arena_array(w->b->work, (size_t)v->count, size)) == NULL)
		return err_set(w->b->e, ERR_NOMEM, "out of memory for scores");
	memcpy(ret, &p, sizeof(p));
	return 0;
}

static int
take_score(struct gguf_vocab *w, const struct gguf_value *v)
{
	const uint32_t bits = (uint32_t)v->bits;
	int r;

	if (v->type != GGUF_F32 || v->count == 0)
		return 0;
	if ((r = room_for(w, v, sizeof(float), &w->score)) < 0)
		return r;
	memcpy(&w->score[v->index], &bits, sizeof(bits));
	w->scores = v->index + 1;
	return 0;
}

static int
take_kind(struct gguf_vocab *w, const struct gguf_value *v)
{
	int r;

	if ((v->type != GGUF_I32 && v->type != GGUF_U32) || v->count == 0)
		return 0;
	if ((r = room_for(w, v, sizeof(uint8_t), &w->kind)) < 0)
		return r;
	w->kind[v->index] = (uint8_t)(v->bits < sizeof(kinds) /
	    sizeof(*kinds) ? kinds[v->bits] : TOKEN_NORMAL);
	w->kinds = v->index + 1;
	return 0;
}

static void
take_model(struct gguf_vocab *w, const struct gguf_value *v)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		if (!tokenizer_is(v->p, (size_t)v->n, models[i].name))
			continue;
		w->b->model = models[i].model;
		w->b->scores = models[i].scores;
		w->b->spelling = models[i].spelling;
	}
}

/* "tokenizer.ggml.eos_token_id" is the role "eos_token". */
static int
take_role(struct gguf_vocab *w, const struct gguf_value *v)
{
	const size_t from = sizeof(ggml) - 1;
	const size_t n = v->key_len - from - strlen("_id");

	return tokenizer_role(w->b, v->key + from, n, NULL, 0, v->bits);
}

static bool
is_role(const struct gguf_value *v)
{
	return !v->array && v->type != GGUF_STRING &&
	    v->key_len > sizeof(ggml) - 1 + sizeof(id_tail) - 1 &&
	    memcmp(v->key, ggml, sizeof(ggml) - 1) == 0 &&
	    tokenizer_ends(v->key, v->key_len, id_tail);
}

static int
take_setting(struct gguf_vocab *w, const struct gguf_value *v)
{
	char text[GGUF_NUMBER_TEXT];
	size_t n;

	if (v->type == GGUF_STRING)
		return tokenizer_setting(w->b, v->key, v->key_len,
		    FLAT_STRING, v->p, (size_t)v->n);
	gguf_pairs_number(v, text, &n);
	return tokenizer_setting(w->b, v->key, v->key_len, FLAT_NUMBER, text,
	    n);
}

static int
take(void *ctx, const struct gguf_value *v)
{
	struct gguf_vocab *w = ctx;

	if (v->key_len < sizeof(head) - 1 ||
	    memcmp(v->key, head, sizeof(head) - 1) != 0)
		return 0;
	if (v->array) {
		if (is(v, "tokens"))
			return take_token(w, v);
		if (is(v, "scores"))
			return take_score(w, v);
		if (is(v, "token_type"))
			return take_kind(w, v);
		if (is(v, "merges") && v->type == GGUF_STRING && v->count > 0)
			return tokenizer_merge(w->b, v->p, (size_t)v->n);
		return 0;
	}
	if (is_role(v))
		return take_role(w, v);
	if (is(v, "model") && v->type == GGUF_STRING)
		take_model(w, v);
	/* the template is another area's */
	return v->key_len >= 23 && memcmp(v->key, "tokenizer.chat_template",
	    23) == 0 ? 0 : take_setting(w, v);
}

/* Scores and types where the tokens are. */
static void
join(struct gguf_vocab *w)
{
	struct token *t;
	uint64_t id;

	for (uint64_t i = 0; i < w->b->count; i++) {
		t = tokenizer_told(w->b, i, &id);
		if (id < w->scores) {
			t->score = w->score[id];
			t->flags |= TOKEN_SCORED;
		}
		if (id < w->kinds)
			t->kind = w->kind[id];
	}
}

int
tokenizer_gguf(struct vocab_build *b, const struct bytesrc *src)
{
	struct gguf_vocab w = {.b = b};
	int r;

	b->source = "gguf";
	r = gguf_pairs(src, b->work, take, &w, b->e);
	b->cut |= r == 1;
	join(&w);
	if (r < 0)
		return tokenizer_soft(b, r);
	return b->count > 0 ? 0 : 1;
}
