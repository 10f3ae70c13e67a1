#include <string.h>

#include "base/err.h"
#include "formats/pickle_vm.h"

/*
 * What a call does and gives.
 *
 * A callee is a name, a bound method, a partial, a getter, or something that
 * nothing is known of.  Names with a row in pickle_known.def have their value
 * worked out (getattr gives what it finds) and their effects told (atexit.
 * register calls what it is given).  What a call gives is PV_CALL when
 * nothing better is known.  Every call is told, whatever becomes of its
 * result; calls that make calls are followed to a depth.
 */
#define APPLY_DEPTH 24

static int
full(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_LIMIT, op);
}

/* The arguments before the keywords. */
static size_t
positional(const struct pv *args)
{
	return args->n - ((args->flags & PV_KEYWORDS) != 0 && args->n > 0);
}

/* partial(f, a)(b) is f(a, b); keywords come last, the first ones alone. */
static struct pv *
join_args(struct pickle_vm *vm, const struct pv *first, const struct pv *then)
{
	const struct pv *from[] = {first, then};
	struct pv *v = pv_new(vm, PV_TUPLE), *kw = NULL;

	for (unsigned k = 0; k < 2 && v != NULL; k++) {
		for (size_t i = 0; i < positional(from[k]); i++) {
			from[k]->u.item[i]->flags |= PV_SHARED;
			if (!pv_add(vm, v, from[k]->u.item[i]))
				return NULL;
		}
		if (positional(from[k]) < from[k]->n && kw == NULL)
			kw = from[k]->u.item[from[k]->n - 1];
	}
	if (v != NULL && kw != NULL) {
		v->flags |= PV_KEYWORDS;
		return pv_add(vm, v, kw) ? v : NULL;
	}
	return v;
}

/*
 * builtins.str.join(sep, parts) and [].append are the same method, called
 * with and without its self.
 */
static bool
is_unbound(const struct pv *callee, const char **name, size_t *n)
{
	static const char *const types[] = {"str", "bytes", "bytearray",
	    "dict", "list", "tuple", "set", "frozenset", "object", "type",
	    "int", NULL};
	const char *p = callee->u.p, *dot;
	size_t m;

	if (callee->n < 12 || memcmp(p, "builtins.", 9) != 0)
		return false;
	p += 9;
	m = callee->n - 9;
	if ((dot = memchr(p, '.', m)) == NULL)
		return false;
	for (const char *const *t = types; *t != NULL; t++)
		if (strlen(*t) == (size_t)(dot - p) &&
		    memcmp(*t, p, (size_t)(dot - p)) == 0) {
			*name = dot + 1;
			*n = m - (size_t)(dot - p) - 1;
			return true;
		}
	return false;
}

static int
apply_name(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args, unsigned flags, struct pv **ret)
{
	const struct pickle_known *k = pickle_name_of(callee)->known;
	struct pv *v = NULL, *rest;
	const char *method;
	size_t n;
	int r;

	if (args->kind == PV_TUPLE && k != NULL && k->eval != NULL &&
	    (r = k->eval(vm, op, k, args, &v)) != 0)
		return r;
	if (v == NULL && args->kind == PV_TUPLE && args->n > 0 &&
	    is_unbound(callee, &method, &n) && n == 7 &&
	    memcmp(method, "fromhex", 7) == 0 &&
	    (r = pickle_known_method(vm, op, callee, method, n, args, &v)) !=
	    0)
		return r;
	if (v == NULL && args->kind == PV_TUPLE && args->n > 0 &&
	    is_unbound(callee, &method, &n)) {
		if ((rest = pv_tail(vm, args, 1)) == NULL)
			return full(vm, op);
		if ((r = pickle_known_method(vm, op, args->u.item[0], method,
		    n, rest, &v)) != 0)
			return r;
	}
	if (v == NULL && (v = pv_pair(vm, PV_CALL, callee, args)) == NULL)
		return full(vm, op);
	*ret = v;
	if ((r = pickle_tell_call(vm, op, callee, NULL, args, flags, v)) != 0)
		return r;
	return args->kind == PV_TUPLE && k != NULL && k->after != NULL ?
	    k->after(vm, op, k, args, v) : 0;
}

static int
apply_method(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args, unsigned flags, struct pv **ret)
{
	struct pv *self = callee->u.item[0], *v = NULL;
	const struct pv *name = callee->u.item[1];
	int r;

	if (args->kind == PV_TUPLE && (r = pickle_known_method(vm, op, self,
	    name->u.p, name->n, args, &v)) != 0)
		return r;
	if (v == NULL && (v = pv_pair(vm, PV_CALL, callee, args)) == NULL)
		return full(vm, op);
	*ret = v;
	return pickle_tell_call(vm, op, self, name->u.p, args, flags, v);
}

static bool
ends_with(const struct pv *v, const char *tail)
{
	size_t n = strlen(tail);

	return v->n > n && memcmp(v->u.p + v->n - n, tail, n) == 0;
}

/* operator.attrgetter('a.b'), itemgetter(k), methodcaller('name', ...). */
static int
apply_getter(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args, unsigned flags, struct pv **ret)
{
	const struct pv *maker = callee->u.item[0], *of = callee->u.item[1];
	struct pv *x = args->kind == PV_TUPLE && args->n > 0 ?
	    args->u.item[0] : NULL, *v = NULL, *rest;
	const struct pv *what = pv_item(of, 0);

	if (x == NULL || what == NULL) {
		v = NULL;
	} else if (ends_with(maker, ".itemgetter")) {
		v = pickle_item(vm, x, what);
	} else if (pv_is_kept_text(what)) {
		v = pickle_path(vm, x, what->u.p, what->n);
		if (v == NULL)
			return full(vm, op);
	}
	if (v != NULL && ends_with(maker, ".methodcaller")) {
		if ((rest = pv_tail(vm, of, 1)) == NULL)
			return full(vm, op);
		return pickle_apply(vm, op, v, rest, flags, ret);
	}
	if (v == NULL && (v = pv_pair(vm, PV_CALL, callee, args)) == NULL)
		return full(vm, op);
	*ret = v;
	return pickle_tell_call(vm, op, maker, "__call__", args, flags, v);
}

/* What a class that the pickle made itself runs when it is called. */
static struct pv *
planted_call(const struct pickle_vm *vm, const struct pv *callee)
{
	static const char *const names[] = {"__call__", "__new__", "__init__"};
	struct pv *v = NULL;

	for (unsigned i = 0; i < 3 && v == NULL; i++)
		v = pickle_planted(vm, callee, names[i], strlen(names[i]));
	return v;
}

static int
apply(struct pickle_vm *vm, const struct pickle_op *op, struct pv *callee,
    struct pv *args, unsigned flags, struct pv **ret)
{
	struct pv *planted, *joined;

	if (callee->kind == PV_GLOBAL)
		return apply_name(vm, op, callee, args, flags, ret);
	if (callee->kind == PV_METHOD)
		return apply_method(vm, op, callee, args, flags, ret);
	if (callee->kind == PV_GETTER)
		return apply_getter(vm, op, callee, args, flags, ret);
	if (callee->kind == PV_PARTIAL && args->kind == PV_TUPLE) {
		if ((joined = join_args(vm, callee->u.item[1], args)) == NULL)
			return full(vm, op);
		return pickle_apply(vm, op, callee->u.item[0], joined, flags,
		    ret);
	}
	if ((planted = planted_call(vm, callee)) != NULL)
		return pickle_apply(vm, op, planted, args, flags, ret);
	if ((*ret = pv_pair(vm, PV_CALL, callee, args)) == NULL)
		return full(vm, op);
	return pickle_tell_call(vm, op, callee, NULL, args, flags, *ret);
}

int
pickle_apply(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args, unsigned flags, struct pv **ret)
{
	int r;

	if (vm->depth >= APPLY_DEPTH) {
		if ((*ret = pv_pair(vm, PV_CALL, callee, args)) == NULL)
			return full(vm, op);
		return pickle_tell_call(vm, op, callee, NULL, args, flags,
		    *ret);
	}
	vm->depth++;
	r = apply(vm, op, callee, args, flags, ret);
	vm->depth--;
	return r;
}

/* Native containers take a state and items without calling anything. */
static bool
is_native(const struct pv *v)
{
	return v->kind < PV_GLOBAL || v->kind == PV_BUFFER ||
	    v->kind == PV_PERSID;
}

int
pickle_implicit(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *of, const char *method, struct pv *args)
{
	struct pv *planted, *result;

	planted = pickle_planted(vm, of, method, strlen(method));
	if (planted != NULL)
		return pickle_apply(vm, op, planted, args, CALL_IMPLICIT,
		    &result);
	if (is_native(of))
		return 0;
	/* What is planted on a module or function is told as setattr. */
	if (strcmp(method, "__setstate__") == 0 && (of->kind == PV_GLOBAL ||
	    of->kind == PV_MODULE))
		return 0;
	return pickle_tell_call(vm, op, of, method, args, CALL_IMPLICIT,
	    NULL);
}
