#include <string.h>

#include "base/arena.h"
#include "base/bug.h"
#include "formats/pickle_vm.h"

/*
 * Values come from slabs.  Most values of a large pickle are scalars that end
 * up behind the last element that their container keeps: nobody can reach
 * them any more, and pv_drop makes room of them, so that a list of a hundred
 * million numbers takes no more memory than one of a thousand.
 */
#define SLAB 512
#define EXACT 255	/* pv.cap: the room is what there is */

struct pv *
pv_new(struct pickle_vm *vm, enum pv_kind kind)
{
	struct pickle_world *w = vm->w;
	struct pv *v = w->free;

	if (v != NULL) {
		w->free = v->u.free;
		memset(v, 0, sizeof(*v));
	} else {
		if (w->slab == w->slab_end) {
			w->slab = arena_array(vm->p->arena, SLAB, sizeof(*v));
			w->slab_end = w->slab != NULL ? w->slab + SLAB : NULL;
			if (w->slab == NULL)
				return NULL;
		}
		v = w->slab++;
	}
	v->kind = (uint8_t)kind;
	return v;
}

/* Scalars only: what has items or text may be reached through them. */
void
pv_drop(struct pickle_vm *vm, struct pv *v)
{
	if ((v->flags & PV_SHARED) != 0 || v->kind > PV_FLOAT)
		return;
	v->u.free = vm->w->free;
	vm->w->free = v;
}

struct pv *
pv_text(struct pickle_vm *vm, enum pv_kind kind, const void *p, size_t n)
{
	struct pv *v = pv_new(vm, kind);

	if (v != NULL) {
		v->u.p = p;
		v->n = n;
	}
	return v;
}

/* Small numbers are what models have most of: each is made once. */
struct pv *
pv_int(struct pickle_vm *vm, int64_t num)
{
	struct pv *v;

	if (num >= 0 && num < PICKLE_SMALL) {
		v = &vm->w->small[num];
		v->kind = PV_INT;
		v->flags = PV_SHARED;
	} else if ((v = pv_new(vm, PV_INT)) == NULL) {
		return NULL;
	}
	v->u.num = num;
	return v;
}

/* Double the room for items, or make it. */
static bool
grow(struct pickle_vm *vm, struct pv *to)
{
	size_t cap = to->n == 0 ? 0 : to->cap == EXACT ? to->n :
	    (size_t)4 << to->cap;
	struct pv **p;
	uint8_t log = 0;

	if (cap > to->n)
		return true;
	while ((size_t)4 << log <= to->n)
		log++;
	p = arena_array(vm->p->arena, (size_t)4 << log, sizeof(*p));
	if (p == NULL)
		return false;
	if (to->n > 0)
		memcpy(p, to->u.item, to->n * sizeof(*p));
	to->u.item = p;
	to->cap = log;
	return true;
}

/* Beyond PV_KEEP items are counted, not kept. */
bool
pv_add(struct pickle_vm *vm, struct pv *to, struct pv *item)
{
	if (to->n >= PV_KEEP && (to->n >= PV_KEEP_TEXTS ||
	    to->kind != PV_LIST || item->kind != PV_STR)) {
		to->more += to->more < UINT32_MAX;
		pv_drop(vm, item);
		return true;
	}
	if (!grow(vm, to))
		return false;
	to->u.item[to->n++] = item;
	return true;
}

/* Exactly these items, with no room for more. */
static bool
take_exactly(struct pickle_vm *vm, struct pv *v, struct pv *const *item,
    size_t n)
{
	v->u.item = arena_array(vm->p->arena, n, sizeof(*item));
	if (v->u.item == NULL)
		return false;
	memcpy(v->u.item, item, n * sizeof(*item));
	v->n = n;
	v->cap = EXACT;
	return true;
}

struct pv *
pv_pair(struct pickle_vm *vm, enum pv_kind kind, struct pv *a, struct pv *b)
{
	struct pv *const item[] = {a, b};
	struct pv *v = pv_new(vm, kind);

	return v != NULL && a != NULL && b != NULL &&
	    take_exactly(vm, v, item, 2) ? v : NULL;
}

struct pv *
pv_one(struct pickle_vm *vm, enum pv_kind kind, struct pv *a)
{
	struct pv *v = pv_new(vm, kind);

	return v != NULL && a != NULL && take_exactly(vm, v, &a, 1) ? v :
	    NULL;
}

/* A container of what lies on the stack from ${from} on, which is taken. */
struct pv *
pv_of_stack(struct pickle_vm *vm, enum pv_kind kind, size_t from)
{
	struct pv *v = pv_new(vm, kind);
	size_t n = vm->sp - from;

	if (v == NULL)
		return NULL;
	/* Tuples: no room for what never comes. */
	if (n > 0 && n <= 16 && kind == PV_TUPLE &&
	    !take_exactly(vm, v, vm->stack + from, n))
		return NULL;
	for (size_t i = from + v->n; i < vm->sp; i++)
		if (!pv_add(vm, v, vm->stack[i]))
			return NULL;
	vm->sp = from;
	return v;
}

/* The arguments behind the first ${from}. */
struct pv *
pv_tail(struct pickle_vm *vm, const struct pv *args, size_t from)
{
	struct pv *v = pv_new(vm, PV_TUPLE);

	BUG_ON(args->kind != PV_TUPLE);
	if (v == NULL)
		return NULL;
	v->flags = args->flags & PV_KEYWORDS;
	for (size_t i = from; i < args->n; i++)
		if (!pv_add(vm, v, args->u.item[i]))
			return NULL;
	return v;
}

struct pv *
pv_bool(struct pickle_vm *vm, bool b)
{
	struct pv *v = &vm->w->truth[b];

	v->kind = PV_BOOL;
	v->flags = PV_SHARED;
	v->u.num = b;
	return v;
}

struct pv *
pv_empty(struct pickle_vm *vm, enum pv_kind kind)
{
	struct pv *v = kind == PV_NONE ? &vm->w->none : &vm->w->unit;

	v->kind = (uint8_t)kind;
	v->flags = PV_SHARED;
	return v;
}

struct pv *
pv_arg(const struct pv *args, size_t i)
{
	if (args->kind != PV_TUPLE || i >= args->n)
		return NULL;
	args->u.item[i]->flags |= PV_SHARED;
	return args->u.item[i];
}

static bool
has_items(const struct pv *v)
{
	return (v->kind >= PV_TUPLE && v->kind <= PV_FROZENSET) ||
	    (v->kind >= PV_NAMESPACE && v->kind <= PV_PERSID);
}

const struct pv *
pv_item(const struct pv *v, size_t i)
{
	return v != NULL && has_items(v) && i < v->n ? v->u.item[i] : NULL;
}

bool
pv_same_text(const struct pv *v, const char *p, size_t n)
{
	return pv_is_kept_text(v) && v->n == n && memcmp(v->u.p, p, n) == 0;
}

bool
pv_is_text(const struct pv *v, const char *text)
{
	return pv_same_text(v, text, strlen(text));
}

bool
pv_is_kept_text(const struct pv *v)
{
	return v != NULL && v->kind == PV_STR && v->u.p != NULL;
}

bool
pv_is_kept_bytes(const struct pv *v)
{
	return v != NULL && (v->kind == PV_BYTES ||
	    v->kind == PV_BYTEARRAY) && v->u.p != NULL;
}

bool
pv_is_name(const struct pv *v, const char *path)
{
	return v != NULL && v->kind == PV_GLOBAL && v->n == strlen(path) &&
	    memcmp(v->u.p, path, v->n) == 0;
}

const struct pv *
pv_dict_get(const struct pv *dict, const char *key)
{
	if (dict == NULL || dict->kind != PV_DICT)
		return NULL;
	/* The last of equal keys wins. */
	for (size_t i = dict->n & ~(size_t)1; i >= 2; i -= 2)
		if (pv_is_text(dict->u.item[i - 2], key))
			return dict->u.item[i - 1];
	return NULL;
}
