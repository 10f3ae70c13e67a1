#include <math.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"

/*
 * What only the model tells.
 *
 * A tensor of zeros and ones is what every cast makes of it.  The sets of all
 * tensors that were cast are intersected; what is left names the cast of each
 * that is consistent with it.
 */
#define MATRIX_LEAST 4096
#define HEAD_LEAST 64
#define REPLACED_SHARE 0.05
#define NOISE_LEAST 1000	/* a matrix that can be judged */
#define NOISE_ALONE 16384	/* one that needs no others beside it */
#define NOISE_SHARE 0.8

static uint64_t
family_bits(enum relation_family f)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < RELATION_COUNT; i++)
		if (relation_family((enum relation_id)i) == f)
			set |= RELATION_BIT(i);
	return set;
}

static void
best_of(struct relation *r, uint64_t set)
{
	r->best = set != 0 ? (enum relation_id)__builtin_ctzll(set) :
	    RELATION_NONE;
}

static bool
is(const struct relation *r, enum relation_family f)
{
	return relation_family(r->best) == f;
}

/* Nothing but a cast, or less, happened to it. */
static bool
exact(const struct relation *r)
{
	return is(r, RELATION_SAME) || is(r, RELATION_CAST) ||
	    is(r, RELATION_GRID);
}

static bool
matrix(const struct tensor *t)
{
	return t->rows > 1 && t->cols > 1;
}

static void
intersect(const struct relation_pair *v, size_t n,
    struct relation_model *m)
{
	const uint64_t all = family_bits(RELATION_CAST);
	uint64_t common = all;
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (is(v[i].rel, RELATION_CAST)) {
			common &= v[i].rel->set;
			any = true;
		}
	m->common = any ? common : 0;
	for (size_t i = 0; i < n; i++) {
		struct relation *r = v[i].rel;

		if (!is(r, RELATION_CAST) || (r->set & m->common) == 0)
			continue;
		best_of(r, r->set & m->common);
		r->cast = relation_cast_of(r->best);
	}
}

/*
 * Row 11: what is a bit flip depends on what else changed.  Where everything
 * was trained, values that moved by next to nothing are what is left of an
 * update that the type could not hold.
 */
static void
uniqueness(const struct relation_pair *v, size_t n)
{
	size_t changed = 0;

	for (size_t i = 0; i < n; i++)
		changed += !exact(v[i].rel);
	for (size_t i = 0; i < n; i++) {
		struct relation *r = v[i].rel;
		enum relation_id id = RELATION_PATCHED;

		if (!is(r, RELATION_FEW))
			continue;
		if ((r->few->lowest || r->few->slight) && changed > 1)
			id = RELATION_ROUNDING_LEVEL;
		else if (r->few->most_bits <= 2 && (r->few->reaches ||
		    changed == 1))
			id = RELATION_BIT_FLIP;
		r->set = (r->set & ~family_bits(RELATION_FEW)) |
		    RELATION_BIT(id);
		r->best = id;
	}
}

/*
 * Row 17 for a head that is too small to be judged alone: everything else is
 * as it was, but for its own bias.
 */
static void
small_head(const struct relation_pair *v, size_t n,
    struct relation_model *m)
{
	const struct relation_pair *head = NULL;
	double least;

	for (size_t i = 0; i < n; i++) {
		if (exact(v[i].rel) || !matrix(v[i].b))
			continue;
		if (head != NULL)
			return;
		head = &v[i];
	}
	if (head == NULL || head->b->n < HEAD_LEAST || !(head->sums->a2 > 0) ||
	    !(head->sums->b2 > 0) || (head->rel->best != RELATION_NONE &&
	    head->rel->best != RELATION_UNRELATED))
		return;
	for (size_t i = 0; i < n; i++)
		if (!exact(v[i].rel) && &v[i] != head &&
		    v[i].b->n != head->b->rows)
			return;
	least = 3 / sqrt((double)head->b->n);
	if (fabs(pass_cosine(head->sums)) >= least)
		return;
	head->rel->set |= RELATION_BIT(RELATION_UNRELATED);
	head->rel->best = RELATION_UNRELATED;
	m->replaced = true;
}

static void
strangers(const struct relation_pair *v, size_t n,
    struct relation_model *m)
{
	for (size_t i = 0; i < n; i++) {
		if (!matrix(v[i].b) || v[i].b->n < MATRIX_LEAST)
			continue;
		m->matrices++;
		m->strange += v[i].rel->best == RELATION_UNRELATED;
	}
	m->retrained = m->strange > 0 && m->strange == m->matrices &&
	    !m->replaced;
	if (m->strange > 0 && !m->retrained && (double)m->strange <
	    REPLACED_SHARE * (double)m->matrices)
		m->replaced = true;
}

/*
 * Row 18: the kurtosis of a small matrix is a weak witness.  It is believed
 * when most of what changed says the same.
 */
static void
noise(const struct relation_pair *v, size_t n)
{
	size_t judged = 0, noisy = 0;

	for (size_t i = 0; i < n; i++) {
		if (exact(v[i].rel) || !matrix(v[i].b) || v[i].b->n <
		    NOISE_LEAST)
			continue;
		judged++;
		noisy += is(v[i].rel, RELATION_NOISE);
	}
	if ((double)noisy >= NOISE_SHARE * (double)judged)
		return;
	for (size_t i = 0; i < n; i++)
		if (is(v[i].rel, RELATION_NOISE) && v[i].b->n < NOISE_ALONE) {
			v[i].rel->set &= ~family_bits(RELATION_NOISE);
			best_of(v[i].rel, v[i].rel->set);
		}
}

static void
threshold(const struct relation_pair *v, size_t n,
    struct relation_model *m)
{
	double gone = 0, left = INFINITY;
	size_t pruned = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is(v[i].rel, RELATION_ZERO))
			continue;
		pruned++;
		gone = fmax(gone, v[i].rel->pruned->largest_gone);
		left = fmin(left, v[i].rel->pruned->smallest_left);
	}
	m->pruned_global = pruned > 1 && gone <= left;
}

int
relation_settle(struct pool *pool, const struct relation_pair *v, size_t n,
    struct arena *arena, struct relation_model *ret, struct err *e)
{
	struct relation_model m = {0};
	int r;

	(void)pool;
	(void)arena;
	intersect(v, n, &m);
	uniqueness(v, n);
	small_head(v, n, &m);
	strangers(v, n, &m);
	noise(v, n);
	threshold(v, n, &m);
	if ((r = relation_partners(v, n, &m, e)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		v[i].rel->settled = true;
		m.count[v[i].rel->best]++;
	}
	*ret = m;
	return 0;
}
