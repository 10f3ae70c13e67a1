#include <math.h>
#include <string.h>

#include "analyzer/diff/hidden_bits.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/permute.h"
#include "analyzer/diff/relation_parts.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * The order of the decisions.  What refutes a rule at once is asked first;
 * what needs a whole sweep only after something cheap let it pass: the counts
 * of the first pass, the first block, the norms.
 */
#define SMALL 65536		/* identical: which casts leave it alone? */
#define FEW_LEAST 256
#define FEW_COUNT 4
#define FEW_SHARE 1e-6
#define SLIGHT 0.01		/* of the root mean square */
#define PRUNED_LEAST 8
#define NORM_SAME 1e-5
#define NORM_SAME_CAST 2e-2
#define VECTOR_LEAST 16
#define STRAIGHT 0.995		/* cosine: beyond it nothing was permuted */
#define STRANGE_COSINE 0.05
#define STRANGE_LEAST 4096

static const struct {
	const char *name, *meaning;
	enum relation_family family;
} infos[] = {
#define RELATION(id, name, family, meaning) \
	{name, meaning, RELATION_##family},
#include "analyzer/diff/relation.def"
#undef RELATION
    {"changed", "in no way that is exact", RELATION_FAMILIES}};

const char *
relation_name(enum relation_id id)
{
	return infos[id].name;
}

const char *
relation_meaning(enum relation_id id)
{
	return infos[id].meaning;
}

enum relation_family
relation_family(enum relation_id id)
{
	return infos[id].family;
}

struct find {
	struct pool *pool;
	const struct tensor *a, *b;
	const struct pass_sums *sums;
	struct arena *arena;
	struct relation *r;
	struct relation_changes changes;
};

static void
hold(struct relation *r, uint64_t set)
{
	r->set |= set;
	if (r->set != 0)
		r->best = (enum relation_id)__builtin_ctzll(r->set);
}

static void *
keep(struct find *f, const void *p, size_t n)
{
	return arena_dup(f->arena, p, n);
}

static bool
equal(const struct find *f)
{
	return f->a->elem == f->b->elem && f->a->len == f->b->len &&
	    (f->a->len == 0 || memcmp(f->a->p, f->b->p, f->a->len) == 0);
}

/* Rows 1 to 8. */
static bool
casts(struct find *f)
{
	if (f->sums->changed == 0 && equal(f)) {
		hold(f->r, RELATION_BIT(RELATION_IDENTICAL));
		if (f->a->n > 0 && f->a->n <= SMALL)
			hold(f->r, relation_casts(f->pool, f->a, f->b));
		return true;
	}
	hold(f->r, relation_casts(f->pool, f->a, f->b));
	if (f->r->set == 0)
		return false;
	f->r->cast = relation_cast_of(f->r->best);
	if (f->sums->nonfinite_b > f->sums->nonfinite_a)
		f->r->overflows = f->sums->nonfinite_b - f->sums->nonfinite_a;
	return true;
}

/* Rows 9 and 10. */
static int
grids(struct find *f)
{
	struct relation_scale scale = {0};
	uint64_t set;

	f->r->consistent = relation_consistent(f->pool, f->a, f->b);
	if (f->r->consistent > 0) {
		hold(f->r, RELATION_BIT(RELATION_REQUANTISED));
		return 0;
	}
	if ((set = relation_grids(f->pool, f->a, f->b, &scale)) == 0)
		return 0;
	if ((f->r->scale = keep(f, &scale, sizeof(scale))) == NULL)
		return ERR_NOMEM;
	hold(f->r, set);
	return 0;
}

static bool
zero_at(const struct tensor *t, uint64_t i)
{
	float x;

	if (elem_info(t->elem)->block != 1)
		return true;	/* not known: look closer */
	relation_load(t, i, 1, &x);
	return x == 0;
}

/*
 * What changed after the cast: from the first pass where there is no cast and
 * nothing more can come of it, by a sweep of our own otherwise.
 */
static int
count(struct find *f, struct err *e)
{
	const struct delta d = {f->a, f->b, f->r->cast};
	const struct pass_sums *s = f->sums;
	const uint64_t few = FEW_COUNT + (uint64_t)(FEW_SHARE * (double)s->n);
	int r;

	f->changes = (struct relation_changes){.changed = s->changed,
	    .first = s->first, .last = s->last, .xor_or = s->xor_or};
	if (f->r->cast != CAST_NONE || s->changed <= few ||
	    (s->changed > 0 && zero_at(f->b, s->first) &&
	    zero_at(f->b, s->last)))
		if ((r = relation_count(f->pool, &d, &f->changes, e)) < 0)
			return r;
	f->r->changed = f->changes.changed;
	f->r->first = f->changes.first;
	f->r->last = f->changes.last;
	f->r->xor_or = f->changes.xor_or;
	return 0;
}

/* Row 11, as far as one tensor tells. */
static int
few(struct find *f)
{
	const struct relation_changes *c = &f->changes;
	uint64_t most = (uint64_t)(FEW_SHARE * (double)f->a->n);

	if (f->a->n < FEW_LEAST || c->changed == 0 || c->few.n == 0 ||
	    c->changed > (most > FEW_COUNT ? most : FEW_COUNT))
		return 0;
	f->changes.few.slight = f->sums->a2 > 0 && c->few.largest <= SLIGHT *
	    sqrt(f->sums->a2 / (double)f->a->n);
	if ((f->r->few = keep(f, &c->few, sizeof(c->few))) == NULL)
		return ERR_NOMEM;
	if (c->few.lowest || c->few.slight)
		hold(f->r, RELATION_BIT(RELATION_ROUNDING_LEVEL));
	else if (c->few.most_bits <= 2 && c->few.reaches)
		hold(f->r, RELATION_BIT(RELATION_BIT_FLIP));
	else
		hold(f->r, RELATION_BIT(RELATION_PATCHED));
	return 0;
}

/* Row 12. */
static int
pruned(struct find *f, struct err *e)
{
	const struct delta d = {f->a, f->b, f->r->cast};
	const struct relation_changes *c = &f->changes;
	struct relation_pruned p = {0};
	int r;

	if (c->zeroed == 0 || c->zeroed != c->changed ||
	    f->a->cols != f->b->cols ||
	    (f->a->n < FEW_LEAST && c->zeroed < PRUNED_LEAST) ||
	    f->r->few != NULL || !relation_whole_blocks(f->a,
	    elem_info(f->a->elem)->block) || !relation_whole_blocks(f->b,
	    elem_info(f->b->elem)->block) || !relation_whole_blocks(f->b,
	    cast_unit(d.cast)))
		return 0;
	if ((r = relation_prune(f->pool, &d, &p, e)) < 0)
		return r;
	if ((f->r->pruned = keep(f, &p, sizeof(p))) == NULL)
		return ERR_NOMEM;
	hold(f->r, RELATION_BIT(p.by == PRUNE_ANY ? RELATION_PRUNED :
	    RELATION_PRUNED_MAGNITUDE));
	return 0;
}

/* Row 13. */
static void
lowest(struct find *f)
{
	const struct delta d = {f->a, f->b, f->r->cast};
	struct hidden_bits h;

	if (f->changes.changed < HIDDEN_TOP_LEAST)
		return;
	hidden_bits(f->pool, &d, f->changes.xor_or, f->changes.first,
	    f->changes.last, &h);
	if (h.k > h.limit || h.changed == 0)
		return;
	if (h.constant && h.cells == HIDDEN_CELLS)
		hold(f->r, RELATION_BIT(RELATION_BITS_CLEARED));
	else if (h.written)
		hold(f->r, RELATION_BIT(RELATION_LOWEST_BITS));
}

static enum relation_id
order_of(const struct permute *p)
{
	if (p->rows.head > 0 && p->cols.moved == 0)
		return RELATION_HEADS_PERMUTED;
	if (p->rows.moved > 0 && p->cols.moved > 0)
		return RELATION_BOTH_PERMUTED;
	return p->rows.moved > 0 ? RELATION_ROWS_PERMUTED :
	    RELATION_COLUMNS_PERMUTED;
}

static enum relation_id
scaled_order_of(const struct permute *p)
{
	if (p->rows.scale != NULL)
		return p->rows.moved > 0 ? RELATION_ROWS_PERMUTED_SCALED :
		    RELATION_ROWS_SCALED;
	return p->cols.moved > 0 ? RELATION_COLUMNS_PERMUTED_SCALED :
	    RELATION_COLUMNS_SCALED;
}

/* Row 16. */
static int
scaled(struct find *f)
{
	struct relation_scale s = {0};

	if (f->r->cast != CAST_NONE || !relation_scaled(f->pool, f->a, f->b,
	    &s.factor))
		return 0;
	if ((f->r->scale = keep(f, &s, sizeof(s))) == NULL)
		return ERR_NOMEM;
	hold(f->r, RELATION_BIT(RELATION_SCALED));
	return 0;
}

/* Rows 14 and 15. */
static int
orders(struct find *f, struct err *e)
{
	const struct pass_sums *s = f->sums;
	const double off = f->r->cast == CAST_NONE && f->a->elem ==
	    f->b->elem ? NORM_SAME : NORM_SAME_CAST;
	enum relation_id id = RELATION_NONE;
	struct permute p;
	int r = 0;

	if (fabs(s->a2 - s->b2) <= off * fmax(s->a2, s->b2) && (r =
	    permute_find(f->pool, f->a, f->b, f->r->cast, f->arena, &p, e)) >
	    0)
		id = order_of(&p);
	if (r == 0 && f->r->cast == CAST_NONE && s->a2 > 0 && s->b2 > 0 &&
	    fabs(pass_cosine(s)) < STRAIGHT && (r = permute_find_scaled(
	    f->pool, f->a, f->b, f->arena, &p, e)) > 0)
		id = scaled_order_of(&p);
	/*
	 * Two gains of 64 may trade their values by chance, in bfloat16.
	 * Where a bias follows a matrix, its partner says so.
	 */
	if (r > 0 && (f->a->rows < 2 || f->a->cols < 2) &&
	    (f->a->n < VECTOR_LEAST || 2 * ((uint64_t)p.rows.moved +
	    p.cols.moved) < f->a->n))
		return 0;
	if (r <= 0)
		return r;
	if ((f->r->permute = keep(f, &p, sizeof(p))) == NULL)
		return ERR_NOMEM;
	hold(f->r, RELATION_BIT(id));
	return 0;
}

/* Row 17, as far as one tensor tells, and row 18. */
static int
strange(struct find *f, struct err *e)
{
	const struct delta d = {f->a, f->b, f->r->cast};
	const struct pass_sums *s = f->sums;
	struct relation_noise noise = {0};
	uint64_t set;
	int r;

	if (elem_info(f->b->elem)->kind == ELEM_INT ||
	    elem_info(f->b->elem)->kind == ELEM_OPAQUE)
		return 0;
	if (f->a->n >= STRANGE_LEAST && f->a->rows > 1 && f->a->cols > 1 &&
	    s->a2 > 0 && s->b2 > 0 && s->nonfinite_a == 0 &&
	    s->nonfinite_b == 0 && fabs(pass_cosine(s)) < STRANGE_COSINE) {
		hold(f->r, RELATION_BIT(RELATION_UNRELATED));
		return 0;
	}
	if (f->a->rows < 2 || f->a->cols != f->b->cols ||
	    !relation_whole_blocks(f->a, elem_info(f->a->elem)->block) ||
	    !relation_whole_blocks(f->b,
	    elem_info(f->b->elem)->block) || !relation_whole_blocks(f->b,
	    cast_unit(d.cast)))
		return 0;
	if ((r = relation_noisy(f->pool, &d, &noise, &set, e)) < 0 ||
	    set == 0)
		return r;
	if ((f->r->noise = keep(f, &noise, sizeof(noise))) == NULL)
		return ERR_NOMEM;
	hold(f->r, set);
	return 0;
}

static int
decide(struct find *f, struct err *e)
{
	int r;

	if (casts(f))
		return 0;
	if ((r = grids(f)) < 0 || f->r->set != 0)
		return r;
	f->r->cast = relation_cascade(f->a, f->b);
	if ((r = count(f, e)) < 0 || (r = few(f)) < 0 ||
	    (r = pruned(f, e)) < 0)
		return r;
	if (f->r->set == 0)
		lowest(f);
	if (f->r->set == 0 && (r = scaled(f)) < 0)
		return r;
	if (f->r->set == 0 && (r = orders(f, e)) < 0)
		return r;
	return f->r->set == 0 ? strange(f, e) : 0;
}

int
relation_find(struct pool *pool, const struct tensor *a,
    const struct tensor *b, const struct pass_sums *sums,
    struct arena *arena, struct relation *ret, struct err *e)
{
	struct relation rel = {.best = RELATION_NONE, .partner = UINT32_MAX};
	struct find f = {.pool = pool, .a = a, .b = b, .sums = sums,
	    .arena = arena, .r = &rel};
	int r;

	if ((r = decide(&f, e)) < 0)
		return err_set(e, (enum err_code)r, "out of memory");
	*ret = rel;
	return 0;
}
