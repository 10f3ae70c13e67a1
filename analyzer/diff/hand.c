#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/hand.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/vectors.h"
#include "base/err.h"

int
hand_select(const struct hand *h, bool (*is)(const struct pair *p),
    struct hand_list *list)
{
	const struct pairs *all = h->c->pairs;

	list->n = 0;
	if ((list->v = calloc(all->n + 1, sizeof(const struct pair *))) ==
	    NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < all->n; i++)
		if (is(&all->v[i]))
			list->v[list->n++] = &all->v[i];
	return 0;
}

int
hand_conclude(const struct hand *h, enum conclusion_kind kind,
    enum confidence confidence, const struct hand_list *list,
    struct basis *evidence, const char *const *alternatives)
{
	static struct row_text names[ROW_TENSORS];
	struct row_conclusion c = {.kind = kind, .confidence = confidence,
	    .tensors = names, .tensors_in_all = list->n,
	    .evidence = evidence};
	int r;

	for (size_t i = 0; i < list->n && i < ROW_TENSORS; i++) {
		const struct tensor *t = list->v[i]->b != NULL ?
		    list->v[i]->b : list->v[i]->a;

		names[c.ntensors++] = (struct row_text){t->name,
		    t->name_len};
	}
	while (alternatives != NULL && *alternatives != NULL &&
	    c.nalternatives < ROW_ALTERNATIVES)
		c.alternatives[c.nalternatives++] = *alternatives++;
	r = h->rows->conclusion(h->rows->ctx, &c);
	basis_release(evidence);
	return r;
}

/*
 * Conclusions that need no more than a predicate: which pairs, what it is
 * called, what else it may be.
 */
struct simple {
	enum conclusion_kind kind;
	bool (*is)(const struct pair *p);
	const char *alternatives[4];
};

static bool
is_best(const struct pair *p, enum relation_family f)
{
	return p->relation != NULL && p->relation->best != RELATION_NONE &&
	    relation_family(p->relation->best) == f;
}

static bool
is_renamed(const struct pair *p)
{
	return p->status == ROW_RENAMED || (p->a != NULL && p->b != NULL &&
	    (p->how == MATCH_PREFIX || p->how == MATCH_TABLE ||
	    p->how == MATCH_DIGEST || p->how == MATCH_SIMILAR));
}

static bool
is_retied(const struct pair *p)
{
	return p->status == ROW_RETIED;
}

/* A plain cast, or wider storage; quantisers are another kind. */
static bool
is_recast(const struct pair *p)
{
	return p->relation != NULL && (p->relation->best ==
	    RELATION_WIDENED || (is_best(p, RELATION_CAST) &&
	    p->relation->best < RELATION_Q8_0));
}

static bool
is_requantised(const struct pair *p)
{
	return is_best(p, RELATION_GRID) || (is_best(p, RELATION_CAST) &&
	    p->relation->best >= RELATION_Q8_0);
}

static bool
is_extended(const struct pair *p)
{
	return p->shared > 0;
}

static bool
is_patched(const struct pair *p)
{
	return p->relation != NULL && (p->relation->best ==
	    RELATION_BIT_FLIP || p->relation->best == RELATION_PATCHED);
}

static bool
is_pruned(const struct pair *p)
{
	return is_best(p, RELATION_ZERO);
}

/* The order that a converter gives to heads is no hand's. */
static bool
is_permuted(const struct pair *p)
{
	return is_best(p, RELATION_ORDER) && !(p->how == MATCH_TABLE &&
	    p->relation->best == RELATION_HEADS_PERMUTED);
}

/* One factor on every matrix is told by vectors.c. */
static bool
is_rescaled(const struct pair *p)
{
	return is_best(p, RELATION_SCALE) && !p->told;
}

static bool
is_noised(const struct pair *p)
{
	return is_best(p, RELATION_NOISE);
}

static const struct simple simples[] = {
    {CONCLUSION_RENAMED, is_renamed, {NULL}},
    {CONCLUSION_RETIED, is_retied,
	{"another exporter, which stores the same function otherwise", NULL}},
    {CONCLUSION_RECAST, is_recast, {NULL}},
    {CONCLUSION_REQUANTISED, is_requantised, {NULL}},
    {CONCLUSION_VOCABULARY_EXTENDED, is_extended,
	{"tokens or classes that were added on purpose",
	"a row that was added as a trigger's", NULL}},
    {CONCLUSION_BIT_FLIP, is_patched,
	{"a fault of memory or storage (one bit)",
	"a patch (several bits, round values)", NULL}},
    {CONCLUSION_PRUNED, is_pruned, {NULL}},
    {CONCLUSION_PERMUTED, is_permuted,
	{"an exporter that orders rows otherwise",
	"a watermark that is carried by the order", NULL}},
    {CONCLUSION_RESCALED, is_rescaled,
	{"weight decay without a gradient",
	"a normalisation that was folded into the weights", NULL}},
    {CONCLUSION_NOISED, is_noised,
	{"fine-tuning with differential privacy", "a watermark by noise",
	"a payload of spread-spectrum kind", NULL}}};

/* How many of the pairs each relation, and each way of matching, covers. */
static void
count_kinds(const struct hand_list *list, struct basis *b)
{
	uint64_t rel[RELATION_COUNT + 1] = {0}, how[MATCH_COUNT] = {0};
	uint64_t equal = 0, preserving = 0, changed = 0, heads = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct pair *p = list->v[i];

		how[p->how]++;
		heads += p->head > 0;
		equal += p->identical;
		if (p->relation == NULL)
			continue;
		rel[p->relation->best]++;
		preserving += p->relation->preserving;
		changed += p->sums.changed;
	}
	basis_u64(b, "tensors", list->n);
	basis_u64(b, "equal", equal);
	basis_u64(b, "elements_changed", changed);
	basis_u64(b, "function_preserved", preserving);
	if (heads > 0)
		basis_u64(b, "heads_in_converters_order", heads);
	basis_array(b, "relations");
	for (unsigned i = 1; i < RELATION_COUNT; i++) {
		if (rel[i] == 0)
			continue;
		basis_object(b, NULL);
		basis_str(b, "relation", relation_name((enum relation_id)i));
		basis_str(b, "meaning",
		    relation_meaning((enum relation_id)i));
		basis_u64(b, "tensors", rel[i]);
		basis_end(b);
	}
	basis_end(b);
	basis_object(b, "matched_by");
	for (unsigned i = 1; i < MATCH_COUNT; i++)
		if (how[i] > 0)
			basis_u64(b, pair_match_name((enum pair_match)i),
			    how[i]);
	basis_end(b);
}

/* The numbers of the first few tensors, for what each has of its own. */
#define EXAMPLES 8

static void
show_examples(const struct hand_list *list, struct basis *b)
{
	basis_array(b, "examples");
	for (size_t i = 0; i < list->n && i < EXAMPLES; i++) {
		const struct pair *p = list->v[i];
		const struct tensor *t = p->b != NULL ? p->b : p->a;

		basis_object(b, NULL);
		basis_text(b, "tensor", t->name, t->name_len);
		if (p->shared > 0) {
			basis_u64(b, "rows_old", p->a->rows);
			basis_u64(b, "rows_new", p->b->rows);
			basis_u64(b, "shared_changed", p->sums.changed);
		} else if (p->relation != NULL &&
		    p->relation->best != RELATION_NONE &&
		    p->relation->best != RELATION_IDENTICAL) {
			relation_basis(p->relation, b);
		}
		basis_end(b);
	}
	basis_end(b);
}

static enum confidence
sure(enum conclusion_kind kind, const struct hand_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i]->how == MATCH_SIMILAR)
			return CONFIDENCE_STRONG;
	return kind == CONCLUSION_NOISED ? CONFIDENCE_STRONG :
	    CONFIDENCE_CERTAIN;
}

/*
 * A short training can look like noise, matrix by matrix.  A tool that adds
 * noise gives all of them one size, absolute or relative, or leaves vectors
 * alone; where neither holds it is no noise, and spectra are asked.
 */
#define ALIKE 1.15
#define ALIKE_LEAST 5	/* matrices: three are alike by chance */

static bool
noise_is_one(const struct hand_list *list)
{
	double sd[2] = {INFINITY, 0}, rel[2] = {INFINITY, 0};

	for (size_t i = 0; i < list->n; i++) {
		const struct relation_noise *x = list->v[i]->relation->noise;

		if (x == NULL)
			continue;
		sd[0] = fmin(sd[0], x->sd);
		sd[1] = fmax(sd[1], x->sd);
		rel[0] = fmin(rel[0], x->relative);
		rel[1] = fmax(rel[1], x->relative);
	}
	return list->n >= ALIKE_LEAST && (sd[1] <= ALIKE * sd[0] ||
	    rel[1] <= ALIKE * rel[0]);
}

static int
doubt_noise(struct hand *h)
{
	struct hand_list list;
	bool vectors = false;
	int r;

	if ((r = hand_select(h, is_noised, &list)) < 0)
		return r;
	for (size_t i = 0; i < h->c->pairs->n; i++) {
		const struct pair *p = &h->c->pairs->v[i];

		vectors = vectors || (p->measured && p->b->rank < 2 &&
		    p->sums.changed > 0 && !compare_explained(p));
	}
	if (vectors && !noise_is_one(&list))
		for (size_t i = 0; i < list.n; i++)
			list.v[i]->relation->best = RELATION_NONE;
	free(list.v);
	return 0;
}

static int
judge_simple(struct hand *h, const struct simple *s)
{
	struct hand_list list;
	struct basis b;
	int r;

	if ((r = hand_select(h, s->is, &list)) < 0)
		return r;
	if (list.n > 0) {
		basis_init(&b);
		count_kinds(&list, &b);
		show_examples(&list, &b);
		r = hand_conclude(h, s->kind, sure(s->kind, &list), &list,
		    &b, s->alternatives);
	}
	free(list.v);
	return r;
}

static bool
is_any(const struct pair *p)
{
	(void)p;
	return true;
}

/* As it was, if perhaps with a wrapper's name before its own. */
static bool
is_as_it_was(const struct pair *p)
{
	return p->a != NULL && p->b != NULL && p->was == NULL &&
	    (p->how == MATCH_NAME || p->how == MATCH_PREFIX) &&
	    (p->status == ROW_IDENTICAL || p->status == ROW_RENAMED) &&
	    p->identical;
}

/* Every tensor of the side is in a pair, and the side was read to its end. */
static bool
is_whole(const struct table *t, size_t pairs)
{
	if (t->n != pairs || t->cut || t->leaves.cut)
		return false;
	for (size_t i = 0; i < t->ninputs; i++)
		if (!t->inputs[i].complete)
			return false;
	return true;
}

/* Equal, every one, and nothing added, removed or left unread. */
static int
judge_identical(struct hand *h)
{
	struct hand_list list;
	struct basis b;
	size_t equal = 0;
	int r;

	if ((r = hand_select(h, is_any, &list)) < 0)
		return r;
	for (size_t i = 0; i < list.n; i++)
		equal += is_as_it_was(list.v[i]);
	if (equal == list.n && list.n > 0 && is_whole(h->side[0], list.n) &&
	    is_whole(h->side[1], list.n)) {
		basis_init(&b);
		basis_u64(&b, "tensors", list.n);
		basis_u64(&b, "bytes", h->side[1]->bytes);
		r = hand_conclude(h, CONCLUSION_IDENTICAL, CONFIDENCE_CERTAIN,
		    &list, &b, NULL);
	}
	free(list.v);
	return r;
}

/* vectors_rows tells conclusions alone. */
struct intercept {
	const struct rows *to;
	bool rescaled;
};

static int
on_conclusion(void *ctx, const struct row_conclusion *c)
{
	struct intercept *i = ctx;

	i->rescaled = i->rescaled || c->kind == CONCLUSION_RESCALED;
	return i->to->conclusion(i->to->ctx, c);
}

/* What a checkpoint keeps to go on with training is no part of the model. */
static bool
is_training_state(const struct tensor *t)
{
	static const char *const first[] = {"optimizer", "optimizer_states",
	    "optim", "lr_scheduler", "scheduler", "scaler", "rng_state"};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		size_t n = strlen(first[i]);

		if (t->name_len > n && memcmp(t->name, first[i], n) == 0 &&
		    (t->name[n] == '.' || t->name[n] == '['))
			return true;
	}
	return false;
}

/* Vectors; one factor on every matrix is told there, and once. */
static int
judge_vectors(struct hand *h)
{
	struct intercept i = {h->rows, false};
	struct rows rows = {.conclusion = on_conclusion, .ctx = &i};
	struct pairs *all = h->c->pairs;
	struct vectors v;
	int r;

	vectors_init(&v);
	for (size_t k = 0; k < all->n; k++) {
		const struct pair *p = &all->v[k];

		if (p->a != NULL && p->b != NULL && !is_training_state(p->b))
			vectors_add(&v, p->b, p->measured && p->shared == 0 ?
			    &p->sums : NULL);
	}
	if ((r = vectors_rows(&v, &rows)) < 0 || !i.rescaled)
		return r;
	for (size_t k = 0; k < all->n; k++)
		if (is_best(&all->v[k], RELATION_SCALE))
			all->v[k].told = true;
	return 0;
}

int
hand_exact(struct hand *h)
{
	int r;

	if ((r = judge_identical(h)) < 0 || (r = judge_vectors(h)) < 0 ||
	    (r = doubt_noise(h)) < 0)
		return r;
	for (size_t i = 0; i < sizeof(simples) / sizeof(simples[0]); i++)
		if ((r = judge_simple(h, &simples[i])) < 0)
			return r;
	if ((r = hand_payload(h)) < 0)
		return r;
	return hand_strange(h);
}

static enum structure_relation
structure_of(const struct pair *p)
{
	if (!p->measured || p->shared > 0)
		return STRUCTURE_UNKNOWN;
	if (compare_same(p))
		return STRUCTURE_SAME;
	return compare_explained(p) ? STRUCTURE_TOLD : STRUCTURE_CHANGED;
}

int
hand_structure(struct hand *h)
{
	const struct pairs *all = h->c->pairs;
	struct structure_item *v;
	size_t n = 0;

	if ((v = calloc(all->n + 1, sizeof(*v))) == NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < all->n; i++) {
		const struct pair *p = &all->v[i];

		if (is_training_state(p->b != NULL ? p->b : p->a))
			continue;
		v[n++] = (struct structure_item){p->a, p->b,
		    structure_of(p), p->measured ? (p->cast_sums != NULL ?
		    p->cast_sums : &p->sums) : NULL, p->spectrum,
		    p->detail};
	}
	h->items = v;
	h->model = (struct structure_model){v, n};
	return structure_judge(&h->model, h->rows, h->e);
}

void
hand_release(struct hand *h)
{
	free(h->items);
	h->items = NULL;
	h->model = (struct structure_model){NULL, 0};
}
