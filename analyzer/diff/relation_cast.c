#include <stdatomic.h>
#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"

/*
 * Rows 1 to 8 in one sweep: every rule that may apply is alive until an
 * element refutes it, for all threads at once.  On tensors that were trained
 * on, none survives the first block.
 *
 * What survives does not depend on the order of the tasks: it is the
 * intersection over all blocks.
 */
struct rule {
	enum relation_id id;
	enum cast pre, cast;
};

static const struct rule rules[] = {
    {RELATION_WIDENED, CAST_NONE, CAST_NONE},
    {RELATION_F32, CAST_NONE, CAST_NONE},
    {RELATION_BF16_EVEN, CAST_NONE, CAST_BF16_EVEN},
    {RELATION_BF16_AWAY, CAST_NONE, CAST_BF16_AWAY},
    {RELATION_BF16_CUT, CAST_NONE, CAST_BF16_CUT},
    {RELATION_F16, CAST_NONE, CAST_F16},
    {RELATION_F16_SAT, CAST_NONE, CAST_F16_SAT},
    {RELATION_F8_E4M3, CAST_NONE, CAST_F8_E4M3},
    {RELATION_F8_E4M3_SAT, CAST_NONE, CAST_F8_E4M3_SAT},
    {RELATION_F8_E5M2, CAST_NONE, CAST_F8_E5M2},
    {RELATION_F8_E5M2_SAT, CAST_NONE, CAST_F8_E5M2_SAT},
    {RELATION_Q8_0, CAST_NONE, CAST_Q8_0},
    {RELATION_Q8_0_F16, CAST_F16, CAST_Q8_0},
    {RELATION_Q8_0_BF16, CAST_BF16_EVEN, CAST_Q8_0},
    {RELATION_Q4_0, CAST_NONE, CAST_Q4_0},
    {RELATION_Q4_0_F16, CAST_F16, CAST_Q4_0},
    {RELATION_Q4_0_BF16, CAST_BF16_EVEN, CAST_Q4_0}};
#define RULES (sizeof(rules) / sizeof(rules[0]))

struct sweep {
	const struct tensor *a, *b;
	atomic_uint alive;	/* bits of rules[] */
};

static enum elem
stored_by(enum cast c)
{
	return c == CAST_Q8_0 ? ELEM_Q8_0 : c == CAST_Q4_0 ? ELEM_Q4_0 :
	    ELEM_BYTES;
}

static bool
is_float(const struct tensor *t)
{
	return elem_info(t->elem)->kind == ELEM_FLOAT;
}

static bool
is_double(const struct tensor *t)
{
	return t->elem == ELEM_F64 || t->elem == ELEM_F64_BE;
}

/* Bytes of 256 elements: how fine the type is. */
static unsigned
size_of(const struct tensor *t)
{
	const struct elem_info *x = elem_info(t->elem);

	return 256 / x->block * x->bytes;
}

static bool
applies(const struct rule *r, const struct tensor *a, const struct tensor *b)
{
	if (cast_unit(r->cast) > 1)
		return b->elem == stored_by(r->cast) || (is_float(b) &&
		    relation_whole_blocks(b, cast_unit(r->cast)));
	if (!is_float(b))
		return false;
	if (r->id == RELATION_WIDENED)
		return size_of(b) >= size_of(a) && a->elem != b->elem &&
		    !is_double(a);	/* by its own bits: below */
	if (r->id == RELATION_F32)
		return is_double(a) && !is_double(b);
	return true;
}

static bool
holds(const struct sweep *s, const struct rule *r, const float *a,
    const float *b, uint64_t at, size_t n)
{
	const struct elem_info *x = elem_info(s->b->elem);
	float rounded[RELATION_BLOCK];

	if (r->pre != CAST_NONE) {
		cast_block(r->pre, a, rounded, n);
		a = rounded;
	}
	if (x->kind == ELEM_BLOCKS)
		return cast_stored(r->cast, a, s->b->p + at / x->block *
		    x->bytes, n);
	return cast_equal(r->cast, a, b, n);
}

/* Doubles were rounded when they were loaded: was there more in them? */
static bool
singles(const struct tensor *t, uint64_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((elem_bits(t->elem, t->p, at + i) & 0x1fffffffU) != 0)
			return false;
	return true;
}

static void
block(struct sweep *s, uint64_t at, size_t n)
{
	float a[RELATION_BLOCK], b[RELATION_BLOCK];

	relation_load(s->a, at, n, a);
	if (is_float(s->b))
		relation_load(s->b, at, n, b);
	if (is_double(s->b) && !singles(s->b, at, n))
		atomic_store(&s->alive, 0);
	for (unsigned i = 0; i < RULES; i++)
		if ((atomic_load(&s->alive) & 1U << i) != 0 &&
		    !holds(s, &rules[i], a, b, at, n))
			(void)atomic_fetch_and(&s->alive, ~(1U << i));
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	struct relation_run r = relation_run(i, s->a->n);

	(void)thread;
	while (atomic_load(&s->alive) != 0 && relation_next(&r))
		block(s, r.at, r.n);
}

static bool
is_signed(const struct tensor *t)
{
	return t->elem == ELEM_I8 || t->elem == ELEM_I16 ||
	    t->elem == ELEM_I32 || t->elem == ELEM_I64;
}

static int64_t
whole(const struct tensor *t, uint64_t i)
{
	unsigned bits = 8 * elem_info(t->elem)->bytes;
	uint64_t v = elem_bits(t->elem, t->p, i);

	if (is_signed(t) && bits < 64 && (v >> (bits - 1) & 1) != 0)
		v |= UINT64_MAX << bits;
	return (int64_t)v;
}

/* Integers widen by value; -1 is not 2^64 - 1. */
static bool
same_integers(const struct tensor *a, const struct tensor *b)
{
	bool mixed = is_signed(a) != is_signed(b);

	for (uint64_t i = 0; i < a->n; i++)
		if (whole(a, i) != whole(b, i) || (mixed && whole(a, i) < 0))
			return false;
	return true;
}

/* Two doubles are more than what a float holds of them. */
static bool
same_doubles(const struct tensor *a, const struct tensor *b)
{
	for (uint64_t i = 0; i < a->n; i++)
		if (elem_bits(a->elem, a->p, i) != elem_bits(b->elem, b->p,
		    i))
			return false;
	return true;
}

uint64_t
relation_casts(struct pool *pool, const struct tensor *a,
    const struct tensor *b)
{
	struct sweep s = {.a = a, .b = b};
	uint64_t set = 0;
	unsigned alive = 0;

	if (elem_info(a->elem)->kind == ELEM_INT &&
	    elem_info(b->elem)->kind == ELEM_INT)
		return a->elem != b->elem && same_integers(a, b) ?
		    RELATION_BIT(RELATION_WIDENED) : 0;
	if (!is_float(a) && elem_info(a->elem)->kind != ELEM_BLOCKS)
		return 0;
	for (unsigned i = 0; i < RULES; i++)
		if (applies(&rules[i], a, b))
			alive |= 1U << i;
	atomic_store(&s.alive, alive);
	/* The first block alone turns nearly everybody away. */
	if (alive != 0 && a->n > 0)
		block(&s, 0, a->n < RELATION_BLOCK ? (size_t)a->n :
		    RELATION_BLOCK);
	if (atomic_load(&s.alive) != 0)
		pool_run(pool, task, &s, relation_tasks(a->n));
	alive = atomic_load(&s.alive);
	for (unsigned i = 0; i < RULES; i++)
		if ((alive & 1U << i) != 0)
			set |= RELATION_BIT(rules[i].id);
	if (is_double(a) && is_double(b) && a->elem != b->elem &&
	    same_doubles(a, b))
		set |= RELATION_BIT(RELATION_WIDENED);
	return set;
}

enum cast
relation_cast_of(enum relation_id id)
{
	for (unsigned i = 0; i < RULES; i++)
		if (rules[i].id == id)
			return rules[i].cast;
	return CAST_NONE;
}

/* Is every element what the cast leaves alone? */
static bool
fixed(const struct tensor *t, enum cast c)
{
	float x[RELATION_BLOCK];

	for (uint64_t at = 0; at < t->n; at += RELATION_BLOCK) {
		size_t n = t->n - at < RELATION_BLOCK ? (size_t)(t->n - at) :
		    RELATION_BLOCK;

		relation_load(t, at, n, x);
		if (!cast_equal(c, x, x, n))
			return false;
	}
	return true;
}

/*
 * Of the three ways to bfloat16, the one that meets most elements: those of
 * an update that is smaller than the rounding.
 */
#define SAMPLE (1U << 18)
static enum cast
nearest_bf16(const struct tensor *a, const struct tensor *b)
{
	static const enum cast ways[] = {CAST_BF16_EVEN, CAST_BF16_CUT,
	    CAST_BF16_AWAY};
	uint64_t met[3] = {0};
	float x[RELATION_BLOCK], y[RELATION_BLOCK], z[RELATION_BLOCK];
	unsigned best = 0;

	for (uint64_t at = 0; at < a->n && at < SAMPLE; at += RELATION_BLOCK) {
		size_t n = a->n - at < RELATION_BLOCK ? (size_t)(a->n - at) :
		    RELATION_BLOCK;

		relation_load(a, at, n, x);
		relation_load(b, at, n, y);
		for (unsigned k = 0; k < 3; k++) {
			cast_block(ways[k], x, z, n);
			for (size_t i = 0; i < n; i++)
				met[k] += floatbits_of(y[i]) ==
				    floatbits_of(z[i]);
		}
	}
	for (unsigned k = 1; k < 3; k++)
		if (met[k] > met[best])
			best = k;
	return ways[best];
}

/*
 * The cast that comes after an edit: B holds nothing but values of a coarser
 * type, by its own type or stored wider again, and A does not.
 */
enum cast
relation_cascade(const struct tensor *a, const struct tensor *b)
{
	static const struct {
		enum cast cast;
		enum elem elem;		/* which need not be looked at */
	} tries[] = {{CAST_Q8_0, ELEM_Q8_0}, {CAST_Q4_0, ELEM_Q4_0},
	    {CAST_F8_E5M2, ELEM_F8_E5M2}, {CAST_F8_E4M3, ELEM_F8_E4M3},
	    {CAST_BF16_EVEN, ELEM_BF16}, {CAST_F16, ELEM_F16}};
	bool same = a->elem == b->elem && a->elem != ELEM_F32;

	/* What was of that type before has been rounded long ago. */
	if (a->n == 0 || same || (!is_float(a) &&
	    elem_info(a->elem)->kind != ELEM_BLOCKS))
		return CAST_NONE;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		enum cast c = tries[i].cast;

		if (b->elem != tries[i].elem && (!is_float(b) ||
		    cast_unit(c) > 1 || !fixed(b, c)))
			continue;
		if (cast_unit(c) == 1 && fixed(a, c))
			return CAST_NONE;
		return c == CAST_BF16_EVEN ? nearest_bf16(a, b) : c;
	}
	return CAST_NONE;
}
