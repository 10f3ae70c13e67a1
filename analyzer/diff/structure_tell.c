#include <math.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_parts.h"
#include "analyzer/diff/tensor.h"

/* Rows of structure.h, with the numbers that led to them. */
typedef bool part_is(const struct structure_part *p);

static bool
is_low(const struct structure_part *p)
{
	return p->kind == PART_LOW;
}

static bool
is_dense(const struct structure_part *p)
{
	return p->kind == PART_DENSE || p->kind == PART_SMALL ||
	    p->kind == PART_VECTOR;
}

static bool
is_same(const struct structure_part *p)
{
	return p->kind == PART_SAME;
}

static void
tell_counts(const struct structure_view *s, struct basis *b)
{
	basis_object(b, "tensors");
	basis_u64(b, "unchanged", s->count[PART_SAME]);
	basis_u64(b, "explained_otherwise", s->count[PART_TOLD]);
	basis_u64(b, "low_rank", s->count[PART_LOW]);
	basis_u64(b, "dense", s->count[PART_DENSE]);
	basis_u64(b, "too_small_for_a_rank", s->count[PART_SMALL]);
	basis_u64(b, "rounding_level", s->count[PART_ROUNDING]);
	basis_u64(b, "vectors", s->count[PART_VECTOR]);
	basis_u64(b, "not_compared", s->count[PART_UNKNOWN]);
	basis_end(b);
}

/* Smallest and largest of what the spectra say of these. */
static void
tell_spectra(const struct structure_view *s, part_is *is, struct basis *b)
{
	double rel[2] = {INFINITY, 0}, stable[2] = {INFINITY, 0};
	double tail = 0, cosine = 1, x;

	for (size_t i = 0; i < s->n; i++) {
		const struct structure_item *it = s->v[i].item;

		if (!is(&s->v[i]))
			continue;
		x = pass_rel(it->sums);
		rel[0] = fmin(rel[0], x);
		rel[1] = fmax(rel[1], x);
		cosine = fmin(cosine, pass_cosine(it->sums));
		if (it->spectrum == NULL ||
		    it->spectrum->verdict == SPECTRUM_SKIPPED)
			continue;
		x = it->spectrum->stable_rank;
		stable[0] = fmin(stable[0], x);
		stable[1] = fmax(stable[1], x);
		tail = fmax(tail, it->spectrum->tail_ratio);
	}
	basis_f64(b, "rel_l2_least", rel[0]);
	basis_f64(b, "rel_l2_most", rel[1]);
	basis_f64(b, "cosine_least", cosine);
	basis_f64(b, "stable_rank_least", stable[0]);
	basis_f64(b, "stable_rank_most", stable[1]);
	basis_f64(b, "tail_over_noise_most", tail);
}

#define LISTED 64

/* Modules with any of these, and which layers of each. */
static void
tell_modules(const struct structure_view *s, part_is *is, struct basis *b)
{
	unsigned listed = 0;

	basis_array(b, "modules");
	for (size_t i = 0; i < s->nmodules && listed < LISTED; i++) {
		const struct structure_module *m = &s->modules[i];
		unsigned layers = 0, rank = 0, all = 0;

		for (size_t k = 0; k < m->n; k++) {
			all += m->v[k].name.bias == m->v[0].name.bias;
			if (!is(&m->v[k]))
				continue;
			layers++;
			if (m->v[k].kind == PART_LOW &&
			    m->v[k].item->spectrum->rank > rank)
				rank = m->v[k].item->spectrum->rank;
		}
		if (layers == 0)
			continue;
		listed++;
		basis_object(b, NULL);
		basis_text(b, "module", m->v[0].name.module,
		    m->v[0].name.module_len);
		basis_u64(b, "layers", layers);
		basis_u64(b, "of", all);
		if (rank > 0)
			basis_u64(b, "rank", rank);
		basis_end(b);
	}
	basis_end(b);
}

/* Each matrix of low rank, its layer and its rank. */
static void
tell_ranks(const struct structure_view *s, struct basis *b)
{
	unsigned listed = 0;

	basis_array(b, "ranks");
	for (size_t i = 0; i < s->n && listed < LISTED; i++) {
		const struct structure_part *p = &s->v[i];

		if (p->kind != PART_LOW)
			continue;
		listed++;
		basis_object(b, NULL);
		basis_text(b, "tensor", p->item->new->name,
		    p->item->new->name_len);
		if (p->name.layer_len > 0)
			basis_u64(b, "layer", p->name.number);
		basis_u64(b, "rank", p->item->spectrum->rank);
		basis_f64(b, "gap", p->item->spectrum->gap);
		basis_f64(b, "tail_over_noise",
		    p->item->spectrum->tail_ratio);
		basis_end(b);
	}
	basis_end(b);
}

/* Layers whose rank is another than the group's, as at most a few have. */
static void
tell_outlying(const struct structure_view *s, struct basis *b)
{
	unsigned listed = 0;

	basis_array(b, "outlying");
	for (size_t i = 0; i < s->n && listed < LISTED; i++) {
		const struct structure_part *p = &s->v[i];

		if (p->kind != PART_LOW ||
		    2 * p->item->spectrum->rank >= s->rank)
			continue;
		listed++;
		basis_text(b, NULL, p->item->new->name,
		    p->item->new->name_len);
	}
	basis_end(b);
}

static int
tell(const struct structure_view *s, part_is *is, struct row_conclusion *c,
    struct basis *b, const struct rows *rows)
{
	static struct row_text names[ROW_TENSORS];
	int r;

	c->tensors = names;
	c->evidence = b;
	for (size_t i = 0; i < s->n; i++) {
		const struct tensor *t = s->v[i].item->new;

		if (!is(&s->v[i]) || t == NULL)
			continue;
		c->tensors_in_all++;
		if (c->ntensors < ROW_TENSORS)
			names[c->ntensors++] = (struct row_text){t->name,
			    t->name_len};
	}
	while (c->nalternatives < ROW_ALTERNATIVES &&
	    c->alternatives[c->nalternatives] != NULL)
		c->nalternatives++;
	r = rows->conclusion(rows->ctx, c);
	basis_release(b);
	return r;
}

int
structure_tell_edit(const struct structure_view *s, const struct rows *rows)
{
	struct row_conclusion c = {.kind = s->ones ?
	    CONCLUSION_RANK_ONE_EDIT : CONCLUSION_LOW_RANK_EDIT,
	    .confidence = CONFIDENCE_STRONG, .alternatives = {
	    "an adapter that was restricted to these layers"}};
	struct basis b;

	basis_init(&b);
	basis_u64(&b, "rank", s->rank);
	basis_u64(&b, "matrices", s->count[PART_LOW]);
	tell_counts(s, &b);
	tell_spectra(s, is_low, &b);
	tell_modules(s, is_low, &b);
	tell_ranks(s, &b);
	return tell(s, is_low, &c, &b, rows);
}

int
structure_tell_adapter(const struct structure_view *s,
    const struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_MERGED_ADAPTER,
	    .confidence = CONFIDENCE_STRONG, .alternatives = {
	    "low-rank fine-tuning without an adapter",
	    "an edit that touched every layer"}};
	struct basis b;

	basis_init(&b);
	basis_u64(&b, "rank", s->rank);
	basis_u64(&b, "matrices", s->count[PART_LOW]);
	basis_str(&b, "scale", "not to be told without the adapter's files: "
	    "(cB)(A/c) is the same product");
	tell_counts(s, &b);
	tell_spectra(s, is_low, &b);
	tell_modules(s, is_low, &b);
	tell_outlying(s, &b);
	if (s->count[PART_DENSE] + s->count[PART_SMALL] > 0)
		basis_str(&b, "note", "embeddings or heads beside it were "
		    "trained whole");
	tell_ranks(s, &b);
	return tell(s, is_low, &c, &b, rows);
}

int
structure_tell_dense(const struct structure_view *s, const struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_CONTINUED_TRAINING,
	    .confidence = s->count[PART_DENSE] > 0 ? CONFIDENCE_STRONG :
	    CONFIDENCE_WEAK, .alternatives = {
	    "training that taught a trigger looks the same",
	    "a merge of several models"}};
	struct basis b;

	basis_init(&b);
	tell_counts(s, &b);
	tell_spectra(s, is_dense, &b);
	if (s->count[PART_LOW] > 0) {
		basis_str(&b, "note", s->count[PART_VECTOR] > 0 ?
		    "some matrices have low rank, but vectors changed too" :
		    "some matrices have low rank, others have not");
		tell_ranks(s, &b);
	}
	return tell(s, is_dense, &c, &b, rows);
}

/*
 * Small tensors that changed beside others that were cast or quantised were
 * merely left out of that.
 */
static bool
worth_telling(const struct structure_view *s)
{
	if (s->count[PART_LOW] + s->count[PART_DENSE] > 0)
		return true;
	if (s->count[PART_SMALL] + s->count[PART_VECTOR] == 0 ||
	    s->count[PART_TOLD] > 0)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].kind == PART_SAME && s->v[i].item->sums != NULL &&
		    s->v[i].item->sums->changed > 0)
			return false;
	return true;
}

int
structure_tell_frozen(const struct structure_view *s,
    const struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_LAYERS_FROZEN,
	    .confidence = CONFIDENCE_CERTAIN};
	struct basis b;
	const char *pattern;
	size_t last = 0;

	if (!worth_telling(s) ||
	    (pattern = structure_pattern(s, &last)) == NULL)
		return 0;
	basis_init(&b);
	basis_str(&b, "changed", pattern);
	if (last > 0)
		basis_u64(&b, "last_layers", last);
	tell_counts(s, &b);
	return tell(s, is_same, &c, &b, rows);
}
