#include <string.h>

#include "base/arena.h"
#include "formats/pickle_tree.h"
#include "formats/pickle_vm.h"

/*
 * Two open hash tables: owners by the address of their value, edges by owner
 * and key.  Addresses choose slots and nothing else.  Whoever builds keys
 * that collide gains PROBES steps a key and no more: past those a key counts
 * as new, so a value that was replaced may stay beside its successor.
 */
#define FIRST_CAP 256
#define PROBES 64

static size_t
mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15U;
	return (size_t)(h ^ h >> 29);
}

static size_t
hash_owner(const struct pv *of)
{
	return mix((uint64_t)(uintptr_t)of >> 3);
}

static bool
is_number(const struct pv *key)
{
	return key->kind == PV_INT || key->kind == PV_BOOL;
}

static bool
is_constant(const struct pv *v)
{
	return pv_is_kept_text(v) || pv_is_kept_bytes(v);
}

static size_t
hash_key(const struct pickle_owner *owner, const struct pv *key)
{
	uint64_t h = hash_owner(owner->of) ^ 0xcbf29ce484222325U;

	if (is_number(key))
		return mix(h ^ (uint64_t)key->u.num);
	for (size_t i = 0; is_constant(key) && i < key->n; i++)
		h = (h ^ (uint8_t)key->u.p[i]) * 0x100000001b3U;
	return mix(h);
}

/* As Python's dict compares them, for the kinds that keys of models have. */
static bool
same_key(const struct pv *a, const struct pv *b)
{
	if (a == b)
		return true;
	if (is_number(a) || is_number(b))
		return is_number(a) && is_number(b) && a->u.num == b->u.num;
	return a->kind == b->kind && is_constant(a) && is_constant(b) &&
	    a->n == b->n && memcmp(a->u.p, b->u.p, a->n) == 0;
}

static bool
grow_owners(struct pickle_tree *t)
{
	size_t cap = t->owner_cap == 0 ? FIRST_CAP : 2 * t->owner_cap, at;
	struct pickle_owner **v = arena_array(t->arena, cap, sizeof(*v));

	if (v == NULL)
		return false;
	for (size_t i = 0; i < t->owner_cap; i++) {
		if (t->owner[i] == NULL)
			continue;
		at = hash_owner(t->owner[i]->of) & (cap - 1);
		while (v[at] != NULL)
			at = (at + 1) & (cap - 1);
		v[at] = t->owner[i];
	}
	t->owner = v;
	t->owner_cap = cap;
	return true;
}

struct pickle_owner *
pickle_tree_owner(struct pickle_tree *t, const struct pv *of, bool make)
{
	struct pickle_owner *o;
	size_t at;

	if (2 * t->owners >= t->owner_cap && make && !grow_owners(t))
		return NULL;
	if (t->owner_cap == 0)
		return NULL;
	at = hash_owner(of) & (t->owner_cap - 1);
	while (t->owner[at] != NULL && t->owner[at]->of != of)
		at = (at + 1) & (t->owner_cap - 1);
	if (t->owner[at] != NULL || !make)
		return t->owner[at];
	if ((o = arena_alloc(t->arena, sizeof(*o))) == NULL)
		return NULL;
	o->of = of;
	t->owners++;
	return t->owner[at] = o;
}

/* The first free slot, or that of an equal key; NULL: none in reach. */
static struct pickle_edge **
slot_of(struct pickle_edge **v, size_t cap, const struct pickle_owner *owner,
    const struct pv *key)
{
	size_t at = hash_key(owner, key);

	for (unsigned i = 0; i < PROBES && cap > 0; i++, at++) {
		struct pickle_edge **e = &v[at & (cap - 1)];

		if (*e == NULL || ((*e)->owner == owner &&
		    same_key((*e)->key, key)))
			return e;
	}
	return NULL;
}

static bool
grow_edges(struct pickle_tree *t)
{
	size_t cap = t->edge_cap == 0 ? FIRST_CAP : 2 * t->edge_cap;
	struct pickle_edge **v = arena_array(t->arena, cap, sizeof(*v));
	struct pickle_edge **slot;

	if (v == NULL)
		return false;
	for (size_t i = 0; i < t->edge_cap; i++) {
		if (t->keyed[i] == NULL)
			continue;
		slot = slot_of(v, cap, t->keyed[i]->owner, t->keyed[i]->key);
		if (slot != NULL)
			*slot = t->keyed[i];
	}
	t->keyed = v;
	t->edge_cap = cap;
	return true;
}

static struct pickle_edge *
append(struct pickle_tree *t, struct pickle_owner *owner, struct pv *value)
{
	struct pickle_edge *e = arena_alloc(t->arena, sizeof(*e));

	if (e == NULL)
		return NULL;
	value->flags |= PV_SHARED;
	e->owner = owner;
	e->value = value;
	e->index = owner->elements;
	if (owner->last != NULL)
		owner->last->next = e;
	else
		owner->first = e;
	owner->last = e;
	return e;
}

/* Can something lie below it? */
static bool
leads_on(const struct pv *v)
{
	return (v->kind >= PV_TUPLE && v->kind <= PV_DICT) ||
	    v->kind == PV_CALL;
}

static bool
set_key(struct pickle_tree *t, struct pickle_owner *owner, struct pv *key,
    struct pv *value)
{
	struct pickle_edge **slot, *e;

	if (2 * t->edges >= t->edge_cap && !grow_edges(t))
		return false;
	slot = slot_of(t->keyed, t->edge_cap, owner, key);
	if (slot != NULL && *slot != NULL) {
		value->flags |= PV_SHARED;
		(*slot)->value = leads_on(value) ? value : NULL;
		return true;
	}
	if (!leads_on(value))
		return true;
	if ((e = append(t, owner, value)) == NULL)
		return false;
	key->flags |= PV_SHARED;
	e->key = key;
	if (slot != NULL)
		*slot = e;
	t->edges++;
	return true;
}

static bool
any_leads_on(struct pv *const *item, size_t n, unsigned step)
{
	for (size_t i = step - 1; i < n; i += step)
		if (leads_on(item[i]))
			return true;
	return false;
}

bool
pickle_tree_fill(struct pickle_tree *t, struct pv *to,
    struct pv *const *item, size_t n, unsigned step)
{
	bool make = step == 1 || any_leads_on(item, n, step);
	struct pickle_owner *owner = pickle_tree_owner(t, to, make);

	if (owner == NULL)
		return !make;	/* scalars alone, over nothing that was kept */
	for (size_t i = 0; i + step <= n; i += step) {
		if (step == 2) {
			if (!set_key(t, owner, item[i], item[i + 1]))
				return false;
			continue;
		}
		if (leads_on(item[i]) && append(t, owner, item[i]) == NULL)
			return false;
		owner->elements++;
	}
	return true;
}
