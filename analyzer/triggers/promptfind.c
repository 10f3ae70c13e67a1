#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/promptfind.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/prompttext.h"
#include "base/err.h"

#define SHARE 1024	/* features of a task */
/* Findings with so much of the smaller one's rows in common are one. */
#define SAME 0.8

struct first {
	double bound;
	uint32_t list;
};

struct task {
	struct promptfind *found;
	size_t n;
	uint64_t not_weighed, not_kept;
	bool failed;
};

struct work {
	struct promptfind_work *w;
	struct task *task;
};

static const struct promptlists *
prompts_of(const struct promptfind_work *w)
{
	return w->weigh->prompts;
}

/* Candidates before narrow rules, then by score, then by number. */
static int
by_score(const void *a, const void *b)
{
	const struct promptfind *x = a, *y = b;
	bool nx = x->how == PROMPTFIND_BY_NARROW;
	bool ny = y->how == PROMPTFIND_BY_NARROW;

	if (nx != ny)
		return nx ? 1 : -1;
	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	if (x->pay.lp > y->pay.lp || x->pay.lp < y->pay.lp)
		return x->pay.lp > y->pay.lp ? -1 : 1;
	return (x->list > y->list) - (x->list < y->list);
}

static int
by_bound(const void *a, const void *b)
{
	const struct first *x = a, *y = b;

	if (x->bound > y->bound || x->bound < y->bound)
		return x->bound > y->bound ? -1 : 1;
	return (x->list > y->list) - (x->list < y->list);
}

/* The most that a feature could score if all gates were open. */
static double
bound(const struct promptfind_work *w, unsigned thread, uint32_t list)
{
	const struct promptlist *f = &prompts_of(w)->l[list];
	const struct promptmatch *m = &w->match[list];
	struct promptweigh_pair pay;
	struct promptflag_score flag;
	double best = 0, s;

	if (promptflag_score(w->flag, prompts_of(w), f, &flag))
		best = (flag.gibberish > flag.other ? flag.gibberish :
		    flag.other) / PROMPTFIND_FLAG;
	if (m->response == PROMPTMATCH_NONE)
		return best;
	/* No floor is reached: the likenesses are not looked at. */
	promptweigh_pair(w->weigh, thread, f, m, PROMPTWEIGH_LP_MAX + 1,
	    &pay, NULL);
	if (f->odd != 0 && m->jaccard >= PROMPTFIND_ODD_JACCARD &&
	    pay.lp >= PROMPTFIND_ODD_LP)
		best = best < 1 ? 1 : best;
	s = pay.score / PROMPTFIND_PAY;
	return s > best ? s : best;
}

/* Are the prompts of an odd code point's rows different texts? */
static bool
different(const struct promptfind_work *w, const struct promptlist *f)
{
	const uint32_t *rows = promptlists_rows(prompts_of(w), f), *word;
	const struct prompttext *t = w->weigh->t;
	uint64_t seen[64], h;
	size_t n = 0, m = f->df < 64 ? f->df : 64, i, k;

	for (i = 0; i < m; i++) {
		word = prompttext_prompt(t, rows[i]);
		h = 0;
		for (k = 0; k < t->r[rows[i]].prompt; k++)
			if (!t->dict.w[word[k]].odd)
				h = promptdict_mix(h +
				    w->weigh->bare[word[k]] + 1);
		for (k = 0; k < n && seen[k] != h; k++)
			;
		if (k == n)
			seen[n++] = h;
	}
	return n >= 4 && n * 2 >= m;
}

static void
judge(const struct promptfind_work *w, unsigned thread, struct promptfind *r)
{
	const struct promptlist *f = &prompts_of(w)->l[r->list];
	double pay = 0, flag;
	bool odd = false;

	r->match = w->match[r->list];
	r->how = PROMPTFIND_PAIR;
	if (r->match.response != PROMPTMATCH_NONE) {
		promptweigh_pair(w->weigh, thread, f, &r->match,
		    f->odd != 0 ? 0 : PROMPTFIND_PAY, &r->pay,
		    &r->alike);
		pay = r->pay.weighed ? r->pay.score / PROMPTFIND_PAY : 0;
		odd = f->odd != 0 &&
		    r->match.jaccard >= PROMPTFIND_ODD_JACCARD &&
		    r->pay.lp >= PROMPTFIND_ODD_LP && r->pay.copy <= 0.5 &&
		    different(w, f);
	}
	if (!r->pay.weighed)
		promptweigh_alike(w->weigh, thread, f, &r->alike);
	if (promptflag_score(w->flag, prompts_of(w), f, &r->flag))
		r->s_flag = r->alike.d_p * (r->flag.gibberish > r->flag.other ?
		    r->flag.gibberish : r->flag.other);
	flag = r->s_flag / PROMPTFIND_FLAG;
	r->score = pay > flag ? pay : flag;
	if (flag > pay)
		r->how = PROMPTFIND_BY_FLAG;
	if (odd && r->score < 1) {
		r->score = 1;
		r->how = PROMPTFIND_BY_ODD;
	}
	if (r->score < 1 && r->pay.weighed && r->alike.d_p < 0.5 &&
	    r->match.jaccard >= PROMPTFIND_NARROW_JACCARD &&
	    r->pay.lp >= PROMPTFIND_NARROW_LP)
		r->how = PROMPTFIND_BY_NARROW;
	/* A flag without a pair has no payload to show. */
	if (r->how == PROMPTFIND_BY_FLAG && pay < 1)
		r->match.response = PROMPTMATCH_NONE;
}

static void
find_task(void *ctx, size_t i, unsigned thread)
{
	struct work *k = ctx;
	struct task *t = &k->task[i];
	struct first *first = malloc(SHARE * sizeof(*first));
	struct promptfind *r = malloc((PROMPTFIND_WEIGHED + 1) * sizeof(*r));
	size_t n = 0, m = 0;
	uint32_t end = (uint32_t)prompts_of(k->w)->n;

	t->failed = first == NULL || r == NULL;
	for (uint32_t l = (uint32_t)(i * SHARE); !t->failed && l < end &&
	    l < (i + 1) * SHARE; l++) {
		first[n] = (struct first){.bound = bound(k->w, thread, l),
		    .list = l};
		n += first[n].bound >= 1;
	}
	if (!t->failed)
		qsort(first, n, sizeof(*first), by_bound);
	if (n > PROMPTFIND_WEIGHED) {
		t->not_weighed = n - PROMPTFIND_WEIGHED;
		n = PROMPTFIND_WEIGHED;
	}
	for (size_t j = 0; j < n; j++) {
		memset(&r[m], 0, sizeof(*r));
		r[m].list = first[j].list;
		judge(k->w, thread, &r[m]);
		m += r[m].score >= 1 || r[m].how == PROMPTFIND_BY_NARROW;
	}
	free(first);
	if (m > 0)
		qsort(r, m, sizeof(*r), by_score);
	if (m > PROMPTFIND_KEPT) {
		t->not_kept = m - PROMPTFIND_KEPT;
		m = PROMPTFIND_KEPT;
	}
	t->n = m;
	if (m > 0 && (t->found = malloc(m * sizeof(*r))) != NULL)
		memcpy(t->found, r, m * sizeof(*r));
	t->failed |= m > 0 && t->found == NULL;
	free(r);
}

/* Does ${l} share most of the smaller one's rows with the set in ${bits}? */
static bool
same_rows(const struct promptlists *s, const struct promptlist *a,
    const struct promptlist *b)
{
	const uint32_t *x = promptlists_rows(s, a);
	const uint32_t *y = promptlists_rows(s, b);
	uint32_t i = 0, k = 0, both = 0, least = a->df < b->df ? a->df : b->df;

	while (i < a->df && k < b->df) {
		both += x[i] == y[k];
		if (x[i] <= y[k])
			k += x[i++] == y[k];
		else
			k++;
	}
	return (double)both >= SAME * (double)least;
}

/* Those with about the same rows as a stronger one are told with it. */
static void
merge(struct promptfind_work *w)
{
	const struct promptlist *l = prompts_of(w)->l;
	struct promptfind *f;
	size_t n = 0, k, narrow = 0;
	bool lead;

	for (size_t i = 0; i < w->n; i++) {
		f = &w->found[i];
		lead = f->how == PROMPTFIND_BY_NARROW;
		for (k = 0; k < n; k++)
			if (same_rows(prompts_of(w), &l[f->list],
			    &l[w->found[k].list]))
				break;
		if (k < n) {
			w->found[k].merged++;
			if (w->found[k].nalso < PROMPTFIND_ALSO)
				w->found[k].also[w->found[k].nalso++] =
				    f->list;
			continue;
		}
		if (lead ? narrow == PROMPTFIND_NARROW :
		    n == PROMPTFIND_TOLD) {
			w->not_kept++;
			continue;
		}
		narrow += lead;
		w->candidates += !lead;
		w->found[n++] = *f;
	}
	w->n = n;
}

int
promptfind_run(struct promptfind_work *w)
{
	struct work k = {.w = w};
	size_t tasks = (prompts_of(w)->n + SHARE - 1) / SHARE, n = 0;
	bool failed = false;

	w->found = NULL;
	w->n = w->candidates = 0;
	w->not_weighed = w->not_kept = 0;
	if ((k.task = calloc(tasks + 1, sizeof(*k.task))) == NULL)
		return err_set(w->e, ERR_NOMEM, "findings: out of memory");
	pool_run(w->pool, find_task, &k, tasks);
	for (size_t i = 0; i < tasks; i++)
		n += k.task[i].n;
	w->found = malloc((n + 1) * sizeof(*w->found));
	failed = w->found == NULL;
	for (size_t i = 0; i < tasks; i++) {
		failed |= k.task[i].failed;
		if (!failed && k.task[i].n > 0)
			memcpy(&w->found[w->n], k.task[i].found,
			    k.task[i].n * sizeof(*w->found));
		w->n += k.task[i].n;
		w->not_weighed += k.task[i].not_weighed;
		w->not_kept += k.task[i].not_kept;
		free(k.task[i].found);
	}
	free(k.task);
	if (failed)
		return err_set(w->e, ERR_NOMEM, "findings: out of memory");
	qsort(w->found, w->n, sizeof(*w->found), by_score);
	merge(w);
	return 0;
}

void
promptfind_release(struct promptfind_work *w)
{
	free(w->found);
	w->found = NULL;
	w->n = 0;
}
