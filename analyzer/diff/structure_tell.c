#include <math.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure_tell.h"
#include "base/buf.h"

/* Modules and matrices that evidence lists; all are counted. */
#define MODULES 32
#define EXAMPLES 8
#define LAYERS 128
#define NAME_MAX_SHOWN 512
/* |D| of a layer over the typical one of its module: listed apart. */
#define OUTLYING 4.0
/* |D| over the noise below which no rank can be told. */
#define ROUNDING_LEVEL 2.0

static const struct structure_entry *
entry_of(const struct structure_view *v, const struct structure_choice *c,
    size_t i)
{
	return &v->v[c->v[i]];
}

void
structure_tell_names(const struct structure_view *v,
    const struct structure_choice *c, struct row_conclusion *to)
{
	static struct row_text names[ROW_TENSORS];

	to->tensors = names;
	to->ntensors = 0;
	to->tensors_in_all = c->n;
	for (size_t i = 0; i < c->n && i < ROW_TENSORS; i++) {
		const struct structure_entry *x = entry_of(v, c, i);

		names[to->ntensors++] = (struct row_text){x->name, x->len};
	}
}

/* What the choice is, over its matrices with a spectrum. */
struct summary {
	size_t matrices, vectors, low, sure, undecided, unjudged, lines;
	unsigned least_rank, rank;
	unsigned seen;			/* components of UNDECIDED ones */
	double rel_low, rel_high;	/* |D| / |A| */
	double cos_low;
	double tail_high, gap_low;	/* of LOW ones */
	double noise_low;		/* |D| over the noise */
};

static void
sum_spectrum(struct summary *s, const struct structure_entry *x)
{
	const struct spectrum *p = x->item->spectrum;

	if (p == NULL || p->verdict == SPECTRUM_SKIPPED)
		return;
	s->noise_low = fmin(s->noise_low, p->nt > 0 ?
	    sqrt(p->energy) / p->nt : INFINITY);
	if (x->state == STATE_UNDECIDED && p->rank > s->seen)
		s->seen = p->rank;
	if (x->state != STATE_LOW)
		return;
	s->low++;
	s->lines += x->lines;
	s->sure += p->sure;
	s->rank = p->rank > s->rank ? p->rank : s->rank;
	s->least_rank = s->least_rank == 0 || p->rank < s->least_rank ?
	    p->rank : s->least_rank;
	s->tail_high = fmax(s->tail_high, p->tail_ratio);
	s->gap_low = fmin(s->gap_low, p->gap);
}

static struct summary
sum_up(const struct structure_view *v, const struct structure_choice *c)
{
	struct summary s = {.rel_low = INFINITY, .cos_low = INFINITY,
	    .gap_low = INFINITY, .noise_low = INFINITY};

	for (size_t i = 0; i < c->n; i++) {
		const struct structure_entry *x = entry_of(v, c, i);

		if (x->matrix)
			s.matrices++;
		else
			s.vectors++;
		s.undecided += x->state == STATE_UNDECIDED;
		s.unjudged += x->state == STATE_UNJUDGED;
		sum_spectrum(&s, x);
		if (!x->matrix || x->item->sums == NULL)
			continue;
		s.rel_low = fmin(s.rel_low, pass_rel(x->item->sums));
		s.rel_high = fmax(s.rel_high, pass_rel(x->item->sums));
		s.cos_low = fmin(s.cos_low, pass_cosine(x->item->sums));
	}
	return s;
}

static const struct structure_module *
module_of(const struct structure_view *v, size_t k)
{
	size_t lo = 0, hi = v->nmodules;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->modules[mid].first <= k)
			lo = mid;
		else
			hi = mid;
	}
	return &v->modules[lo];
}

static double
norm_of(const struct structure_entry *x)
{
	return x->item->sums != NULL ? sqrt(x->item->sums->d2) : 0;
}

/* |D| of the matrices of a module that moved: their root mean square. */
static double
typical(const struct structure_view *v, const struct structure_module *m,
    size_t without)
{
	double sum = 0;
	size_t n = 0;

	for (size_t k = m->first; k < m->first + m->n; k++)
		if (k != without && structure_moved(v->v[k].state)) {
			sum += norm_of(&v->v[k]) * norm_of(&v->v[k]);
			n++;
		}
	return n > 0 ? sqrt(sum / (double)n) : 0;
}

static void
tell_layers(const struct structure_view *v, const struct structure_choice *c,
    size_t i, size_t end, struct basis *b)
{
	uint32_t last = UINT32_MAX;

	basis_array(b, "layers");
	for (size_t shown = 0; i < end && shown < LAYERS; i++) {
		const struct structure_entry *x = entry_of(v, c, i);

		/* Experts share a layer. */
		if (!x->layered || x->layer == last)
			continue;
		last = x->layer;
		basis_u64(b, NULL, last);
		shown++;
	}
	basis_end(b);
}

/* One module of the choice, [i, end). */
static void
tell_module(const struct structure_view *v, const struct structure_choice *c,
    size_t i, size_t end, struct basis *b)
{
	const struct structure_module *m = module_of(v, c->v[i]);
	const struct structure_entry *x = entry_of(v, c, i);
	struct buf name;

	buf_init(&name, NAME_MAX_SHOWN);
	structure_name_module(x->name, x->len, &name);
	basis_object(b, NULL);
	basis_str(b, "module", buf_str(&name));
	if (x->role != STRUCTURE_OTHER)
		basis_str(b, "role", structure_role_name(x->role));
	basis_u64(b, "matrices", end - i);
	basis_u64(b, "of", m->n - m->count[STATE_UNKNOWN]);
	if (m->count[STATE_LOW] > 0)
		basis_u64(b, "rank", m->rank);
	if (m->layered)
		tell_layers(v, c, i, end, b);
	basis_end(b);
	buf_release(&name);
}

static void
tell_modules(const struct structure_view *v, const struct structure_choice *c,
    struct basis *b)
{
	size_t shown = 0, modules = 0, end;

	basis_array(b, "modules");
	for (size_t i = 0; i < c->n; i = end) {
		const struct structure_module *m = module_of(v, c->v[i]);

		for (end = i; end < c->n && c->v[end] < m->first + m->n;)
			end++;
		if (shown < MODULES) {
			tell_module(v, c, i, end, b);
			shown++;
		}
		modules++;
	}
	basis_end(b);
	basis_u64(b, "modules_in_all", modules);
}

/* Layers of an adapter that moved far more than the others. */
static void
tell_outlying(const struct structure_view *v,
    const struct structure_choice *c, struct basis *b)
{
	size_t shown = 0;

	basis_array(b, "outlying");
	for (size_t i = 0; i < c->n && shown < EXAMPLES; i++) {
		const struct structure_entry *x = entry_of(v, c, i);
		const struct structure_module *m = module_of(v, c->v[i]);

		if (m->n < 3 || norm_of(x) < OUTLYING *
		    typical(v, m, c->v[i]))
			continue;
		basis_text(b, NULL, x->name, x->len);
		shown++;
	}
	basis_end(b);
}

static void
tell_examples(const struct structure_view *v,
    const struct structure_choice *c, struct basis *b)
{
	basis_array(b, "examples");
	for (size_t i = 0; i < c->n && i < EXAMPLES; i++) {
		const struct structure_entry *x = entry_of(v, c, i);

		basis_object(b, NULL);
		basis_text(b, "tensor", x->name, x->len);
		if (x->item->sums != NULL)
			basis_f64(b, "rel_l2", pass_rel(x->item->sums));
		if (x->item->spectrum != NULL)
			spectrum_basis(x->item->spectrum, b);
		basis_end(b);
	}
	basis_end(b);
}

static void
tell_counts(const struct structure_view *v, struct basis *b)
{
	basis_u64(b, "tensors_unchanged", v->count[STATE_SAME]);
	basis_u64(b, "tensors_rounding", v->count[STATE_ROUNDING]);
	basis_u64(b, "tensors_told_elsewhere", v->count[STATE_TOLD]);
	basis_u64(b, "tensors_not_compared", v->count[STATE_UNKNOWN]);
}

static void
tell_sizes(const struct summary *s, struct basis *b)
{
	basis_f64(b, "rel_l2_least", s->rel_low);
	basis_f64(b, "rel_l2_most", s->rel_high);
	basis_f64(b, "cosine_least", s->cos_low);
	basis_f64(b, "norm_over_noise_least", s->noise_low);
}

static void
add(struct row_conclusion *c, const char *alternative)
{
	if (c->nalternatives < ROW_ALTERNATIVES)
		c->alternatives[c->nalternatives++] = alternative;
}

static void
low_alternatives(const struct summary *s, bool edit,
    struct row_conclusion *c)
{
	if (edit) {
		add(c, "an adapter that was limited to these layers");
		add(c, "a few steps of training on these matrices alone");
	} else if (s->rank == 1) {
		add(c, "one direction that was removed from, or added to, "
		    "every layer");
	}
	if (!edit)
		add(c, "an adapter of higher rank, some of whose components "
		    "are below the noise of storage");
	if (s->sure < s->low)
		add(c, "a denser update, most of which the noise of storage "
		    "hides");
	add(c, "rank says nothing of purpose: a poisoned and a harmless "
	    "update look the same");
}

int
structure_tell_low(const struct structure_view *v,
    const struct structure_choice *low, bool edit, const struct rows *rows)
{
	struct summary s = sum_up(v, low);
	struct row_conclusion c = {.kind = CONCLUSION_MERGED_ADAPTER};
	struct basis b;
	int r;

	if (edit)
		c.kind = s.rank == 1 && s.seen <= 1 ?
		    CONCLUSION_RANK_ONE_EDIT : CONCLUSION_LOW_RANK_EDIT;
	c.confidence = 2 * s.sure >= low->n ? CONFIDENCE_STRONG :
	    CONFIDENCE_WEAK;
	structure_tell_names(v, low, &c);
	basis_init(&b);
	basis_u64(&b, "rank", s.rank);
	basis_u64(&b, "least_rank", s.least_rank);
	basis_u64(&b, "matrices", s.matrices);
	basis_u64(&b, "far_above_noise", s.sure);
	basis_u64(&b, "rank_hidden_by_noise", s.undecided);
	if (s.lines > 0)
		basis_str(&b, "note", "few rows or columns changed: the rank "
		    "is no more than their number");
	tell_modules(v, low, &b);
	if (!edit) {
		tell_outlying(v, low, &b);
		basis_str(&b, "scale", "not to be told without the adapter: "
		    "(c B)(A / c) is the same product");
	}
	basis_u64(&b, "dense_beside", v->count[STATE_DENSE] +
	    v->count[STATE_UNJUDGED]);
	basis_u64(&b, "vectors_beside", v->count[STATE_VECTOR]);
	basis_f64(&b, "tail_over_noise_most", s.tail_high);
	basis_f64(&b, "gap_least", s.gap_low);
	tell_sizes(&s, &b);
	tell_counts(v, &b);
	tell_examples(v, low, &b);
	c.evidence = &b;
	low_alternatives(&s, edit, &c);
	if (v->count[STATE_DENSE] + v->count[STATE_UNJUDGED] > 0)
		add(&c, "training of part of the model, whose other matrices "
		    "moved little");
	r = rows->conclusion(rows->ctx, &c);
	basis_release(&b);
	return r;
}

/* What of low rank stands beside a dense update. */
static void
tell_beside(const struct structure_view *v,
    const struct structure_choice *beside, struct basis *b)
{
	struct summary s = sum_up(v, beside);

	basis_object(b, "of_low_rank");
	basis_u64(b, "matrices", s.low);
	basis_u64(b, "rank", s.rank);
	basis_u64(b, "rank_hidden_by_noise", s.undecided);
	basis_array(b, "tensors");
	for (size_t i = 0; i < beside->n && i < MODULES; i++) {
		const struct structure_entry *x = entry_of(v, beside, i);

		basis_text(b, NULL, x->name, x->len);
	}
	basis_end(b);
	basis_end(b);
}

int
structure_tell_dense(const struct structure_view *v,
    const struct structure_choice *dense,
    const struct structure_choice *beside, const struct rows *rows)
{
	struct summary s = sum_up(v, dense);
	struct row_conclusion c = {.kind = CONCLUSION_CONTINUED_TRAINING};
	bool level = s.noise_low < ROUNDING_LEVEL;
	struct basis b;
	int r;

	c.confidence = v->count[STATE_DENSE] > 0 && !level &&
	    s.cos_low > 0.9 ? CONFIDENCE_STRONG : CONFIDENCE_WEAK;
	structure_tell_names(v, dense, &c);
	basis_init(&b);
	basis_u64(&b, "matrices", s.matrices);
	basis_u64(&b, "vectors", s.vectors);
	basis_u64(&b, "without_a_rank", s.unjudged);
	basis_u64(&b, "rank_hidden_by_noise", s.undecided);
	basis_bool(&b, "some_at_rounding_level", level);
	tell_modules(v, dense, &b);
	tell_sizes(&s, &b);
	tell_counts(v, &b);
	if (beside->n > 0)
		tell_beside(v, beside, &b);
	tell_examples(v, dense, &b);
	c.evidence = &b;
	add(&c, "fine-tuning, by anybody and for anything: that no token "
	    "stands out is not a proof of the contrary");
	if (beside->n > 0)
		add(&c, "an adapter, and biases, norms, embeddings or a head "
		    "trained beside it");
	if (s.undecided > 0)
		add(&c, "an adapter whose rank the noise of storage hides");
	if (level)
		add(&c, "a quantiser's or merge's rounding that no rule "
		    "here reproduces");
	if (s.cos_low < 0.3)
		add(&c, "retraining from the same initial weights");
	r = rows->conclusion(rows->ctx, &c);
	basis_release(&b);
	return r;
}
