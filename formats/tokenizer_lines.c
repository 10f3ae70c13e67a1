#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/tokenizer_parts.h"

/*
 * Vocabularies of lines.  The number of a line is the id of its token, also
 * of an empty one, as in transformers' load_vocab; tiktoken's lines name
 * their rank.
 */
#define SCRATCH_FULL 100000
#define SNIFF 4096

struct lines {
	struct reader r;
	struct arena *window, *scratch;
	struct err *e;
};

static void
lines_close(struct lines *l)
{
	arena_free(l->window);
	arena_free(l->scratch);
}

static int
lines_open(struct lines *l, const struct bytesrc *src, struct err *e)
{
	int r;

	*l = (struct lines){.e = e};
	if ((l->window = arena_new(2 * LIMIT_READER_WINDOW)) == NULL ||
	    (l->scratch = arena_new(LIMIT_ARENA)) == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	else
		r = reader_init(&l->r, src, 0, 0, l->window, e);
	if (r < 0)
		lines_close(l);
	return r;
}

/* 1 and a line, which lives until the next; 0: no more; or negative. */
static int
lines_next(struct lines *l, const char **ret, size_t *n)
{
	const uint8_t *p;
	int r;

	if (reader_left(&l->r) == 0)
		return 0;
	if (arena_used(l->scratch) > SCRATCH_FULL) {
		arena_free(l->scratch);
		if ((l->scratch = arena_new(LIMIT_ARENA)) == NULL)
			return err_set(l->e, ERR_NOMEM, "out of memory");
	}
	r = reader_line(&l->r, '\n', LIMIT_LINE, l->scratch, &p, n, l->e);
	if (r == ERR_TRUNC && reader_left(&l->r) <= LIMIT_LINE) {
		err_reset(l->e);
		*n = (size_t)reader_left(&l->r);
		r = reader_bytes(&l->r, *n, l->scratch, &p, l->e);
	}
	if (r < 0)
		return r;
	if (*n > 0 && p[*n - 1] == '\r')
		--*n;
	*ret = (const char *)p;
	return 1;
}

/* Does it look like text? */
static int
is_text(const struct bytesrc *src, struct err *e, bool *ret)
{
	uint8_t head[SNIFF];
	size_t n;
	int r;

	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &n, e)) < 0)
		return r;
	*ret = n > 0 && memchr(head, '\0', n) == NULL;
	return 0;
}

/* "piece<TAB>score": where the tab is, or NULL. */
static const char *
score_of(const char *p, size_t n, float *ret)
{
	const char *tab = n > 0 ? memrchr(p, '\t', n) : NULL;
	char *end;

	if (tab == NULL || tab + 1 == p + n)
		return NULL;
	*ret = strtof(tab + 1, &end);
	return end == p + n ? tab : NULL;
}

static int
read_words(struct vocab_build *b, struct lines *l)
{
	struct token t;
	const char *tab, *p;
	uint64_t id = 0;
	float score;
	size_t n;
	int r;

	while ((r = lines_next(l, &p, &n)) == 1) {
		t = (struct token){.p = p, .n = (uint32_t)n};
		tab = score_of(p, n, &score);
		if (id == 0)
			b->scores = tab != NULL;
		if (b->scores && tab != NULL) {
			t.n = (uint32_t)(tab - p);
			t.score = score;
			t.flags = TOKEN_SCORED;
		}
		if ((r = tokenizer_token(b, id++, &t)) < 0)
			return r;
	}
	return r;
}

int
tokenizer_words(struct vocab_build *b, const struct bytesrc *src)
{
	bool text = false;
	struct lines l;
	int r;

	if ((r = is_text(src, b->e, &text)) < 0 || !text)
		return r < 0 ? r : 1;
	if ((r = lines_open(&l, src, b->e)) < 0)
		return r;
	b->source = "word list";
	r = read_words(b, &l);
	lines_close(&l);
	return r < 0 ? tokenizer_soft(b, r) : 0;
}

/* RFC 4648 with or without padding, in place; false: it is something else. */
static bool
unbase64(uint8_t *p, size_t n, size_t *len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
	    "pqrstuvwxyz0123456789+/";
	const char *at;
	uint32_t v = 0;
	size_t out = 0;

	while (n > 0 && p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\0' || (at = strchr(digits, p[i])) == NULL)
			return false;
		v = v << 6 | (uint32_t)(at - digits);
		if (i % 4 != 0)
			p[out++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
	}
	*len = out;
	return n % 4 != 1;
}

/* "base64 rank" */
static bool
split_rank(struct vocab_build *b, const char *p, size_t n, struct token *t,
    uint64_t *id)
{
	const char *space = n > 0 ? memrchr(p, ' ', n) : NULL;
	size_t len;
	char *raw;

	if (space == NULL || space == p ||
	    !text_u64(space + 1, n - (size_t)(space + 1 - p), 10, UINT64_MAX,
	    id) || (raw = arena_dup(b->work, p, (size_t)(space - p))) == NULL)
		return false;
	if (!unbase64((uint8_t *)raw, (size_t)(space - p), &len))
		return false;
	*t = (struct token){.p = raw, .n = (uint32_t)len};
	return true;
}

int
tokenizer_ranks(struct vocab_build *b, const struct bytesrc *src)
{
	struct token t;
	struct lines l;
	const char *p;
	uint64_t id;
	size_t n;
	int r;

	if ((r = lines_open(&l, src, b->e)) < 0)
		return r;
	while ((r = lines_next(&l, &p, &n)) == 1) {
		if (split_rank(b, p, n, &t, &id)) {
			if ((r = tokenizer_token(b, id, &t)) < 0)
				break;
		} else if (b->count == 0) {
			break;
		} else {
			b->cut |= n > 0;
		}
	}
	lines_close(&l);
	b->source = "tiktoken";
	b->bytes = true;
	b->model = VOCAB_BPE;
	if (r < 0)
		return tokenizer_soft(b, r);
	return b->count > 0 ? 0 : 1;
}

/* A first line "#version: 0.2", then "left right" by rank. */
int
tokenizer_merges(struct vocab_build *b, const struct bytesrc *src)
{
	bool first = true;
	struct lines l;
	const char *p = NULL;
	size_t n = 0;
	int r;

	if ((r = lines_open(&l, src, b->e)) < 0)
		return r;
	while ((r = lines_next(&l, &p, &n)) == 1) {
		if (n > 0 && !(first && n > 8 &&
		    memcmp(p, "#version", 8) == 0) &&
		    (r = tokenizer_merge(b, p, n)) < 0)
			break;
		first = false;
	}
	lines_close(&l);
	return r < 0 ? tokenizer_soft(b, r) : 0;
}
