#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/permute.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"

/*
 * Does a permutation leave the function as it was?
 *
 * A layer's rows are the columns of those that read it.  When a matrix's rows
 * moved (and were scaled), some other's columns must have moved the same way
 * (and been scaled by the inverse); the bias beside it, and a matrix that is
 * multiplied with it element by element (gate and up), must have moved too.
 * Queries and keys are only multiplied with each other: they are each other's
 * partner.  An order of many rows is not met twice by chance, so partners are
 * found by the order alone, and names only tell which of several.
 */
enum side { ROWS = 1, COLUMNS = 2 };

struct use {
	uint32_t pair;
	enum side side;
	const struct permute_axis *axis;
};

struct partners {
	const struct relation_pair *v;
	size_t n;
	struct use *use;
	size_t uses;
	uint8_t *got;		/* sides of a pair that have a partner */
};

static bool
acts(const struct permute_axis *x)
{
	return x->moved > 0 || x->scale != NULL;
}

static int
by_order(const void *p, const void *q)
{
	const struct use *x = p, *y = q;

	if (x->axis->n != y->axis->n)
		return x->axis->n < y->axis->n ? -1 : 1;
	if (x->axis->digest != y->axis->digest)
		return x->axis->digest < y->axis->digest ? -1 : 1;
	return (x->pair > y->pair) - (x->pair < y->pair);
}

static int
compare_names(const char *p, size_t n, const char *q, size_t m)
{
	int c = memcmp(p, q, n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

struct named {
	const char *name;
	uint32_t len, pair;
};

static int
by_name(const void *p, const void *q)
{
	const struct named *x = p, *y = q;

	return compare_names(x->name, x->len, y->name, y->len);
}

/* How much of the name two tensors share. */
static uint32_t
shared(const struct tensor *a, const struct tensor *b)
{
	uint32_t n = 0;

	while (n < a->name_len && n < b->name_len && a->name[n] == b->name[n])
		n++;
	return n;
}

/* Modules that must move together, and what makes the two of them whole. */
static const struct {
	const char *one, *other;
	bool alone;		/* they are each other's partner */
} sisters[] = {{"gate_proj", "up_proj", false}, {"ffn_gate", "ffn_up", false},
    {"w1", "w3", false}, {"wi_0", "wi_1", false},
    {"q_proj", "k_proj", true}, {"attn_q", "attn_k", true},
    {"wq", "wk", true}, {"query", "key", true}, {"q_lin", "k_lin", true}};
#define SISTERS (sizeof(sisters) / sizeof(sisters[0]))

/* The pair called like t, but for one part of its name. */
#define NAME_MAX_LEN 512
static const struct relation_pair *
renamed(const struct partners *s, const struct named *names,
    const struct tensor *t, const char *from, const char *to)
{
	char name[NAME_MAX_LEN];
	size_t f = strlen(from), n = strlen(to), at;
	struct named key, *hit;

	if (t->name_len < f || t->name_len + n >= sizeof(name))
		return NULL;
	for (at = t->name_len - f + 1; at-- > 0;)
		if (memcmp(t->name + at, from, f) == 0 &&
		    (at == 0 || t->name[at - 1] == '.') &&
		    (at + f == t->name_len || t->name[at + f] == '.'))
			break;
	if (at == SIZE_MAX)
		return NULL;
	memcpy(name, t->name, at);
	memcpy(name + at, to, n);
	memcpy(name + at + n, t->name + at + f, t->name_len - at - f);
	key = (struct named){name, (uint32_t)(t->name_len - f + n), 0};
	hit = bsearch(&key, names, s->n, sizeof(*names), by_name);
	return hit != NULL ? &s->v[hit->pair] : NULL;
}

static bool
rows_like(const struct relation_pair *p, const struct permute_axis *x)
{
	const struct permute *q = p->rel->permute;

	/* Up may be scaled where gate is not: the order alone counts. */
	if (x->moved == 0)
		return q == NULL || q->rows.moved == 0;
	return q != NULL && q->rows.n == x->n &&
	    q->rows.digest == x->digest;
}

static void
mend(struct relation *r, enum relation_id id, uint32_t partner)
{
	r->preserving = true;
	r->partner = partner;
	if (r->best == RELATION_NONE) {
		r->set |= RELATION_BIT(id);
		r->best = id;
	}
}

/* The bias beside it: there is none, or it follows. */
static bool
bias_follows(const struct partners *s, const struct named *names,
    const struct use *u)
{
	const struct relation_pair *p = &s->v[u->pair];
	const struct relation_pair *bias = renamed(s, names, p->b, "weight",
	    "bias");

	if (bias == NULL || bias == p)
		return true;
	if (!permute_fits(bias->a, bias->b, u->axis, true))
		return false;
	mend(bias->rel, u->axis->scale == NULL ? RELATION_COLUMNS_PERMUTED :
	    u->axis->moved > 0 ? RELATION_COLUMNS_PERMUTED_SCALED :
	    RELATION_COLUMNS_SCALED, u->pair);
	return true;
}

/* Queries and keys: *alone.  Otherwise false when a sister stayed behind. */
static bool
sister_follows(const struct partners *s, const struct named *names,
    const struct use *u, const struct relation_pair **alone)
{
	const struct relation_pair *p = &s->v[u->pair], *q;

	*alone = NULL;
	for (size_t k = 0; k < 2 * SISTERS; k++) {
		const char *one = k % 2 == 0 ? sisters[k / 2].one :
		    sisters[k / 2].other;
		const char *other = k % 2 == 0 ? sisters[k / 2].other :
		    sisters[k / 2].one;

		if ((q = renamed(s, names, p->b, one, other)) == NULL)
			continue;
		if (sisters[k / 2].alone && rows_like(q, u->axis) &&
		    permute_same(&q->rel->permute->rows, u->axis, true))
			*alone = q;
		return sisters[k / 2].alone || rows_like(q, u->axis);
	}
	return true;
}

/* Whose columns moved as these rows did: the nearest by name. */
#define TRIES 64
static const struct use *
reader(const struct partners *s, size_t at)
{
	const struct use *u = &s->use[at], *best = NULL;
	uint32_t most = 0;
	size_t from = at > TRIES ? at - TRIES : 0;

	for (size_t i = from; i < s->uses && i < at + TRIES; i++) {
		const struct use *x = &s->use[i];
		uint32_t n;

		if (x->side != COLUMNS || x->axis->digest != u->axis->digest ||
		    s->v[x->pair].b->rows < 2 || x->pair == u->pair ||
		    !permute_same(x->axis, u->axis, true))
			continue;
		n = shared(s->v[x->pair].b, s->v[u->pair].b);
		if (best == NULL || n > most) {
			best = x;
			most = n;
		}
	}
	return best;
}

/* Vectors that moved the same way: gains, running means. */
static void
followers(struct partners *s, size_t at)
{
	const struct use *u = &s->use[at];
	size_t from = at > TRIES ? at - TRIES : 0;

	for (size_t i = from; i < s->uses && i < at + TRIES; i++) {
		const struct use *x = &s->use[i];

		if (s->v[x->pair].b->rows < 2 && x->axis->digest ==
		    u->axis->digest && permute_same(x->axis, u->axis, false))
			mend(s->v[x->pair].rel, RELATION_COLUMNS_PERMUTED,
			    u->pair);
	}
}

static void
settle_rows(struct partners *s, const struct named *names, size_t at)
{
	const struct use *u = &s->use[at], *to;
	const struct relation_pair *alone = NULL;
	struct relation *r = s->v[u->pair].rel;

	if (r->best == RELATION_HEADS_PERMUTED) {
		/* The converter's order, which its reader undoes. */
		s->got[u->pair] |= ROWS;
		return;
	}
	if (!sister_follows(s, names, u, &alone))
		return;
	to = alone == NULL ? reader(s, at) : NULL;
	if ((alone == NULL && to == NULL) || !bias_follows(s, names, u))
		return;
	s->got[u->pair] |= ROWS;
	r->partner = alone != NULL ? (uint32_t)(alone - s->v) : to->pair;
	if (to == NULL)
		return;
	s->got[to->pair] |= COLUMNS;
	s->v[to->pair].rel->partner = u->pair;
	followers(s, at);
}

static void
collect(struct partners *s, struct named *names)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct permute *p = s->v[i].rel->permute;

		names[i] = (struct named){s->v[i].b->name,
		    s->v[i].b->name_len, i};
		if (p != NULL && acts(&p->rows))
			s->use[s->uses++] = (struct use){i, ROWS, &p->rows};
		if (p != NULL && acts(&p->cols))
			s->use[s->uses++] = (struct use){i, COLUMNS,
			    &p->cols};
	}
	qsort(names, s->n, sizeof(*names), by_name);
	qsort(s->use, s->uses, sizeof(*s->use), by_order);
}

static void
tell(struct partners *s, struct relation_model *m)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct permute *p = s->v[i].rel->permute;
		unsigned need = 0;

		if (p == NULL)
			continue;
		need |= acts(&p->rows) ? ROWS : 0;
		need |= acts(&p->cols) ? COLUMNS : 0;
		if ((s->got[i] & need) == need)
			s->v[i].rel->preserving = true;
		if (s->v[i].rel->preserving)
			m->preserving++;
		else
			m->broken++;
	}
}

int
relation_partners(const struct relation_pair *v, size_t n,
    struct relation_model *m, struct err *e)
{
	struct partners s = {.v = v, .n = n};
	struct named *names = calloc(n + 1, sizeof(*names));
	int r = ERR_NOMEM;

	s.use = calloc(2 * n + 1, sizeof(*s.use));
	s.got = calloc(n + 1, 1);
	if (names == NULL || s.use == NULL || s.got == NULL)
		goto out;
	collect(&s, names);
	for (size_t i = 0; i < s.uses; i++)
		if (s.use[i].side == ROWS)
			settle_rows(&s, names, i);
	tell(&s, m);
	r = 0;
out:
	free(names);
	free(s.use);
	free(s.got);
	return r < 0 ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}
