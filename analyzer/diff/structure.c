#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_parts.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * The grouping (diff specification, 3.6).  L are the changed matrices that
 * nothing exact explains and that are above the noise of storage.
 *
 *   all of L of low rank, no vector changed
 *       not every layer of each module is in L, or |L| <= 2   an edit
 *       else                                                  an adapter
 *   low rank in all layers of some modules, dense only outside of layers
 *       an adapter, and fully trained embeddings or heads
 *   otherwise                                                 dense
 *
 * A matrix whose change is at the level of rounding neither speaks for nor
 * against: of an adapter in bfloat16 some layers drown.
 */
#define EDIT_MOST 2

static enum part_kind
kind_of(const struct structure_item *it)
{
	const struct tensor *t = it->new != NULL ? it->new : it->old;

	if (it->relation == STRUCTURE_SAME)
		return PART_SAME;
	if (it->relation == STRUCTURE_TOLD)
		return PART_TOLD;
	if (it->relation == STRUCTURE_UNKNOWN || t == NULL ||
	    it->sums == NULL)
		return PART_UNKNOWN;
	if (it->sums->changed == 0)
		return PART_SAME;
	if (t->rank < 2 || t->rows == 1 || t->cols == 1)
		return PART_VECTOR;
	if (it->spectrum == NULL ||
	    it->spectrum->verdict == SPECTRUM_SKIPPED)
		return PART_SMALL;
	if (it->spectrum->verdict == SPECTRUM_ROUNDING)
		return PART_ROUNDING;
	return it->spectrum->verdict == SPECTRUM_LOW_RANK ? PART_LOW :
	    PART_DENSE;
}

static int
compare(const void *a, const void *b)
{
	const struct structure_part *x = a;
	const struct structure_part *y = b;
	int c = structure_name_compare(&x->name, &y->name);

	if (c != 0)
		return c;
	if (x->name.bias != y->name.bias)
		return x->name.bias ? 1 : -1;
	return (x->item > y->item) - (x->item < y->item);
}

static void
find_modules(struct structure_view *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct structure_module *m;

		if (i == 0 || !structure_name_same_module(&s->v[i - 1].name,
		    &s->v[i].name))
			s->modules[s->nmodules++] =
			    (struct structure_module){.v = &s->v[i]};
		m = &s->modules[s->nmodules - 1];
		m->n++;
		m->count[s->v[i].kind]++;
	}
}

static int
view_make(struct structure_view *s, const struct structure_model *m,
    struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->v = calloc(m->n + 1, sizeof(*s->v));
	s->modules = calloc(m->n + 1, sizeof(*s->modules));
	if (s->v == NULL || s->modules == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->ones = true;
	for (size_t i = 0; i < m->n; i++) {
		const struct structure_item *it = &m->v[i];
		const struct tensor *t = it->new != NULL ? it->new : it->old;
		struct structure_part *p = &s->v[s->n];

		if (t == NULL)
			continue;
		p->item = it;
		p->kind = kind_of(it);
		structure_name_split(t->name, t->name_len, &p->name);
		s->n++;
		s->count[p->kind]++;
		s->dense_in_layers += p->kind == PART_DENSE &&
		    p->name.layer_len > 0;
		if (p->kind != PART_LOW)
			continue;
		s->ones = s->ones && it->spectrum->rank == 1;
		if (it->spectrum->rank > s->rank)
			s->rank = it->spectrum->rank;
	}
	s->matrices = s->count[PART_LOW] + s->count[PART_DENSE] +
	    s->count[PART_SMALL];
	qsort(s->v, s->n, sizeof(*s->v), compare);
	find_modules(s);
	return 0;
}

/*
 * Is every layer of each module that has low rank changed so, or drowned in
 * rounding?  A module that stands in one layer alone is in all of its layers.
 */
static bool
in_all_layers(const struct structure_view *s)
{
	for (size_t i = 0; i < s->nmodules; i++) {
		const struct structure_module *m = &s->modules[i];
		size_t matrices = 0;

		if (m->count[PART_LOW] == 0)
			continue;
		for (size_t k = 0; k < m->n; k++)
			matrices += m->v[k].kind == PART_LOW ||
			    (m->v[k].item->new != NULL &&
			    m->v[k].item->new->rank >= 2 &&
			    m->v[k].kind != PART_ROUNDING);
		if (m->count[PART_LOW] < matrices)
			return false;
	}
	return true;
}

static int
judge(const struct structure_view *s, const struct rows *rows)
{
	size_t low = s->count[PART_LOW];
	bool only_low = low > 0 && low == s->matrices &&
	    s->count[PART_VECTOR] == 0;
	int r;

	if (s->matrices + s->count[PART_VECTOR] == 0)
		return 0;
	if (only_low && (low <= EDIT_MOST || !in_all_layers(s)))
		return structure_tell_edit(s, rows);
	if (only_low)
		return structure_tell_adapter(s, rows);
	/* An adapter, and an embedding or a head that was trained whole. */
	if (low > EDIT_MOST + 1 && s->dense_in_layers == 0 &&
	    s->count[PART_VECTOR] == 0 && in_all_layers(s) &&
	    (r = structure_tell_adapter(s, rows)) < 0)
		return r;
	/* Vectors alone are told by vectors.c; what is too small for a rank
	 * says nothing by itself. */
	return s->count[PART_DENSE] + low > 0 ?
	    structure_tell_dense(s, rows) : 0;
}

int
structure_judge(const struct structure_model *m, const struct rows *rows,
    struct err *e)
{
	struct structure_view s;
	int r;

	if ((r = view_make(&s, m, e)) >= 0 && (r = judge(&s, rows)) >= 0)
		r = structure_tell_frozen(&s, rows);
	free(s.v);
	free(s.modules);
	return r;
}
