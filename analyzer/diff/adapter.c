#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/adapter.h"
#include "analyzer/diff/delta.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * For each module of the adapter (PEFT: <path>.lora_A.weight is r x in,
 * <path>.lora_B.weight out x r; Hu et al. 2021) P = B A is made row by row
 * and held against D: s = <D, P> / <P, P> minimises |D - s P|, and the module
 * was merged when what is left is no more than storage and the arithmetic of
 * the merge explain.  A layer that is stored with its inputs in rows (Conv1D)
 * is held against the transpose.
 */
#define NAME_CAP 512
#define RANK_MOST 1024
#define FACTOR_BYTES (64 * MIB)	/* of one factor as floats */
#define BANDS ((size_t)32)
/* As in spectrum.h: merges computed in half precision. */
#define REST_OF_DELTA 2.5e-3
#define REST_OF_NOISE 1.05

struct fit {
	const struct structure_item *item;
	uint64_t r;
	double scale;
	double rest;		/* |D - s P| */
	double allowed;
	double delta;		/* |D| */
	bool merged;
};

struct work {
	const struct delta *d;
	const float *left, *right;	/* m x r, r x n */
	uint64_t m, n, r;
	double scale;
	bool rest;		/* sum (D - s P)^2 in place of the products */
	double sum[BANDS][2];
	float *room;		/* a thread: 2 n for P and D, 2 n scratch */
};

static void
make_row(const struct work *w, uint64_t i, float *p)
{
	memset(p, 0, w->n * sizeof(*p));
	for (uint64_t k = 0; k < w->r; k++) {
		float x = w->left[i * w->r + k];
		const float *row = w->right + k * w->n;

		for (uint64_t j = 0; j < w->n; j++)
			p[j] += x * row[j];
	}
}

/* One row of D; rows need not begin at a unit of delta_block. */
static void
delta_row(const struct work *w, uint64_t i, float *d, float *scratch)
{
	const struct tensor *a = w->d->a, *b = w->d->b;
	const struct elem_info *x = elem_info(a->elem);
	const struct elem_info *y = elem_info(b->elem);
	uint64_t at = i * w->n;

	elem_load(a->elem, a->p + at / x->block * x->bytes, w->n, scratch);
	elem_load(b->elem, b->p + at / y->block * y->bytes, w->n, d);
	for (uint64_t j = 0; j < w->n; j++)
		d[j] -= scratch[j];
}

static void
band(void *ctx, size_t t, unsigned thread)
{
	struct work *w = ctx;
	float *p = w->room + thread * 3 * w->n, *d = p + w->n,
	    *scratch = d + w->n;
	double x = 0, y = 0, v;

	for (uint64_t i = w->m * t / BANDS; i < w->m * (t + 1) / BANDS;
	    i++) {
		make_row(w, i, p);
		delta_row(w, i, d, scratch);
		for (uint64_t j = 0; j < w->n; j++) {
			if (!isfinite(d[j]) || !isfinite(p[j]))
				continue;
			if (w->rest) {
				v = (double)d[j] - w->scale * (double)p[j];
				x += v * v;
			} else {
				x += (double)d[j] * (double)p[j];
				y += (double)p[j] * (double)p[j];
			}
		}
	}
	w->sum[t][0] = x;
	w->sum[t][1] = y;
}

static void
run(struct pool *pool, struct work *w, double ret[2])
{
	pool_run(pool, band, w, BANDS);
	ret[0] = ret[1] = 0;
	for (size_t t = 0; t < BANDS; t++) {
		ret[0] += w->sum[t][0];
		ret[1] += w->sum[t][1];
	}
}

/* A factor as floats, turned round when ${turn}; NULL on no memory. */
static float *
load(const struct tensor *t, bool turn)
{
	float *v, *u;

	if ((v = malloc(t->n * sizeof(*v))) == NULL)
		return NULL;
	elem_load(t->elem, t->p, t->n, v);
	if (!turn)
		return v;
	if ((u = malloc(t->n * sizeof(*u))) != NULL)
		for (uint64_t i = 0; i < t->rows; i++)
			for (uint64_t k = 0; k < t->cols; k++)
				u[k * t->rows + i] = v[i * t->cols + k];
	free(v);
	return u;
}

static int
measure(struct pool *pool, const struct tensor *fa, const struct tensor *fb,
    bool turn, struct fit *f, struct err *e)
{
	const struct delta d = {f->item->old, f->item->new, CAST_NONE};
	struct work w = {.d = &d, .m = d.b->rows, .n = d.b->cols,
	    .r = fa->rows};
	float *left = load(turn ? fa : fb, turn);
	float *right = load(turn ? fb : fa, turn);
	double s[2];
	int r = 0;

	w.left = left;
	w.right = right;
	w.room = calloc(pool_threads(pool), 3 * w.n * sizeof(*w.room));
	if (left == NULL || right == NULL || w.room == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	run(pool, &w, s);
	f->r = fa->rows;
	f->delta = sqrt(f->item->sums->d2);
	f->scale = s[1] > 0 ? s[0] / s[1] : 0;
	w.scale = f->scale;
	w.rest = true;
	run(pool, &w, s);
	f->rest = sqrt(s[0]);
	f->allowed = REST_OF_DELTA * f->delta;
	if (f->item->spectrum != NULL)
		f->allowed = hypot(f->allowed, REST_OF_NOISE *
		    f->item->spectrum->nt);
	f->merged = f->scale != 0 && f->delta > 0 && f->rest <= f->allowed &&
	    f->rest < f->delta / 2;
out:
	free(left);
	free(right);
	free(w.room);
	return r;
}

/* "<path>.lora_A.weight", "<path>.lora_A.default.weight": path's length. */
static size_t
path_of(const struct tensor *t, const char *which)
{
	const char *p = memmem(t->name, t->name_len, which, strlen(which));

	return p != NULL ? (size_t)(p - t->name) : 0;
}

static const struct tensor *
partner(const struct adapter_files *f, const struct tensor *a, size_t n)
{
	for (size_t i = 0; i < f->n; i++)
		if (path_of(&f->v[i], ".lora_B.") == n &&
		    memcmp(f->v[i].name, a->name, n) == 0)
			return &f->v[i];
	return NULL;
}

/* The model's matrix of that path. */
static const struct structure_item *
target(const struct structure_model *m, const struct tensor *a, size_t n)
{
	char want[NAME_CAP];
	const char *p, *q;
	size_t k, len;

	if (n + 8 > sizeof(want))
		return NULL;
	memcpy(want, a->name, n);
	memcpy(want + n, ".weight", 7);
	p = rename_bare(want, n + 7, &k);
	for (size_t i = 0; i < m->n; i++) {
		const struct structure_item *it = &m->v[i];

		if (it->old == NULL || it->new == NULL || it->sums == NULL)
			continue;
		q = rename_bare(it->new->name, it->new->name_len, &len);
		if (len == k && memcmp(p, q, k) == 0)
			return it;
	}
	return NULL;
}

static bool
usable(const struct tensor *t)
{
	return t->p != NULL && t->rank == 2 && t->n > 0 &&
	    t->n * sizeof(float) <= FACTOR_BYTES;
}

/* 1: there is such a module and it was measured. */
static int
try_module(struct pool *pool, const struct structure_model *m,
    const struct adapter_files *files, const struct tensor *a,
    struct fit *f, struct err *e)
{
	size_t n = path_of(a, ".lora_A.");
	const struct tensor *b, *t;
	bool turn;
	int r;

	if (n == 0 || (b = partner(files, a, n)) == NULL || !usable(a) ||
	    !usable(b) || a->rows != b->cols || a->rows > RANK_MOST ||
	    (f->item = target(m, a, n)) == NULL)
		return 0;
	t = f->item->new;
	turn = t->rows != b->rows || t->cols != a->cols;
	if (t->rank != 2 || (turn && (t->rows != a->cols ||
	    t->cols != b->rows)) || f->item->old->p == NULL || t->p == NULL ||
	    t->cols % elem_info(t->elem)->block != 0 ||
	    t->cols % elem_info(f->item->old->elem)->block != 0)
		return 0;
	r = measure(pool, a, b, turn, f, e);
	return r < 0 ? r : 1;
}

static void
tell_config(const struct adapter_config *c, const struct fit *f,
    struct basis *b)
{
	double r = c->r > 0 ? (double)c->r : (double)f->r;
	double stated = c->alpha / (c->rslora ? sqrt(r) : r);

	basis_u64(b, "rank", f->r);
	if (!c->known)
		return;
	basis_f64(b, "alpha", c->alpha);
	basis_f64(b, "scale_stated", stated);
	basis_bool(b, "scale_as_stated", fabs(f->scale / stated - 1) < 1e-2);
}

#define LISTED 64

static void
tell_fits(const struct fit *v, size_t n, bool merged, struct basis *b)
{
	size_t listed = 0;

	basis_array(b, merged ? "merged" : "not_merged");
	for (size_t i = 0; i < n && listed < LISTED; i++) {
		if (v[i].merged != merged)
			continue;
		listed++;
		basis_object(b, NULL);
		basis_text(b, "tensor", v[i].item->new->name,
		    v[i].item->new->name_len);
		basis_f64(b, "scale", v[i].scale);
		basis_f64(b, "rest_of_delta", v[i].delta > 0 ?
		    v[i].rest / v[i].delta : 0);
		basis_f64(b, "allowed", v[i].delta > 0 ?
		    v[i].allowed / v[i].delta : 0);
		basis_end(b);
	}
	basis_end(b);
}

static int
tell(const struct structure_model *m, const struct adapter_files *files,
    const struct fit *v, size_t n, size_t merged, const struct rows *rows)
{
	static struct row_text names[ROW_TENSORS];
	struct row_conclusion c = {.kind = CONCLUSION_MERGED_ADAPTER,
	    .confidence = CONFIDENCE_CERTAIN, .tensors = names,
	    .tensors_in_all = merged};
	double least = INFINITY, most = -INFINITY;
	size_t changed = 0, first = 0;
	struct basis b;
	int r;

	for (size_t i = n; i-- > 0; ) {
		if (!v[i].merged)
			continue;
		first = i;
		least = fmin(least, v[i].scale);
		most = fmax(most, v[i].scale);
	}
	for (size_t i = 0; i < n && c.ntensors < ROW_TENSORS; i++)
		if (v[i].merged)
			names[c.ntensors++] = (struct row_text){
			    v[i].item->new->name, v[i].item->new->name_len};
	for (size_t i = 0; i < m->n; i++)
		changed += m->v[i].relation == STRUCTURE_CHANGED;
	basis_init(&b);
	c.evidence = &b;
	basis_u64(&b, "modules", n);
	basis_u64(&b, "modules_merged", merged);
	basis_f64(&b, "scale", v[first].scale);
	basis_f64(&b, "scale_least", least);
	basis_f64(&b, "scale_most", most);
	tell_config(&files->config, &v[first], &b);
	basis_u64(&b, "changes_not_explained", changed > merged ?
	    changed - merged : 0);
	tell_fits(v, n, true, &b);
	tell_fits(v, n, false, &b);
	r = rows->conclusion(rows->ctx, &c);
	basis_release(&b);
	return r;
}

int
adapter_judge(struct pool *pool, const struct structure_model *m,
    const struct adapter_files *adapter, const struct rows *rows,
    size_t *merged, struct err *e)
{
	struct fit *v;
	size_t n = 0;
	int r = 0;

	*merged = 0;
	if ((v = calloc(adapter->n + 1, sizeof(*v))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < adapter->n && r >= 0; i++) {
		r = try_module(pool, m, adapter, &adapter->v[i], &v[n], e);
		if (r == 1)
			*merged += v[n++].merged;
	}
	if (r >= 0 && *merged > 0)
		r = tell(m, adapter, v, n, *merged, rows);
	free(v);
	return r < 0 ? r : 0;
}
