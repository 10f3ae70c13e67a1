#include <math.h>

#include "analyzer/diff/closeness.h"
#include "analyzer/diff/compare.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"

struct sum {
	uint64_t shared, identical, recast, alone, unmeasured;
	uint64_t elements, elements_alone;
	double a2, d2;
};

static void
add(struct sum *s, const struct pair *p)
{
	const struct pass_sums *x = p->cast_sums != NULL ? p->cast_sums :
	    &p->sums;
	const struct tensor *one = p->a != NULL ? p->a : p->b;

	if (p->how == MATCH_TIED)
		return;
	if (p->a == NULL || p->b == NULL) {
		s->alone++;
		/* A header may state what it likes: what has no bytes counts
		 * for nothing. */
		if (one->p != NULL)
			s->elements_alone += one->n;
		return;
	}
	if (!p->measured) {
		s->unmeasured++;
		return;
	}
	s->shared++;
	s->elements += x->n;
	s->a2 += p->sums.a2;
	if (p->identical)
		s->identical++;
	else if (compare_same(p))
		s->recast++;
	else
		s->d2 += x->d2;
}

/* From nothing but zeros, anything else is infinitely far. */
static double
distance(const struct sum *s)
{
	if (s->shared == 0)
		return INFINITY;
	if (s->a2 > 0)
		return sqrt(s->d2 / s->a2);
	return s->d2 > 0 || s->elements_alone > 0 ? INFINITY : 0;
}

int
closeness_row(const struct compare *c, struct table *const side[2],
    const struct rows *rows)
{
	struct sum s = {0};
	struct row_version row = {0};
	struct basis b;
	double mean;
	int r;

	for (size_t i = 0; i < c->pairs->n; i++)
		add(&s, &c->pairs->v[i]);
	/* A tensor of one side alone is as far as a mean one is large. */
	mean = s.elements > 0 ? s.a2 / (double)s.elements : 0;
	s.d2 += mean * (double)s.elements_alone;
	row.shared = s.shared;
	row.identical = s.identical;
	row.distance = distance(&s);
	basis_init(&b);
	row.evidence = &b;
	basis_u64(&b, "tensors_old", side[0]->n);
	basis_u64(&b, "tensors_new", side[1]->n);
	basis_u64(&b, "recast", s.recast);
	basis_u64(&b, "one_side_only", s.alone);
	basis_u64(&b, "not_measured", s.unmeasured);
	basis_u64(&b, "elements", s.elements);
	r = rows->version(rows->ctx, &row);
	basis_release(&b);
	return r;
}
