#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_frozen.h"
#include "analyzer/diff/structure_parts.h"
#include "analyzer/diff/structure_tell.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * Grouping (backdoor_models.md, Diff specification, 3.6).  L is the matrices
 * that moved, told ones apart; T(M) all those of module type M.
 *
 *  all of L of low rank, no vector moved
 *	a module without some of its layers in L, or |L| <= 2: localised edit
 *	else: merged adapter, the rank being the largest
 *  some of low rank, some dense: both lists; "adapter" only where each of
 *	its modules has all layers and what is dense stands outside of the
 *	layers (embeddings, a head and its bias)
 *  otherwise dense
 *
 * What is stricter here.  Matrices of which noise hides whether there is
 * more (UNDECIDED) never carry a claim: at least half of what is called an
 * adapter or edit must be LOW_RANK.  A matrix too small for a verdict counts
 * as dense: few rows or columns (a head, a first convolution) have few
 * components whatever is done to them.  So does one of which few rows or
 * columns changed at all, which training leaves of units that never fire and
 * of words that no text had, unless it is all that moved.  A vector that
 * moved no further than its type rounds did not move.
 *
 * What is laxer.  Storage in a coarse type hides the update of single layers
 * of an adapter: a module counts as whole if at most one layer in eight is
 * missing, and those that are UNDECIDED or ROUNDING are not missing where
 * half are LOW.  In four layers, three are not all: those are edits of three
 * layers.  But beside a module that is whole, another one of which half has
 * the update, of no higher rank, is of the same adapter.
 */
#define MISSING 8
#define SIDE_LEAST 24		/* rows and columns that a rank needs */
#define LINES_A_RANK 3		/* rows or columns changed; fewer are few */
#define EDIT_MAX 2
/* One LOW in so many, of so many at least: see carries and judge_low. */
#define MOST 2
#define SOME 8
#define SOME_OF 6
/* |D| of a vector over |A| that rounding explains, in units of its type. */
#define VECTOR_ULPS 1.5

bool
structure_moved(enum structure_state s)
{
	return s >= STATE_VECTOR;
}

/* No further than twice rounding would bring it? */
static bool
vector_rounds(const struct structure_item *x)
{
	const struct elem_info *a = elem_info(x->old->elem);
	const struct elem_info *b = elem_info(x->new->elem);
	unsigned m = 23;

	if (x->sums == NULL)
		return false;
	if (a->kind != ELEM_FLOAT || b->kind != ELEM_FLOAT)
		return x->sums->changed == 0;
	m = a->mantissa < m ? a->mantissa : m;
	m = b->mantissa < m ? b->mantissa : m;
	return pass_rel(x->sums) <= VECTOR_ULPS * ldexp(0.5, -(int)m);
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
changed_state(const struct structure_item *x, bool matrix)
{
	static const enum structure_state of[] = {
	    [SPECTRUM_SKIPPED] = STATE_UNJUDGED,
	    [SPECTRUM_ROUNDING] = STATE_ROUNDING,
	    [SPECTRUM_DENSE] = STATE_DENSE,
	    [SPECTRUM_LOW_RANK] = STATE_LOW,
	    [SPECTRUM_UNDECIDED] = STATE_UNDECIDED};

	if (matrix && x->spectrum != NULL &&
	    x->spectrum->verdict == SPECTRUM_LOW_RANK &&
	    (x->spectrum->m < SIDE_LEAST || x->spectrum->n < SIDE_LEAST))
		return STATE_UNJUDGED;
	if (matrix && x->spectrum != NULL &&
	    x->spectrum->verdict != SPECTRUM_SKIPPED)
		return of[x->spectrum->verdict];
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
	if (lines == moved && lines <= EDIT_MAX)
		return;
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].lines)
			v->v[i].state = STATE_UNJUDGED;
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
is_whole(const struct structure_module *m)
{
	size_t low = m->count[STATE_LOW], seen = low;
	size_t all = m->n - m->count[STATE_UNKNOWN];

	if (2 * low >= all)
		seen += m->count[STATE_UNDECIDED] + m->count[STATE_ROUNDING];
	return low > 0 && (all - seen) * MISSING <= all;
}

/*
 * Nothing but matrices of low rank moved, of this module all layers did, and
 * what is not seen clearly is hidden by storage.
 */
static bool
is_hidden_whole(const struct structure_view *v,
    const struct structure_module *m)
{
	size_t seen = m->count[STATE_LOW] + m->count[STATE_UNDECIDED];
	size_t all = m->n - m->count[STATE_UNKNOWN];

	return v->count[STATE_LOW] > 0 && v->count[STATE_DENSE] +
	    v->count[STATE_UNJUDGED] + v->count[STATE_VECTOR] == 0 &&
	    all > EDIT_MAX && 2 * seen >= all &&
	    seen + m->count[STATE_ROUNDING] == all;
}

static void
find_whole(struct structure_view *v)
{
	unsigned rank = 0;

	for (size_t i = 0; i < v->nmodules; i++) {
		struct structure_module *m = &v->modules[i];

		m->whole = is_whole(m) || is_hidden_whole(v, m);
		if (m->whole && m->count[STATE_LOW] > EDIT_MAX &&
		    m->rank > rank)
			rank = m->rank;
	}
	for (size_t i = 0; i < v->nmodules; i++) {
		struct structure_module *m = &v->modules[i];
		size_t low = m->count[STATE_LOW];

		if (low >= EDIT_MAX && m->rank <= rank && 2 * (low +
		    m->count[STATE_UNDECIDED]) >= m->n - m->count[STATE_UNKNOWN])
			m->whole = true;
	}
}

static int
view_init(struct structure_view *v, const struct structure_model *m,
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

static void
view_release(struct structure_view *v)
{
	free(v->v);
	free(v->modules);
}

/*
 * Does it belong to what is called low-rank?  In a module that has the update
 * in all layers, so do those that rounding hides.
 */
static bool
is_low(const struct structure_module *m, enum structure_state s)
{
	return s == STATE_LOW || s == STATE_UNDECIDED ||
	    (s == STATE_ROUNDING && m->whole && m->matrix &&
	    2 * m->count[STATE_LOW] >= m->n - m->count[STATE_UNKNOWN]);
}

/* Entries of low rank, in modules that are ${whole}, and in ${others}. */
static void
choose_low(const struct structure_view *v, bool whole, bool others,
    struct structure_choice *to)
{
	to->n = 0;
	for (size_t i = 0; i < v->nmodules; i++) {
		const struct structure_module *m = &v->modules[i];

		if (m->whole ? !whole : !others)
			continue;
		for (size_t k = m->first; k < m->first + m->n; k++)
			if (is_low(m, v->v[k].state))
				to->v[to->n++] = k;
	}
}

static void
choose_dense(const struct structure_view *v, bool undecided,
    struct structure_choice *to)
{
	to->n = 0;
	for (size_t k = 0; k < v->n; k++)
		if (v->v[k].state == STATE_DENSE ||
		    v->v[k].state == STATE_UNJUDGED ||
		    v->v[k].state == STATE_VECTOR ||
		    (undecided && v->v[k].state == STATE_UNDECIDED))
			to->v[to->n++] = k;
}

/* Does a claim rest on matrices that are LOW, for one part in ${least}? */
static bool
carries(const struct structure_view *v, const struct structure_choice *c,
    size_t least)
{
	size_t low = 0;

	for (size_t i = 0; i < c->n; i++)
		low += v->v[c->v[i]].state == STATE_LOW;
	return low > 0 && least * low >= c->n;
}

static bool
moves_beside(const struct structure_entry *x, const struct structure_entry *y)
{
	return y->matrix && structure_moved(y->state) &&
	    structure_name_beside(x->name, x->len, y->name, y->len);
}

/*
 * Does a matrix move that stands in one module with vector v[k]?  Such names
 * are neighbours in the order of entries.
 */
#define BESIDE 16

static bool
has_partner(const struct structure_view *v, size_t k)
{
	size_t from = k < BESIDE ? 0 : k - BESIDE;

	for (size_t i = from; i < v->n && i <= k + BESIDE; i++)
		if (moves_beside(&v->v[k], &v->v[i]))
			return true;
	return false;
}

/*
 * A mixture: is all that is dense outside of the layers: embeddings, a head,
 * and their own biases?
 */
static bool
dense_outside(const struct structure_view *v,
    const struct structure_choice *dense)
{
	for (size_t i = 0; i < dense->n; i++) {
		const struct structure_entry *x = &v->v[dense->v[i]];

		if (x->layered && x->role != STRUCTURE_HEAD)
			return false;
		if (!x->matrix && !has_partner(v, dense->v[i]))
			return false;
	}
	return true;
}

/* Beside something dense an adapter must show itself in several layers. */
static bool
in_several_layers(const struct structure_view *v)
{
	size_t whole = 0;

	for (size_t i = 0; i < v->nmodules; i++)
		if (v->modules[i].whole) {
			if (v->modules[i].count[STATE_LOW] < 2)
				return false;
			whole++;
		}
	return whole > 0;
}

struct lists {
	struct structure_choice adapter, edit, dense;
};

/*
 * All that moved is of low rank.  Where nothing else moved and whole modules
 * in all layers did, coarse storage may hide most of an adapter: one part in
 * eight must be seen clearly, as training would have moved the vectors too.
 */
static int
judge_low(const struct structure_view *v, struct lists *l,
    const struct rows *rows)
{
	size_t of_adapter = l->edit.n == 0 && l->adapter.n >= SOME_OF &&
	    v->count[STATE_SAME] > 0 ? SOME : MOST;
	int r = 0;

	if (l->adapter.n + l->edit.n <= EDIT_MAX) {
		choose_low(v, true, true, &l->edit);
		l->adapter.n = 0;
	}
	if (l->adapter.n > 0 && carries(v, &l->adapter, of_adapter))
		r = structure_tell_low(v, &l->adapter, false, rows);
	if (r >= 0 && l->edit.n > 0 && carries(v, &l->edit, MOST))
		r = structure_tell_low(v, &l->edit, true, rows);
	if (r < 0 || carries(v, &l->adapter, of_adapter) ||
	    carries(v, &l->edit, MOST))
		return r;
	choose_dense(v, true, &l->dense);
	return structure_tell_dense(v, &l->dense, &l->adapter, rows);
}

static int
judge(const struct structure_view *v, struct lists *l,
    const struct rows *rows)
{
	bool adapter;
	int r = 0;

	choose_low(v, true, false, &l->adapter);
	choose_low(v, false, true, &l->edit);
	choose_dense(v, false, &l->dense);
	if (l->dense.n == 0)
		return l->adapter.n + l->edit.n > 0 ?
		    judge_low(v, l, rows) : 0;
	/* Vectors alone are told by vectors.c; a matrix that is too small for
	 * a verdict says nothing by itself. */
	if (v->count[STATE_DENSE] + l->adapter.n + l->edit.n == 0)
		return 0;
	adapter = l->adapter.n > EDIT_MAX && l->edit.n == 0 &&
	    dense_outside(v, &l->dense) && in_several_layers(v) &&
	    carries(v, &l->adapter, MOST);
	if (adapter)
		r = structure_tell_low(v, &l->adapter, false, rows);
	if (r < 0)
		return r;
	choose_low(v, true, true, &l->adapter);
	return structure_tell_dense(v, &l->dense, &l->adapter, rows);
}

/*
 * What did not move is worth telling where something did that was judged.
 * Small tensors that moved beside others that were cast or quantised were
 * merely left out of that.
 */
static bool
worth_telling(const struct structure_view *v)
{
	if (v->count[STATE_DENSE] + v->count[STATE_LOW] +
	    v->count[STATE_UNDECIDED] > 0)
		return true;
	if (v->count[STATE_TOLD] > 0)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].state == STATE_SAME &&
		    v->v[i].item->sums != NULL &&
		    v->v[i].item->sums->changed > 0)
			return false;
	return true;
}

int
structure_judge(const struct structure_model *m, const struct rows *rows,
    struct err *e)
{
	struct structure_view v;
	struct lists l = {0};
	int r;

	if ((r = view_init(&v, m, e)) < 0)
		goto out;
	l.adapter.v = calloc(m->n + 1, sizeof(size_t));
	l.edit.v = calloc(m->n + 1, sizeof(size_t));
	l.dense.v = calloc(m->n + 1, sizeof(size_t));
	if (l.adapter.v == NULL || l.edit.v == NULL || l.dense.v == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((r = judge(&v, &l, rows)) >= 0 && worth_telling(&v))
		r = structure_frozen_tell(&v, rows, e);
out:
	free(l.adapter.v);
	free(l.edit.v);
	free(l.dense.v);
	view_release(&v);
	return r;
}
