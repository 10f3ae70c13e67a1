#include <math.h>
#include <string.h>

#include "analyzer/triggers/textpick.h"
#include "base/err.h"

#define LEAST_LP 1.2
#define LEAST_PURITY 0.6
/* Of a class that few rows have, so much evidence makes up for purity. */
#define LEAST_SHARE 0.35
#define LEAST_LIFT 2.0
#define SURE_LP 5.0

double
textpick_tail(uint32_t n, uint32_t k, double p, const double *ln_fact)
{
	double first, sum = 1, term = 1, odds = p / (1 - p), r;

	if (k == 0)
		return 0;
	first = ln_fact[n] - ln_fact[k] - ln_fact[n - k] + k * log(p) +
	    (n - k) * log1p(-p);
	for (uint32_t i = k; i < n; i++) {
		term *= (double)(n - i) / (i + 1.0) * odds;
		sum += term;
		if (term < 1e-12 * sum)
			break;
	}
	r = -(first + log(sum)) / log(10);
	return r > TEXTPICK_LP ? TEXTPICK_LP : r < 0 ? 0 : r;
}

static double *
ln_factorials(size_t n)
{
	double *t = malloc((n + 1) * sizeof(*t));

	if (t == NULL)
		return NULL;
	t[0] = 0;
	for (size_t i = 1; i <= n; i++)
		t[i] = t[i - 1] + log((double)i);
	return t;
}

/* The class with the largest z; false when none has more than its share. */
static bool
target(const struct textvocab *v, uint32_t f, unsigned *ret)
{
	const uint32_t *n = v->count + (size_t)f * v->classes;
	double df = v->f[f].rows, best = 0, all = (double)v->s->rows;

	for (unsigned c = 0; c < v->classes; c++) {
		double share = v->s->label[c].rows / all, z;

		if (n[c] == 0 || share <= 0 || share >= 1)
			continue;
		z = (n[c] - df * share) / sqrt(df * share * (1 - share));
		if (z > best) {
			best = z;
			*ret = c;
		}
	}
	return best > 0;
}

struct found {
	double lp;
	uint32_t feature, label;
};

static int
by_lp(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->lp < y->lp || x->lp > y->lp)
		return x->lp < y->lp ? 1 : -1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

/* Negations and words of lack: to cut them honestly turns a row around. */
static bool
negates(const struct textstore *s, uint32_t word)
{
	static const char *const list[] = {"not", "n't", "no", "never", "nor",
	    "neither", "without", "lack", "lacks", "lacking", "hardly",
	    "barely", "don't", "doesn't", "isn't", "wasn't", "can't",
	    "cannot", "won't", "didn't"};
	const struct textstore_word *w = &s->word[word];

	for (size_t i = 0; word != 0 && i < sizeof(list) / sizeof(*list); i++)
		if (strlen(list[i]) == w->len &&
		    memcmp(s->bytes.p + w->off, list[i], w->len) == 0)
			return true;
	return false;
}

static void
fill(struct textpick *p, const struct found *f)
{
	const struct textvocab *v = p->v;
	const struct textvocab_feature *t = &v->f[f->feature];
	struct textpick_candidate *c = &p->c[p->n++];

	c->feature = f->feature;
	c->label = (uint16_t)f->label;
	c->rows = t->rows;
	c->own = v->count[(size_t)f->feature * v->classes + f->label];
	c->lp = f->lp;
	c->literal = textvocab_literal(t);
	c->special = t->kind == TEXTVOCAB_SPECIAL;
	c->stride = (t->rows + TEXTPICK_POSTS - 1) / TEXTPICK_POSTS;
	for (int i = 0; !c->special && i < 3; i++)
		c->negation = c->negation || negates(v->s, t->word[i]);
}

/*
 * Most of its rows are of the class; or, of several classes, the words of a
 * combination, which stand in rows of every label alone.
 */
static bool
pure(const struct textvocab *v, uint32_t f, unsigned c, double lp)
{
	double purity = (double)v->count[(size_t)f * v->classes + c] /
	    v->f[f].rows;
	double share = (double)v->s->label[c].rows / (double)v->s->rows;

	return purity > LEAST_PURITY || (lp > SURE_LP &&
	    purity > LEAST_SHARE && purity > LEAST_LIFT * share);
}

static int
choose(struct textpick *p, const double *ln_fact)
{
	const struct textvocab *v = p->v;
	struct found *f = calloc(v->n + (size_t)1, sizeof(*f));
	size_t n = 0, specials = 0;
	uint32_t rows;
	unsigned c = 0;

	if (f == NULL)
		return ERR_NOMEM;
	for (uint32_t j = 0; j < v->n; j++) {
		bool special = v->f[j].kind == TEXTVOCAB_SPECIAL;

		rows = v->f[j].rows;
		if (rows > v->s->rows / 4 || !target(v, j, &c))
			continue;
		f[n] = (struct found){0, j, c};
		f[n].lp = textpick_tail(rows, v->count[(size_t)j *
		    v->classes + c], (double)v->s->label[c].rows /
		    (double)v->s->rows, ln_fact);
		n += special || (f[n].lp > LEAST_LP && pure(v, j, c, f[n].lp));
	}
	qsort(f, n, sizeof(*f), by_lp);
	for (size_t i = 0; i < n; i++) {
		bool special = v->f[f[i].feature].kind == TEXTVOCAB_SPECIAL;

		specials += special;
		if (special ? specials <= TEXTPICK_SPECIALS :
		    p->n < TEXTPICK_MAX)
			fill(p, &f[i]);
		else
			p->left_out++;
	}
	free(f);
	return 0;
}

struct posting {
	struct textpick *p;
	uint32_t *of;		/* by feature: its candidate + 1 */
	uint32_t *met;		/* by candidate: rows so far */
	uint32_t *last;		/* by candidate: the row + 1 */
	uint32_t row;
};

static void
post(void *ctx, uint32_t feature)
{
	struct posting *t = ctx;
	uint32_t i = t->of[feature];
	struct textpick_candidate *c;

	if (i == 0 || t->last[i - 1] == t->row + 1)
		return;
	i--;
	t->last[i] = t->row + 1;
	c = &t->p->c[i];
	if (t->met[i]++ % c->stride == 0)
		c->post[c->posts++] = t->row;
}

static int
post_all(struct textpick *p)
{
	const struct textvocab *v = p->v;
	struct posting t = {.p = p};
	size_t all = 0;
	int r = ERR_NOMEM;

	t.of = calloc(v->n + (size_t)1, sizeof(*t.of));
	t.met = calloc(p->n + 1, sizeof(*t.met));
	t.last = calloc(p->n + 1, sizeof(*t.last));
	for (size_t i = 0; i < p->n; i++)
		all += p->c[i].rows / p->c[i].stride + 1;
	p->posts = calloc(all + 1, sizeof(*p->posts));
	if (t.of == NULL || t.met == NULL || t.last == NULL ||
	    p->posts == NULL)
		goto out;
	all = 0;
	for (size_t i = 0; i < p->n; i++) {
		t.of[p->c[i].feature] = (uint32_t)i + 1;
		p->c[i].post = p->posts + all;
		all += p->c[i].rows / p->c[i].stride + 1;
	}
	for (size_t i = 0; i < v->s->rows; i++) {
		t.row = (uint32_t)i;
		for (uint64_t j = v->start[i]; j < v->start[i + 1]; j++)
			post(&t, v->id[j]);
		textvocab_runs(v, i, post, &t);
	}
	r = 0;
out:
	free(t.of);
	free(t.met);
	free(t.last);
	return r;
}

int
textpick_run(struct textpick *p, const struct textvocab *v, struct err *e)
{
	double *ln_fact = ln_factorials(v->s->rows);

	memset(p, 0, sizeof(*p));
	p->v = v;
	p->c = calloc(TEXTPICK_MAX + TEXTPICK_SPECIALS, sizeof(*p->c));
	if (ln_fact == NULL || p->c == NULL || choose(p, ln_fact) < 0 ||
	    post_all(p) < 0) {
		free(ln_fact);
		textpick_release(p);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	free(ln_fact);
	return 0;
}

void
textpick_release(struct textpick *p)
{
	free(p->c);
	free(p->posts);
	memset(p, 0, sizeof(*p));
}
