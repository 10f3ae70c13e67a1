#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_view.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * What is stricter than the specification (3.6).  Matrices of which noise
 * hides whether there is more (UNDECIDED) never carry a claim: at least half
 * of what is called an adapter or edit must be LOW_RANK.  What is dense by a
 * hair, with few components above the noise, is undecided, and what is
 * undecided with more than a third of them is dense, as no low rank exceeds
 * that.  A matrix too small for a verdict counts as dense: few rows or columns
 * (a head, a first convolution) have few components whatever is done to them.
 * So does one of which few rows or columns changed at all, which training
 * leaves of units that never fire and of words that no text had, unless it is
 * all that moved.  A vector that moved no further than its type rounds did not
 * move.
 *
 * And nothing is called low-rank while an UNDECIDED matrix has more components
 * than any LOW one: of training, noise hides another number in each matrix.
 * The reverse is evidence: where many matrices reach the same number and none
 * exceeds it, that is the rank of an adapter, though noise leaves few of them
 * a gap.  (540 dense updates of language models, scaled by 0.06 to 1, in
 * Q4_0, Q8_0 and bf16: no number was reached more than twice.)
 *
 * What is laxer.  Storage in a coarse type hides the update of single layers
 * of an adapter: a module counts as whole if at most one layer in eight is
 * missing, and those that are UNDECIDED or ROUNDING are not missing where
 * half are LOW.  In four layers, three are not all: those are edits of three
 * layers.  But beside a module that is whole, another one of which half has
 * the update, of no higher rank, is of the same adapter.
 */
#define MISSING 8
#define CAP_MATRICES 8
#define CAP_RANK 4		/* smaller numbers meet by chance */
#define CAP_REACH 4
#define CAP_SHARE 6		/* one in so many reaches it */
#define CAP_TAIL 1.2
#define HAIR 1.08		/* dense updates leave so much over noise */
#define CAP_DENSE 8		/* one in so many may be dense by a hair */
#define SIDE_LEAST 24		/* rows and columns that a rank needs */
#define LINES_A_RANK 3		/* rows or columns changed; fewer are few */
/* |D| of a vector over |A| that rounding explains, in units of its type. */
#define VECTOR_ULPS 1.5

/* No further than twice rounding would bring it? */
static bool
vector_rounds(const struct structure_item *x)
{
	const struct elem_info *a = elem_info(x->old->elem);
	const struct elem_info *b = elem_info(x->new->elem);
	const struct pass_sums *s = x->sums;
	unsigned m = 23;
	double limit;

	if (s == NULL || s->nonfinite_a != s->nonfinite_b)
		return false;
	if (a->kind != ELEM_FLOAT || b->kind != ELEM_FLOAT)
		return s->changed == 0;
	m = a->mantissa < m ? a->mantissa : m;
	m = b->mantissa < m ? b->mantissa : m;
	/* From nothing but zeros, nothing is near. */
	limit = VECTOR_ULPS * ldexp(0.5, -(int)m);
	return s->d2 <= limit * limit * s->a2;
}

/* Is the rank no more than that of the rows or columns that changed? */
static bool
few_lines(const struct structure_item *x)
{
	const struct pass_detail *d = x->detail;
	uint64_t n;

	if (d == NULL || x->spectrum->verdict != SPECTRUM_LOW_RANK)
		return false;
	n = d->rows_changed < d->cols_changed ? d->rows_changed :
	    d->cols_changed;
	return n > 0 && n < LINES_A_RANK * (uint64_t)x->spectrum->rank;
}

static enum structure_state
matrix_state(const struct spectrum *s)
{
	static const enum structure_state of[] = {
	    [SPECTRUM_SKIPPED] = STATE_UNJUDGED,
	    [SPECTRUM_ROUNDING] = STATE_ROUNDING,
	    [SPECTRUM_DENSE] = STATE_DENSE,
	    [SPECTRUM_LOW_RANK] = STATE_LOW,
	    [SPECTRUM_UNDECIDED] = STATE_UNDECIDED};
	uint64_t third = (s->m < s->n ? s->m : s->n) / 3;

	if (s->verdict == SPECTRUM_LOW_RANK && (s->m < SIDE_LEAST ||
	    s->n < SIDE_LEAST))
		return STATE_UNJUDGED;
	if (s->verdict == SPECTRUM_DENSE && s->tail_ratio < HAIR &&
	    s->above <= third)
		return STATE_UNDECIDED;
	if (s->verdict == SPECTRUM_UNDECIDED && s->rank > third)
		return STATE_DENSE;
	return of[s->verdict];
}

static enum structure_state
changed_state(const struct structure_item *x, bool matrix)
{
	if (matrix && x->spectrum != NULL &&
	    x->spectrum->verdict != SPECTRUM_SKIPPED)
		return matrix_state(x->spectrum);
	if (vector_rounds(x))
		return STATE_ROUNDING;
	return matrix ? STATE_UNJUDGED : STATE_VECTOR;
}

static void
entry_set(struct structure_entry *to, const struct structure_item *x)
{
	const struct tensor *t = x->new != NULL ? x->new : x->old;

	*to = (struct structure_entry){.item = x, .name = t->name,
	    .len = t->name_len};
	to->matrix = t->rank >= 2 && t->rows > 1 && t->cols > 1;
	to->layered = structure_name_layer(to->name, to->len, &to->layer);
	to->role = structure_name_role(to->name, to->len);
	if (x->relation == STRUCTURE_SAME)
		to->state = STATE_SAME;
	else if (x->relation == STRUCTURE_TOLD)
		to->state = STATE_TOLD;
	else if (x->relation == STRUCTURE_CHANGED && x->old != NULL &&
	    x->new != NULL)
		to->state = changed_state(x, to->matrix);
	to->lines = to->state == STATE_LOW && few_lines(x);
}

/*
 * Few lines count as an update of low rank where one or two matrices of a
 * layer have them and nothing else moved.
 */
static void
settle_lines(struct structure_view *v)
{
	size_t moved = 0, lines = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct structure_entry *x = &v->v[i];

		moved += structure_moved(x->state);
		lines += x->lines && x->role != STRUCTURE_EMBEDDING &&
		    x->role != STRUCTURE_HEAD;
	}
	if (lines == moved && lines <= STRUCTURE_EDIT_MAX)
		return;
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].lines)
			v->v[i].state = STATE_UNJUDGED;
}

/* Components above the noise, of what may be of low rank; else UINT_MAX. */
static unsigned
components(const struct structure_entry *x)
{
	const struct spectrum *s = x->item->spectrum;

	if (x->state != STATE_LOW && x->state != STATE_UNDECIDED &&
	    x->state != STATE_DENSE)
		return UINT_MAX;
	if (s->verdict != SPECTRUM_DENSE)
		return s->rank;
	return s->tail_ratio < CAP_TAIL ? s->above : UINT_MAX;
}

/*
 * The rank of the group, and whether many reach it.  Then what is called
 * dense by a hair is undecided like the others.
 */
static void
find_cap(struct structure_view *v)
{
	size_t n = 0, reach = 0, dense = 0;
	bool beyond = false;

	for (size_t i = 0; i < v->n; i++) {
		const struct structure_entry *x = &v->v[i];

		if (x->state == STATE_LOW && components(x) > v->rank)
			v->rank = components(x);
		if (x->state == STATE_UNDECIDED && components(x) > v->seen)
			v->seen = components(x);
	}
	for (size_t i = 0; i < v->n; i++) {
		const struct structure_entry *x = &v->v[i];

		if (!x->matrix || !structure_moved(x->state))
			continue;
		n++;
		dense += x->state == STATE_DENSE && x->layered;
		reach += x->state != STATE_DENSE &&
		    components(x) == v->rank;
		beyond = beyond || (components(x) > v->rank && x->layered);
	}
	v->capped = !beyond && n >= CAP_MATRICES && v->rank >= CAP_RANK &&
	    reach >= CAP_REACH && reach * CAP_SHARE >= n &&
	    dense * CAP_DENSE <= n;
	for (size_t i = 0; i < v->n && v->capped; i++)
		if (v->v[i].state == STATE_DENSE && v->v[i].layered &&
		    components(&v->v[i]) <= v->rank)
			v->v[i].state = STATE_UNDECIDED;
}

static int
by_module(const void *a, const void *b)
{
	const struct structure_entry *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = structure_name_compare(x->name, x->len, y->name, y->len);

	if (c != 0)
		return c;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	/* Experts: more than one number. */
	c = n > 0 ? memcmp(x->name, y->name, n) : 0;
	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

static void
module_add(struct structure_module *m, const struct structure_entry *x)
{
	m->n++;
	m->count[x->state]++;
	if (x->state != STATE_LOW)
		return;
	m->sure += x->item->spectrum->sure;
	if (x->item->spectrum->rank > m->rank)
		m->rank = x->item->spectrum->rank;
}

/* Has every layer the update, as far as storage shows it? */
static bool
is_whole(const struct structure_module *m, bool capped)
{
	size_t low = m->count[STATE_LOW], seen = low;
	size_t all = m->n - m->count[STATE_UNKNOWN];

	if (capped)
		low += m->count[STATE_UNDECIDED];
	if (2 * low >= all)
		seen += m->count[STATE_UNDECIDED] + m->count[STATE_ROUNDING];
	return low > 0 && (all - seen) * MISSING <= all;
}

static void
find_whole(struct structure_view *v)
{
	unsigned rank = 0;

	for (size_t i = 0; i < v->nmodules; i++) {
		struct structure_module *m = &v->modules[i];

		m->whole = is_whole(m, v->capped);
		if (m->whole && m->count[STATE_LOW] > STRUCTURE_EDIT_MAX &&
		    m->rank > rank)
			rank = m->rank;
	}
	for (size_t i = 0; i < v->nmodules; i++) {
		struct structure_module *m = &v->modules[i];
		size_t low = m->count[STATE_LOW];

		if (low >= STRUCTURE_EDIT_MAX && m->rank <= rank && 2 * (low +
		    m->count[STATE_UNDECIDED]) >= m->n - m->count[STATE_UNKNOWN])
			m->whole = true;
	}
}

int
structure_view_init(struct structure_view *v, const struct structure_model *m,
    struct err *e)
{
	struct structure_module *to = NULL;

	*v = (struct structure_view){.n = m->n};
	v->v = calloc(m->n + 1, sizeof(*v->v));
	v->modules = calloc(m->n + 1, sizeof(*v->modules));
	if (v->v == NULL || v->modules == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < m->n; i++)
		entry_set(&v->v[i], &m->v[i]);
	settle_lines(v);
	find_cap(v);
	qsort(v->v, v->n, sizeof(*v->v), by_module);
	for (size_t i = 0; i < v->n; i++) {
		const struct structure_entry *x = &v->v[i];

		if (to == NULL || structure_name_compare(x->name, x->len,
		    x[-1].name, x[-1].len) != 0) {
			to = &v->modules[v->nmodules++];
			*to = (struct structure_module){.first = i,
			    .layered = x->layered, .matrix = x->matrix,
			    .role = x->role};
		}
		module_add(to, x);
		v->count[x->state]++;
		if (x->layered && x->state != STATE_UNKNOWN &&
		    x->layer >= v->layers)
			v->layers = x->layer + 1;
	}
	find_whole(v);
	return 0;
}

void
structure_view_release(struct structure_view *v)
{
	free(v->v);
	free(v->modules);
}
