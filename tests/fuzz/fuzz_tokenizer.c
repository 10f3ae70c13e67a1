#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around_config.h"
#include "analyzer/diff/around_tokenizer.h"
#include "analyzer/diff/docs.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tokenizer.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * Bytes as a vocabulary of any kind, and as every file that stands beside
 * one.  Whatever they are: two runs agree, memory is bounded by their number,
 * every text ends in a NUL and is found at an id that has it, a vocabulary is
 * aligned with itself, and the frequent ones are ordinary tokens.  Compared
 * with itself a vocabulary has no rows, as has a document; compared with
 * another it has few, and each is well formed.
 */
#define ROWS_MAX 4000

static unsigned rows_told;

static void
broken(const char *what)
{
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static int
on_change(void *ctx, const struct row_change *r)
{
	const uint8_t *p;
	size_t n;

	(void)ctx;
	p = basis_bytes(r->more, &n);
	if (!basis_check(p, n) || r->key.p == NULL || r->key.n > 8192 ||
	    r->old.n > 8192 || r->new.n > 8192)
		broken("a row is not well formed");
	if (++rows_told > ROWS_MAX)
		broken("there are too many rows");
	return 0;
}

static const struct rows rows = {.change = on_change};

static const char base[] = "{\"a\": 0, \"b\": 1, \"</s>\": 2}";

static void
compare(const struct vocab *v, struct arena *a, struct err *e)
{
	struct bytesrc *mem = bytesrc_mem(base, strlen(base), e);
	const struct row_text path = {"", 0};
	const struct vocab *w = NULL;

	rows_told = 0;
	if (around_tokenizer(v, v, path, &rows, a, e) != 0 || rows_told > 0)
		broken("a vocabulary differs from itself");
	if (mem == NULL || vocab_read(mem, NULL, 0, a, &w, e) != 0 ||
	    around_tokenizer(v, w, path, &rows, a, e) != 0 ||
	    around_tokenizer(w, v, path, &rows, a, e) != 0)
		broken("comparing failed on our side");
	bytesrc_free(mem);
}

static void
compare_documents(const struct bytesrc *src, size_t n)
{
	struct arena *a = arena_new(LIMIT_ARENA);
	struct err e = ERR_INIT;
	struct bytesrc *mem = bytesrc_mem(base, strlen(base), &e);
	const struct doc x = {.path = "", .src = src, .size = n};
	const struct doc y = {.path = "", .src = mem, .size = strlen(base)};

	if (a == NULL || mem == NULL)
		abort();
	rows_told = 0;
	if (around_json(&x, &x, CHANGE_CONFIG, &rows, a, &e) < 0 ||
	    around_gguf(&x, &x, &rows, a, &e) < 0 || rows_told > 0)
		broken("a document differs from itself");
	if (around_json(&x, &y, CHANGE_CONFIG, &rows, a, &e) < 0 ||
	    around_gguf(&x, NULL, &rows, a, &e) < 0)
		broken("comparing failed on our side");
	bytesrc_free(mem);
	arena_free(a);
}

static void
check_token(const struct vocab *v, uint32_t id, struct buf *b)
{
	const struct token *t = &v->v[id];
	uint32_t found;

	buf_clear(b);
	vocab_show(v, id, b);
	if (t->p == NULL)
		return;
	if (t->p[t->n] != '\0' || t->kind >= TOKEN_KINDS)
		broken("a token is not whole");
	found = vocab_find(v, t->p, t->n);
	if (found >= v->n || v->v[found].n != t->n ||
	    memcmp(v->v[found].p, t->p, t->n) != 0)
		broken("a token is not found");
	if (buf_failed(b) == 0 && b->len > t->n)
		broken("a token is shown longer than it is");
}

static void
check(const struct vocab *v)
{
	static uint32_t map[LIMIT_VOCAB_TOKENS];
	uint64_t named = 0;
	uint32_t ids[50];
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	if (v->n > LIMIT_VOCAB_TOKENS || v->named > v->n)
		broken("there are too many tokens");
	for (uint32_t i = 0; i < v->n; i++) {
		check_token(v, i, &b);
		named += v->v[i].p != NULL;
	}
	if (named != v->named || !vocab_align(v, v, map))
		broken("tokens are lost");
	n = vocab_frequent(v, 50, ids);
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= v->n || v->v[ids[i]].p == NULL ||
		    v->v[ids[i]].kind != TOKEN_NORMAL)
			broken("no ordinary token is frequent");
	for (size_t i = 0; i < v->npairs; i++)
		if (v->pairs[i].p[(size_t)v->pairs[i].left +
		    v->pairs[i].right] != '\0')
			broken("a merge is not whole");
	for (size_t i = 1; i < v->nsettings; i++)
		if (strcmp(v->settings[i - 1].key, v->settings[i].key) > 0)
			broken("settings are not sorted");
	buf_release(&b);
}

/* A number that two equal vocabularies share. */
static uint64_t
sum(const struct vocab *v)
{
	uint64_t h = v->n * 31 + v->npairs * 7 + v->nsettings + v->stray +
	    (uint64_t)v->order * 5 + v->spelling + v->clashes;

	for (uint64_t i = 0; i < v->n; i++)
		for (uint32_t k = 0; v->v[i].p != NULL && k < v->v[i].n; k++)
			h = (h ^ (uint8_t)v->v[i].p[k]) * 1099511628211ULL;
	return h;
}

static int
run(const struct bytesrc *src, size_t n, uint64_t *ret)
{
	struct arena *a = arena_new(LIMIT_ARENA);
	const struct vocab *v = NULL;
	struct err e = ERR_INIT;
	int r;

	if (a == NULL)
		abort();
	r = vocab_read(src, NULL, 0, a, &v, &e);
	if (r < 0)
		broken("reading failed on our side");
	if (arena_used(a) > 8 * MIB + 512 * n)
		broken("memory is not bounded");
	*ret = 0;
	if (r == 0) {
		check(v);
		*ret = sum(v);
		compare(v, a, &e);
	}
	arena_free(a);
	return r;
}

static void
beside(const struct bytesrc *src)
{
	static const char *const names[] = {"merges.txt", "added_tokens.json",
	    "special_tokens_map.json", "tokenizer_config.json"};
	struct arena *a = arena_new(LIMIT_ARENA);
	struct err e = ERR_INIT;
	struct bytesrc *mem = bytesrc_mem(base, strlen(base), &e);
	const struct vocab *v = NULL;

	if (a == NULL || mem == NULL ||
	    vocab_read(mem, NULL, 0, a, &v, &e) != 0)
		abort();
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct vocab_file f = {names[i], strlen(names[i]), src};

		if (vocab_merge(v, &f, a, &v, &e) < 0)
			broken("merging failed on our side");
		check(v);
	}
	bytesrc_free(mem);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	uint64_t x, y;

	if (src == NULL)
		abort();
	if (run(src, n, &x) != run(src, n, &y) || x != y)
		broken("two runs differ");
	beside(src);
	compare_documents(src, n);
	bytesrc_free(src);
	return 0;
}
