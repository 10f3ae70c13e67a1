#include <math.h>
#include <string.h>

#include "base/text.h"
#include "formats/tokenizer_parts.h"

/*
 * What the texts of tokens say.  A word list has no types, so control tokens
 * are known by the names that everybody gives them; a JSON object has no
 * model, so spelling is known by what at least one token in a hundred begins
 * or ends with.
 */
#define SHARE 100

/* Fewer tokens may be in alphabetical order by chance. */
#define ALPHABET_MIN 64

bool
tokenizer_is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

bool
tokenizer_ends(const char *p, size_t n, const char *tail)
{
	const size_t len = strlen(tail);

	return n >= len && memcmp(p + n - len, tail, len) == 0;
}

static bool
begins(const char *p, size_t n, const char *head)
{
	return n >= strlen(head) && memcmp(p, head, strlen(head)) == 0;
}

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
same_word(const char *p, size_t n, const char *word)
{
	if (n != strlen(word))
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(p[i]) != word[i])
			return false;
	return true;
}

/* head, digits, tail */
static bool
numbered(const char *p, size_t n, const char *head, const char *tail)
{
	size_t i = strlen(head);

	if (!begins(p, n, head) || !tokenizer_ends(p, n, tail) ||
	    n <= i + strlen(tail))
		return false;
	for (; i < n - strlen(tail); i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
}

enum token_kind
tokenizer_kind(const char *p, size_t n)
{
	static const struct {
		const char *head, *tail;
	} unused[] = {{"[unused", "]"}, {"<unused", ">"},
	    {"<|reserved_special_token_", "|>"}, {"<reserved_", ">"},
	    {"madeupword", ""}};
	static const char *const unknown[] = {"[unk]", "<unk>", "<|unk|>"},
	    *const control[] = {"[pad]", "[cls]", "[sep]", "[mask]", "[bos]",
	    "[eos]", "<pad>", "<cls>", "<sep>", "<mask>", "<bos>", "<eos>",
	    "<s>", "</s>"};

	if (n == 6 && begins(p, n, "<0x") && is_hex(p[3]) && is_hex(p[4]) &&
	    p[5] == '>')
		return TOKEN_BYTE;
	for (size_t i = 0; i < sizeof(unused) / sizeof(*unused); i++)
		if (numbered(p, n, unused[i].head, unused[i].tail))
			return TOKEN_UNUSED;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		if (same_word(p, n, unknown[i]))
			return TOKEN_UNKNOWN;
	for (size_t i = 0; i < sizeof(control) / sizeof(*control); i++)
		if (same_word(p, n, control[i]))
			return TOKEN_CONTROL;
	return n > 4 && begins(p, n, "<|") && tokenizer_ends(p, n, "|>") ?
	    TOKEN_CONTROL : TOKEN_NORMAL;
}

/*
 * GPT-2's bytes_to_unicode: printable Latin-1 stands for itself, the other 68
 * bytes, in their order, for U+0100 and on.
 */
static bool
is_itself(uint32_t c)
{
	return (c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= 0xac) ||
	    (c >= 0xae && c <= 0xff);
}

int
tokenizer_letter(uint32_t cp)
{
	uint32_t next = 0x100;

	if (cp < 0x100)
		return is_itself(cp) ? (int)cp : -1;
	for (uint32_t c = 0; c < 0x100; c++)
		if (!is_itself(c) && next++ == cp)
			return (int)c;
	return -1;
}

/* Which part of the settings says what by which value. */
static const struct {
	const char *under, *tail, *value;
	unsigned spelling;
	enum vocab_model model;
} said[] = {
	{"pre_tokenizer", "type", "ByteLevel", VOCAB_BYTES, VOCAB_OTHER},
	{"decoder", "type", "ByteLevel", VOCAB_BYTES, VOCAB_OTHER},
	{"pre_tokenizer", "type", "Metaspace", VOCAB_SPACES, VOCAB_OTHER},
	{"decoder", "type", "Metaspace", VOCAB_SPACES, VOCAB_OTHER},
	{"model.end_of_word_suffix", "", "</w>", VOCAB_WORD_END, VOCAB_OTHER},
	{"model.continuing_subword_prefix", "", "##", VOCAB_HASHES,
	    VOCAB_OTHER},
	{"model.type", "", "BPE", 0, VOCAB_BPE},
	{"model.type", "", "WordPiece", 0, VOCAB_WORDPIECE},
	{"model.type", "", "WordLevel", 0, VOCAB_WORDLEVEL},
	{"model.type", "", "Unigram", 0, VOCAB_UNIGRAM},
};

int
tokenizer_said(struct vocab_build *b, const struct flat_list *settings)
{
	const struct flat *unk;
	uint64_t id;

	for (size_t i = 0; i < settings->n; i++) {
		const struct flat *f = &settings->v[i];

		for (size_t k = 0; k < sizeof(said) / sizeof(*said); k++) {
			if (!begins(f->key, f->key_len, said[k].under) ||
			    !tokenizer_ends(f->key, f->key_len,
			    said[k].tail) ||
			    !tokenizer_is(f->p, f->n, said[k].value))
				continue;
			b->spelling |= said[k].spelling;
			if (said[k].model != VOCAB_OTHER)
				b->model = said[k].model;
		}
	}
	b->scores |= b->model == VOCAB_UNIGRAM;
	unk = flatjson_find(settings->v, settings->n, "model.unk_token");
	if (unk != NULL && unk->type == FLAT_STRING)
		return tokenizer_role(b, "unk_token", 9, unk->p, unk->n,
		    VOCAB_NONE);
	unk = flatjson_find(settings->v, settings->n, "model.unk_id");
	if (unk != NULL && unk->type == FLAT_NUMBER &&
	    text_u64(unk->p, unk->n, 10, VOCAB_NONE - 1, &id))
		return tokenizer_role(b, "unk_token", 9, NULL, 0, id);
	return 0;
}

static unsigned
spelling_of(const struct vocab *v)
{
	uint64_t bytes = 0, spaces = 0, ends = 0, hashes = 0;
	unsigned s = VOCAB_PLAIN;

	for (uint64_t i = 0; i < v->n; i++) {
		const struct token *t = &v->v[i];

		if (t->p == NULL || t->kind != TOKEN_NORMAL)
			continue;
		bytes += begins(t->p, t->n, "\xc4\xa0");
		spaces += begins(t->p, t->n, "\xe2\x96\x81");
		hashes += t->n > 2 && begins(t->p, t->n, "##");
		ends += tokenizer_ends(t->p, t->n, "</w>");
	}
	if (bytes > spaces && bytes >= v->named / SHARE)
		s |= VOCAB_BYTES;
	else if (spaces > 0 && spaces >= v->named / SHARE)
		s |= VOCAB_SPACES;
	if (hashes > 0 && hashes >= v->named / SHARE)
		s |= VOCAB_HASHES;
	if (ends > 0 && ends >= v->named / SHARE)
		s |= VOCAB_WORD_END;
	return s;
}

/* The 256 tokens that a byte alphabet begins with are bytes, not words. */
static void
mark_bytes(struct vocab_build *b, const struct vocab *v)
{
	for (uint64_t i = 0; i < v->n; i++) {
		struct token *t = &b->table[i];
		uint32_t cp;

		if (t->p == NULL || t->kind != TOKEN_NORMAL || t->n == 0)
			continue;
		if (b->bytes ? t->n == 1 :
		    (v->spelling & VOCAB_BYTES) != 0 &&
		    text_utf8_len((const uint8_t *)t->p, t->n, &cp) == t->n &&
		    tokenizer_letter(cp) >= 0)
			t->kind = TOKEN_BYTE;
	}
}

static void
mark_unknown(struct vocab_build *b, const struct vocab *v)
{
	for (size_t i = 0; i < v->nroles; i++) {
		const struct vocab_role *r = &v->roles[i];

		if ((tokenizer_is(r->role, r->role_len, "unk_token") ||
		    tokenizer_is(r->role, r->role_len, "unknown_token")) &&
		    r->id < v->n && b->table[r->id].p != NULL)
			b->table[r->id].kind = TOKEN_UNKNOWN;
	}
}

static bool
is_alphabetical(const struct vocab *v)
{
	const struct token *last = NULL;
	uint64_t pairs = 0, up = 0;

	for (uint64_t i = 0; i < v->n; i++) {
		const struct token *t = &v->v[i];

		if (t->p == NULL || t->kind != TOKEN_NORMAL)
			continue;
		if (last != NULL) {
			pairs++;
			up += tokenizer_order(last->p, last->n, t->p,
			    t->n) < 0;
		}
		last = t;
	}
	return pairs >= ALPHABET_MIN && up >= pairs - pairs / 20;
}

/* Are there scores, and do they tell tokens apart? */
static bool
has_scores(const struct vocab *v)
{
	const struct token *first = NULL;

	for (uint64_t i = 0; i < v->n; i++) {
		const struct token *t = &v->v[i];

		if (t->p == NULL || t->kind != TOKEN_NORMAL ||
		    (t->flags & TOKEN_SCORED) == 0 || isnan(t->score))
			continue;
		if (first == NULL)
			first = t;
		else if (t->score < first->score || t->score > first->score)
			return true;
	}
	return false;
}

void
tokenizer_judge(struct vocab_build *b, struct vocab *v)
{
	const unsigned either = VOCAB_BYTES | VOCAB_SPACES;

	v->spelling = b->spelling;
	if (!b->bytes)
		v->spelling |= spelling_of(v) &
		    ((b->spelling & either) != 0 ? ~either : ~0u);
	if (v->model == VOCAB_OTHER && v->npairs > 0)
		v->model = VOCAB_BPE;
	if (v->model == VOCAB_OTHER && (v->spelling & VOCAB_HASHES) != 0)
		v->model = VOCAB_WORDPIECE;
	if (v->model == VOCAB_OTHER && !b->scores)
		v->model = (v->spelling & (VOCAB_BYTES | VOCAB_SPACES |
		    VOCAB_WORD_END)) != 0 ? VOCAB_BPE : VOCAB_WORDLEVEL;
	mark_bytes(b, v);
	mark_unknown(b, v);
	if (b->scores)
		v->order = has_scores(v) ? VOCAB_BY_SCORE : VOCAB_UNORDERED;
	else if (v->model == VOCAB_OTHER || v->model == VOCAB_UNIGRAM ||
	    is_alphabetical(v))
		v->order = VOCAB_UNORDERED;
	else
		v->order = VOCAB_BY_FREQUENCY;
}

const char *
vocab_kind_name(enum token_kind k)
{
	static const char *const names[] = {"normal", "control", "byte",
	    "unused", "added", "unknown"};

	return k < TOKEN_KINDS ? names[k] : "unknown";
}

const char *
vocab_model_name(enum vocab_model m)
{
	static const char *const names[] = {"other", "bpe", "wordpiece",
	    "unigram", "wordlevel"};

	return m < VOCAB_MODELS ? names[m] : "other";
}
