#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"

/*
 * Rows 11 to 13: what changed between cast(A) and B.
 *
 * Two values differ when their bits do, but any NaN equals any other after a
 * cast, and of quantised blocks the sign of zero means nothing.
 */
struct part {
	uint64_t changed, first, last, xor_or, zeroed;
	struct relation_few few;
};

struct sweep {
	const struct delta *d;
	bool raw;		/* same type, no cast: its own bits */
	struct part *part;
};

static bool
same_type(const struct delta *d)
{
	return d->cast == CAST_NONE && d->a->elem == d->b->elem &&
	    elem_info(d->a->elem)->block == 1;
}

static void
note(const struct sweep *s, struct part *p, const struct relation_patch *x,
    double moved)
{
	struct relation_few *f = &p->few;
	unsigned m = s->raw && elem_info(s->d->b->elem)->mantissa > 0 ?
	    elem_info(s->d->b->elem)->mantissa :
	    relation_mantissa(s->d->b->elem);
	uint64_t bits = x->old ^ x->fresh;
	unsigned count = (unsigned)__builtin_popcountll(bits);

	if (p->changed == 0) {
		p->first = x->at;
		f->reaches = f->lowest = true;
	}
	p->last = x->at;
	p->changed++;
	p->xor_or |= bits;
	if (count > f->most_bits)
		f->most_bits = count;
	if (!(moved <= f->largest))
		f->largest = moved;
	f->reaches = f->reaches && bits >> ((m + 1) / 2) != 0;
	f->lowest = f->lowest && bits >> ((m + 2) / 3) == 0;
	if (f->n < RELATION_PATCHES)
		f->v[f->n++] = *x;
}

static bool
differ(const struct delta *d, float a, float b)
{
	if (floatbits_of(a) == floatbits_of(b) || (isnan(a) && isnan(b)))
		return false;
	return cast_unit(d->cast) == 1 || !(a == b);
}

static void
values(const struct sweep *s, struct part *p, uint64_t at, size_t n)
{
	float a[RELATION_BLOCK], b[RELATION_BLOCK];
	enum elem t = s->d->b->elem;

	relation_pair_load(s->d, at, n, a, b);
	if (memcmp(a, b, n * sizeof(*a)) == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct relation_patch x = {at + i,
		    relation_own(t, a[i]), relation_own(t, b[i])};

		if (!differ(s->d, a[i], b[i]))
			continue;
		note(s, p, &x, fabs((double)b[i] - (double)a[i]));
		p->zeroed += b[i] == 0;
	}
}

static void
raw(const struct sweep *s, struct part *p, uint64_t at, size_t n)
{
	const struct tensor *a = s->d->a, *b = s->d->b;
	const unsigned w = elem_info(a->elem)->bytes;
	const uint64_t sign = elem_info(a->elem)->kind == ELEM_FLOAT ?
	    UINT64_C(1) << (8 * w - 1) : 0;
	float old, fresh;

	if (memcmp(a->p + at * w, b->p + at * w, n * w) == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct relation_patch x = {at + i,
		    elem_bits(a->elem, a->p, at + i),
		    elem_bits(b->elem, b->p, at + i)};

		if (x.old == x.fresh)
			continue;
		relation_load(a, at + i, 1, &old);
		relation_load(b, at + i, 1, &fresh);
		note(s, p, &x, fabs((double)fresh - (double)old));
		p->zeroed += (x.fresh & ~sign) == 0;
	}
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	const struct sweep *s = ctx;
	struct relation_run r = relation_run(i, s->d->a->n);

	(void)thread;
	while (relation_next(&r))
		if (s->raw)
			raw(s, &s->part[i], r.at, r.n);
		else
			values(s, &s->part[i], r.at, r.n);
}

static void
join(struct relation_changes *r, const struct part *p)
{
	if (p->changed == 0)
		return;
	if (r->changed == 0) {
		r->first = p->first;
		r->few.reaches = r->few.lowest = true;
	}
	r->last = p->last;
	r->changed += p->changed;
	r->zeroed += p->zeroed;
	r->xor_or |= p->xor_or;
	r->few.reaches = r->few.reaches && p->few.reaches;
	r->few.lowest = r->few.lowest && p->few.lowest;
	if (p->few.most_bits > r->few.most_bits)
		r->few.most_bits = p->few.most_bits;
	if (!(p->few.largest <= r->few.largest))
		r->few.largest = p->few.largest;
	for (unsigned i = 0; i < p->few.n && r->few.n < RELATION_PATCHES; i++)
		r->few.v[r->few.n++] = p->few.v[i];
}

int
relation_count(struct pool *pool, const struct delta *d,
    struct relation_changes *ret, struct err *e)
{
	struct sweep s = {.d = d, .raw = same_type(d)};
	size_t n = relation_tasks(d->a->n);

	memset(ret, 0, sizeof(*ret));
	if (n == 0)
		return 0;
	if ((s.part = calloc(n, sizeof(*s.part))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, task, &s, n);
	for (size_t i = 0; i < n; i++)
		join(ret, &s.part[i]);
	free(s.part);
	return 0;
}

/*
 * Pruning: the largest magnitude that went and the smallest that stayed, in
 * the tensor and in each row, and how many are left of each group along the
 * row.  Tasks are runs of rows.
 */
static const unsigned groups[] = {4, 8};
#define GROUPS 2

struct pruning {
	uint64_t zeroed, zeros;
	double gone, left;
	bool by_row;
	unsigned most[GROUPS];		/* left of a group */
};

struct prune {
	const struct delta *d;
	uint64_t rows;			/* of a task */
	struct pruning *v;
};

struct row {
	double gone, left;
	unsigned count[GROUPS];
};

static void
element(struct pruning *p, struct row *r, uint64_t column, float a, float b)
{
	double m = fabs((double)a);

	for (unsigned g = 0; g < GROUPS; g++) {
		if (column % groups[g] == 0)
			r->count[g] = 0;
		r->count[g] += b != 0;
		if (r->count[g] > p->most[g])
			p->most[g] = r->count[g];
	}
	if (b != 0) {
		r->left = m < r->left ? m : r->left;
		return;
	}
	p->zeros++;
	if (a == 0)
		return;
	p->zeroed++;
	r->gone = m > r->gone ? m : r->gone;
}

static void
prune_row(struct prune *s, struct pruning *p, uint64_t at, uint64_t cols)
{
	float a[RELATION_BLOCK], b[RELATION_BLOCK];
	struct row r = {.left = INFINITY};
	size_t n;

	for (uint64_t j = 0; j < cols; j += n) {
		n = cols - j < RELATION_BLOCK ? (size_t)(cols - j) :
		    RELATION_BLOCK;
		relation_pair_load(s->d, at + j, n, a, b);
		for (size_t i = 0; i < n; i++)
			element(p, &r, j + i, a[i], b[i]);
	}
	p->gone = r.gone > p->gone ? r.gone : p->gone;
	p->left = r.left < p->left ? r.left : p->left;
	p->by_row = p->by_row && r.gone <= r.left;
}

static void
prune_task(void *ctx, size_t i, unsigned thread)
{
	struct prune *s = ctx;
	const struct tensor *t = s->d->a;
	struct pruning *p = &s->v[i];
	uint64_t row = i * s->rows, end = row + s->rows;

	(void)thread;
	p->left = INFINITY;
	p->by_row = true;
	for (; row < t->rows && row < end; row++)
		prune_row(s, p, row * t->cols, t->cols);
}

static void
prune_join(struct relation_pruned *r, const struct pruning *p, size_t n,
    uint64_t cols)
{
	unsigned most[GROUPS] = {0};
	bool by_row = true;

	r->smallest_left = INFINITY;
	for (size_t i = 0; i < n; i++) {
		r->zeroed += p[i].zeroed;
		r->zeros += p[i].zeros;
		r->largest_gone = fmax(r->largest_gone, p[i].gone);
		r->smallest_left = fmin(r->smallest_left, p[i].left);
		by_row = by_row && p[i].by_row;
		for (unsigned g = 0; g < GROUPS; g++)
			if (p[i].most[g] > most[g])
				most[g] = p[i].most[g];
	}
	if (r->largest_gone <= r->smallest_left)
		r->by = PRUNE_TENSOR;
	else if (by_row)
		r->by = PRUNE_ROW;
	for (unsigned g = 0; g < GROUPS && r->of == 0; g++)
		if (cols % groups[g] == 0 && most[g] > 0 &&
		    most[g] <= groups[g] / 2) {
			r->keep = most[g];
			r->of = groups[g];
		}
}

int
relation_prune(struct pool *pool, const struct delta *d,
    struct relation_pruned *ret, struct err *e)
{
	const struct tensor *t = d->a;
	struct prune s = {.d = d};
	size_t n;

	memset(ret, 0, sizeof(*ret));
	if (t->rows == 0 || t->cols == 0)
		return 0;
	s.rows = t->cols < RELATION_TASK ? RELATION_TASK / t->cols : 1;
	/* At most so many tasks that their results stay small. */
	if (t->rows / s.rows > 65536)
		s.rows = t->rows / 65536;
	n = (size_t)(t->rows / s.rows + (t->rows % s.rows != 0));
	if ((s.v = calloc(n, sizeof(*s.v))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, prune_task, &s, n);
	prune_join(ret, s.v, n, t->cols);
	free(s.v);
	return 0;
}
