#include "base/err.h"
#include "formats/pickle_vm.h"

/*
 * Callables that call what they are given, now or later: map, atexit.register,
 * threads.  What they make is told as calls of their own, CALL_DEFERRED.
 * Iterators count as consumed: whether something consumes them depends on the
 * reader, and no writer makes one for nothing.
 */
#define EACH_MAX 64	/* elements of an iterable that are followed */

static int
full(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_LIMIT, op);
}

static bool
can_be_called(const struct pv *f)
{
	return f != NULL && f->kind >= PV_GLOBAL && f->kind <= PV_CALL;
}

static bool
is_iterable(const struct pv *v)
{
	return v != NULL && v->kind >= PV_TUPLE && v->kind <= PV_FROZENSET;
}

static int
call_with(struct pickle_vm *vm, const struct pickle_op *op, struct pv *f,
    struct pv *args)
{
	struct pv *ignored;

	return args == NULL ? full(vm, op) :
	    pickle_apply(vm, op, f, args, CALL_DEFERRED, &ignored);
}

/* f(x, y, ...) for each x of argument k, y of k + 1, ... */
static int
call_on_each(struct pickle_vm *vm, const struct pickle_op *op, struct pv *f,
    const struct pv *args, size_t k, bool unpack)
{
	const struct pv *first = pv_item(args, k);
	struct pv *one;
	int r = 0;

	/* What is iterated over is not known: it is called all the same. */
	if (!is_iterable(first))
		return call_with(vm, op, f, pv_tail(vm, args, k));
	for (size_t i = 0; i < first->n && i < EACH_MAX && r == 0;
	    i += first->kind == PV_DICT ? 2 : 1) {
		first->u.item[i]->flags |= PV_SHARED;
		if (unpack && first->u.item[i]->kind == PV_TUPLE) {
			r = call_with(vm, op, f, first->u.item[i]);
			continue;
		}
		one = pv_one(vm, PV_TUPLE, first->u.item[i]);
		for (size_t j = k + 1; j < args->n && one != NULL &&
		    (args->flags & PV_KEYWORDS) == 0; j++) {
			const struct pv *it = args->u.item[j];

			if (is_iterable(it) && i < it->n &&
			    !pv_add(vm, one, it->u.item[i]))
				one = NULL;
		}
		r = call_with(vm, op, f, one);
	}
	return r;
}

int
pickle_callers_plain(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	struct pv *f = pv_arg(args, k->a), *given;
	size_t at = k->b % 10;

	(void)result;
	if (!can_be_called(f))
		return 0;
	switch (k->b / 10) {
	case 0:
		return call_with(vm, op, f, pv_tail(vm, args, k->a + 1));
	case 1:
		given = pv_arg(args, at);
		return call_with(vm, op, f, given != NULL &&
		    given->kind == PV_TUPLE ? given : pv_tail(vm, args, at));
	case 2:
		return call_on_each(vm, op, f, args, at, false);
	case 3:
		return call_with(vm, op, f, pv_arg(args, at));
	case 5:
		return call_with(vm, op, f, pv_one(vm, PV_TUPLE,
		    pv_arg(args, at)));
	case 6:
		return call_on_each(vm, op, f, args, at, true);
	default:
		return call_with(vm, op, f, pv_new(vm, PV_TUPLE));
	}
}

/* threading.Thread(group, target, name, args), or by keywords. */
int
pickle_callers_keyword(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *kw = (args->flags & PV_KEYWORDS) != 0 ?
	    pv_item(args, args->n - 1) : NULL, *named;
	struct pv *f = pv_arg(args, k->a), *given = pv_arg(args, k->a + 2);

	(void)result;
	for (size_t i = 0; kw != NULL && kw->kind == PV_DICT &&
	    i + 1 < kw->n; i += 2) {
		named = kw->u.item[i];
		if (pv_is_text(named, "target"))
			f = kw->u.item[i + 1];
		else if (pv_is_text(named, "args"))
			given = kw->u.item[i + 1];
	}
	if (!can_be_called(f))
		return 0;
	return call_with(vm, op, f, given != NULL && given->kind == PV_TUPLE ?
	    given : pv_new(vm, PV_TUPLE));
}

/* defaultdict(f): f() for the first key that is missing. */
int
pickle_callers_factory(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	struct pv *f = pv_arg(args, k->a);

	(void)result;
	return can_be_called(f) ? call_with(vm, op, f,
	    pv_new(vm, PV_TUPLE)) : 0;
}

/* max(x, key=f), sorted(x, key=f): f of each element. */
int
pickle_callers_key(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *kw = (args->flags & PV_KEYWORDS) != 0 ?
	    pv_item(args, args->n - 1) : NULL;

	(void)k;
	(void)result;
	for (size_t i = 0; kw != NULL && kw->kind == PV_DICT &&
	    i + 1 < kw->n; i += 2)
		if (pv_is_text(kw->u.item[i], "key") &&
		    can_be_called(kw->u.item[i + 1]))
			return call_on_each(vm, op, kw->u.item[i + 1], args,
			    0, false);
	return 0;
}

/* iter(f, sentinel): f() until it gives the sentinel. */
int
pickle_callers_sentinel(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	struct pv *f = pv_arg(args, 0);

	(void)k;
	(void)result;
	return args->n == 2 && can_be_called(f) ? call_with(vm, op, f,
	    pv_new(vm, PV_TUPLE)) : 0;
}

/* _wrapfunc(x, name, ...): x.name(...) */
int
pickle_callers_method(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	struct pv *of = pv_arg(args, 0), *f;
	const struct pv *name = pv_arg(args, 1);

	(void)k;
	(void)result;
	if (of == NULL || !pv_is_kept_text(name))
		return 0;
	if ((f = pickle_attr(vm, of, name->u.p, name->n)) == NULL)
		return full(vm, op);
	return call_with(vm, op, f, pv_tail(vm, args, 2));
}

/* map(chr, (111, 115)): the values, when a pure function gives them all. */
int
pickle_callers_map(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *f = pv_arg(args, 0), *of = pv_arg(args, 1);
	struct pv *list, *one, *v;
	int r;

	(void)k;
	if (f == NULL || f->kind != PV_GLOBAL || args->n != 2 ||
	    !is_iterable(of) || of->kind == PV_DICT || of->n > PV_KEEP ||
	    of->more > 0)
		return 0;
	if ((list = pv_new(vm, PV_LIST)) == NULL)
		return full(vm, op);
	for (size_t i = 0; i < of->n; i++) {
		v = NULL;
		of->u.item[i]->flags |= PV_SHARED;
		if ((one = pv_one(vm, PV_TUPLE, of->u.item[i])) == NULL)
			return full(vm, op);
		if ((r = pickle_fold(vm, f->u.p, f->n, one, &v)) != 0)
			return r;
		if (v == NULL)
			return 0;
		if (!pv_add(vm, list, v))
			return full(vm, op);
	}
	*ret = list;
	return 0;
}
