#include <string.h>

#include "base/err.h"
#include "formats/pickle_vm.h"

/*
 * Opcodes that fill or change what lies on the stack.
 *
 * APPEND(S), SETITEM(S) and ADDITEMS put things into their own kind of
 * container; of anything else they look up a method and call it, and that
 * method may have been planted.  BUILD calls __setstate__ if there is one,
 * else it sets attributes: on a class, a function or a module of the loading
 * process these stay for whoever comes later.
 */
#define STATES_MAX 4	/* of one object; writers give it one */

static int
underflow(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_PICKLE_UNDERFLOW, op);
}

static bool
add_all(struct pickle_vm *vm, struct pv *to, size_t from)
{
	for (size_t i = from; i < vm->sp; i++)
		if (!pv_add(vm, to, vm->stack[i]))
			return false;
	return true;
}

static struct pv *
args_of(struct pickle_vm *vm, struct pv *const *item, size_t n)
{
	struct pv *args = pv_new(vm, PV_TUPLE);

	for (size_t i = 0; i < n && args != NULL; i++) {
		item[i]->flags |= PV_SHARED;
		if (!pv_add(vm, args, item[i]))
			return NULL;
	}
	return args;
}

/* What is set on something of the process is told as the setattr it is. */
static int
tell_setattr(struct pickle_vm *vm, const struct pickle_op *op, struct pv *of,
    struct pv *name, struct pv *value)
{
	struct pv *args[] = {of, name, value};

	return pickle_tell_call(vm, op, pickle_attr(vm, pickle_module(vm,
	    "builtins", 8), "setattr", 7), NULL, args_of(vm, args, 3),
	    CALL_IMPLICIT, NULL);
}

/* To who wants to know what lies in what; sets lead nowhere. */
int
pickle_tell_fill(struct pickle_vm *vm, struct pv *to, struct pv *const *item,
    size_t n, enum pv_kind kind)
{
	return vm->hooks == NULL || vm->hooks->fill == NULL ||
	    kind == PV_SET || kind == PV_FROZENSET ? 0 :
	    vm->hooks->fill(vm->hooks->ctx, to, item, n,
	    kind == PV_DICT ? 2 : 1);
}

/*
 * sys.modules[name] = value, copyreg._inverted_registry[code] = (module,
 * name), a namespace: written without a call.
 */
int
pickle_set_item(struct pickle_vm *vm, const struct pickle_op *op, struct pv *to,
    struct pv *key, struct pv *value)
{
	struct pv *const item[] = {key, value};
	bool ok = true;
	int r;

	if ((r = pickle_tell_fill(vm, to, item, 2, PV_DICT)) < 0)
		return r;
	if (pv_is_kept_text(key) && to->kind == PV_NAMESPACE) {
		if (pickle_plant(vm, to->u.item[0], key->u.p, key->n, value))
			return tell_setattr(vm, op, to->u.item[0], key, value);
		ok = false;
	}
	if (pv_is_kept_text(key) && pv_is_name(to, "sys.modules"))
		ok = pickle_plant(vm, to, key->u.p, key->n, value);
	else if (pv_is_name(to, "copyreg._inverted_registry") &&
	    key->kind == PV_INT)
		ok = pickle_register(vm, (uint64_t)key->u.num,
		    pv_item(value, 0), pv_item(value, 1));
	else if (pv_is_name(to, "copyreg._extension_cache") &&
	    key->kind == PV_INT)
		ok = pickle_register_value(vm, (uint64_t)key->u.num, value);
	else if (pv_is_name(to, "copyreg._extension_registry") &&
	    value->kind == PV_INT)
		ok = pickle_register(vm, (uint64_t)value->u.num,
		    pv_item(key, 0), pv_item(key, 1));
	return ok ? 0 : pickle_fail(vm, ANOMALY_LIMIT, op);
}

/* Each item, or pair of items, is an argument list of its own. */
static int
call_each(struct pickle_vm *vm, const struct pickle_op *op, struct pv *to,
    size_t from, size_t step, const char *method)
{
	struct pv *args;
	int r = 0;

	for (size_t i = from; i < vm->sp && r == 0; i += step) {
		if ((args = args_of(vm, vm->stack + i, step)) == NULL)
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		if (step == 2 && (r = pickle_set_item(vm, op, to, vm->stack[i],
		    vm->stack[i + 1])) != 0)
			return r;
		r = pickle_implicit(vm, op, to, method, args);
	}
	return r;
}

/* Must each item be looked at? */
static bool
is_special(const struct pickle_vm *vm, const struct pv *to,
    const char *method)
{
	return to->kind == PV_NAMESPACE || to->kind == PV_GLOBAL ||
	    to->kind == PV_MODULE ||
	    pickle_planted(vm, to, method, strlen(method)) != NULL;
}

/* list.extend wants one argument, if there is such a method. */
static int
extend(struct pickle_vm *vm, const struct pickle_op *op, struct pv *to,
    size_t from)
{
	struct pv *list, *args;

	if (pickle_planted(vm, to, "extend", 6) == NULL &&
	    pickle_planted(vm, to, "append", 6) != NULL)
		return call_each(vm, op, to, from, 1, "append");
	if ((list = pv_new(vm, PV_LIST)) == NULL || !add_all(vm, list, from) ||
	    (args = pv_one(vm, PV_TUPLE, list)) == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	return pickle_implicit(vm, op, to, "extend", args);
}

static int
fill(struct pickle_vm *vm, const struct pickle_op *op, size_t from,
    enum pv_kind kind, const char *method)
{
	size_t step = kind == PV_DICT ? 2 : 1;
	struct pv *to, *args;
	int r;

	if (from <= pickle_floor(vm))
		return underflow(vm, op);
	to = vm->stack[from - 1];
	if ((vm->sp - from) % step != 0)
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_ARGUMENT, op);
	if (from == vm->sp)
		return 0;	/* nothing, onto anything */
	if ((r = pickle_tell_fill(vm, to, vm->stack + from, vm->sp - from,
	    kind)) < 0)
		return r;
	if (to->kind == kind)
		r = add_all(vm, to, from) ? 0 :
		    pickle_fail(vm, ANOMALY_LIMIT, op);
	else if (to->kind < PV_GLOBAL || to->kind == PV_BUFFER)
		r = 0;	/* an exception, or a native item: nothing of ours */
	else if (strcmp(method, "extend") == 0)
		r = extend(vm, op, to, from);
	else if (is_special(vm, to, method))
		r = call_each(vm, op, to, from, step, method);
	else	/* told as one call: a thousand of them are one fact */
		r = (args = args_of(vm, vm->stack + from, vm->sp - from)) ==
		    NULL ? pickle_fail(vm, ANOMALY_LIMIT, op) :
		    pickle_implicit(vm, op, to, method, args);
	vm->sp = from;
	return r;
}

int
pickle_fill(struct pickle_vm *vm, const struct pickle_op *op)
{
	size_t at;

	if (op->code == 'a')
		return vm->sp < 1 ? underflow(vm, op) :
		    fill(vm, op, vm->sp - 1, PV_LIST, "append");
	if (op->code == 's')
		return vm->sp < 2 ? underflow(vm, op) :
		    fill(vm, op, vm->sp - 2, PV_DICT, "__setitem__");
	if (!pickle_pop_mark(vm, &at))
		return underflow(vm, op);
	if (op->code == 'e')
		return fill(vm, op, at, PV_LIST, "extend");
	if (op->code == 'u')
		return fill(vm, op, at, PV_DICT, "__setitem__");
	return fill(vm, op, at, PV_SET, "add");
}

/*
 * Attributes from a dict, set on something of the process: a class, a
 * function, a module.  Those of an instance stand in its state.
 */
static int
set_attributes(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *obj, const struct pv *dict)
{
	struct pv *name;
	int r = 0;

	for (size_t i = 0; dict->kind == PV_DICT && i + 1 < dict->n && r == 0;
	    i += 2) {
		name = dict->u.item[i];
		if (!pv_is_kept_text(name))
			continue;
		if (!pickle_plant(vm, obj, name->u.p, name->n,
		    dict->u.item[i + 1]))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		r = tell_setattr(vm, op, obj, name, dict->u.item[i + 1]);
	}
	return r;
}

static int
become_partial(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *obj, const struct pv *state)
{
	const struct pv *kw = pv_item(state, 2);
	struct pv *args = pv_tail(vm, state->u.item[1], 0);

	if (args == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	args->flags &= (uint8_t)~PV_KEYWORDS;
	if (kw != NULL && kw->kind == PV_DICT && kw->n > 0) {
		if (!pv_add(vm, args, state->u.item[2]))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		args->flags |= PV_KEYWORDS;
	}
	state->u.item[0]->flags |= PV_SHARED;
	obj->u.item[0] = state->u.item[0];
	obj->u.item[1] = args;
	return 0;
}

/* BUILD's second half, where there is no __setstate__. */
static int
set_state(struct pickle_vm *vm, const struct pickle_op *op, struct pv *obj,
    struct pv *state)
{
	const struct pv *dict = state, *slots = NULL;
	int r;

	/* (func, args, keywords, dict): another function from now on. */
	if (obj->kind == PV_PARTIAL && state->kind == PV_TUPLE &&
	    state->n >= 2 && state->u.item[1]->kind == PV_TUPLE)
		return become_partial(vm, op, obj, state);
	if (obj->kind == PV_CALL && obj->n >= 2) {
		obj->flags |= PV_STATE;
		return obj->n < 2 + STATES_MAX && pv_add(vm, obj, state) ? 0 :
		    pickle_fail(vm, ANOMALY_LIMIT, op);
	}
	if (obj->kind != PV_GLOBAL && obj->kind != PV_MODULE)
		return 0;
	if (state->kind == PV_TUPLE && state->n == 2) {
		dict = state->u.item[0];
		slots = state->u.item[1];
	}
	if ((r = set_attributes(vm, op, obj, dict)) != 0 || slots == NULL)
		return r;
	return set_attributes(vm, op, obj, slots);
}

int
pickle_build(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pv *state, *obj, *args;
	int r;

	if ((state = pickle_pop(vm)) == NULL ||
	    (obj = pickle_top(vm)) == NULL)
		return underflow(vm, op);
	if ((args = pv_one(vm, PV_TUPLE, state)) == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	state->flags |= PV_SHARED;
	if ((r = pickle_implicit(vm, op, obj, "__setstate__", args)) != 0 ||
	    (r = set_state(vm, op, obj, state)) != 0)
		return r;
	return pickle_joblib(vm, op);
}
