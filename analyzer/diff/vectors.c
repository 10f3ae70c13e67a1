#include <math.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/vectors.h"

/*
 * The tests are of the model as a whole: one matrix that changed otherwise
 * and none of them holds.  ${slack} is what storage may do to the factor of a
 * matrix: rounding to p bits moves each element by up to 2^-p-1 of itself,
 * the norm's ratio by no more.
 */
#define COSINE 1e-6
/* Less than this of the vectors is a patch, not training. */
#define DENSE 0.1
#define ELEMENTS 16

void
vectors_init(struct vectors *v)
{
	memset(v, 0, sizeof(*v));
	v->low = HUGE_VAL;
	v->high = -HUGE_VAL;
}

static bool
ends_in(const struct tensor *t, const char *s)
{
	size_t n = strlen(s);

	return t->name_len >= n &&
	    memcmp(t->name + t->name_len - n, s, n) == 0;
}

static bool
is_statistic(const struct tensor *t)
{
	return ends_in(t, "running_mean") || ends_in(t, "running_var") ||
	    ends_in(t, "num_batches_tracked");
}

static void
add_matrix(struct vectors *v, const struct tensor *b,
    const struct pass_sums *s)
{
	unsigned bits = elem_info(b->elem)->mantissa;
	double slack = bits > 0 ? ldexp(1, -(int)bits - 1) : 1e-2;
	double f = s->a2 > 0 ? sqrt(s->b2 / s->a2) : 0;

	/* Zero stays zero, whatever it is multiplied by. */
	if (s->a2 == 0 && s->b2 == 0 && s->changed == 0)
		return;
	v->matrices++;
	v->matrices_changed += s->changed > 0;
	v->slack = slack > v->slack ? slack : v->slack;
	if (s->changed > 0 && pass_cosine(s) >= 1 - COSINE - slack * slack) {
		v->scaled++;
		v->low = f < v->low ? f : v->low;
		v->high = f > v->high ? f : v->high;
	}
}

static void
add_vector(struct vectors *v, const struct tensor *b,
    const struct pass_sums *s)
{
	v->vectors++;
	if (s->changed == 0)
		return;
	v->vectors_changed++;
	v->elements += s->n;
	v->elements_changed += s->changed;
	if (is_statistic(b))
		v->statistics_changed++;
	else if (ends_in(b, "bias"))
		v->biases_changed++;
	else
		v->gains_changed++;
}

void
vectors_add(struct vectors *v, const struct tensor *b,
    const struct pass_sums *s)
{
	if (s == NULL || s->nonfinite_a > 0 || s->nonfinite_b > 0) {
		v->unmeasured++;
		return;
	}
	if (b->rank >= 2)
		add_matrix(v, b, s);
	else
		add_vector(v, b, s);
	if (s->changed == 0)
		return;
	if (v->nchanged < VECTORS_NAMES)
		v->changed[v->nchanged] = b;
	v->nchanged++;
}

static int
tell(const struct vectors *v, struct row_conclusion *c, struct basis *b,
    struct rows *rows)
{
	static const size_t max = VECTORS_NAMES < ROW_TENSORS ? VECTORS_NAMES
	    : ROW_TENSORS;
	struct row_text names[VECTORS_NAMES];

	c->tensors = names;
	c->tensors_in_all = v->nchanged;
	for (; c->ntensors < max && c->ntensors < v->nchanged; c->ntensors++)
		names[c->ntensors] = (struct row_text){
		    v->changed[c->ntensors]->name,
		    v->changed[c->ntensors]->name_len};
	basis_u64(b, "matrices", v->matrices);
	basis_u64(b, "matrices_changed", v->matrices_changed);
	basis_u64(b, "vectors_changed", v->vectors_changed);
	c->evidence = b;
	return rows->conclusion(rows->ctx, c);
}

static int
tell_statistics(const struct vectors *v, struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_CONTINUED_TRAINING,
	    .confidence = CONFIDENCE_STRONG,
	    .alternatives = {"re-estimated after averaging or quantisation",
		"statistics edited by hand"}, .nalternatives = 2};
	struct basis b;
	int r;

	basis_init(&b);
	basis_str(&b, "pattern", "only running statistics");
	basis_str(&b, "note",
	    "forward passes in training mode, no optimisation");
	basis_u64(&b, "statistics_changed", v->statistics_changed);
	r = tell(v, &c, &b, rows);
	basis_release(&b);
	return r;
}

static int
tell_vectors(const struct vectors *v, struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_CONTINUED_TRAINING,
	    .confidence = CONFIDENCE_STRONG,
	    .alternatives = {"biases or gains edited by hand",
		"calibration after quantisation or pruning"},
	    .nalternatives = 2};
	bool biases = v->gains_changed == 0 && v->statistics_changed == 0;
	struct basis b;
	int r;

	basis_init(&b);
	basis_str(&b, "pattern", biases ? "only biases" : "only 1-D tensors");
	basis_str(&b, "note", "every matrix is equal: training of biases or "
	    "norms alone");
	basis_u64(&b, "biases_changed", v->biases_changed);
	basis_u64(&b, "gains_changed", v->gains_changed);
	basis_u64(&b, "statistics_changed", v->statistics_changed);
	basis_u64(&b, "elements_changed", v->elements_changed);
	basis_u64(&b, "elements", v->elements);
	r = tell(v, &c, &b, rows);
	basis_release(&b);
	return r;
}

static int
tell_factor(const struct vectors *v, struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_RESCALED,
	    .confidence = CONFIDENCE_STRONG,
	    .alternatives = {"weights scaled by hand"}, .nalternatives = 1};
	struct basis b;
	int r;

	basis_init(&b);
	basis_f64(&b, "factor", (v->low + v->high) / 2);
	basis_f64(&b, "factor_spread", v->high - v->low);
	basis_f64(&b, "factor_slack", v->slack);
	if (v->high < 1)
		basis_str(&b, "note", "weight decay without gradient: one "
		    "factor on every matrix");
	else
		basis_str(&b, "note", "one factor on every matrix");
	r = tell(v, &c, &b, rows);
	basis_release(&b);
	return r;
}

/* One factor that is not 1, on at least two matrices and on all of them. */
static bool
one_factor(const struct vectors *v)
{
	double slack = v->slack > 1e-6 ? v->slack : 1e-6;
	double mid = (v->low + v->high) / 2;

	return v->matrices >= 2 && v->scaled == v->matrices &&
	    v->high - v->low <= 2 * slack * mid &&
	    fabs(mid - 1) > 4 * slack;
}

int
vectors_rows(const struct vectors *v, struct rows *rows)
{
	uint64_t tuned = v->biases_changed + v->gains_changed;

	if (v->unmeasured > 0 || v->nchanged == 0)
		return 0;
	if (v->matrices_changed > 0)
		return one_factor(v) ? tell_factor(v, rows) : 0;
	if (tuned == 0)
		return tell_statistics(v, rows);
	if (v->elements_changed < ELEMENTS ||
	    (double)v->elements_changed < DENSE * (double)v->elements)
		return 0;
	return tell_vectors(v, rows);
}
