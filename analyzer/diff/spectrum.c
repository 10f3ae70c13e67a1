#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/delta.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/sketch.h"
#include "analyzer/diff/sketch_exact.h"
#include "analyzer/diff/sketch_noise.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/tensor.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * The rank test (backdoor_models.md, Diff specification, 3.3), with F = |D|,
 * nt the noise that storage and arithmetic explain, edge the largest singular
 * value that white noise of that size has, and tail(r) what is left of D
 * after r components:
 *
 *  a. nothing above the edge: rounding, if all of D is as large as the noise;
 *  b. a gap of 5 after component k, and less left than edits and merges that
 *     were computed in half precision leave: rank k;
 *  c. what is left after all components above the edge is noise: the rank is
 *     where the gap is largest among them;
 *  d. dense.
 *
 * "The smallest r whose tail is as large as the noise" is the obvious rule,
 * and wrong: it calls every difference of the size of the noise a rank-one
 * edit.
 *
 * Two things are stricter than the specification, whose dense updates have
 * singular values of one size.  Those of training fall off slowly, as 1/i or
 * so: where noise hides all but the first, rule c as it stands calls the
 * update low-rank.  Nothing but a gap tells the two apart.  So rule c demands
 * that all components above the edge are taken, none too close to the noise;
 * what it no longer takes is UNDECIDED, which is neither dense nor low.  And
 * the edge is that of noise as uneven as the weights are (sketch_noise.c).
 *
 * One thing sees more.  Where D is smaller than the noise of storage (most
 * elements of a coarse type stay as they are, as B came from the stored A),
 * noise is no larger than what is left of D, and the edge follows that.  As
 * what is left proves nothing there, the gap must be larger.
 *
 * A's own rounding.  Where A is stored in a coarse type, B may come from A as
 * it is stored, or from what A was before it was rounded.  The first is tried
 * first, as its noise is smaller and its test the stricter one.
 *
 * How many columns.  The specification begins with 24 and goes on while
 * s_q/s_1 < 0.05.  That would call an adapter of rank 32 with equal singular
 * values dense; what is used instead follows from the sketch itself: what is
 * left, divided by the smallest s^2 that was found, is how many components
 * more there must be at least.  Only while that is within reach of the
 * largest sketch are there more columns.
 */
#define FLOOR 7e-5	/* single precision of W + B A s, over F */
#define EDGE 1.1
#define EDGE_FIRST 1.3	/* s_1 must reach so many edges */
#define GAP 5.0
#define HALF 2.5e-3	/* what computing in half precision leaves, over F */
#define TAIL 1.05
#define TAIL_RANK 1.5
#define TAIL_ROUNDING 1.3
#define GAP_TAIL 1.3	/* rule c: the last component over the next */
#define GAP_ONE 1.5	/* ... of one alone */
#define GAP_SURE 3.0
#define EDGE_MORE 1.05	/* s_1 over what uneven noise may do */
#define SMALL 32	/* a side below it: edges are for large matrices */
#define QUIET 0.7	/* of the noise: what is left no longer tells */
#define GAP_QUIET 2.5

static const unsigned columns[] = {24, 80, SKETCH_MAX};
#define STAGES (sizeof(columns) / sizeof(columns[0]))

/* What the test looks at. */
struct values {
	const struct sketch *s;
	const struct sketch_noise *noise;
	double f2;		/* F^2 */
	double m, n;
	double side;		/* min(m, n) */
	double tail2[SKETCH_MAX + 1];
};

const char *
spectrum_verdict_name(enum spectrum_verdict v)
{
	static const char *const names[] = {"skipped", "rounding", "dense",
	    "low-rank", "undecided"};

	BUG_ON(v >= SPECTRUM_VERDICTS);
	return names[v];
}

static double
gap_at(const struct sketch *s, unsigned r)
{
	double next = r < s->q ? s->s[r] : 0.0;

	return next > 0 ? s->s[r - 1] / next : INFINITY;
}

/* The r in [1, top] with the largest gap and tail(r) <= ${most}; or 0. */
static unsigned
widest(const struct values *v, unsigned top, double most2)
{
	unsigned best = 0;
	double gap = 0;

	for (unsigned r = 1; r <= top; r++)
		if (v->tail2[r] <= most2 && gap_at(v->s, r) > gap) {
			gap = gap_at(v->s, r);
			best = r;
		}
	return best;
}

/* Components that may be told apart at all: the last of a sketch are not. */
static unsigned
reach(const struct values *v, unsigned above)
{
	unsigned top = v->s->exact ? v->s->q - 1 : v->s->q - 8;
	double third = floor(v->side / 3);

	top = v->s->q < 8 && !v->s->exact ? 0 : top;
	top = top < above ? top : above;
	return (double)top < third ? top : (unsigned)third;
}

static double
left_by_half(const struct values *v, double nt)
{
	return HALF * HALF * v->f2 + TAIL * TAIL * nt * nt;
}

/*
 * One row, column or element whose noise has the square ${own}, among even
 * noise whose rows and columns have the squares ${r} and ${c}: the singular
 * value of its component (Benaych-Georges and Nadakuditi, 2012), which is
 * lost in the rest if it is small.
 */
static double
standing_out(double own, double r, double c)
{
	return own > sqrt(r * c) ? sqrt((own + r) * (own + c) / own) : 0;
}

/* The largest singular value that noise has; D's first must exceed more. */
struct edge {
	double any, first;
};

/* By the model of storage: noise of square ${nf2}, as uneven as it is. */
static struct edge
edge_of_storage(const struct values *v, double nf2)
{
	const struct sketch_noise *x = v->noise;
	double nt2 = nf2 + FLOOR * FLOOR * v->f2;
	double r = nt2 / v->m, c = nt2 / v->n, spike;
	double even = EDGE * (sqrt(r) + sqrt(c)), edge;

	edge = EDGE * standing_out(fmax(x->row - 1, 0) * r +
	    fmax(x->col - 1, 0) * c, r, c);
	/* Two values on one coarse grid are whole units apart. */
	spike = x->spike * fmax(nf2, x->a_coarse ? 4 * x->nf_b : 0);
	spike = standing_out(spike, fmax(x->spike_row, 1) * r,
	    fmax(x->spike_col, 1) * c);
	edge = fmax(edge, spike);
	return (struct edge){fmax(even, edge),
	    fmax(EDGE_FIRST * even, EDGE_MORE * edge)};
}

/*
 * By D itself: after ${k} components there is no more noise than what is
 * left, and in no row or column more than D has there.  The two that have
 * most may cross in one element.
 */
static struct edge
edge_of_rest(const struct values *v, unsigned k)
{
	double r = v->tail2[k] / v->m, c = v->tail2[k] / v->n;
	double even = EDGE * (sqrt(r) + sqrt(c)), edge;

	edge = EDGE * standing_out(v->noise->d2_row + v->noise->d2_col, r, c);
	return (struct edge){fmax(even, edge),
	    fmax(EDGE_FIRST * even, EDGE_MORE * edge)};
}

/* Components above the edge. */
static void
find_above(const struct values *v, struct spectrum *ret)
{
	const struct sketch *s = v->s;
	struct edge all = edge_of_storage(v, ret->nf * ret->nf), now;

	for (ret->above = 0; ret->above < s->q; ret->above++) {
		double least;

		now = edge_of_rest(v, ret->above);
		ret->edge = fmin(all.any, now.any);
		least = ret->above == 0 ? fmin(all.first, now.first) :
		    ret->edge;
		if (s->s[ret->above] <= least)
			return;
	}
}

/* Rules b and c; false: neither. */
static bool
low(const struct values *v, struct spectrum *ret)
{
	const struct sketch *s = v->s;
	double nt = ret->nt, noise2 = pow(TAIL * nt, 2), least;
	unsigned k = widest(v, reach(v, ret->above), INFINITY);
	bool quiet;

	ret->verdict = SPECTRUM_LOW_RANK;
	if (k > 0 && gap_at(s, k) >= GAP && v->tail2[k] <=
	    left_by_half(v, nt)) {
		ret->rank = k;
		ret->why = "gap";
		ret->sure = true;
		return true;
	}
	if (ret->above == s->q || ret->above > v->side / 2 ||
	    v->tail2[ret->above] > noise2)
		return false;
	k = widest(v, ret->above, pow(TAIL_RANK * nt, 2));
	if (k == 0 || k > floor(v->side / 3))
		return false;
	ret->rank = k;
	ret->why = "tail";
	quiet = v->tail2[k] < QUIET * QUIET * nt * nt;
	ret->sure = gap_at(s, k) >= (quiet ? GAP : GAP_SURE);
	least = quiet ? GAP_QUIET : k == 1 ? GAP_ONE : GAP_TAIL;
	least = v->side < SMALL ? GAP_SURE : least;
	if (gap_at(s, k) < GAP && (k < ret->above || gap_at(s, k) < least ||
	    v->tail2[k] > noise2)) {
		ret->verdict = SPECTRUM_UNDECIDED;
		ret->rank = ret->above;
		ret->sure = false;
	}
	return true;
}

static void
judge(const struct values *v, double nf2, struct spectrum *ret)
{
	ret->nf = sqrt(nf2);
	ret->nt = sqrt(nf2 + FLOOR * FLOOR * v->f2);
	ret->rank = 0;
	ret->why = NULL;
	ret->sure = false;
	find_above(v, ret);
	if (ret->above == 0)
		ret->verdict = v->tail2[0] <= pow(TAIL_ROUNDING * ret->nt, 2) ?
		    SPECTRUM_ROUNDING : SPECTRUM_DENSE;
	else if (!low(v, ret))
		ret->verdict = SPECTRUM_DENSE;
}

/* Could D be of low rank, and a larger sketch show it? */
static bool
undecided(const struct values *v, const struct spectrum *r)
{
	const struct sketch *s = v->s;
	double last = s->s[s->q - 1], more;

	if (r->verdict != SPECTRUM_DENSE || s->exact || last <= 0 ||
	    r->above == 0)
		return false;
	more = (s->resid2 - left_by_half(v, r->nt)) / (last * last);
	return s->q + more <= fmin(SKETCH_MAX, v->side / 3);
}

static void
measure(const struct values *v, const struct sketch_noise *noise,
    struct spectrum *ret)
{
	const struct sketch *s = v->s;
	unsigned at = ret->verdict == SPECTRUM_DENSE ? ret->above : ret->rank;
	unsigned widest_at = widest(v, s->exact ? s->q - 1 : s->q, INFINITY);

	ret->q = s->q;
	ret->exact = s->exact;
	ret->energy = v->f2;
	ret->resid = sqrt(s->resid2);
	ret->tail_ratio = ret->nt > 0 ? sqrt(v->tail2[at]) / ret->nt : 0;
	if (ret->rank > 0)
		widest_at = ret->rank;
	ret->gap = widest_at > 0 && widest_at < s->q ?
	    gap_at(s, widest_at) : 0;
	ret->stable_rank = s->s[0] > 0 ? v->f2 / (s->s[0] * s->s[0]) : 0;
	for (unsigned r = 0; r <= s->q; r++) {
		if (ret->r90 == 0 && v->tail2[r] <= 0.1 * v->f2)
			ret->r90 = r;
		if (ret->r99 == 0 && v->tail2[r] <= 0.01 * v->f2)
			ret->r99 = r;
	}
	ret->kurtosis = (v->m * v->n - (double)noise->nonfinite) *
	    noise->d4 / (v->f2 * v->f2);
	ret->nkept = s->q < SPECTRUM_KEPT ? s->q : SPECTRUM_KEPT;
	for (unsigned k = 0; k < ret->nkept; k++)
		ret->s[k] = (float)s->s[k];
}

/* The most columns up to ${q} that are of use and fit; 0: none. */
static unsigned
columns_for(const struct tensor *t, unsigned q)
{
	uint64_t side = t->rows < t->cols ? t->rows : t->cols;

	if (side < q)
		q = (unsigned)(side + 7) & ~7U;
	while (q > 0 && sketch_room(t->rows, t->cols, q) > LIMIT_DIFF_SKETCH)
		q -= 8;
	return q;
}

static void
try_both(struct values *v, const struct sketch_noise *noise,
    struct spectrum *ret)
{
	const struct sketch *s = v->s;

	v->tail2[s->q] = s->resid2;
	for (unsigned r = s->q; r-- > 0;)
		v->tail2[r] = v->tail2[r + 1] + s->s[r] * s->s[r];
	ret->old_rounded = false;
	judge(v, noise->nf_b, ret);
	if (ret->verdict == SPECTRUM_ROUNDING ||
	    ret->verdict == SPECTRUM_LOW_RANK || !noise->a_coarse)
		return;
	ret->old_rounded = true;
	judge(v, noise->nf_b + noise->nf_a, ret);
}

static int
look(struct sketch_ask *ask, const struct sketch_noise *noise,
    struct spectrum *ret, struct err *e)
{
	const struct tensor *t = ask->d->b;
	struct sketch s;
	struct values v = {.s = &s, .noise = noise, .f2 = noise->d2,
	    .m = (double)t->rows, .n = (double)t->cols};
	unsigned q;
	int r;

	v.side = fmin(v.m, v.n);
	for (size_t i = 0; i < STAGES; i++) {
		if ((q = columns_for(t, columns[i])) <= ask->q && i > 0)
			break;
		ask->q = q;
		if ((r = sketch_find(ask, &s, e)) < 0)
			return r;
		if (s.q == 0) {
			ret->why = "singular values do not converge";
			return 0;
		}
		try_both(&v, noise, ret);
		if (!undecided(&v, ret))
			break;
	}
	measure(&v, noise, ret);
	return 0;
}

/* Why there is nothing to look at, or NULL. */
static const char *
excuse(const struct delta *d, const struct pass_sums *sums)
{
	const struct tensor *t = d->b;

	if (d->a->p == NULL || t->p == NULL)
		return "bytes are not at hand";
	if (sums->changed == 0 || t->n == 0)
		return "nothing changed";
	if (t->rows < 3 || t->cols < 3)
		return "not a matrix of three rows and columns";
	if (!sketch_noise_known(d))
		return "elements are not numbers";
	if (!sketch_exact_fits(t->rows, t->cols) &&
	    columns_for(t, columns[0]) < 8)
		return "too many rows and columns for a sketch";
	return NULL;
}

int
spectrum_find(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct spectrum *ret, struct err *e)
{
	struct spectrum s = {.why = excuse(d, sums), .m = d->b->rows,
	    .n = d->b->cols};
	struct sketch_noise noise;
	struct sketch_ask ask = {.pool = pool, .d = d};
	int r;

	BUG_ON(d->cast != CAST_NONE);
	if (s.why == NULL) {
		if ((r = sketch_noise_find(pool, d, &noise, e)) < 0)
			return r;
		ask.top = noise.top;
		ask.d2 = noise.d2;
		if (noise.d2 <= 0)
			s.why = "no finite value changed";
		else if ((r = look(&ask, &noise, &s, e)) < 0)
			return r;
	}
	*ret = s;
	return 0;
}

void
spectrum_basis(const struct spectrum *s, struct basis *b)
{
	bool low = s->verdict == SPECTRUM_LOW_RANK ||
	    s->verdict == SPECTRUM_UNDECIDED;
	unsigned shown = low && s->rank > 8 ? s->rank + 4 : 12;

	basis_str(b, "verdict", spectrum_verdict_name(s->verdict));
	if (s->verdict == SPECTRUM_SKIPPED) {
		basis_str(b, "reason", s->why);
		return;
	}
	if (low) {
		basis_u64(b, s->verdict == SPECTRUM_LOW_RANK ? "rank" :
		    "rank_at_least", s->rank);
		basis_str(b, "decided_by", s->why);
		basis_bool(b, "sure", s->sure);
	}
	basis_u64(b, "above_noise", s->above);
	basis_u64(b, "computed", s->q);
	basis_bool(b, "exact", s->exact);
	basis_array(b, "singular_values");
	for (unsigned k = 0; k < s->nkept && k < shown; k++)
		basis_f64(b, NULL, (double)s->s[k]);
	basis_end(b);
	basis_f64(b, "norm", sqrt(s->energy));
	basis_f64(b, "rest", s->resid);
	basis_f64(b, "storage_noise", s->nf);
	basis_f64(b, "noise", s->nt);
	basis_f64(b, "noise_edge", s->edge);
	basis_bool(b, "old_rounded", s->old_rounded);
	basis_f64(b, "tail_over_noise", s->tail_ratio);
	basis_f64(b, "gap", s->gap);
	basis_f64(b, "stable_rank", s->stable_rank);
	if (s->r90 > 0)
		basis_u64(b, "r90", s->r90);
	if (s->r99 > 0)
		basis_u64(b, "r99", s->r99);
	basis_f64(b, "kurtosis", s->kurtosis);
}
