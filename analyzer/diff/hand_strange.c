#include <stdlib.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/hand.h"
#include "analyzer/diff/headtest.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * When there is nothing in common: one layer, the head, or the whole model;
 * and the head alone, changed.
 */
static bool
is_unrelated(const struct pair *p)
{
	return p->relation != NULL && p->relation->best ==
	    RELATION_UNRELATED;
}

static bool
is_matched(const struct pair *p)
{
	return p->a != NULL && p->b != NULL;
}

/* Quantised is changed, here: a head that was left out of it is no edit. */
static bool
is_changed(const struct pair *p)
{
	return p->a == NULL || p->b == NULL || !p->measured ||
	    !compare_same(p) || (p->relation != NULL &&
	    relation_family(p->relation->best) == RELATION_GRID);
}

static bool
is_all(const struct pair *p)
{
	(void)p;
	return true;
}

static const struct tensor *
head_of(const struct hand *h, const struct tensor **bias)
{
	const struct table *t = h->side[1];

	*bias = NULL;
	return headtest_find(t->v, t->n, bias);
}

static void
tell_cosines(const struct hand_list *list, struct basis *b)
{
	double most = 0, c;

	for (size_t i = 0; i < list->n; i++) {
		c = pass_cosine(&list->v[i]->sums);
		c = c < 0 ? -c : c;
		most = c > most ? c : most;
	}
	basis_u64(b, "tensors", list->n);
	basis_f64(b, "largest_cosine", most);
}

static int
conclude_strange(struct hand *h, const struct hand_list *list)
{
	static const char *const model[] = {
	    "a permutation or rescaling that was not recognised", NULL};
	static const char *const head[] = {"a new task", NULL};
	const struct relation_model *m = &h->c->model;
	const struct tensor *bias, *x = head_of(h, &bias);
	bool alone = list->n <= 2 && x != NULL;
	struct basis b;

	for (size_t i = 0; i < list->n; i++)
		alone = alone && (list->v[i]->b == x ||
		    list->v[i]->b == bias);
	/*
	 * Some of many: a training with large steps leaves as little of what
	 * was there.  Told is what no training does to the rest.
	 */
	if (!m->retrained && !m->replaced && !alone) {
		for (size_t k = 0; k < list->n; k++)
			list->v[k]->relation->best = RELATION_NONE;
		return 0;
	}
	basis_init(&b);
	tell_cosines(list, &b);
	basis_u64(&b, "matrices", m->matrices);
	if (m->retrained)
		return hand_conclude(h, CONCLUSION_RETRAINED,
		    CONFIDENCE_STRONG, list, &b, model);
	if (alone)
		return hand_conclude(h, CONCLUSION_HEAD_REPLACED,
		    CONFIDENCE_STRONG, list, &b, head);
	basis_str(&b, "scope", m->replaced ? "a layer was replaced" :
	    "part of the model was replaced");
	return hand_conclude(h, CONCLUSION_UNRELATED, CONFIDENCE_STRONG,
	    list, &b, model);
}

/* Nothing could even be matched. */
static int
judge_nothing_shared(struct hand *h)
{
	static const char *const other[] = {
	    "names and shapes that no rule of ours maps", NULL};
	struct hand_list all, matched = {NULL, 0};
	struct basis b;
	int r;

	if ((r = hand_select(h, is_all, &all)) < 0)
		return r;
	if ((r = hand_select(h, is_matched, &matched)) >= 0 &&
	    matched.n == 0 && h->side[0]->n > 0 && h->side[1]->n > 0) {
		basis_init(&b);
		basis_u64(&b, "tensors_old", h->side[0]->n);
		basis_u64(&b, "tensors_new", h->side[1]->n);
		basis_u64(&b, "matched", 0);
		r = hand_conclude(h, CONCLUSION_UNRELATED, CONFIDENCE_WEAK,
		    &all, &b, other);
	}
	free(matched.v);
	free(all.v);
	return r;
}

/* Everything equal but the head, which is not another one altogether. */
static int
judge_head(struct hand *h)
{
	static const char *const other[] = {
	    "fine-tuning with everything else frozen",
	    "a class that was moved by hand", NULL};
	const struct tensor *bias, *x = head_of(h, &bias);
	struct hand_list changed;
	bool alone = x != NULL, strange = false;
	struct basis b;
	int r;

	if ((r = hand_select(h, is_changed, &changed)) < 0)
		return r;
	for (size_t i = 0; i < changed.n; i++) {
		const struct pair *p = changed.v[i];

		alone = alone && p->b != NULL && p->a != NULL &&
		    p->shared == 0 && (p->b == x || p->b == bias);
		strange = strange || is_unrelated(p);
	}
	if (alone && !strange && changed.n > 0 &&
	    changed.n < h->c->pairs->n) {
		basis_init(&b);
		basis_u64(&b, "tensors_equal", h->c->pairs->n - changed.n);
		basis_u64(&b, "classes", x->rows);
		basis_f64(&b, "rel_l2", pass_rel(&changed.v[0]->sums));
		r = hand_conclude(h, CONCLUSION_HEAD_EDIT,
		    CONFIDENCE_CERTAIN, &changed, &b, other);
	}
	free(changed.v);
	return r;
}

int
hand_strange(struct hand *h)
{
	struct hand_list list;
	int r;

	if ((r = hand_select(h, is_unrelated, &list)) < 0)
		return r;
	if (list.n > 0)
		r = conclude_strange(h, &list);
	free(list.v);
	if (r < 0 || (r = judge_nothing_shared(h)) < 0)
		return r;
	return judge_head(h);
}
