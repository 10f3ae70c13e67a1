#include <math.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textplace.h"
#include "base/err.h"

#define PLACES 400
#define LEAST 6
#define SPREAD 0.8
#define START (UINT32_MAX - 1)
#define END (UINT32_MAX - 2)
#define QUERIES 4000000
#define USUAL 400		/* words that show what is usual in the set */
#define USUAL_ROWS 12

struct place {
	uint32_t l, r;
};

struct placing {
	struct textpick *p;
	struct textpick_candidate *c;	/* the candidates, or usual words */
	size_t candidates;
	const struct textstore *s;
	struct place *at;	/* by candidate and place */
	uint32_t *n;		/* by candidate */
	struct textpairs pairs;
	double all;		/* words and ends of the whole set */
};

static unsigned
length(const struct textvocab_feature *f)
{
	return f->kind == TEXTVOCAB_TRIPLE ? 3 :
	    f->kind == TEXTVOCAB_PAIR ? 2 : 1;
}

static void
find(void *ctx, size_t i, unsigned thread)
{
	struct placing *t = ctx;
	const struct textpick_candidate *c = &t->c[i];
	const struct textvocab_feature *f = &t->p->v->f[c->feature];
	uint32_t stride = c->posts / PLACES + (c->posts % PLACES > 0);
	unsigned len = length(f);

	(void)thread;
	if (!c->literal)
		return;
	for (uint32_t k = 0; k < c->posts; k += stride) {
		const uint32_t *w = textstore_items(t->s, c->post[k]);
		uint32_t n = t->s->row[c->post[k]].words, j = 0;

		while (j + len <= n && memcmp(w + j, f->word,
		    len * sizeof(*w)) != 0)
			j++;
		if (j + len > n)
			continue;
		t->at[i * PLACES + t->n[i]++] = (struct place){
		    j == 0 ? START : w[j - 1],
		    j + len == n ? END : w[j + len]};
	}
}

static uint64_t
key(uint32_t l, uint32_t r)
{
	return (uint64_t)l << 32 | r;
}

/* Which pairs are asked for, and then how often each stands in the set. */
static int
count(struct placing *t)
{
	struct textpairs_sieve sieve = {0};
	struct textpairs_entry *e;
	size_t all = 0;
	int r = ERR_NOMEM;

	for (size_t i = 0; i < t->candidates; i++)
		all += t->n[i];
	if (textpairs_sieve_init(&sieve, all * 8) < 0)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->candidates; i++)
		for (uint32_t j = 0; j < t->n[i]; j++) {
			const struct place *a = &t->at[i * PLACES + j];

			if (textpairs_add(&t->pairs, key(a->l, a->r), &e) < 0)
				goto out;
			textpairs_sieve_add(&sieve, key(a->l, a->r));
		}
	for (size_t i = 0; i < t->s->rows; i++) {
		const uint32_t *w = textstore_items(t->s, i);
		uint32_t n = t->s->row[i].words, l = START;

		for (uint32_t j = 0; j <= n; j++) {
			uint32_t now = j < n ? w[j] : END;

			if (textpairs_sieve_get(&sieve, key(l, now)) > 0 &&
			    (e = textpairs_at(&t->pairs, key(l, now))) != NULL)
				e->count++;
			l = now;
		}
	}
	r = 0;
out:
	textpairs_sieve_release(&sieve);
	return r;
}

static double
unigram(const struct placing *t, uint32_t w)
{
	return w == START || w == END ? (double)t->s->rows :
	    (double)t->s->word[w].count;
}

static double
pmi(const struct placing *t, uint32_t l, uint32_t r)
{
	const struct textpairs_entry *e = textpairs_at(&t->pairs, key(l, r));
	double expect = unigram(t, l) * unigram(t, r) / t->all;
	double n = e == NULL ? 0 : e->count;

	return log((n + 0.5 * fmin(1, expect) + 0.02) / (expect + 0.02));
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* How selective about its neighbours on one side: w[0..n), of ${all}. */
static double
selective(const struct placing *t, uint32_t *w, uint32_t n, uint32_t all)
{
	double sum = 0;

	if (n == 0)
		return 0;
	qsort(w, n, sizeof(*w), by_value);
	for (uint32_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && w[j] == w[i]; j++)
			;
		sum += (j - i) * log((j - i - 1 + 0.12) /
		    (all * unigram(t, w[i]) / t->all + 0.1));
	}
	return sum / n;
}

/* (mean - less) sqrt(n) / deviation of x[0..n). */
static double
strength(const double *x, uint32_t n, double less)
{
	double sum = 0, square = 0, mean, s;

	if (n < LEAST)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		sum += x[i];
	mean = sum / n;
	for (uint32_t i = 0; i < n; i++)
		square += (x[i] - mean) * (x[i] - mean);
	s = sqrt(square / n);
	return (mean - less) * sqrt(n) / fmax(s, SPREAD);
}

static void
judge(void *ctx, size_t i, unsigned thread)
{
	struct placing *t = ctx;
	struct textpick_candidate *c = &t->c[i];
	const struct place *a = t->at + i * PLACES;
	uint32_t w[2][PLACES], nw[2] = {0, 0}, n[3] = {0, 0, 0}, all = t->n[i];
	double x[3][PLACES], sel[2];
	int side;

	(void)thread;
	for (uint32_t j = 0; j < all; j++) {
		if (a[j].l == 0 || a[j].r == 0)
			continue;	/* words without a number */
		if (a[j].l != START)
			w[0][nw[0]++] = a[j].l;
		if (a[j].r != END)
			w[1][nw[1]++] = a[j].r;
		if (a[j].l == START && a[j].r == END)
			continue;
		side = a[j].l == START ? 1 : a[j].r == END ? 2 : 0;
		x[side][n[side]++] = pmi(t, a[j].l, a[j].r);
	}
	sel[0] = fmax(selective(t, w[0], nw[0], all), 0);
	sel[1] = fmax(selective(t, w[1], nw[1], all), 0);
	c->inside = strength(x[0], n[0], sel[0] + sel[1]);
	side = n[1] >= n[2] ? 1 : 2;
	if (all >= LEAST && (all - n[0]) * 5 >= all * 4)
		c->edge = strength(x[side], n[side], side == 1 ? sel[1] :
		    sel[0]);
}

static int
place(struct placing *t, struct pool *pool)
{
	int r = ERR_NOMEM;

	t->at = calloc(t->candidates * PLACES + 1, sizeof(*t->at));
	t->n = calloc(t->candidates + 1, sizeof(*t->n));
	if (t->at == NULL || t->n == NULL ||
	    textpairs_init(&t->pairs, QUERIES) < 0)
		goto out;
	pool_run(pool, find, t, t->candidates);
	if (count(t) < 0)
		goto out;
	pool_run(pool, judge, t, t->candidates);
	r = 0;
out:
	free(t->at);
	free(t->n);
	textpairs_release(&t->pairs);
	return r;
}

struct usual {
	struct textpick_candidate c[USUAL];
	uint32_t post[USUAL][PLACES];
	uint32_t met[USUAL], last[USUAL];	/* rows; the last, from 1 */
	uint32_t *of;		/* by word: its place in ${c} + 1 */
	size_t n;
};

/* Words of every part of the dictionary, and the rows that hold them. */
static int
usual_words(struct usual *u, const struct textvocab *v)
{
	const struct textstore *s = v->s;
	size_t fit = 0, step;

	if ((u->of = calloc(s->words, sizeof(*u->of))) == NULL)
		return ERR_NOMEM;
	for (uint32_t w = 1; w < s->words; w++)
		fit += s->word[w].rows >= USUAL_ROWS &&
		    v->of_word[w] != TEXTVOCAB_NONE;
	step = fit / USUAL + 1;
	fit = 0;
	for (uint32_t w = 1; w < s->words; w++) {
		if (s->word[w].rows < USUAL_ROWS ||
		    v->of_word[w] == TEXTVOCAB_NONE || fit++ % step != 0)
			continue;
		u->c[u->n] = (struct textpick_candidate){
		    .feature = v->of_word[w], .literal = true,
		    .stride = (s->word[w].rows + PLACES - 1) / PLACES,
		    .post = u->post[u->n]};
		u->of[w] = (uint32_t)++u->n;
	}
	for (uint32_t i = 0; i < s->rows; i++)
		for (uint32_t j = 0; j < s->row[i].words; j++) {
			uint32_t k = u->of[textstore_items(s, i)[j]];

			if (k == 0 || u->last[k - 1] == i + 1)
				continue;
			u->last[k - 1] = i + 1;
			if (u->met[k - 1]++ % u->c[k - 1].stride == 0)
				u->c[k - 1].post[u->c[k - 1].posts++] = i;
		}
	return 0;
}

static int
by_inside(const void *a, const void *b)
{
	const struct textpick_candidate *x = a, *y = b;

	return x->inside < y->inside ? -1 : x->inside > y->inside;
}

/* What 95 of 100 words of the set stay below. */
static int
usual(struct placing *t, struct pool *pool)
{
	struct usual *u = calloc(1, sizeof(*u));
	int r = ERR_NOMEM;

	if (u == NULL || usual_words(u, t->p->v) < 0)
		goto out;
	t->c = u->c;
	t->candidates = u->n;
	if (place(t, pool) < 0)
		goto out;
	qsort(u->c, u->n, sizeof(*u->c), by_inside);
	t->p->usual = u->n < 20 ? 0 : u->c[u->n * 95 / 100].inside;
	r = 0;
out:
	if (u != NULL)
		free(u->of);
	free(u);
	return r;
}

int
textplace_run(struct textpick *p, struct pool *pool, struct err *e)
{
	struct placing t = {.p = p, .s = p->v->s};

	for (size_t i = 0; i < t.s->rows; i++)
		t.all += t.s->row[i].words + 2.0;
	if (usual(&t, pool) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	t.c = p->c;
	t.candidates = p->n;
	return place(&t, pool) < 0 ?
	    err_set(e, ERR_NOMEM, "out of memory") : 0;
}
