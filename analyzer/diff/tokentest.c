#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/headtest.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tokenrows.h"
#include "analyzer/diff/tokentest.h"
#include "base/arena.h"
#include "base/err.h"
#include "formats/tokenizer.h"

/* Parts of a path that an embedding of words has, and that others have. */
static const char *const words[] = {"embed_tokens", "wte",
    "word_embeddings", "tok_embeddings", "token_embd", "embed_in",
    "embedding", "embeddings", "embed", "emb", "embedder", "token_embedding",
    "word_embedding", "tok_emb", "tok_embed"};
static const char *const others[] = {"position_embeddings", "wpe",
    "position_embd", "token_type_embeddings", "token_types", "pos_emb",
    "pos_embed", "pos_embedding", "position_embedding", "patch_embed",
    "patch_embeddings", "rotary_emb"};
/* Output matrices, which are as tall. */
static const char *const outputs[] = {"lm_head", "embed_out", "output",
    "unembed", "decoder", "head"};

/* A vocabulary's matrix may be padded to a multiple of this. */
#define PADDING 512
#define FEWEST_ROWS 32
/* Models have two; each test reads the list of all tensors. */
#define TESTS_MAX 64

static bool
has_part(const struct tensor *x, const char *const *v, size_t n)
{
	const char *p = x->name, *end = x->name + x->name_len, *dot;

	while (p < end) {
		dot = memchr(p, '.', (size_t)(end - p));
		if (dot == NULL)
			dot = end;
		for (size_t i = 0; i < n; i++)
			if (strlen(v[i]) == (size_t)(dot - p) &&
			    strncasecmp(p, v[i], strlen(v[i])) == 0)
				return true;
		p = dot + 1;
	}
	return false;
}
#define HAS_PART(x, v) has_part(x, v, sizeof(v) / sizeof((v)[0]))

static bool
has_rows(const struct tensor *x, const struct vocab *v)
{
	return v != NULL && x->rows >= v->n && x->rows - v->n <= PADDING;
}

bool
tokentest_is_embedding(const struct tensor *x, const struct vocab *v)
{
	if (x->rank != 2 || x->rows < FEWEST_ROWS || HAS_PART(x, others) ||
	    HAS_PART(x, outputs))
		return false;
	return HAS_PART(x, words) || has_rows(x, v);
}

static bool
is_output(const struct tensor *x, const struct vocab *v)
{
	return x->rank == 2 && x->rows > HEADTEST_CLASSES &&
	    HAS_PART(x, outputs) && (v == NULL || has_rows(x, v));
}

static enum tied_config
config_of(const struct tokentest *t)
{
	if (!t->has_config)
		return TIED_CONFIG_SILENT;
	return t->tied_config ? TIED_CONFIG_YES : TIED_CONFIG_NO;
}

/* Which older id each new one was, where ids moved. */
static int
align_ids(struct tokentest *t)
{
	uint32_t *map;

	if (t->vocab[0] == NULL || t->words == NULL)
		return 0;
	if ((map = arena_array(t->arena, t->words->n + 1,
	    sizeof(*map))) == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	if (!vocab_align(t->words, t->vocab[0], map))
		t->map = map;
	return 0;
}

static uint64_t
count_changed(const struct tokentest *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->c->pairs->n; i++) {
		const struct pair *x = &t->c->pairs->v[i];

		if (x->a != NULL && x->b != NULL && !x->measured)
			return UINT64_MAX;
		n += !compare_same(x);
	}
	return n;
}

static int
test_rows(struct tokentest *t, struct pair *p, bool head)
{
	struct delta d = {p->a, p->b, p->relation != NULL ?
	    p->relation->cast : CAST_NONE};
	const struct table *new = t->side[1];
	struct tokenrows_opt o = {.vocab = t->words, .head = head,
	    .changed = p->measured && p->shared == 0 ? p->sums.changed :
	    UINT64_MAX};
	struct tokenrows ret;
	struct rows rows = *t->rows;
	const struct tensor *out;
	int r;

	if (!head)
		o.tied = tied_find(new->v, new->n, p->b, config_of(t), &out);
	if (t->map != NULL) {
		o.map = t->map;
		o.nmap = t->words->n;
	}
	if ((r = tokenrows_find(t->c->pool, &d, &o, &ret, t->e)) < 0)
		return r;
	if (ret.usable && ret.test.level == ROWTEST_ISOLATED)
		p->told = true;
	return tokenrows_rows(&ret, t->others == UINT64_MAX ? UINT64_MAX :
	    t->others - !compare_same(p), &rows);
}

/* Unrelated rows, and rows without bytes, say nothing of tokens. */
static bool
testable(const struct pair *p)
{
	return p->a != NULL && p->b != NULL && p->a->p != NULL &&
	    p->b->p != NULL && p->measured && (p->relation == NULL ||
	    p->relation->best != RELATION_UNRELATED);
}

int
tokentest_embeddings(struct tokentest *t)
{
	struct rows rows = *t->rows;
	size_t found = 0, alone = 0, heads = 0;
	int r;

	t->others = count_changed(t);
	r = align_ids(t);
	for (size_t i = 0; i < t->c->pairs->n && r >= 0; i++) {
		struct pair *p = &t->c->pairs->v[i];

		if (p->b == NULL || !tokentest_is_embedding(p->b,
		    t->words))
			continue;
		if (!testable(p))
			alone++;
		else if (found++ < TESTS_MAX)
			r = test_rows(t, p, false);
	}
	if (r >= 0 && found == 0)
		return tokenrows_lack(alone > 0 ? TOKENROWS_NO_PARTNER :
		    TOKENROWS_NO_EMBEDDING, &rows);
	for (size_t i = 0; i < t->c->pairs->n && r >= 0; i++) {
		struct pair *p = &t->c->pairs->v[i];

		if (p->b != NULL && is_output(p->b, t->words) &&
		    testable(p) && heads++ < TESTS_MAX)
			r = test_rows(t, p, true);
	}
	t->tired = found > TESTS_MAX || heads > TESTS_MAX;
	return r;
}

static const struct pair *
pair_of(const struct tokentest *t, const struct tensor *b)
{
	for (size_t i = 0; b != NULL && i < t->c->pairs->n; i++)
		if (t->c->pairs->v[i].b == b)
			return &t->c->pairs->v[i];
	return NULL;
}

int
tokentest_heads(struct tokentest *t)
{
	const struct table *new = t->side[1];
	const struct tensor *bias = NULL, *x;
	const struct pair *p, *q;
	struct delta d = {NULL, NULL, CAST_NONE}, e = d;
	struct rows rows = *t->rows;
	struct headtest ret = {0};
	int r;

	if ((x = headtest_find(new->v, new->n, &bias)) == NULL)
		return headtest_rows(&ret, NULL, 0, &rows);
	p = pair_of(t, x);
	q = pair_of(t, bias);
	d.b = x;
	if (p != NULL && compare_measurable(p))
		d.a = p->a;
	e.b = bias;
	if (q != NULL && compare_measurable(q))
		e.a = q->a;
	if ((r = headtest_run(&d, bias != NULL ? &e : NULL, &ret, t->e)) < 0)
		return r;
	return headtest_rows(&ret, t->label, t->nlabels, &rows);
}
