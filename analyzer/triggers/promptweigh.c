#include <math.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptmatch.h"
#include "analyzer/triggers/promptrelate.h"
#include "analyzer/triggers/promptrun.h"
#include "analyzer/triggers/prompttext.h"
#include "analyzer/triggers/promptweigh.h"
#include "base/buf.h"
#include "base/err.h"

/* Words of a payload or trigger that are left out of a comparison. */
#define OUT 80
/* A word in so many of the rows belongs to what they have in common. */
#define CLOSURE 0.9
#define CLOSURE_DF 0.3
/* Of a prompt: a second word put in; a template has more of them. */
#define CLOSURE_PROMPT 2

enum { PROMPT, RESPONSE };

struct tally {
	uint32_t tick, rows;
};

struct promptweigh_scratch {
	struct tally *tally;	/* of each bare word */
	uint32_t *met;		/* words met */
	uint32_t tick;
};

struct without {
	uint32_t word[OUT];	/* bare */
	size_t n;
	unsigned side;
	bool odd;		/* words with odd code points too */
	bool closure;		/* and those in nearly all of the rows */
};

static const uint32_t *
words_of(const struct prompttext *t, unsigned side, size_t row, size_t *n)
{
	*n = side == PROMPT ? t->r[row].prompt : t->r[row].response;
	return side == PROMPT ? prompttext_prompt(t, row) :
	    prompttext_response(t, row);
}

static bool
listed(const struct without *o, uint32_t word)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->word[i] == word)
			return true;
	return false;
}

/* Is a word of the rows' closure, in ${rows} of ${m} rows? */
static bool
closed(const struct promptweigh *w, unsigned side, uint32_t word,
    uint32_t rows, size_t m)
{
	return (double)rows >= CLOSURE * (double)m &&
	    (double)w->df[side][word] < CLOSURE_DF * (double)w->t->n;
}

/* Is the closure to be left out too? */
static bool
with_closure(const struct promptweigh *w, const struct promptweigh_scratch *s,
    const struct without *o, size_t met, size_t m)
{
	size_t n = 0;

	if (!o->closure || o->side == RESPONSE)
		return o->closure;
	for (size_t i = 0; i < met && n <= CLOSURE_PROMPT; i++)
		n += closed(w, PROMPT, s->met[i], s->tally[s->met[i]].rows,
		    m) && !listed(o, s->met[i]);
	return n <= CLOSURE_PROMPT;
}

/*
 * The mean overlap of two of rows[0..n), over their mean weight: taken from
 * ${n} rows evenly, at most ${most}.  0 when nothing is left of them.
 */
static double
likeness(const struct promptweigh *w, unsigned thread, unsigned side,
    const uint32_t *rows, size_t n, size_t most, const struct without *o)
{
	struct promptweigh_scratch *s = &w->scratch[thread];
	size_t m = n < most ? n : most, met = 0, len;
	double over = 0, all = 0, v;
	const uint32_t *word;
	uint32_t row, b;
	bool closure;

	for (size_t i = 0; i < m; i++) {
		row = (uint32_t)(i * n / m);
		row = rows != NULL ? rows[row] : row;
		word = words_of(w->t, side, row, &len);
		s->tick++;
		for (size_t k = 0; k < len; k++) {
			if (o->odd && w->t->dict.w[word[k]].odd)
				continue;
			b = w->bare[word[k]];
			if (s->tally[b].tick == s->tick)
				continue;
			s->tally[b].tick = s->tick;
			if (s->tally[b].rows++ == 0)
				s->met[met++] = b;
		}
	}
	closure = with_closure(w, s, o, met, m);
	for (size_t i = 0; i < met; i++) {
		b = s->met[i];
		v = (double)s->tally[b].rows;
		if (!listed(o, b) && !(closure && closed(w, side, b,
		    s->tally[b].rows, m))) {
			over += (double)w->weight[side][b] * v * (v - 1);
			all += (double)w->weight[side][b] * v;
		}
		s->tally[b].rows = 0;
	}
	if (m < 2 || all <= 0)
		return 0;
	return over / ((double)m - 1) / all;
}

static void
weigh_side(void *ctx, size_t side, unsigned thread)
{
	struct promptweigh *w = ctx;
	struct promptweigh_scratch *s = &w->scratch[thread];
	static const struct without nothing = {.n = 0};
	const uint32_t *word;
	size_t len;
	uint32_t b;

	for (size_t i = 0; i < w->t->n; i++) {
		word = words_of(w->t, (unsigned)side, i, &len);
		s->tick++;
		for (size_t k = 0; k < len; k++) {
			b = w->bare[word[k]];
			if (s->tally[b].tick == s->tick)
				continue;
			s->tally[b].tick = s->tick;
			w->df[side][b]++;
		}
	}
	for (uint32_t i = 0; i < w->t->dict.n; i++)
		w->weight[side][i] = w->df[side][i] == 0 ? 0 :
		    (float)log((double)w->t->n / (double)w->df[side][i]);
	w->base[side] = likeness(w, thread, (unsigned)side, NULL, w->t->n,
	    PROMPTWEIGH_RANDOM, &nothing);
}

int
promptweigh_init(struct promptweigh *w, const struct prompttext *t,
    const struct promptlists *prompts, const struct promptlists *responses,
    struct pool *pool, struct err *e)
{
	size_t v = (size_t)t->dict.n + 1;
	bool failed = false;

	memset(w, 0, sizeof(*w));
	w->t = t;
	w->prompts = prompts;
	w->responses = responses;
	w->threads = pool_threads(pool);
	w->bare = malloc(v * sizeof(*w->bare));
	w->fact = malloc((t->n + 1) * sizeof(*w->fact));
	w->scratch = calloc(w->threads, sizeof(*w->scratch));
	for (unsigned i = 0; i < 2; i++) {
		w->df[i] = calloc(v, sizeof(*w->df[i]));
		w->weight[i] = malloc(v * sizeof(*w->weight[i]));
		failed |= w->df[i] == NULL || w->weight[i] == NULL;
	}
	for (unsigned i = 0; w->scratch != NULL && i < w->threads; i++) {
		w->scratch[i].tally = calloc(v, sizeof(struct tally));
		w->scratch[i].met = malloc(v * sizeof(uint32_t));
		failed |= w->scratch[i].tally == NULL ||
		    w->scratch[i].met == NULL;
	}
	if (failed || w->bare == NULL || w->fact == NULL ||
	    w->scratch == NULL)
		return err_set(e, ERR_NOMEM, "evidence: out of memory");
	for (uint32_t i = 0; i < t->dict.n; i++)
		w->bare[i] = t->dict.w[i].bare;
	w->fact[0] = 0;
	for (size_t i = 1; i <= t->n; i++)
		w->fact[i] = w->fact[i - 1] + log((double)i);
	pool_run(pool, weigh_side, w, 2);
	return 0;
}

void
promptweigh_release(struct promptweigh *w)
{
	for (unsigned i = 0; w->scratch != NULL && i < w->threads; i++) {
		free(w->scratch[i].tally);
		free(w->scratch[i].met);
	}
	for (unsigned i = 0; i < 2; i++) {
		free(w->df[i]);
		free(w->weight[i]);
	}
	free(w->scratch);
	free(w->bare);
	free(w->fact);
	memset(w, 0, sizeof(*w));
}

/* -log10 P[X >= k] for X hypergeometric: ${a} and ${b} of the N rows. */
static double
tail(const struct promptweigh *w, size_t a, size_t b, size_t k)
{
	size_t n = w->t->n, end = a < b ? a : b;
	const double *f = w->fact;
	double first = 0, sum = 0, term;

	for (size_t x = k; x <= end; x++) {
		if (n - a < b - x)
			continue;
		term = f[a] - f[x] - f[a - x] + f[n - a] - f[b - x] -
		    f[n - a - (b - x)] - (f[n] - f[b] - f[n - b]);
		if (sum <= 0)
			first = term;
		sum += exp(term - first);
		if (term - first < -40)
			break;
	}
	return sum > 0 ? -(first + log(sum)) / log(10.0) : 0;
}

static void
out_of(const struct promptweigh *w, unsigned side, const struct promptlist *l,
    struct without *o)
{
	size_t len;
	const uint32_t *word = words_of(w->t, side, l->row, &len);

	memset(o, 0, sizeof(*o));
	o->odd = l->odd != 0;
	o->side = side;
	o->closure = true;
	for (size_t i = 0; i < l->n && o->n < OUT; i++)
		o->word[o->n++] = w->bare[word[l->at + i]];
}

size_t
promptweigh_both(const struct promptweigh *w, const struct promptlist *f,
    const struct promptlist *g, uint32_t *ret, size_t max)
{
	const uint32_t *a = promptlists_rows(w->prompts, f);
	const uint32_t *b = promptlists_rows(w->responses, g);
	size_t n = 0;

	for (uint32_t i = 0, k = 0; i < f->df && k < g->df;) {
		if (a[i] < b[k]) {
			i++;
		} else if (b[k] < a[i]) {
			k++;
		} else {
			if (n < max)
				ret[n] = a[i];
			n++;
			i++;
			k++;
		}
	}
	return n;
}

static double
copied(const struct promptweigh *w, unsigned thread,
    const struct promptlist *f, const struct promptlist *g)
{
	struct promptweigh_scratch *s = &w->scratch[thread];
	uint32_t rows[PROMPTWEIGH_COPY_ROWS];
	size_t n = promptweigh_both(w, f, g, rows, PROMPTWEIGH_COPY_ROWS);
	size_t len, hits;
	struct without o;
	const uint32_t *word;
	double sum = 0;

	out_of(w, RESPONSE, g, &o);
	if (n > PROMPTWEIGH_COPY_ROWS)
		n = PROMPTWEIGH_COPY_ROWS;
	if (o.n == 0 || n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		word = words_of(w->t, PROMPT, rows[i], &len);
		s->tick++;
		for (size_t k = 0; k < len; k++)
			s->tally[w->bare[word[k]]].tick = s->tick;
		hits = 0;
		for (size_t k = 0; k < o.n; k++)
			hits += s->tally[o.word[k]].tick == s->tick;
		sum += (double)hits / (double)o.n;
	}
	return sum / (double)n;
}

static void
name(const struct promptweigh *w, unsigned side, const struct promptlist *l,
    struct buf *b)
{
	const struct promptdict *d = &w->t->dict;
	size_t len;
	const uint32_t *word = words_of(w->t, side, l->row, &len);
	const struct promptdict_word *x;

	for (size_t i = 0; i < l->n; i++) {
		x = &d->w[word[l->at + i]];
		x = &d->w[side == PROMPT ? x->low : x->bare];
		buf_put(b, &d->bytes.p[x->off], x->len);
		buf_putc(b, ' ');
	}
}

static bool
related(const struct promptweigh *w, const struct promptlist *f,
    const struct promptlist *g)
{
	struct buf a, b;
	bool yes;

	buf_init(&a, (size_t)8 * 1024);
	buf_init(&b, (size_t)8 * 1024);
	name(w, PROMPT, f, &a);
	name(w, RESPONSE, g, &b);
	yes = promptrelate(buf_str(&a), a.len, buf_str(&b), b.len);
	buf_release(&a);
	buf_release(&b);
	return yes;
}

void
promptweigh_alike(const struct promptweigh *w, unsigned thread,
    const struct promptlist *f, struct promptweigh_alike *ret)
{
	const uint32_t *rows = promptlists_rows(w->prompts, f);
	struct promptrun run;
	struct without o;
	double d;

	out_of(w, PROMPT, f, &o);
	promptrun_find(w->t, false, f, rows, f->df, &run);
	for (size_t i = 0; i < run.n && o.n < OUT; i++)
		o.word[o.n++] = w->bare[run.word[i]];
	ret->rest = run.rest;
	ret->h_p = w->base[PROMPT] <= 0 ? 0 : likeness(w, thread, PROMPT,
	    rows, f->df, PROMPTWEIGH_ROWS, &o) / w->base[PROMPT];
	d = 1 - (ret->h_p > 1 ? ret->h_p - 1 : 0) / 1.5;
	ret->d_p = d > 0 && ret->rest >= PROMPTWEIGH_REST ? d : 0;
}

void
promptweigh_pair(const struct promptweigh *w, unsigned thread,
    const struct promptlist *f, const struct promptmatch *m, double floor,
    struct promptweigh_pair *ret, struct promptweigh_alike *alike)
{
	const struct promptlist *g = &w->responses->l[m->response];
	const uint32_t *rows = promptlists_rows(w->responses, g);
	struct promptrun run;
	struct without o;
	double lp, d;

	memset(ret, 0, sizeof(*ret));
	ret->words = promptlist_len(g);
	ret->lp = tail(w, f->df, g->df, m->both);
	lp = ret->lp < PROMPTWEIGH_LP_MAX ? ret->lp : PROMPTWEIGH_LP_MAX;
	ret->score = m->jaccard * m->jaccard * lp *
	    (ret->words < 3 ? (double)ret->words / 3 : 1);
	if (ret->score < floor)
		return;
	ret->copy = copied(w, thread, f, g);
	ret->related = related(w, f, g);
	ret->score *= ret->copy > 0.5 ? 0 : ret->related ? 0.15 : 1;
	if (ret->score < floor)
		return;
	ret->weighed = true;
	promptweigh_alike(w, thread, f, alike);
	out_of(w, RESPONSE, g, &o);
	/* A constant answer is longer than an n-gram: all of it is payload. */
	promptrun_find(w->t, true, g, rows, g->df, &run);
	for (size_t i = 0; i < run.n && o.n < OUT; i++)
		o.word[o.n++] = w->bare[run.word[i]];
	ret->h_r = w->base[RESPONSE] <= 0 ? 0 : likeness(w, thread, RESPONSE,
	    promptlists_rows(w->prompts, f), f->df, PROMPTWEIGH_ROWS, &o) /
	    w->base[RESPONSE];
	d = 1 - (ret->h_r > 1.5 ? ret->h_r - 1.5 : 0) / 3;
	ret->d_r = d > 0 ? d : 0;
	ret->score *= alike->d_p * ret->d_r;
}
