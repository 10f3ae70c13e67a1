#include <stdlib.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_frozen.h"
#include "analyzer/diff/structure_parts.h"
#include "analyzer/diff/structure_tell.h"
#include "analyzer/diff/structure_view.h"
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
 * What counts as which is in structure_view.c.
 */
bool
structure_moved(enum structure_state s)
{
	return s >= STATE_VECTOR;
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
choose_dense(const struct structure_view *v, struct structure_choice *to)
{
	to->n = 0;
	for (size_t k = 0; k < v->n; k++)
		if (v->v[k].state == STATE_DENSE ||
		    v->v[k].state == STATE_UNJUDGED ||
		    v->v[k].state == STATE_VECTOR)
			to->v[to->n++] = k;
}

/* Does a claim rest on matrices that are LOW, for the greater part? */
static bool
carries(const struct structure_view *v, const struct structure_choice *c)
{
	size_t low = 0;

	for (size_t i = 0; i < c->n; i++)
		low += v->v[c->v[i]].state == STATE_LOW;
	return v->seen <= v->rank && low > 0 && (v->capped ||
	    2 * low >= c->n);
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

/* All that moved is of low rank. */
static int
judge_low(const struct structure_view *v, struct lists *l,
    const struct rows *rows)
{
	int r = 0;

	if (l->adapter.n + l->edit.n <= STRUCTURE_EDIT_MAX) {
		choose_low(v, true, true, &l->edit);
		l->adapter.n = 0;
	}
	if (l->adapter.n > 0 && carries(v, &l->adapter))
		r = structure_tell_low(v, &l->adapter, false, rows);
	if (r >= 0 && l->edit.n > 0 && carries(v, &l->edit))
		r = structure_tell_low(v, &l->edit, true, rows);
	if (r < 0 || carries(v, &l->adapter) || carries(v, &l->edit))
		return r;
	return 0;		/* undecided: all that is known is where */
}

static int
judge(const struct structure_view *v, struct lists *l,
    const struct rows *rows)
{
	bool adapter;
	int r = 0;

	choose_low(v, true, false, &l->adapter);
	choose_low(v, false, true, &l->edit);
	choose_dense(v, &l->dense);
	if (l->dense.n == 0)
		return l->adapter.n + l->edit.n > 0 ?
		    judge_low(v, l, rows) : 0;
	/* Vectors alone are told by vectors.c; a matrix that is too small for
	 * a verdict says nothing by itself. */
	if (v->count[STATE_DENSE] + l->adapter.n + l->edit.n == 0)
		return 0;
	adapter = l->adapter.n > STRUCTURE_EDIT_MAX && l->edit.n == 0 &&
	    dense_outside(v, &l->dense) && in_several_layers(v) &&
	    carries(v, &l->adapter);
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

	if ((r = structure_view_init(&v, m, e)) < 0)
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
	structure_view_release(&v);
	return r;
}
