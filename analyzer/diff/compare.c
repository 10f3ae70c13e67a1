#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/headorder.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

bool
compare_measurable(const struct pair *p)
{
	return p->a != NULL && p->b != NULL && p->a->p != NULL &&
	    p->b->p != NULL && p->a->n == p->b->n &&
	    (p->a->elem == p->b->elem ||
	    (elem_info(p->a->elem)->kind != ELEM_OPAQUE &&
	    elem_info(p->b->elem)->kind != ELEM_OPAQUE));
}

bool
compare_same(const struct pair *p)
{
	if (!p->measured || p->shared > 0)
		return false;
	if (p->identical)
		return true;
	return p->relation != NULL && relation_family(p->relation->best) <=
	    RELATION_GRID && p->relation->best != RELATION_NONE;
}

bool
compare_explained(const struct pair *p)
{
	return p->told || compare_same(p) || (p->relation != NULL &&
	    p->relation->best != RELATION_NONE);
}

static int
tell_progress(struct compare *c, const struct pair *p)
{
	if (p->a != NULL)
		c->done += p->a->len;
	if (p->b != NULL)
		c->done += p->b->len;
	return c->progress != NULL ?
	    c->progress(c->ctx, c->done, c->total) : 0;
}

/* Of the same rank: is a row of one shaped as a row of the other? */
static bool
equal_rows(const struct tensor *a, const struct tensor *b)
{
	for (unsigned i = 1; i < a->rank; i++)
		if (a->shape[i] != b->shape[i])
			return false;
	return a->cols == b->cols;
}

/* What the row says before relations are known. */
static enum row_status
first_status(const struct pair *p)
{
	if (p->how == MATCH_PART || p->how == MATCH_TIED)
		return ROW_RETIED;
	if (!tensor_same_shape(p->a, p->b))
		return ROW_RESHAPED;
	if (p->how != MATCH_NAME)
		return ROW_RENAMED;
	if (p->transposed)	/* of the same name: told as what it is */
		return ROW_RESHAPED;
	return p->identical ? ROW_IDENTICAL : ROW_CHANGED;
}

/* The first ${rows} rows of a matrix. */
static const struct tensor *
top_rows(struct compare *c, const struct tensor *t, uint64_t rows)
{
	const struct elem_info *x = elem_info(t->elem);
	struct tensor *v;
	uint64_t *shape;

	if (rows * t->cols % x->block != 0 ||
	    (v = arena_alloc(c->arena, sizeof(*v))) == NULL ||
	    (shape = arena_array(c->arena, t->rank, sizeof(*shape))) == NULL)
		return NULL;
	*v = *t;
	memcpy(shape, t->shape, t->rank * sizeof(*shape));
	shape[0] = rows;
	v->shape = shape;
	v->rows = rows;
	v->n = rows * t->cols;
	v->len = v->n / x->block * x->bytes;
	v->digested = false;
	return v;
}

/*
 * Another number of rows: a vocabulary that grew, a head with more classes.
 * What both have is compared.
 */
static void
cut_to_shared(struct compare *c, struct pair *p)
{
	uint64_t rows;
	const struct tensor *a, *b;

	if (p->a == NULL || p->b == NULL || p->a->p == NULL ||
	    p->b->p == NULL || p->a->rank < 2 || p->b->rank != p->a->rank ||
	    p->a->rows == p->b->rows || !equal_rows(p->a, p->b))
		return;
	if (p->a->elem != p->b->elem && (elem_info(p->a->elem)->kind ==
	    ELEM_OPAQUE || elem_info(p->b->elem)->kind == ELEM_OPAQUE))
		return;
	rows = p->a->rows < p->b->rows ? p->a->rows : p->b->rows;
	a = top_rows(c, p->a, rows);
	b = top_rows(c, p->b, rows);
	if (a == NULL || b == NULL)
		return;
	p->shared = rows;
	p->cut[0] = a;
	p->cut[1] = b;
}

/*
 * The GGUF converter interleaves the halves of each head of q and k: before
 * such a pair is called changed, that order is tried.
 */
#define COS_OTHER 0.5

static int
try_heads(struct compare *c, struct pair *p)
{
	struct delta d = {NULL, p->b, CAST_NONE};
	struct pass_sums sums;
	unsigned head;
	int r;

	if (p->how != MATCH_TABLE || pass_cosine(&p->sums) >= COS_OTHER ||
	    (d.a = headorder_find(c->side[0], p->a, p->b, &head, c->e)) == NULL)
		return 0;
	if ((r = pass_run(c->pool, &d, &sums, NULL, c->e)) < 0)
		return r;
	if (pass_cosine(&sums) < COS_OTHER)
		return 0;
	p->was = p->a;
	p->a = d.a;
	p->head = head;
	p->sums = sums;
	return 0;
}

/*
 * Values of blocks can be equal where their bytes are not (a scale of zero,
 * a minimum that no element needs): only bytes make the pair identical.
 */
static bool
equal_bytes(const struct pair *p)
{
	if (p->a->elem != p->b->elem || p->sums.changed > 0 ||
	    p->sums.digest_a != p->sums.digest_b)
		return false;
	return elem_info(p->a->elem)->block == 1 || p->a->len == 0 ||
	    memcmp(p->a->p, p->b->p, p->a->len) == 0;
}

static int
first_pass(struct compare *c, struct pair *p)
{
	struct delta d = {p->a, p->b, CAST_NONE};
	int r;

	cut_to_shared(c, p);
	if (p->shared > 0) {
		d.a = p->cut[0];
		d.b = p->cut[1];
	} else if (!compare_measurable(p)) {
		return 0;
	}
	if ((r = pass_run(c->pool, &d, &p->sums, NULL, c->e)) < 0)
		return r;
	p->measured = true;
	if (p->shared > 0)
		return 0;
	table_note_digest(c->side[0], p->a, p->sums.digest_a);
	table_note_digest(c->side[1], p->b, p->sums.digest_b);
	if ((r = try_heads(c, p)) >= 0)
		p->identical = equal_bytes(p);
	return r;
}

/* Room for what becomes known of a pair; that there is none is noted. */
static void *
room(struct compare *c, size_t n)
{
	void *p = arena_alloc(c->arena, n);

	c->cut = c->cut || p == NULL;
	return p;
}

/* The same again with what B's type makes of A. */
static int
pass_after_cast(struct compare *c, struct pair *p)
{
	const struct delta d = {p->a, p->b, p->relation->cast};

	if ((p->cast_sums = room(c, sizeof(*p->cast_sums))) == NULL)
		return 0;	/* the plain sums stand */
	return pass_run(c->pool, &d, p->cast_sums, NULL, c->e);
}

static int
find_relation(struct compare *c, struct pair *p)
{
	int r;

	if (!p->measured || p->shared > 0 || p->identical)
		return 0;
	if ((p->relation = room(c, sizeof(*p->relation))) == NULL)
		return 0;
	if ((r = relation_find(c->pool, p->a, p->b, &p->sums, c->arena,
	    p->relation, c->e)) < 0)
		return r;
	return p->relation->cast != CAST_NONE ? pass_after_cast(c, p) : 0;
}

static int
file_order(const void *a, const void *b)
{
	const struct pair *x = *(struct pair *const *)a;
	const struct pair *y = *(struct pair *const *)b;
	const struct tensor *s = x->b != NULL ? x->b : x->a;
	const struct tensor *t = y->b != NULL ? y->b : y->a;

	if ((x->b != NULL) != (y->b != NULL))
		return x->b != NULL ? -1 : 1;
	if (s->input != t->input)
		return s->input < t->input ? -1 : 1;
	if (s->off != t->off)
		return s->off < t->off ? -1 : 1;
	return (x > y) - (x < y);
}

static struct pair **
in_file_order(struct compare *c)
{
	struct pair **v = calloc(c->pairs->n + 1, sizeof(struct pair *));

	if (v == NULL) {
		(void)err_set(c->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < c->pairs->n; i++)
		v[i] = &c->pairs->v[i];
	qsort(v, c->pairs->n, sizeof(struct pair *), file_order);
	return v;
}

static int
settle(struct compare *c, struct pair **order)
{
	struct relation_pair *v;
	size_t n = 0;
	int r;

	if ((v = calloc(c->pairs->n + 1, sizeof(*v))) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < c->pairs->n; i++) {
		struct pair *p = order[i];

		if (!p->measured || p->shared > 0)
			continue;
		/* Equal pairs count too: partners may be among them. */
		if (p->relation == NULL) {
			if (!compare_same(p) || (p->relation = room(c,
			    sizeof(*p->relation))) == NULL)
				continue;
			p->relation->set = RELATION_BIT(RELATION_IDENTICAL);
			p->relation->best = RELATION_IDENTICAL;
		}
		v[n++] = (struct relation_pair){p->a, p->b, &p->sums,
		    p->relation};
	}
	r = relation_settle(c->pool, v, n, c->arena, &c->model, c->e);
	free(v);
	return r;
}

/* What the relation makes of the status. */
static void
last_status(struct pair *p)
{
	if (p->a == NULL || p->b == NULL || p->how == MATCH_TIED)
		return;
	p->status = first_status(p);
	if (p->relation != NULL && p->relation->best != RELATION_IDENTICAL &&
	    compare_same(p) && p->status != ROW_RETIED &&
	    p->status != ROW_RESHAPED)
		p->status = ROW_RECAST;
}

static int
each(struct compare *c, struct pair **order,
    int (*step)(struct compare *, struct pair *))
{
	int r = 0;

	for (size_t i = 0; i < c->pairs->n && r >= 0; i++)
		r = step(c, order[i]);
	return r;
}

static int
measure(struct compare *c, struct pair *p)
{
	int r;

	if ((p->a != NULL && p->b != NULL && (r = first_pass(c, p)) < 0) ||
	    (r = find_relation(c, p)) < 0)
		return r;
	return tell_progress(c, p);
}

int
compare_relations(struct compare *c)
{
	struct pair **order;
	int r;

	if ((order = in_file_order(c)) == NULL)
		return ERR_NOMEM;
	if ((r = each(c, order, measure)) >= 0)
		r = settle(c, order);
	for (size_t i = 0; i < c->pairs->n; i++)
		last_status(&c->pairs->v[i]);
	free(order);
	return r;
}

/* Of attention: which heads carry the change. */
static int
look_at_heads(struct compare *c, const struct delta *d, struct pair *p)
{
	int columns = 0;

	p->heads = headshare_heads(&c->heads, p->b, &columns);
	if (p->heads == 0 || p->shared > 0 ||
	    (p->share = room(c, p->heads * sizeof(*p->share))) == NULL)
		return 0;
	return headshare_find(c->pool, d, p->heads, columns, p->share, c->e);
}

static int
look_closer(struct compare *c, struct pair *p)
{
	struct delta d = {p->a, p->b, CAST_NONE};
	const struct pass_sums *sums = &p->sums;
	int r;

	if (p->shared > 0) {
		d.a = p->cut[0];
		d.b = p->cut[1];
	} else if (p->relation != NULL && p->cast_sums != NULL) {
		d.cast = p->relation->cast;
		sums = p->cast_sums;
	}
	if (p->sums.n >= LIMIT_DIFF_LOOK &&
	    (p->detail = room(c, sizeof(*p->detail))) != NULL &&
	    (r = pass_look(c->pool, &d, sums, p->detail, c->e)) < 0)
		return r;
	if ((r = look_at_heads(c, &d, p)) < 0)
		return r;
	d.cast = CAST_NONE;
	if (p->shared > 0 || p->b->rank < 2 || compare_explained(p) ||
	    (p->spectrum = room(c, sizeof(*p->spectrum))) == NULL)
		return 0;
	return spectrum_find(c->pool, &d, sums, p->spectrum, c->e);
}

static int
look(struct compare *c, struct pair *p)
{
	int r = 0;

	if (p->measured && p->sums.changed > 0 && !compare_same(p))
		r = look_closer(c, p);
	return r >= 0 && c->progress != NULL ?
	    c->progress(c->ctx, c->done, c->total) : r;
}

int
compare_spectra(struct compare *c)
{
	struct pair **order;
	int r;

	if ((order = in_file_order(c)) == NULL)
		return ERR_NOMEM;
	r = each(c, order, look);
	free(order);
	return r;
}
