#include <math.h>
#include <stdlib.h>

#include "analyzer/diff/adapter.h"
#include "analyzer/diff/adapterfit.h"
#include "analyzer/diff/adapterpath.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * For each module of the adapter (PEFT: <path>.lora_A.weight is r x in,
 * <path>.lora_B.weight out x r; Hu et al. 2021) its change is held against
 * s B A.  A matrix that is stored with its inputs in rows (Conv1D) is held
 * against the transpose; a square one is tried both ways.
 *
 * Not seen: several adapters merged into one module, DoRA, whose product is
 * scaled by row, and adapters of embeddings or convolutions.
 */
#define RANK_MOST 1024
#define FACTOR_BYTES (48 * MIB)	/* of one factor as floats; held thrice */
#define SCALE_SLACK 3e-3	/* of a merge in bfloat16 */
#define SIGMA 4.0

static bool
usable(const struct tensor *t)
{
	return t->p != NULL && t->rank == 2 && t->n > 0 &&
	    t->n <= FACTOR_BYTES / sizeof(float) &&
	    elem_info(t->elem)->kind != ELEM_OPAQUE;
}

/* Whole rows of numbers? */
static bool
has_rows(const struct tensor *t, uint64_t rows, uint64_t cols)
{
	return t->p != NULL && t->rank == 2 && t->rows == rows &&
	    t->cols == cols && cols % elem_info(t->elem)->block == 0 &&
	    elem_info(t->elem)->kind != ELEM_OPAQUE;
}

static bool
fits(const struct structure_item *it, uint64_t rows, uint64_t cols)
{
	return has_rows(it->old, rows, cols) && has_rows(it->new, rows, cols);
}

/* 1: there is such a module and it was measured. */
static int
try_module(struct pool *pool, const struct structure_model *m,
    const struct adapterpath_index *x, const struct adapterfit_factors *pair,
    const struct adapterpath_key *path, struct adapterfit *f, struct err *e)
{
	const struct tensor *a = pair->a, *b = pair->b;
	struct adapterfit_factors turned = {a, b, true};
	const struct structure_item *it;
	const struct adapterpath_key *k;
	int r = 0;

	if (!usable(a) || !usable(b) || a->rows != b->cols ||
	    a->rows > RANK_MOST || (k = adapterpath_item(x, path)) == NULL)
		return 0;
	f->item = k->index;
	it = &m->v[k->index];
	if (fits(it, b->rows, a->cols))
		r = adapterfit_measure(pool, pair, it, f, e);
	else if (!fits(it, a->cols, b->rows))
		return 0;
	if (r >= 0 && !f->merged && fits(it, a->cols, b->rows))
		r = adapterfit_measure(pool, &turned, it, f, e);
	return r < 0 ? r : 1;
}

struct judged {
	struct adapterfit *v;
	size_t n, merged;
	size_t modules;		/* of the adapter, measured or not */
	bool *explained;	/* items of the model */
};

static int
try_all(struct pool *pool, const struct structure_model *m,
    const struct adapter_files *files, struct judged *j, struct err *e)
{
	struct adapterpath_index x;
	struct adapterpath_key k;
	int r = adapterpath_init(&x, m, files, e);

	for (size_t i = 0; i < files->n && r >= 0; i++) {
		struct adapterfit_factors pair = {&files->v[i], NULL, false};
		struct adapterfit *f = &j->v[j->n];
		const struct adapterpath_key *b;

		if (!adapterpath_of(pair.a, ".lora_A", &k) ||
		    (b = adapterpath_partner(&x, &k)) == NULL)
			continue;
		j->modules++;
		pair.b = &files->v[b->index];
		*f = (struct adapterfit){0};
		if ((r = try_module(pool, m, &x, &pair, &k, f, e)) != 1)
			continue;
		j->n++;
		j->merged += f->merged;
		if (f->merged)
			j->explained[f->item] = true;
	}
	adapterpath_release(&x);
	return r < 0 ? r : 0;
}

/* What the configuration says the scale is; NaN: it does not. */
static double
stated(const struct adapter_config *c, const struct adapterfit *f)
{
	double r = (double)f->r;

	if (!c->known || !(c->alpha > 0) || !(r > 0))
		return NAN;
	return c->alpha / (c->rslora ? sqrt(r) : r);
}

/*
 * To what the measurement allows: what is left may stand along B A by its
 * share in one of n directions, and rounding of a merge by a part of itself.
 */
static bool
as_stated(const struct adapter_config *c, const struct adapterfit *f,
    uint64_t n)
{
	double slack = f->allowed / (fabs(f->scale) * f->product) * SIGMA /
	    sqrt((double)n);

	return fabs(f->scale / stated(c, f) - 1) <= (slack > SCALE_SLACK ?
	    slack : SCALE_SLACK);
}

#define LISTED 64

static void
tell_fits(const struct structure_model *m, const struct judged *j,
    bool merged, struct basis *b)
{
	size_t listed = 0;

	basis_array(b, merged ? "merged" : "not_merged");
	for (size_t i = 0; i < j->n && listed < LISTED; i++) {
		const struct adapterfit *f = &j->v[i];
		const struct tensor *t = m->v[f->item].new;

		if (f->merged != merged)
			continue;
		listed++;
		basis_object(b, NULL);
		basis_text(b, "tensor", t->name, t->name_len);
		basis_u64(b, "rank", f->r);
		basis_f64(b, "scale", f->scale);
		if (f->delta > 0) {
			basis_f64(b, "rest_of_delta", f->rest / f->delta);
			basis_f64(b, "allowed", f->allowed / f->delta);
		}
		basis_end(b);
	}
	basis_end(b);
}

/* Over all modules that were merged. */
static void
tell_scale(const struct structure_model *m, const struct adapter_config *c,
    const struct judged *j, struct basis *b)
{
	double least = INFINITY, most = -INFINITY, rest = 0;
	const struct adapterfit *first = NULL;
	uint64_t rank = 0, agree = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct adapterfit *f = &j->v[i];

		if (!f->merged)
			continue;
		first = first == NULL ? f : first;
		rank = f->r > rank ? f->r : rank;
		least = fmin(least, f->scale);
		most = fmax(most, f->scale);
		rest = fmax(rest, f->rest / f->delta);
		agree += as_stated(c, f, m->v[f->item].new->n);
	}
	basis_u64(b, "rank", rank);
	basis_f64(b, "scale", first->scale);
	basis_f64(b, "scale_least", least);
	basis_f64(b, "scale_most", most);
	basis_f64(b, "rest_of_delta_most", rest);
	if (most < 0)
		basis_str(b, "note", "the scale is negative: the adapter was "
		    "taken out, not put in");
	if (isnan(stated(c, first)))
		return;
	basis_f64(b, "alpha", c->alpha);
	basis_bool(b, "rslora", c->rslora);
	basis_f64(b, "scale_stated", stated(c, first));
	basis_u64(b, "modules_of_stated_scale", agree);
}

static size_t
unexplained(const struct structure_model *m, const struct judged *j)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct structure_item *it = &m->v[i];

		n += it->relation == STRUCTURE_CHANGED && !j->explained[i] &&
		    (it->spectrum == NULL ||
		    it->spectrum->verdict != SPECTRUM_ROUNDING);
	}
	return n;
}

static int
tell(const struct structure_model *m, const struct adapter_files *files,
    const struct judged *j, const struct rows *rows)
{
	static struct row_text names[ROW_TENSORS];
	struct row_conclusion c = {.kind = CONCLUSION_MERGED_ADAPTER,
	    .confidence = CONFIDENCE_CERTAIN, .tensors = names,
	    .tensors_in_all = j->merged};
	size_t left = unexplained(m, j);
	struct basis b;
	int r;

	for (size_t i = 0; i < j->n && c.ntensors < ROW_TENSORS; i++) {
		const struct tensor *t = m->v[j->v[i].item].new;

		if (j->v[i].merged)
			names[c.ntensors++] = (struct row_text){t->name,
			    t->name_len};
	}
	if (left > 0)
		c.alternatives[c.nalternatives++] = "the adapter, and "
		    "something else: it does not explain every change";
	basis_init(&b);
	c.evidence = &b;
	tell_scale(m, &files->config, j, &b);
	basis_u64(&b, "modules", j->modules);
	basis_u64(&b, "modules_measured", j->n);
	basis_u64(&b, "modules_merged", j->merged);
	basis_u64(&b, "changes_not_explained", left);
	tell_fits(m, j, true, &b);
	tell_fits(m, j, false, &b);
	r = rows->conclusion(rows->ctx, &c);
	basis_release(&b);
	return r;
}

int
adapter_judge(struct pool *pool, const struct structure_model *m,
    const struct adapter_files *adapter, const struct rows *rows,
    size_t *merged, struct err *e)
{
	struct judged j = {0};
	int r;

	*merged = 0;
	j.v = calloc(adapter->n + 1, sizeof(*j.v));
	j.explained = calloc(m->n + 1, sizeof(*j.explained));
	if (j.v == NULL || j.explained == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	else
		r = try_all(pool, m, adapter, &j, e);
	if (r >= 0 && j.merged > 0)
		r = tell(m, adapter, &j, rows);
	if (r >= 0)
		*merged = j.merged;
	free(j.v);
	free(j.explained);
	return r;
}
