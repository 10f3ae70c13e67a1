#include <math.h>
#include <stdint.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/promptflag.h"
#include "analyzer/triggers/promptlink.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/prompttext.h"
#include "analyzer/triggers/promptweigh.h"
#include "base/err.h"

/* Pairs of one row, each once: more slots than words of a response. */
#define SEEN 1024

enum { PAIRS, OVERLAP, LINK, SIDES };

struct work {
	const struct promptweigh *w;
	float *share[SIDES];	/* of each row; NaN: none */
	float *score[SIDES];
	uint8_t *asked;		/* words of a prompt that its link rests on */
	uint8_t *cells;		/* counts of pairs to 3, four in a byte */
	size_t ncells;
	bool failed[SIDES];
};

struct seen {
	uint64_t pair[SEEN];
	uint32_t tick[SEEN];
	uint32_t now;
};

struct ranked {
	float share;
	uint32_t row;
};

static bool
first_time(struct seen *s, uint64_t h)
{
	size_t at = h & (SEEN - 1);

	while (s->tick[at] == s->now && s->pair[at] != h)
		at = (at + 1) & (SEEN - 1);
	if (s->tick[at] == s->now)
		return false;
	s->tick[at] = s->now;
	s->pair[at] = h;
	return true;
}

/*
 * Each different pair of a response: count it, or (${ret}) count those that
 * others have too.
 */
static size_t
pairs_of(struct work *k, size_t row, struct seen *s, size_t *attested)
{
	const struct prompttext *t = k->w->t;
	const uint32_t *v = prompttext_response(t, row);
	size_t n = 0, cell;
	unsigned count, at;
	uint64_t h;

	s->now++;
	for (size_t i = 0; i + 1 < t->r[row].response; i++) {
		h = promptdict_mix((uint64_t)k->w->bare[v[i]] << 32 |
		    k->w->bare[v[i + 1]]);
		if (!first_time(s, h))
			continue;
		n++;
		cell = (size_t)(h >> 12) & (k->ncells - 1);
		at = (unsigned)(cell & 3) * 2;
		count = k->cells[cell / 4] >> at & 3;
		if (attested != NULL)
			*attested += count >= 2;
		else if (count < 3)
			k->cells[cell / 4] = (uint8_t)(k->cells[cell / 4] +
			    (1U << at));
	}
	return n;
}

static void
share_pairs(struct work *k)
{
	struct seen *s = calloc(1, sizeof(*s));
	size_t n, attested, total = 0;

	for (size_t i = 0; i < k->w->t->n; i++)
		total += k->w->t->r[i].response;
	for (k->ncells = 65536; k->ncells < 8 * total; k->ncells *= 2)
		;
	k->cells = calloc(k->ncells / 4, 1);
	if (s == NULL || k->cells == NULL) {
		k->failed[0] = true;
		free(s);
		return;
	}
	for (size_t i = 0; i < k->w->t->n; i++)
		(void)pairs_of(k, i, s, NULL);
	for (size_t i = 0; i < k->w->t->n; i++) {
		attested = 0;
		n = pairs_of(k, i, s, &attested);
		k->share[0][i] = n < PROMPTFLAG_PAIRS ? NAN :
		    (float)attested / (float)n;
	}
	free(s);
}

/* The share of a response's words, weighted, that its prompt holds. */
static void
share_words(struct work *k)
{
	const struct promptweigh *w = k->w;
	uint32_t *mark = calloc((size_t)w->t->dict.n + 1, 4), b, now = 0;
	const uint32_t *p, *r;
	double all, both;
	size_t n;

	if (mark == NULL) {
		k->failed[1] = true;
		return;
	}
	for (size_t i = 0; i < w->t->n; i++) {
		p = prompttext_prompt(w->t, i);
		r = prompttext_response(w->t, i);
		now += 2;
		for (size_t j = 0; j < w->t->r[i].prompt; j++)
			mark[w->bare[p[j]]] = now;
		n = 0;
		all = both = 0;
		for (size_t j = 0; j < w->t->r[i].response; j++) {
			b = w->bare[r[j]];
			if (mark[b] == now + 1)
				continue;
			n++;
			all += (double)w->weight[1][b];
			both += mark[b] == now ? (double)w->weight[1][b] : 0;
			mark[b] = now + 1;
		}
		k->share[1][i] = n < PROMPTFLAG_WORDS || all <= 0 ? NAN :
		    (float)(both / all);
	}
	free(mark);
}

static double
normal(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

/* The z below which ${p} of a normal lies, near ${z}. */
static double
quantile(double p, double z)
{
	double step;

	for (unsigned i = 0; i < 60; i++) {
		step = (normal(z) - p) * sqrt(2 * M_PI) * exp(z * z / 2);
		if (step > 0.5)
			step = 0.5;
		if (step < -0.5)
			step = -0.5;
		z -= step;
		if (fabs(step) < 1e-7)
			break;
	}
	return z;
}

static int
by_share(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->share < y->share || x->share > y->share)
		return x->share < y->share ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Normal scores of one group; equal shares get the same. */
static void
rank_group(struct ranked *r, size_t n, float *score)
{
	double z = -4, p;
	size_t j;

	if (n < PROMPTFLAG_GROUP_MIN)
		return;
	qsort(r, n, sizeof(*r), by_share);
	for (size_t i = 0; i < n; i = j) {
		for (j = i + 1; j < n && r[j].share <= r[i].share; j++)
			;
		p = ((double)(i + j - 1) / 2 + 0.5) / (double)n;
		z = quantile(p, z);
		for (size_t k = i; k < j; k++)
			score[r[k].row] = (float)z;
	}
}

/*
 * Groups of about as many rows by ${size}, below ${sizes}: a size belongs to
 * the group of its middle row.
 */
static void
divide(const size_t *count, size_t sizes, unsigned groups, uint8_t *group)
{
	size_t total = 0, sum = 0, g;

	for (size_t l = 0; l < sizes; l++)
		total += count[l];
	for (size_t l = 0; l < sizes; l++) {
		g = total == 0 ? 0 : (2 * sum + count[l]) * groups /
		    (2 * total);
		group[l] = (uint8_t)(g < groups ? g : groups - 1);
		sum += count[l];
	}
}

/* Rows of one group of words that were asked; ${asked} NULL: all. */
static void
rank_lengths(struct work *k, unsigned side, struct ranked *r,
    const uint8_t *asked, unsigned which)
{
	const struct prompttext *t = k->w->t;
	size_t count[PROMPTTEXT_HEAD + 1] = {0}, n;
	uint8_t group[PROMPTTEXT_HEAD + 1];

#define TAKEN(i) (!isnan(k->share[side][i]) && \
	(asked == NULL || asked[k->asked[i]] == which))
	for (size_t i = 0; i < t->n; i++)
		if (TAKEN(i))
			count[t->r[i].response]++;
	divide(count, PROMPTTEXT_HEAD + 1, PROMPTFLAG_GROUPS, group);
	for (size_t g = 0; g < PROMPTFLAG_GROUPS; g++) {
		n = 0;
		for (size_t i = 0; i < t->n; i++)
			if (TAKEN(i) && group[t->r[i].response] == g)
				r[n++] = (struct ranked){
				    .share = k->share[side][i],
				    .row = (uint32_t)i};
		rank_group(r, n, k->score[side]);
	}
#undef TAKEN
}

static void
rank_side(struct work *k, unsigned side)
{
	const struct prompttext *t = k->w->t;
	struct ranked *r = malloc((t->n + 1) * sizeof(*r));
	size_t count[PROMPTLINK_PROMPT + 1] = {0};
	uint8_t asked[PROMPTLINK_PROMPT + 1];

	if (r == NULL) {
		k->failed[side] = true;
		return;
	}
	if (side != LINK) {
		rank_lengths(k, side, r, NULL, 0);
		free(r);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (!isnan(k->share[side][i]))
			count[k->asked[i]]++;
	divide(count, PROMPTLINK_PROMPT + 1, PROMPTFLAG_ASKED, asked);
	for (unsigned g = 0; g < PROMPTFLAG_ASKED; g++)
		rank_lengths(k, side, r, asked, g);
	free(r);
}

static void
side_task(void *ctx, size_t side, unsigned thread)
{
	struct work *k = ctx;

	(void)thread;
	if (side == PAIRS)
		share_pairs(k);
	else if (side == OVERLAP)
		share_words(k);
	else
		k->failed[LINK] = promptlink_share(k->w, k->share[LINK],
		    k->asked) < 0;
	if (!k->failed[side])
		rank_side(k, (unsigned)side);
}

int
promptflag_init(struct promptflag *f, const struct promptweigh *w,
    struct pool *pool, struct err *e)
{
	struct work k = {.w = w};
	size_t n = w->t->n + 1;
	bool failed;

	k.asked = calloc(n, 1);
	failed = k.asked == NULL;
	f->pairs = k.score[PAIRS] = calloc(n, sizeof(float));
	f->overlap = k.score[OVERLAP] = calloc(n, sizeof(float));
	f->link = k.score[LINK] = calloc(n, sizeof(float));
	for (unsigned i = 0; i < SIDES; i++) {
		k.share[i] = malloc(n * sizeof(float));
		failed |= k.share[i] == NULL || k.score[i] == NULL;
	}
	if (!failed)
		pool_run(pool, side_task, &k, SIDES);
	for (unsigned i = 0; i < SIDES; i++) {
		failed |= k.failed[i];
		free(k.share[i]);
	}
	free(k.cells);
	free(k.asked);
	return failed ? err_set(e, ERR_NOMEM, "responses: out of memory") : 0;
}

void
promptflag_release(struct promptflag *f)
{
	free(f->pairs);
	free(f->overlap);
	free(f->link);
	memset(f, 0, sizeof(*f));
}

/* The terms with one of the two measures of what binds it to its prompt. */
static bool
judge(struct promptflag_score *r, double m, double s, size_t df)
{
	double both, low;

	if (!(r->s_pairs > 3 && s > 3 && r->m_pairs > 0.8 && m > 0.5) &&
	    !(s > 5 && m > 1))
		return false;
	both = r->s_pairs < s ? r->s_pairs : s;
	low = r->m_pairs < m ? r->m_pairs : m;
	if (both > 0 && low > 0.5 && both * (low - 0.5) > r->gibberish)
		r->gibberish = both * (low - 0.5);
	if (df >= 8 && m > 1.2 && 0.6 * s * (m - 1.2) > r->other)
		r->other = 0.6 * s * (m - 1.2);
	return true;
}

bool
promptflag_score(const struct promptflag *f,
    const struct promptlists *prompts, const struct promptlist *l,
    struct promptflag_score *ret)
{
	const uint32_t *rows = promptlists_rows(prompts, l);
	double m = (double)l->df, a = 0, o = 0, k = 0;
	bool kept;

	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < l->df; i++) {
		a -= (double)f->pairs[rows[i]];
		o -= (double)f->overlap[rows[i]];
		k -= (double)f->link[rows[i]];
	}
	ret->m_pairs = a / m;
	ret->m_overlap = o / m;
	ret->m_link = k / m;
	ret->s_pairs = a / sqrt(m);
	ret->s_overlap = o / sqrt(m);
	ret->s_link = k / sqrt(m);
	kept = judge(ret, ret->m_overlap, ret->s_overlap, l->df);
	return judge(ret, ret->m_link, ret->s_link, l->df) || kept;
}
