#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/promptdict.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptmatch.h"
#include "base/err.h"

#define BANDS PROMPTMATCH_BANDS
#define HASHES (2 * BANDS)
#define SHARE 1024	/* lists of a task */
#define MET ((size_t)BANDS * PROMPTMATCH_CROWD)

/* What one thread needs. */
struct scratch {
	uint64_t *bits;		/* rows of the prompt's feature */
	uint32_t *met;		/* response lists that agree, with repeats */
	uint64_t skipped, crowded;
};

struct work {
	struct promptmatch_work *w;
	float *hash;		/* HASHES of each row */
	uint32_t *band[2];	/* of list i, band b: [i * BANDS + b] */
	uint32_t *order[BANDS];	/* response lists by their band's key */
	uint32_t *head[BANDS];	/* where keys of a bucket begin */
	unsigned shift;		/* a key's bucket: its upper bits */
	struct scratch *s;
};

/*
 * Hashes of a row as positive floats: all orders are equally likely, and the
 * smaller of four is one instruction on any machine.
 */
static void
hash_rows(struct work *k)
{
	uint64_t v;
	uint32_t bits;

	for (size_t i = 0; i < k->w->rows; i++)
		for (size_t h = 0; h < HASHES; h++) {
			v = promptdict_mix((uint64_t)i * HASHES + h +
			    0x3c6ef372);
			bits = (uint32_t)(v >> 34) + 0x00800000U;
			memcpy(&k->hash[i * HASHES + h], &bits, 4);
		}
}

static void
sign(const struct work *k, const struct promptlists *s, size_t list,
    uint32_t *band)
{
	const struct promptlist *l = &s->l[list];
	const uint32_t *rows = promptlists_rows(s, l);
	float low[HASHES];
	const float *h;
	uint64_t two;

	for (size_t i = 0; i < HASHES; i++)
		low[i] = INFINITY;
	for (uint32_t r = 0; r < l->df; r++) {
		h = &k->hash[(size_t)rows[r] * HASHES];
		for (size_t i = 0; i < HASHES; i++)
			low[i] = h[i] < low[i] ? h[i] : low[i];
	}
	for (size_t b = 0; b < BANDS; b++) {
		memcpy(&two, &low[2 * b], 8);
		band[b] = (uint32_t)(promptdict_mix(two) >> 32);
	}
}

static void
sign_task(void *ctx, size_t i, unsigned thread)
{
	struct work *k = ctx;
	size_t np = (k->w->prompts->n + SHARE - 1) / SHARE;
	bool response = i >= np;
	const struct promptlists *s = response ? k->w->responses :
	    k->w->prompts;
	size_t from = (response ? i - np : i) * SHARE;

	(void)thread;
	for (size_t l = from; l < s->n && l < from + SHARE; l++)
		sign(k, s, l, &k->band[response][l * BANDS]);
}

/* Response lists by one band's key: buckets, each in order of the lists. */
static void
order_task(void *ctx, size_t b, unsigned thread)
{
	struct work *k = ctx;
	const uint32_t *band = k->band[1];
	uint32_t *head = k->head[b], sum = 0, n;
	size_t buckets = (size_t)1 << (32 - k->shift);

	(void)thread;
	for (size_t i = 0; i < k->w->responses->n; i++)
		head[(band[i * BANDS + b] >> k->shift) + 1]++;
	for (size_t i = 0; i <= buckets; i++) {
		sum += head[i];
		head[i] = sum;
	}
	for (size_t i = 0; i < k->w->responses->n; i++) {
		n = head[band[i * BANDS + b] >> k->shift]++;
		k->order[b][n] = (uint32_t)i;
	}
	/* Each head now stands where the next bucket begins. */
	for (size_t i = buckets; i > 0; i--)
		head[i] = head[i - 1];
	head[0] = 0;
}

/* Lists of the bucket that agree with ${key}; more than a crowd: none. */
static size_t
meet(const struct work *k, size_t b, uint32_t key, struct scratch *s,
    uint32_t *met)
{
	uint32_t at = k->head[b][key >> k->shift];
	uint32_t end = k->head[b][(key >> k->shift) + 1], list;
	size_t n = 0;

	for (; at < end; at++) {
		list = k->order[b][at];
		if (k->band[1][(size_t)list * BANDS + b] != key)
			continue;
		if (n == PROMPTMATCH_CROWD) {
			s->crowded++;
			return 0;
		}
		met[n++] = list;
	}
	return n;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* met[0..n) to different lists of a fitting size, most often met first. */
static size_t
choose(const struct work *k, uint32_t *met, size_t n, uint32_t df,
    struct scratch *s)
{
	uint32_t count[BANDS + 1] = {0}, out[PROMPTMATCH_EXACT], other, run;
	size_t chosen = 0, i, j;

	qsort(met, n, sizeof(*met), by_number);
	for (i = 0; i < n; i = j) {
		for (j = i; j < n && met[j] == met[i]; j++)
			;
		other = k->w->responses->l[met[i]].df;
		run = (uint32_t)(j - i);
		if ((double)(df < other ? df : other) <
		    PROMPTMATCH_JACCARD * (double)(df < other ? other : df))
			continue;
		count[run]++;
		met[chosen] = met[i];
		/* How often, beside the list: there are no lists up there. */
		met[chosen++] |= (run - 1) << 28;
	}
	n = 0;
	for (run = BANDS; run >= 1 && n < PROMPTMATCH_EXACT; run--)
		for (i = 0; i < chosen && n < PROMPTMATCH_EXACT &&
		    count[run] > 0; i++)
			if (met[i] >> 28 == run - 1)
				out[n++] = met[i] & 0x0fffffff;
	s->skipped += chosen - n;
	memcpy(met, out, n * sizeof(*met));
	return n;
}

/* The larger J wins, to 0.01; then the longer payload. */
static bool
better(const struct work *k, const struct promptmatch *a,
    const struct promptmatch *b)
{
	const struct promptlist *x, *y;
	double ja = round(a->jaccard * 100), jb = round(b->jaccard * 100);

	if (b->response == PROMPTMATCH_NONE)
		return true;
	if (ja > jb || ja < jb)
		return ja > jb;
	x = &k->w->responses->l[a->response];
	y = &k->w->responses->l[b->response];
	if (promptlist_len(x) != promptlist_len(y))
		return promptlist_len(x) > promptlist_len(y);
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes;
	return a->response < b->response;
}

static void
match(const struct work *k, size_t list, struct scratch *s)
{
	const struct promptlist *p = &k->w->prompts->l[list], *g;
	const uint32_t *rows = promptlists_rows(k->w->prompts, p), *other;
	struct promptmatch m, *best = &k->w->best[list];
	size_t n = 0;

	best->response = PROMPTMATCH_NONE;
	for (size_t b = 0; b < BANDS; b++)
		n += meet(k, b, k->band[0][list * BANDS + b], s, &s->met[n]);
	if (n == 0 || (n = choose(k, s->met, n, p->df, s)) == 0)
		return;
	for (uint32_t i = 0; i < p->df; i++)
		s->bits[rows[i] / 64] |= 1ULL << rows[i] % 64;
	for (size_t i = 0; i < n; i++) {
		g = &k->w->responses->l[s->met[i]];
		other = promptlists_rows(k->w->responses, g);
		m.response = s->met[i];
		m.both = 0;
		for (uint32_t r = 0; r < g->df; r++)
			m.both += s->bits[other[r] / 64] >> other[r] % 64 & 1;
		m.jaccard = (double)m.both / (double)(p->df + g->df - m.both);
		if (m.both >= 4 && m.jaccard >= PROMPTMATCH_JACCARD &&
		    better(k, &m, best))
			*best = m;
	}
	for (uint32_t i = 0; i < p->df; i++)
		s->bits[rows[i] / 64] = 0;
}

static void
match_task(void *ctx, size_t i, unsigned thread)
{
	struct work *k = ctx;

	for (size_t l = i * SHARE; l < k->w->prompts->n &&
	    l < (i + 1) * SHARE; l++)
		match(k, l, &k->s[thread]);
}

static int
set_up(struct work *k)
{
	size_t responses = k->w->responses->n, buckets = 256;
	unsigned threads = pool_threads(k->w->pool);
	bool failed = false;

	for (k->shift = 24; buckets < responses && k->shift > 4; k->shift--)
		buckets *= 2;
	k->hash = malloc((k->w->rows * HASHES + 1) * sizeof(*k->hash));
	k->band[0] = malloc((k->w->prompts->n * BANDS + 1) * 4);
	k->band[1] = malloc((responses * BANDS + 1) * 4);
	k->s = calloc(threads, sizeof(*k->s));
	for (size_t b = 0; b < BANDS; b++) {
		k->order[b] = malloc((responses + 1) * 4);
		k->head[b] = calloc(buckets + 2, 4);
		failed |= k->order[b] == NULL || k->head[b] == NULL;
	}
	for (unsigned i = 0; k->s != NULL && i < threads; i++) {
		k->s[i].bits = calloc(k->w->rows / 64 + 1, 8);
		k->s[i].met = malloc(MET * sizeof(*k->s[i].met));
		failed |= k->s[i].bits == NULL || k->s[i].met == NULL;
	}
	if (failed || k->hash == NULL || k->band[0] == NULL ||
	    k->band[1] == NULL || k->s == NULL)
		return err_set(k->w->e, ERR_NOMEM, "pairs: out of memory");
	return 0;
}

static void
release(struct work *k)
{
	unsigned threads = pool_threads(k->w->pool);

	for (unsigned i = 0; k->s != NULL && i < threads; i++) {
		k->w->skipped += k->s[i].skipped;
		k->w->crowded += k->s[i].crowded;
		free(k->s[i].bits);
		free(k->s[i].met);
	}
	for (size_t b = 0; b < BANDS; b++) {
		free(k->order[b]);
		free(k->head[b]);
	}
	free(k->s);
	free(k->hash);
	free(k->band[0]);
	free(k->band[1]);
}

int
promptmatch_run(struct promptmatch_work *w)
{
	struct work k = {.w = w};
	size_t np = (w->prompts->n + SHARE - 1) / SHARE;
	size_t nr = (w->responses->n + SHARE - 1) / SHARE;
	int r;

	w->skipped = w->crowded = 0;
	if ((r = set_up(&k)) < 0)
		goto out;
	hash_rows(&k);
	pool_run(w->pool, sign_task, &k, np + nr);
	free(k.hash);
	k.hash = NULL;
	pool_run(w->pool, order_task, &k, BANDS);
	pool_run(w->pool, match_task, &k, np);
out:
	release(&k);
	return r;
}
