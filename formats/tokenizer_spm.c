#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/pbwire.h"
#include "formats/tokenizer_parts.h"

/*
 * SentencePiece's ModelProto (google/sentencepiece,
 * src/sentencepiece_model.proto):
 *
 *	1 pieces {1 piece, 2 float score, 3 type}   the n-th is id n
 *	2 trainer_spec   3 normalizer_spec   5 denormalizer_spec
 *
 * Scores are log-probabilities (unigram) or minus the rank of the merge (BPE),
 * so in both the higher is the more frequent.
 */
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3,
	MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };

/* Longer ones are in no vocabulary. */
#define PIECE_MAX 65536

static const enum token_kind kinds[] = {TOKEN_NORMAL, TOKEN_NORMAL,
    TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_ADDED, TOKEN_UNUSED, TOKEN_BYTE};

/* Fields that decide how text is cut up, or are roles. */
static const struct spec {
	uint32_t of, number;
	const char *key;
	bool role;
} specs[] = {
	{MODEL_TRAINER, 3, "trainer_spec.model_type", false},
	{MODEL_TRAINER, 4, "trainer_spec.vocab_size", false},
	{MODEL_TRAINER, 24, "trainer_spec.treat_whitespace_as_suffix", false},
	{MODEL_TRAINER, 35, "trainer_spec.byte_fallback", false},
	{MODEL_TRAINER, 36, "trainer_spec.required_chars", false},
	{MODEL_TRAINER, 44, "trainer_spec.unk_surface", false},
	{MODEL_TRAINER, 45, "unk_token", true},
	{MODEL_TRAINER, 46, "bos_token", true},
	{MODEL_TRAINER, 47, "eos_token", true},
	{MODEL_TRAINER, 48, "pad_token", true},
	{MODEL_TRAINER, 40, "unk_token", true},
	{MODEL_TRAINER, 41, "bos_token", true},
	{MODEL_TRAINER, 42, "eos_token", true},
	{MODEL_TRAINER, 43, "pad_token", true},
	{MODEL_NORMALIZER, 1, "normalizer_spec.name", false},
	{MODEL_NORMALIZER, 2, "normalizer_spec.precompiled_charsmap", false},
	{MODEL_NORMALIZER, 3, "normalizer_spec.add_dummy_prefix", false},
	{MODEL_NORMALIZER, 4, "normalizer_spec.remove_extra_whitespaces",
	    false},
	{MODEL_NORMALIZER, 5, "normalizer_spec.escape_whitespaces", false},
	{MODEL_NORMALIZER, 6, "normalizer_spec.normalization_rule_tsv", false},
	{MODEL_DENORMALIZER, 1, "denormalizer_spec.name", false},
	{MODEL_DENORMALIZER, 2, "denormalizer_spec.precompiled_charsmap",
	    false},
	{MODEL_DENORMALIZER, 6, "denormalizer_spec.normalization_rule_tsv",
	    false},
};

/*
 * One piece, its field just got; *ret is PB_END when its message ends as it
 * should.
 */
static int
read_piece(struct vocab_build *b, struct pbwire *w, const struct pb_field *in,
    char *text, int *ret)
{
	struct token t = {.p = text};
	struct pb_field f;
	uint32_t bits;
	size_t n;
	int r;

	*ret = PB_BAD;
	if (!pbwire_enter(w, in))
		return 0;
	while ((r = pbwire_next(w, &f, b->e)) == PB_FIELD) {
		if (f.number == PIECE_TEXT && f.type == PB_LEN) {
			if ((r = pbwire_copy(w, &f, text, PIECE_MAX, &n,
			    b->e)) < 0)
				return r;
			t.n = (uint32_t)n;
			b->cut |= f.len > PIECE_MAX;
		} else if (f.number == PIECE_SCORE && f.type == PB_FIXED32) {
			bits = (uint32_t)f.value;
			memcpy(&t.score, &bits, sizeof(bits));
			t.flags |= TOKEN_SCORED;
		} else if (f.number == PIECE_TYPE && f.type == PB_VARINT) {
			t.kind = (uint8_t)(f.value < sizeof(kinds) /
			    sizeof(*kinds) ? kinds[f.value] : TOKEN_NORMAL);
		}
	}
	if (r < 0)
		return r;
	*ret = r;
	pbwire_leave(w);
	return r == PB_END ? tokenizer_token(b, b->count, &t) : 0;
}

static int
take_number(struct vocab_build *b, const struct spec *s, uint64_t v)
{
	char text[24];
	int n;

	if (s->role) /* -1: there is none */
		return v >= VOCAB_NONE ? 0 : tokenizer_role(b, s->key,
		    strlen(s->key), NULL, 0, v);
	if (s->of == MODEL_TRAINER && s->number == 3)
		b->model = v == 1 ? VOCAB_UNIGRAM : v == 2 ? VOCAB_BPE :
		    v == 3 ? VOCAB_WORDLEVEL : VOCAB_OTHER;
	n = snprintf(text, sizeof(text), "%" PRIu64, v);
	return tokenizer_setting(b, s->key, strlen(s->key), FLAT_NUMBER, text,
	    (size_t)n);
}

static int
take_text(struct vocab_build *b, const struct spec *s, struct pbwire *w,
    const struct pb_field *f)
{
	const uint64_t cap = f->len < LIMIT_FLAT_BYTES ? f->len :
	    LIMIT_FLAT_BYTES;
	char *p;
	size_t n;
	int r;

	if ((p = arena_alloc(b->work, (size_t)cap)) == NULL)
		return err_set(b->e, ERR_NOMEM, "out of memory for a rule");
	if ((r = pbwire_copy(w, f, p, (size_t)cap, &n, b->e)) < 0)
		return r;
	b->cut |= cap < f->len;
	if (s->role)
		return tokenizer_role(b, s->key, strlen(s->key), p, n,
		    VOCAB_NONE);
	return tokenizer_setting(b, s->key, strlen(s->key), FLAT_STRING, p,
	    n);
}

static int
read_spec(struct vocab_build *b, struct pbwire *w, const struct pb_field *in)
{
	struct pb_field f;
	int r, done;

	if (!pbwire_enter(w, in))
		return 0;
	while ((r = pbwire_next(w, &f, b->e)) == PB_FIELD) {
		for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
			if (specs[i].of != in->number ||
			    specs[i].number != f.number)
				continue;
			done = f.type == PB_VARINT ?
			    take_number(b, &specs[i], f.value) :
			    f.type == PB_LEN ?
			    take_text(b, &specs[i], w, &f) : 0;
			if (done < 0)
				return done;
		}
	}
	b->cut |= r > 0;
	pbwire_leave(w);
	return r < 0 ? r : 0;
}

/* PB_END, PB_BAD, PB_LONG, or negative. */
static int
read_model(struct vocab_build *b, struct pbwire *w, char *text)
{
	struct pb_field f;
	int r, end;

	while ((r = pbwire_next(w, &f, b->e)) == PB_FIELD) {
		if (b->count == 0 && (f.number != MODEL_PIECE ||
		    f.type != PB_LEN))
			return PB_BAD;
		if (f.type != PB_LEN)
			continue;
		if (f.number == MODEL_PIECE) {
			if ((r = read_piece(b, w, &f, text, &end)) < 0)
				return r;
			if (end != PB_END)
				return end;
		} else if ((r = read_spec(b, w, &f)) < 0) {
			return r;
		}
	}
	return r;
}

int
tokenizer_spm(struct vocab_build *b, const struct bytesrc *src)
{
	struct pbwire w;
	char *text;
	int r;

	if ((text = arena_alloc(b->work, PIECE_MAX)) == NULL)
		return err_set(b->e, ERR_NOMEM, "out of memory for a piece");
	if ((r = pbwire_init(&w, src, 0, bytesrc_size(src), 0, b->work,
	    b->e)) < 0)
		return r;
	b->source = "tokenizer.model";
	b->scores = true;
	b->spelling = VOCAB_SPACES;
	r = read_model(b, &w, text);
	b->cut |= r > 0;
	if (r < 0)
		return tokenizer_soft(b, r);
	return b->count > 0 ? 0 : 1;
}
