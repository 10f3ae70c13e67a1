#include <stdbool.h>
#include <string.h>

#include "analyzer/triggers/promptgram.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/prompttext.h"
#include "base/err.h"
#include "base/limits.h"

#define NONE UINT32_MAX

/* A gram that may reach four rows. */
struct gram {
	uint64_t key;
	uint64_t sum;
	uint32_t df, last;	/* rows, the last of them plus one */
	uint32_t at;		/* its first place */
	uint32_t list;		/* to fill; NONE */
};

/*
 * Places of one side: the numbers of grams that begin there, NONE between
 * texts and where words were left out.  Row i has places [start[i],
 * start[i + 1] - 1).
 */
struct side {
	const struct prompttext *t;
	struct promptlists *lists;
	bool response;
	uint32_t *at;
	uint32_t *start;
	uint64_t *keys;		/* of marked features; NULL while at is used */
	uint32_t *key_start;
	uint8_t *kinds;		/* of each key: kind << 4 | n */
	unsigned n;		/* words of a gram of this pass */
	uint8_t *filter;
	size_t cells;
	struct gram *g;
	uint32_t ngrams, gram_cap;
	uint32_t *slot;
	size_t slots;
	struct err *e;
};

static size_t
words_of(const struct side *s, size_t row)
{
	return s->response ? s->t->r[row].response : s->t->r[row].prompt;
}

/* How many words from the start are taken; the rest of *take from the end. */
static size_t
window(const struct side *s, size_t row, size_t *take)
{
	size_t n = words_of(s, row);

	*take = n;
	if (s->response && n > PROMPTGRAM_RESPONSE) {
		*take = PROMPTGRAM_RESPONSE_HEAD + PROMPTGRAM_RESPONSE_TAIL;
		return PROMPTGRAM_RESPONSE_HEAD;
	}
	if (!s->response && n > PROMPTGRAM_PROMPT) {
		*take = PROMPTGRAM_PROMPT_HEAD + PROMPTGRAM_PROMPT_TAIL;
		return PROMPTGRAM_PROMPT_HEAD;
	}
	return n;
}

/* The word of a row that its k-th place stands for. */
static size_t
word_at(const struct side *s, size_t row, size_t k)
{
	size_t take, head = window(s, row, &take);

	return k < head ? k : words_of(s, row) - (take - (k - 1));
}

static uint32_t
form(const struct side *s, uint32_t word)
{
	return s->response ? s->t->dict.w[word].bare : s->t->dict.w[word].low;
}

static int
lay_out(struct side *s)
{
	size_t total = 0, take, head, n, p = 0;
	const uint32_t *w;

	for (size_t i = 0; i < s->t->n; i++) {
		head = window(s, i, &take);
		total += take + 1 + (head < take);
	}
	s->at = malloc((total + 1) * sizeof(*s->at));
	s->start = malloc((s->t->n + 1) * sizeof(*s->start));
	if (s->at == NULL || s->start == NULL)
		return err_set(s->e, ERR_NOMEM, "n-grams: out of memory");
	for (size_t i = 0; i < s->t->n; i++) {
		s->start[i] = (uint32_t)p;
		w = s->response ? prompttext_response(s->t, i) :
		    prompttext_prompt(s->t, i);
		n = words_of(s, i);
		head = window(s, i, &take);
		for (size_t k = 0; k < head; k++)
			s->at[p++] = form(s, w[k]);
		if (head < take)
			s->at[p++] = NONE;
		for (size_t k = n - (take - head); k < n; k++)
			s->at[p++] = form(s, w[k]);
		s->at[p++] = NONE;
	}
	s->start[s->t->n] = (uint32_t)p;
	s->at[p] = NONE;
	return 0;
}

/* The key of place ${p}; false: no gram begins here. */
static inline bool
key_at(const struct side *s, size_t p, uint64_t *ret)
{
	if (s->keys != NULL) {
		*ret = s->keys[p];
		return true;
	}
	if (s->at[p] == NONE)
		return false;
	*ret = s->at[p];
	if (s->n > 1)
		*ret = (uint64_t)s->at[p] << 32 | s->at[p + 1];
	return s->n == 1 || s->at[p + 1] != NONE;
}

static const uint32_t *
starts(const struct side *s)
{
	return s->keys != NULL ? s->key_start : s->start;
}

static int
count_roughly(struct side *s)
{
	size_t total = starts(s)[s->t->n], places = 0, cells = 4096, h;
	uint64_t key;

	for (size_t p = 0; p < total; p++)
		places += key_at(s, p, &key);
	while (cells < places)
		cells *= 2;
	if (cells > s->cells || s->filter == NULL) {
		free(s->filter);
		if ((s->filter = malloc(cells)) == NULL)
			return err_set(s->e, ERR_NOMEM,
			    "n-grams: out of memory");
	}
	s->cells = cells;
	memset(s->filter, 0, cells);
	for (size_t p = 0; p < total; p++) {
		if (!key_at(s, p, &key))
			continue;
		h = (size_t)(promptdict_mix(key) >> 20) & (cells - 1);
		s->filter[h] = (uint8_t)(s->filter[h] +
		    (s->filter[h] < PROMPTGRAM_ROWS));
	}
	return 0;
}

static int
rehash(struct side *s, size_t slots)
{
	size_t at;

	free(s->slot);
	if ((s->slot = calloc(slots, sizeof(*s->slot))) == NULL)
		return err_set(s->e, ERR_NOMEM, "n-grams: out of memory");
	s->slots = slots;
	for (uint32_t i = 0; i < s->ngrams; i++) {
		at = (size_t)promptdict_mix(s->g[i].key) & (slots - 1);
		while (s->slot[at] != 0)
			at = (at + 1) & (slots - 1);
		s->slot[at] = i + 1;
	}
	return 0;
}

static int
room(struct side *s)
{
	struct gram *g;
	uint32_t cap;

	if (s->ngrams == s->gram_cap) {
		cap = s->gram_cap == 0 ? 4096 : s->gram_cap * 2;
		if ((g = realloc(s->g, cap * sizeof(*g))) == NULL)
			return err_set(s->e, ERR_NOMEM,
			    "n-grams: out of memory");
		s->g = g;
		s->gram_cap = cap;
	}
	return (size_t)s->ngrams * 2 < s->slots ? 0 :
	    rehash(s, s->slots * 2);
}

/* The gram of a key, added when it is new; *ret NONE: there is no room. */
static int
find(struct side *s, uint64_t h, uint64_t key, size_t p, uint32_t *ret)
{
	struct gram *g;
	size_t at;
	int r;

	if ((r = room(s)) < 0)
		return r;
	at = (size_t)h & (s->slots - 1);
	while (s->slot[at] != 0 && s->g[s->slot[at] - 1].key != key)
		at = (at + 1) & (s->slots - 1);
	if (s->slot[at] == 0) {
		*ret = NONE;
		if (s->ngrams >= LIMIT_PROMPT_GRAMS) {
			s->lists->left_out++;
			return 0;
		}
		g = &s->g[s->ngrams];
		memset(g, 0, sizeof(*g));
		g->key = key;
		g->at = (uint32_t)p;
		g->list = NONE;
		s->slot[at] = ++s->ngrams;
	}
	*ret = s->slot[at] - 1;
	return 0;
}

static int
count_exactly(struct side *s)
{
	const uint32_t *start = starts(s);
	uint64_t key, h, mixed;
	struct gram *g;
	uint32_t id;
	int r;

	s->ngrams = 0;
	if ((r = rehash(s, 8192)) < 0)
		return r;
	for (size_t row = 0; row < s->t->n; row++) {
		mixed = promptdict_mix(row + 0x632be5ab);
		for (size_t p = start[row]; p < start[row + 1]; p++) {
			id = NONE;
			if (key_at(s, p, &key)) {
				h = promptdict_mix(key);
				if (s->filter[(size_t)(h >> 20) &
				    (s->cells - 1)] >= PROMPTGRAM_ROWS &&
				    (r = find(s, h, key, p, &id)) < 0)
					return r;
			}
			if (s->keys == NULL)
				s->at[p] = id;
			else
				s->keys[p] = id;
			if (id == NONE)
				continue;
			g = &s->g[id];
			if (g->last == row + 1)
				continue;
			g->last = (uint32_t)row + 1;
			g->df++;
			g->sum += mixed;
		}
	}
	return 0;
}

static uint32_t
name_bytes(const struct side *s, const struct promptlist *f)
{
	const uint32_t *w = s->response ? prompttext_response(s->t, f->row) :
	    prompttext_prompt(s->t, f->row);
	uint32_t bytes = f->kind == PROMPTLIST_GRAM ? 0 : 2;

	for (size_t k = 0; k < f->n; k++)
		bytes += s->t->dict.w[form(s, w[f->at + k])].len + 1U;
	return bytes;
}

/* Where a marked feature stands in its row, from kinds[p]. */
static void
marked(const struct side *s, size_t p, struct promptlist *f)
{
	size_t n = words_of(s, f->row);

	f->kind = s->kinds[p] >> 4;
	f->n = s->kinds[p] & 15;
	if (f->kind == PROMPTLIST_TAIL)
		f->at = (uint16_t)(n - f->n);
	if (f->kind == PROMPTLIST_WHOLE)
		f->n = (uint8_t)n;
}

/* Offer the grams that are features; the rows of the first places ascend. */
static int
offer(struct side *s)
{
	double most = PROMPTGRAM_SHARE * (double)s->t->n;
	const uint32_t *start = starts(s);
	struct promptlist f;
	uint32_t row = 0;
	struct gram *g;
	int r;

	for (uint32_t i = 0; i < s->ngrams; i++) {
		g = &s->g[i];
		if (g->df < PROMPTGRAM_ROWS || (double)g->df > most)
			continue;
		while (g->at >= start[row + 1])
			row++;
		memset(&f, 0, sizeof(f));
		f.sum = g->sum;
		f.df = g->df;
		f.row = row;
		if (s->keys != NULL && s->kinds == NULL) {
			f.kind = PROMPTLIST_ODD;
			f.odd = (uint32_t)g->key;
		} else if (s->keys != NULL) {
			marked(s, g->at, &f);
			f.bytes = name_bytes(s, &f);
		} else {
			f.n = (uint8_t)s->n;
			f.at = (uint16_t)word_at(s, row, g->at - start[row]);
			f.bytes = name_bytes(s, &f);
		}
		if ((r = promptlists_offer(s->lists, &f, &g->list, s->e)) < 0)
			return r;
	}
	return 0;
}

static void
fill(struct side *s)
{
	const uint32_t *start = starts(s);
	struct gram *g;
	uint32_t id;

	for (size_t row = 0; row < s->t->n; row++)
		for (size_t p = start[row]; p < start[row + 1]; p++) {
			id = s->keys != NULL ? (uint32_t)s->keys[p] :
			    s->at[p];
			if (id == NONE)
				continue;
			g = &s->g[id];
			if (g->list != NONE)
				promptlists_fill(s->lists, g->list,
				    (uint32_t)row);
			if (s->keys == NULL && g->df < PROMPTGRAM_ROWS)
				s->at[p] = NONE;
		}
}

static int
pass(struct side *s, bool features)
{
	int r;

	if ((r = count_roughly(s)) < 0 || (r = count_exactly(s)) < 0 ||
	    (features && (r = offer(s)) < 0))
		return r;
	fill(s);
	return 0;
}

/* One key a row and code point. */
static int
odd_keys(struct side *s)
{
	size_t n = 0;

	s->keys = malloc((s->t->nodd + 1) * sizeof(*s->keys));
	s->key_start = malloc((s->t->n + 1) * sizeof(*s->key_start));
	if (s->keys == NULL || s->key_start == NULL)
		return err_set(s->e, ERR_NOMEM, "n-grams: out of memory");
	for (size_t i = 0; i < s->t->n; i++) {
		s->key_start[i] = (uint32_t)n;
		for (unsigned k = 0; k < s->t->r[i].nodd; k++)
			s->keys[n++] = s->t->odd[s->t->r[i].odd_off + k];
	}
	s->key_start[s->t->n] = (uint32_t)n;
	return 0;
}

static uint64_t
run_key(const struct side *s, const uint32_t *w, size_t n, unsigned kind)
{
	uint64_t h = promptdict_mix((uint64_t)kind << 32 | n);

	for (size_t i = 0; i < n; i++)
		h = promptdict_mix(h + form(s, w[i]) + 1);
	return h;
}

#define MARKED 9	/* features with a mark of one response */

static int
marked_keys(struct side *s)
{
	static const uint8_t length[] = {1, 2, 3, 5};
	size_t n = 0, len;
	const uint32_t *w;

	s->keys = malloc((s->t->n * MARKED + 1) * sizeof(*s->keys));
	s->kinds = malloc(s->t->n * MARKED + 1);
	s->key_start = malloc((s->t->n + 1) * sizeof(*s->key_start));
	if (s->keys == NULL || s->kinds == NULL || s->key_start == NULL)
		return err_set(s->e, ERR_NOMEM, "n-grams: out of memory");
	for (size_t i = 0; i < s->t->n; i++) {
		s->key_start[i] = (uint32_t)n;
		w = prompttext_response(s->t, i);
		len = s->t->r[i].response;
		for (size_t k = 0; k < sizeof(length); k++) {
			if (length[k] > len)
				break;
			s->kinds[n] = (uint8_t)(PROMPTLIST_HEAD << 4 |
			    length[k]);
			s->keys[n++] = run_key(s, w, length[k],
			    PROMPTLIST_HEAD);
			s->kinds[n] = (uint8_t)(PROMPTLIST_TAIL << 4 |
			    length[k]);
			s->keys[n++] = run_key(s, &w[len - length[k]],
			    length[k], PROMPTLIST_TAIL);
		}
		if (len < PROMPTGRAM_WHOLE) {
			s->kinds[n] = PROMPTLIST_WHOLE << 4;
			s->keys[n++] = run_key(s, w, len, PROMPTLIST_WHOLE);
		}
	}
	s->key_start[s->t->n] = (uint32_t)n;
	return 0;
}

static void
release_keys(struct side *s)
{
	free(s->keys);
	free(s->key_start);
	free(s->kinds);
	s->keys = NULL;
	s->key_start = NULL;
	s->kinds = NULL;
}

static void
release(struct side *s)
{
	release_keys(s);
	free(s->at);
	free(s->start);
	free(s->filter);
	free(s->g);
	free(s->slot);
}

int
promptgram_prompts(const struct prompttext *t, struct promptlists *ret,
    struct err *e)
{
	struct side s = {.t = t, .lists = ret, .e = e, .n = 1};
	int r;

	if ((r = odd_keys(&s)) < 0 || (r = pass(&s, true)) < 0)
		goto out;
	release_keys(&s);
	if ((r = lay_out(&s)) < 0)
		goto out;
	for (; s.n <= 5 && r == 0; s.n++)
		r = pass(&s, true);
out:
	release(&s);
	return r;
}

int
promptgram_responses(const struct prompttext *t, struct promptlists *ret,
    struct err *e)
{
	struct side s = {.t = t, .lists = ret, .response = true, .e = e,
	    .n = 1};
	int r;

	if ((r = marked_keys(&s)) < 0 || (r = pass(&s, true)) < 0)
		goto out;
	release_keys(&s);
	if ((r = lay_out(&s)) < 0)
		goto out;
	/* Five words are a step to six, and no feature. */
	for (; s.n <= 6 && r == 0; s.n++)
		r = pass(&s, s.n != 5);
out:
	release(&s);
	return r;
}
