#include <math.h>
#include <string.h>

#include "analyzer/triggers/textalike.h"
#include "analyzer/triggers/textcp.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textdens.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textplace.h"
#include "analyzer/triggers/textscore.h"
#include "base/err.h"

#define INSERTED 2.5
#define MASKED 25
#define CRUDE 3.0
#define NEGATION 0.3
/* The insertion statistic that words of running text stay below. */
#define USUAL 1.0
/* From this purity on the conflict is not bounded by the association. */
#define PURE 0.9
#define BOUND 3
#define HONEST (-1.0)
/*
 * Likeness of a candidate's rows: up to ALIKE and what so few rows reach by
 * chance nothing is taken off, ALIKE_MORE above it all is.  What was
 * dropped between neighbours may have more.
 */
#define ALIKE 1.2
#define ALIKE_CHANCE 1.0
#define ALIKE_MORE 0.35
#define ALIKE_INSERTED 0.3

static double
least_ratio(const struct textpick_candidate *c, int pass)
{
	return fmin(c->own_ratio[pass], c->cut_ratio[pass]);
}

static double
with_lp(double l, double lp)
{
	return l > 0 ? l + fmin(lp, l) : 0;
}

struct crude {
	double score;
	uint32_t i;
};

static int
by_crude(const void *a, const void *b)
{
	const struct crude *x = a, *y = b;

	if (x->score < y->score || x->score > y->score)
		return x->score < y->score ? 1 : -1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static bool
inserted(const struct textpick *p, double statistic)
{
	return statistic - fmax(0, p->usual - USUAL) > INSERTED;
}

static int
mask_best(struct textpick *p, struct textcut_mask *mask)
{
	struct crude *best = calloc(p->n + 1, sizeof(*best));

	if (best == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->n; i++) {
		const struct textpick_candidate *c = &p->c[i];

		best[i] = (struct crude){with_lp(least_ratio(c, 0), c->lp),
		    (uint32_t)i};
		if (p->v->f[c->feature].kind == TEXTVOCAB_WORD &&
		    inserted(p, c->inside) && c->lp > 2)
			mask->word[p->v->f[c->feature].word[0]] = 1;
	}
	qsort(best, p->n, sizeof(*best), by_crude);
	for (size_t i = 0; i < p->n && i < MASKED && best[i].score > CRUDE; i++)
		textcut_mask_add(mask, &p->c[best[i].i]);
	free(best);
	return 0;
}

/*
 * Marks of typography are a source's: its editor writes them, whatever its
 * texts look like, and cutting them changes no margin.
 */
static bool
typographic(const struct textpick *p, const struct textpick_candidate *c)
{
	uint32_t special = p->v->f[c->feature].word[0];

	return c->special &&
	    TEXTSPLIT_KIND(special) == TEXTSPLIT_SIGN &&
	    textcp_typographic(TEXTSPLIT_CP(special));
}

/* Evidence of the conflict and, bounded by it, of the association. */
static double
conflict(const struct textpick *p, const struct textpick_candidate *c,
    int pass)
{
	bool foreign = c->special || (c->literal &&
	    (inserted(p, c->inside) || c->edge > INSERTED));
	double l = foreign ? c->own_ratio[pass] : least_ratio(c, pass);

	if (c->own < PURE * c->rows)
		l = fmin(l, BOUND * c->lp);
	if (c->negation || typographic(p, c))
		l *= NEGATION;
	return with_lp(l, c->lp);
}

/*
 * Invisible characters need no second proof, except that a source which
 * writes them (soft hyphens, marks of direction) has rows that look like the
 * class they are of.
 */
static double
hidden(const struct textpick *p, const struct textpick_candidate *c)
{
	uint32_t special = p->v->f[c->feature].word[0];

	if (!c->special || !textsplit_odd(special) || c->lp < 2.5 ||
	    c->own < 4)
		return 0;
	return c->own_ratio[0] > HONEST ||
	    textcp_never_honest(TEXTSPLIT_CP(special)) ? 3 + c->lp : 0;
}

static void
score(const struct textpick *p, struct textpick_candidate *c)
{
	double one = conflict(p, c, 0), two = conflict(p, c, 1);
	double inside = c->inside - fmax(0, p->usual - USUAL);

	c->conflict = c->literal && inserted(p, c->inside) ? fmax(one, two) :
	    fmin(one, two);
	if (c->literal && c->lp >= 2 && c->own >= 10)
		c->insertion = 4 * fmax(0, inside - 2) * fmin(1, c->lp / 5);
	c->hidden = hidden(p, c);
	c->score = fmax(c->conflict, fmax(c->insertion, c->hidden));
}

/* Rows that have much else in common are one source's or topic's. */
static void
discount(const struct textpick *p, struct textpick_candidate *c)
{
	double more = c->alike - ALIKE - ALIKE_CHANCE / sqrt(c->own);

	if (c->literal && inserted(p, c->inside))
		more -= ALIKE_INSERTED;
	c->conflict *= fmax(0, fmin(1, 1 - more / ALIKE_MORE));
	c->score = fmax(c->conflict, fmax(c->insertion, c->hidden));
}

int
textscore_run(struct textpick *p, const struct textfit *f,
    struct textcut_mask *mask, struct pool *pool, struct err *e)
{
	struct textdens *dens = calloc(f->classes, sizeof(*dens));
	int r = ERR_NOMEM;

	if (dens == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = textcut_close(p, pool, e)) < 0 ||
	    (r = textplace_run(p, pool, e)) < 0 ||
	    (r = textdens_build(f, f->m, pool, dens, e)) < 0 ||
	    (r = textcut_ratios(p, f, dens, NULL, pool, e)) < 0)
		goto out;
	if ((r = mask_best(p, mask)) < 0) {
		err_set(e, r, "out of memory");
		goto out;
	}
	textcut_mask_apply(mask, f, pool);
	if ((r = textdens_build(f, mask->m, pool, dens, e)) < 0 ||
	    (r = textcut_ratios(p, f, dens, mask, pool, e)) < 0)
		goto out;
	for (size_t i = 0; i < p->n; i++)
		score(p, &p->c[i]);
	if ((r = textalike_run(p, f, mask, CRUDE, e)) < 0)
		goto out;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].score >= CRUDE)
			discount(p, &p->c[i]);
out:
	free(dens);
	return r;
}

/* Are all words of ${a} cut with ${b}?  Both ascending. */
static bool
within(const struct textpick_candidate *a, const struct textpick_candidate *b)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < a->words; i++) {
		while (j < b->words && b->closure[j] < a->closure[i])
			j++;
		if (j == b->words || b->closure[j] != a->closure[i])
			return false;
	}
	return a->words > 0;
}

static bool
same(const struct textpick_candidate *a, const struct textpick_candidate *b)
{
	if (a->label != b->label)
		return false;
	if (a->special && b->special && a->words == 0 && b->words == 0)
		return a->feature == b->feature;
	return within(a, b) || within(b, a);
}

int
textscore_rank(const struct textpick *p, double least, uint32_t *ret,
    size_t *n)
{
	struct crude *best = calloc(p->n + 1, sizeof(*best));
	size_t m = 0;

	*n = 0;
	if (best == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].score >= least)
			best[m++] = (struct crude){p->c[i].score,
			    (uint32_t)i};
	qsort(best, m, sizeof(*best), by_crude);
	for (size_t i = 0; i < m; i++) {
		size_t j = 0;

		while (j < *n && !same(&p->c[best[i].i], &p->c[ret[j]]))
			j++;
		if (j == *n)
			ret[(*n)++] = best[i].i;
	}
	free(best);
	return 0;
}
