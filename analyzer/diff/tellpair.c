#include <math.h>
#include <string.h>

#include "analyzer/diff/pair.h"
#include "analyzer/diff/relation.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tellpair.h"
#include "base/bytesrc.h"
#include "custody/digest.h"

static int
fill_half(const struct tellpair *t, unsigned s, const struct tensor *x,
    struct row_half *h)
{
	const struct table_input *in = table_input_of(t->side[s], x);
	struct digests d;
	int r;

	h->there = true;
	h->name = (struct row_text){x->name, x->name_len};
	h->path = (struct row_text){in->leaf->path, in->leaf->path_len};
	h->dtype = x->dtype;
	h->shape = x->shape;
	h->rank = x->rank;
	if (x->p == NULL)
		return 0;
	h->digested = true;
	if (!t->sha256)
		return 0;
	if ((r = digest_mem(x->p, x->len, DIGEST_SHA256, &d, t->e)) < 0)
		return r;
	h->has_sha256 = true;
	memcpy(h->sha256, d.sha256, 32);
	return 0;
}

static void
tell_sums(struct basis *b, const struct pass_sums *s)
{
	basis_u64(b, "changed", s->changed);
	basis_f64(b, "rel_l2", pass_rel(s));
	basis_f64(b, "max_abs", s->max_abs);
}

static void
tell_match(struct basis *b, const struct pair *p)
{
	if (p->how != MATCH_NAME && p->how != MATCH_NONE) {
		basis_str(b, "matched_by", pair_match_name(p->how));
		if (p->a != NULL && p->b != NULL)
			basis_text(b, "old_name", p->a->name,
			    p->a->name_len);
		if (p->other != NULL)
			basis_text(b, p->how == MATCH_TIED ? "equal_to" :
			    "part_of", p->other->name, p->other->name_len);
	}
	if (p->transposed)
		basis_bool(b, "transposed", true);
	if (p->head > 0)
		basis_u64(b, "rows_a_head_reordered", p->head);
	if (p->shared > 0) {
		basis_u64(b, "rows_compared", p->shared);
		basis_f64(b, "rows_added", (double)p->b->rows -
		    (double)p->a->rows);
	}
}

static void
tell_relation(struct basis *b, const struct pair *p)
{
	if (p->relation == NULL || p->relation->best == RELATION_IDENTICAL)
		return;
	if (p->relation->best != RELATION_NONE) {
		basis_object(b, "relation");
		relation_basis(p->relation, b);
		basis_end(b);
	}
	if (p->cast_sums != NULL) {
		basis_object(b, "after_cast");
		basis_str(b, "cast", cast_name(p->relation->cast));
		tell_sums(b, p->cast_sums);
		basis_end(b);
	}
}

static void
tell_list(struct basis *b, const char *key, const uint64_t *v, unsigned n)
{
	basis_array(b, key);
	for (unsigned i = 0; i < n; i++)
		basis_u64(b, NULL, v[i]);
	basis_end(b);
}

/*
 * The heat map: each cell's root of the sum of squares, 0 to 99 of the
 * largest.
 */
static void
tell_grid(struct basis *b, const struct pass_detail *d)
{
	double most = 0;

	for (unsigned i = 0; i < d->grid_rows; i++)
		for (unsigned j = 0; j < d->grid_cols; j++)
			if (d->grid[i][j] > most)
				most = d->grid[i][j];
	if (!(most > 0) || d->grid_rows * d->grid_cols < 4)
		return;
	basis_u64(b, "grid_rows", d->grid_rows);
	basis_u64(b, "grid_cols", d->grid_cols);
	basis_array(b, "grid");
	for (unsigned i = 0; i < d->grid_rows; i++)
		for (unsigned j = 0; j < d->grid_cols; j++)
			basis_u64(b, NULL,
			    (uint64_t)(99 * sqrt(d->grid[i][j] / most)));
	basis_end(b);
}

/* In thousandths: which heads carry it. */
static void
tell_heads(struct basis *b, const struct pair *p)
{
	if (p->share == NULL)
		return;
	basis_array(b, "heads");
	for (uint32_t i = 0; i < p->heads; i++)
		basis_u64(b, NULL, (uint64_t)(1000 * p->share[i] + 0.5));
	basis_end(b);
}

/* Rows, or columns, that were not looked at are left out. */
static void
tell_where(struct basis *b, const struct pair *p)
{
	const struct pass_detail *d = p->detail;
	const struct tensor *t = p->shared > 0 ? p->cut[1] : p->b;

	basis_object(b, "where");
	if (t->rows <= PASS_LOOK_MAX) {
		basis_u64(b, "rows_changed", d->rows_changed);
		basis_f64(b, "top_1pc_rows", d->top_rows_1);
		basis_f64(b, "top_10pc_rows", d->top_rows_10);
		tell_list(b, "best_rows", d->best_rows, d->nbest_rows);
	}
	if (t->cols <= PASS_LOOK_MAX) {
		basis_u64(b, "columns_changed", d->cols_changed);
		basis_f64(b, "top_1pc_columns", d->top_cols_1);
		basis_f64(b, "top_10pc_columns", d->top_cols_10);
		tell_list(b, "best_columns", d->best_cols, d->nbest_cols);
	}
	tell_heads(b, p);
	tell_grid(b, d);
	basis_end(b);
}

static void
tell_detail(struct basis *b, const struct pair *p)
{
	const struct pass_detail *d = p->detail;
	const struct pass_sums *s = p->cast_sums != NULL ? p->cast_sums :
	    &p->sums;
	unsigned last = 0;

	basis_u64(b, "sign_flips", d->sign_flips);
	basis_u64(b, "zeros_new", d->new_zeros);
	basis_u64(b, "zeros_lost", d->lost_zeros);
	basis_f64(b, "kurtosis", s->d2 > 0 ? (double)s->n * d->d4 /
	    (s->d2 * s->d2) : NAN);
	basis_u64(b, "ulp_max", d->max_ulp);
	for (unsigned i = 0; i < PASS_ULP_BINS; i++)
		if (d->ulp[i] > 0)
			last = i + 1;
	tell_list(b, "ulp_log2", d->ulp, last);
	tell_where(b, p);
}

static void
tell_more(struct basis *b, const struct pair *p)
{
	tell_match(b, p);
	if (p->measured) {
		basis_f64(b, "norm_old", sqrt(p->sums.a2));
		basis_f64(b, "norm_new", sqrt(p->sums.b2));
		if (p->sums.nonfinite_a + p->sums.nonfinite_b > 0) {
			basis_u64(b, "nonfinite_old", p->sums.nonfinite_a);
			basis_u64(b, "nonfinite_new", p->sums.nonfinite_b);
		}
	}
	tell_relation(b, p);
	if (p->detail != NULL)
		tell_detail(b, p);
	if (p->spectrum != NULL) {
		basis_object(b, "rank");
		spectrum_basis(p->spectrum, b);
		basis_end(b);
	}
	if (p->a != NULL && p->b != NULL && !p->measured)
		basis_str(b, "not_measured", p->a->p == NULL ||
		    p->b->p == NULL ? "bytes are not at hand" :
		    "the number of elements differs");
}

static uint64_t
digest_of(const struct tellpair *t, const struct pair *p, unsigned s)
{
	const struct tensor *x = s == 1 ? p->b : p->was != NULL ? p->was :
	    p->a;

	if (p->measured && p->shared == 0 && (s == 1 || p->was == NULL))
		return s == 0 ? p->sums.digest_a : p->sums.digest_b;
	return x->digested ? x->digest : pass_digest(t->pool, x->p, x->len);
}

int
tellpair_row(const struct tellpair *t, const struct pair *p)
{
	const struct tensor *half[2] = {p->was != NULL ? p->was : p->a,
	    p->b};
	const struct tensor *x = p->b != NULL ? p->b : p->a;
	struct row_tensor row = {.name = {x->name, x->name_len},
	    .status = p->status, .elements = x->n, .measured = p->measured,
	    .changed = p->sums.changed, .rel_l2 = pass_rel(&p->sums),
	    .cosine = pass_cosine(&p->sums), .max_abs = p->sums.max_abs};
	struct basis more;
	int r = 0;

	basis_init(&more);
	row.more = &more;
	for (unsigned s = 0; s < 2 && r >= 0; s++) {
		if (half[s] == NULL)
			continue;
		r = fill_half(t, s, half[s], &row.half[s]);
		if (row.half[s].digested)
			row.half[s].digest = digest_of(t, p, s);
	}
	if (r >= 0) {
		tell_more(&more, p);
		r = t->rows->tensor(t->rows->ctx, &row);
	}
	basis_release(&more);
	return r;
}
