#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "analyzer/diff/hidden_bits.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"


struct sweep {
	const struct delta *d;
	uint64_t mask;		/* the lowest k bits */
	uint64_t top, sign, xor_or;
	_Atomic uint64_t changed, tops;
	_Atomic uint64_t any, all;	/* OR and AND of B's low bits */
	atomic_bool other;	/* an XOR that is not xor_or */
	atomic_bool alive;	/* an element that is not zero */
};

/* All bytes but the highest; of 8-bit codes, half. */
static unsigned
limit_of(const struct delta *d)
{
	const struct elem_info *x = elem_info(d->b->elem);
	unsigned bytes = d->cast != CAST_NONE && x->bytes > 4 ? 4 : x->bytes;

	if (x->kind == ELEM_BLOCKS || x->kind == ELEM_OPAQUE ||
	    elem_info(d->a->elem)->block > 1 || cast_unit(d->cast) > 1 ||
	    d->b->elem == ELEM_BOOL)
		return 0;
	if (bytes == 1)
		return x->kind == ELEM_INT ? 4 : 0;
	return 8 * (bytes - 1);
}

static bool
own_type(const struct delta *d)
{
	return d->cast == CAST_NONE && d->a->elem == d->b->elem &&
	    elem_info(d->b->elem)->block == 1;
}

void
hidden_keys(const struct delta *d, bool of_b, uint64_t at, size_t n,
    uint64_t *key)
{
	const struct tensor *t = of_b ? d->b : d->a;
	float x[RELATION_BLOCK];

	if (own_type(d)) {
		for (size_t i = 0; i < n; i++)
			key[i] = elem_bits(t->elem, t->p, at + i);
		return;
	}
	relation_load(t, at, n, x);
	if (!of_b && d->cast != CAST_NONE)
		cast_block(d->cast, x, x, n);
	for (size_t i = 0; i < n; i++)
		key[i] = relation_own(d->b->elem, x[i]);
}

static void
block(struct sweep *s, uint64_t at, size_t n)
{
	uint64_t a[RELATION_BLOCK], b[RELATION_BLOCK];
	uint64_t changed = 0, top = 0, any = 0, all = UINT64_MAX;
	bool other = false, alive = false;

	hidden_keys(s->d, false, at, n, a);
	hidden_keys(s->d, true, at, n, b);
	for (size_t i = 0; i < n; i++) {
		uint64_t x = a[i] ^ b[i];

		any |= b[i];
		all &= b[i];
		changed += x != 0;
		top += (x & s->top) != 0;
		other = other || (x != 0 && x != s->xor_or);
		alive = alive || (x != 0 && (a[i] & ~s->sign) != 0);
	}
	(void)atomic_fetch_add(&s->changed, changed);
	(void)atomic_fetch_add(&s->tops, top);
	(void)atomic_fetch_or(&s->any, any);
	(void)atomic_fetch_and(&s->all, all);
	if (other)
		atomic_store(&s->other, true);
	if (alive)
		atomic_store(&s->alive, true);
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	struct relation_run r = relation_run(i, s->d->a->n);

	(void)thread;
	while (relation_next(&r))
		block(s, r.at, r.n);
}

/* Is one mask possible?  The first and the last of them tell. */
static bool
ends_agree(const struct delta *d, uint64_t xor_or, uint64_t first,
    uint64_t last)
{
	uint64_t a, b;

	hidden_keys(d, false, first, 1, &a);
	hidden_keys(d, true, first, 1, &b);
	if ((a ^ b) != xor_or)
		return false;
	hidden_keys(d, false, last, 1, &a);
	hidden_keys(d, true, last, 1, &b);
	return (a ^ b) == xor_or;
}

#define CELLS_LOOK (1U << 18)	/* elements */
static unsigned
cells(const struct delta *d, unsigned k, uint64_t first)
{
	uint64_t a[RELATION_BLOCK], seen[HIDDEN_CELLS], end = first +
	    CELLS_LOOK;
	unsigned found = 0, j;
	size_t n;

	if (end > d->a->n)
		end = d->a->n;
	for (uint64_t at = first / DELTA_UNIT * DELTA_UNIT; at < end &&
	    found < HIDDEN_CELLS; at += n) {
		n = end - at < RELATION_BLOCK ? (size_t)(end - at) :
		    RELATION_BLOCK;
		hidden_keys(d, false, at, n, a);
		for (size_t i = 0; i < n && found < HIDDEN_CELLS; i++) {
			uint64_t cell = k < 64 ? a[i] >> k : 0;

			for (j = 0; j < found && seen[j] != cell; j++)
				;
			if (j == found)
				seen[found++] = cell;
		}
	}
	return found;
}

static uint64_t
sign_of(const struct delta *d)
{
	const struct elem_info *x = elem_info(d->b->elem);

	if (x->kind != ELEM_FLOAT)
		return 0;
	return UINT64_C(1) << (8 * (own_type(d) || x->bytes == 2 ? x->bytes :
	    4) - 1);
}

void
hidden_bits(struct pool *pool, const struct delta *d, uint64_t xor_or,
    uint64_t first, uint64_t last, struct hidden_bits *ret)
{
	struct sweep s = {.d = d, .xor_or = xor_or};

	memset(ret, 0, sizeof(*ret));
	ret->limit = limit_of(d);
	if (xor_or == 0 || ret->limit == 0 || elem_info(d->a->elem)->kind ==
	    ELEM_OPAQUE)
		return;
	ret->k = 64 - (unsigned)__builtin_clzll(xor_or);
	if (ret->k > ret->limit && !ends_agree(d, xor_or, first, last))
		return;
	s.mask = UINT64_MAX >> (64 - ret->k);
	s.top = UINT64_C(1) << (ret->k - 1);
	s.sign = sign_of(d);
	atomic_store(&s.all, UINT64_MAX);
	pool_run(pool, task, &s, relation_tasks(d->a->n));
	ret->changed = atomic_load(&s.changed);
	ret->first = first;
	ret->last = last;
	ret->top = atomic_load(&s.tops);
	ret->one_mask = !atomic_load(&s.other);
	ret->constant = (atomic_load(&s.any) & s.mask) ==
	    (atomic_load(&s.all) & s.mask);
	ret->zeros = !atomic_load(&s.alive) && xor_or == s.sign;
	ret->cells = cells(d, ret->k, first);
	ret->written = ret->k <= ret->limit && ret->cells == HIDDEN_CELLS &&
	    ret->top >= HIDDEN_TOP_LEAST &&
	    (double)ret->top >= HIDDEN_TOP_SHARE * (double)ret->changed;
}
