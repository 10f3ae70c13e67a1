#include "analyzer/diff/basis.h"
#include "analyzer/diff/permute.h"
#include "analyzer/diff/relation.h"

static void
few(const struct relation_few *f, struct basis *s)
{
	basis_u64(s, "bits_at_most", f->most_bits);
	basis_f64(s, "largest_change", f->largest);
	basis_array(s, "values");
	for (unsigned i = 0; i < f->n; i++) {
		basis_object(s, NULL);
		basis_u64(s, "index", f->v[i].at);
		basis_u64(s, "old_bits", f->v[i].old);
		basis_u64(s, "new_bits", f->v[i].fresh);
		basis_u64(s, "xor", f->v[i].old ^ f->v[i].fresh);
		basis_end(s);
	}
	basis_end(s);
}

static void
pruned(const struct relation_pruned *p, struct basis *s)
{
	static const char *const by[] = {"none", "row", "tensor"};

	basis_u64(s, "zeroed", p->zeroed);
	basis_u64(s, "zeros", p->zeros);
	basis_str(s, "threshold", by[p->by]);
	basis_f64(s, "largest_gone", p->largest_gone);
	basis_f64(s, "smallest_left", p->smallest_left);
	if (p->of > 0) {
		basis_u64(s, "kept_at_most", p->keep);
		basis_u64(s, "of_each", p->of);
	}
}

static void
scale(const struct relation_scale *p, struct basis *s)
{
	basis_f64(s, "scale", p->factor);
	if (p->divisor == 0)
		return;
	basis_f64(s, "divisor", p->divisor);
	basis_u64(s, "at_half", p->at_half);
	if (p->at_half > 0)
		basis_bool(s, "half_to_even", p->half_even);
}

static void
noise(const struct relation_noise *p, struct basis *s)
{
	basis_f64(s, "sd", p->sd);
	basis_f64(s, "relative", p->relative);
	basis_f64(s, "kurtosis", p->kurtosis);
	basis_f64(s, "correlation", p->correlation);
	basis_f64(s, "edge_ratio", p->edge);
}

static void
axis(const char *key, const struct permute_axis *x, struct basis *s)
{
	float low, high;

	if (x->moved == 0 && x->scale == NULL)
		return;
	basis_object(s, key);
	basis_u64(s, "count", x->n);
	basis_u64(s, "moved", x->moved);
	basis_u64(s, "cycles", x->cycles);
	if (x->unit > 1)
		basis_u64(s, "kernel", x->unit);
	if (x->head > 0)
		basis_u64(s, "head", x->head);
	if (x->scale != NULL) {
		low = high = x->scale[0];
		for (uint32_t i = 1; i < x->n; i++) {
			low = x->scale[i] < low ? x->scale[i] : low;
			high = x->scale[i] > high ? x->scale[i] : high;
		}
		basis_u64(s, "matched", x->matched);
		basis_f64(s, "scale_least", (double)low);
		basis_f64(s, "scale_most", (double)high);
	}
	basis_end(s);
}

static void
consistent_with(const struct relation *r, struct basis *s)
{
	if ((r->set & (r->set - 1)) == 0)
		return;
	basis_array(s, "consistent_with");
	for (unsigned i = 0; i < RELATION_COUNT; i++)
		if (relation_has(r, (enum relation_id)i))
			basis_str(s, NULL, relation_name((enum relation_id)i));
	basis_end(s);
}

void
relation_basis(const struct relation *r, struct basis *s)
{
	basis_str(s, "relation", relation_name(r->best));
	consistent_with(r, s);
	if (r->cast != CAST_NONE)
		basis_str(s, "cast", cast_name(r->cast));
	if (r->changed > 0) {
		basis_u64(s, "changed_after_cast", r->changed);
		basis_u64(s, "first", r->first);
		basis_u64(s, "last", r->last);
		basis_u64(s, "xor_or", r->xor_or);
	}
	if (r->overflows > 0)
		basis_u64(s, "overflows", r->overflows);
	if (r->consistent > 0)
		basis_f64(s, "blocks_consistent", r->consistent);
	if (r->few != NULL)
		few(r->few, s);
	if (r->pruned != NULL)
		pruned(r->pruned, s);
	if (r->scale != NULL)
		scale(r->scale, s);
	if (r->noise != NULL)
		noise(r->noise, s);
	if (r->permute != NULL) {
		axis("rows", &r->permute->rows, s);
		axis("columns", &r->permute->cols, s);
		if (r->settled)
			basis_bool(s, "function_preserving", r->preserving);
	}
}
