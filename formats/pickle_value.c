#include <string.h>

#include "base/arena.h"
#include "formats/pickle_vm.h"

struct pv *
pv_new(struct pickle_vm *vm, enum pv_kind kind)
{
	struct pv *v = arena_alloc(vm->p->arena, sizeof(*v));

	if (v != NULL)
		v->kind = (uint8_t)kind;
	return v;
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

struct pv *
pv_int(struct pickle_vm *vm, int64_t num)
{
	struct pv *v = pv_new(vm, PV_INT);

	if (v != NULL)
		v->u.num = num;
	return v;
}

/* Beyond PV_KEEP items are counted, not kept. */
bool
pv_add(struct pickle_vm *vm, struct pv *to, struct pv *item)
{
	size_t cap;
	struct pv **p;

	to->total++;
	if (to->n >= PV_KEEP)
		return true;
	if (to->n == to->cap) {
		cap = to->cap == 0 ? 4 : 2 * to->cap;
		if ((p = arena_array(vm->p->arena, cap, sizeof(struct pv *))) ==
		    NULL)
			return false;
		if (to->n > 0)
			memcpy(p, to->u.item, to->n * sizeof(struct pv *));
		to->u.item = p;
		to->cap = cap;
	}
	to->u.item[to->n++] = item;
	return true;
}

/* A container of what lies on the stack from ${from} on, which is taken. */
struct pv *
pv_of_stack(struct pickle_vm *vm, enum pv_kind kind, size_t from)
{
	struct pv *v = pv_new(vm, kind);

	if (v == NULL)
		return NULL;
	for (size_t i = from; i < vm->sp; i++)
		if (!pv_add(vm, v, vm->stack[i]))
			return NULL;
	vm->sp = from;
	return v;
}

static bool
has_items(const struct pv *v)
{
	return (v->kind >= PV_TUPLE && v->kind <= PV_FROZENSET) ||
	    v->kind == PV_CALL || v->kind == PV_PERSID;
}

const struct pv *
pv_item(const struct pv *v, size_t i)
{
	return v != NULL && has_items(v) && i < v->n ? v->u.item[i] : NULL;
}

bool
pv_is_text(const struct pv *v, const char *text)
{
	return v != NULL && v->kind == PV_STR && v->u.p != NULL &&
	    v->n == strlen(text) && memcmp(v->u.p, text, v->n) == 0;
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
