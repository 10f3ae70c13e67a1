#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/gguf.h"
#include "formats/jinja_parts.h"

/*
 * The tokenizer's arrays and ids must fit each other: readers index scores
 * and types by token and look no further.
 */
bool
gguf_is_tokens(const char *key, size_t n)
{
	static const char name[] = "tokenizer.ggml.tokens";

	return n == strlen(name) && memcmp(key, name, n) == 0;
}

/* tokenizer.ggml.bos_token_id and its like */
void
gguf_number(struct gguf *g, const char *key, size_t n, uint64_t v,
    uint64_t off)
{
	static const char head[] = "tokenizer.ggml.", tail[] = "_token_id";
	struct gguf_tokens *t = &g->tok;

	if (n < strlen(head) + strlen(tail) || t->specials == 32 ||
	    memcmp(key, head, strlen(head)) != 0 ||
	    memcmp(key + n - strlen(tail), tail, strlen(tail)) != 0)
		return;
	t->special[t->specials].key = key;
	t->special[t->specials].key_len = n;
	t->special[t->specials].off = off;
	t->special[t->specials++].id = v;
}

int
gguf_array(struct gguf *g, const char *key, size_t n, uint32_t type,
    uint64_t count, uint64_t off)
{
	static const char scores[] = "tokenizer.ggml.scores",
	    types[] = "tokenizer.ggml.token_type";
	struct gguf_tokens *t = &g->tok;
	size_t cap = 1024;

	if (n == strlen(scores) && memcmp(key, scores, n) == 0)
		t->scores = count;
	if (n == strlen(types) && memcmp(key, types, n) == 0)
		t->types = count;
	if (!gguf_is_tokens(key, n) || type != GGUF_STRING || t->off != 0)
		return 0;
	t->count = count;
	t->off = off;
	/* count is at most an eighth of the file: half of it is held here */
	while (cap / 2 < count && cap < LIMIT_GGUF_TOKENS)
		cap *= 2;
	if ((t->seen = arena_array(g->p->arena, cap, sizeof(*t->seen))) ==
	    NULL)
		return err_set(g->p->e, ERR_NOMEM, "out of memory");
	t->cap = cap;
	return 0;
}

/*
 * Tokens that occur twice are counted by digest: an equal digest of two
 * different tokens would make a note one too high.
 */
int
gguf_token(struct gguf *g, const uint8_t *p, size_t n)
{
	struct gguf_tokens *t = &g->tok;
	const uint64_t h = jinja_hash(p, n);
	uint32_t cp;
	size_t at;

	if (n > 0 && jinja_invisible(p, n, &at, &cp) > 1)
		t->hidden++;
	for (size_t i = 0; i < JINJA_PROBE && t->cap > 0; i++) {
		uint64_t *place = &t->seen[(h / 2 + i) & (t->cap - 1)];

		if (*place == 0)
			*place = h;
		else if (*place == h)
			t->doubles++;
		else
			continue;
		break;
	}
	return 0;
}

int
gguf_tokens_check(struct gguf *g)
{
	const struct gguf_tokens *t = &g->tok;
	const struct fact facts[] = {FACT_NUM("tokens", t->count),
	    FACT_NUM("repeated", t->doubles), FACT_NUM("hidden", t->hidden)};
	int r = 0;

	if (t->off == 0)
		return 0;
	if ((t->scores != UINT64_MAX && t->scores < t->count) ||
	    (t->types != UINT64_MAX && t->types < t->count))
		r = gguf_tell(g, ANOMALY_GGUF_TOKENS_SHORT, t->off, NULL, 0,
		    t->count);
	for (unsigned i = 0; i < t->specials && r >= 0; i++)
		if (t->special[i].id >= t->count)
			r = gguf_tell(g, ANOMALY_GGUF_TOKEN_ID,
			    t->special[i].off, t->special[i].key,
			    t->special[i].key_len, t->special[i].id);
	if (r < 0 || t->doubles + t->hidden == 0)
		return r;
	return format_anomaly(g->p, ANOMALY_GGUF_TOKENS, t->off, 0, facts, 3);
}
