#include <string.h>

#include "base/err.h"
#include "formats/pickle_vm.h"

/*
 * Callables whose effect we know: one row each in pickle_known.def.
 *
 * eval_* give the value of a call, after_* tell what it makes others do.
 */
#define REDUCE_MAX 256

static int
full(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_LIMIT, op);
}

/* The value of an eval: NULL here means that the arena is full. */
static int
gives(struct pickle_vm *vm, const struct pickle_op *op, struct pv *v,
    struct pv **ret)
{
	if (v == NULL)
		return full(vm, op);
	v->flags |= PV_SHARED;
	*ret = v;
	return 0;
}

static int
eval_getattr(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *of = pv_arg(args, 0), *name = pv_arg(args, 1);

	(void)k;
	if (of == NULL || !pv_is_kept_text(name))
		return 0;
	return gives(vm, op, pickle_attr(vm, of, name->u.p, name->n), ret);
}

static int
eval_getitem(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *v = pickle_item(vm, pv_arg(args, 0), pv_arg(args, 1));

	(void)op;
	(void)k;
	if (v == NULL)
		return pickle_fold(vm, "operator.getitem", 16, args, ret);
	v->flags |= PV_SHARED;
	*ret = v;
	return 0;
}

static int
eval_getter(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	return gives(vm, op, pv_pair(vm, PV_GETTER, pickle_resolve(vm,
	    k->path, strlen(k->path)), args), ret);
}

static int
eval_partial(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *f = pv_arg(args, 0);

	(void)k;
	if (f == NULL)
		return 0;
	return gives(vm, op, pv_pair(vm, PV_PARTIAL, f, pv_tail(vm, args, 1)),
	    ret);
}

/* a: __import__, that gives the top package unless a list of names is. */
static int
eval_import(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *name = pv_arg(args, 0), *from = pv_arg(args, 3);
	const char *dot;
	size_t n;

	if (!pv_is_kept_text(name))
		return 0;
	n = name->n;
	if (k->a == 1 && (from == NULL || from->n == 0) &&
	    (dot = memchr(name->u.p, '.', n)) != NULL)
		n = (size_t)(dot - name->u.p);
	return gives(vm, op, pickle_module(vm, name->u.p, n), ret);
}

static int
eval_resolve(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *name = pv_arg(args, 0);

	(void)k;
	if (!pv_is_kept_text(name) || name->n == 0)
		return 0;
	return gives(vm, op, pickle_resolve(vm, name->u.p, name->n), ret);
}

/* (module, name): what "from module import name" gives. */
static int
eval_member(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *m = pv_arg(args, k->a), *name = pv_arg(args, k->b);

	if (!pv_is_kept_text(m) || !pv_is_kept_text(name))
		return 0;
	return gives(vm, op, pickle_find_class(vm, m->u.p, m->n, name->u.p,
	    name->n), ret);
}

static int
eval_path(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *of = pv_arg(args, k->a);
	const struct pv *name = pv_arg(args, k->b);

	if (of == NULL || !pv_is_kept_text(name))
		return 0;
	return gives(vm, op, pickle_path(vm, of, name->u.p, name->n), ret);
}

static int
eval_module_item(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *name = pv_arg(args, 0);

	(void)k;
	if (!pv_is_kept_text(name))
		return 0;
	return gives(vm, op, pickle_module(vm, name->u.p, name->n), ret);
}

static int
eval_vars(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *of = pv_arg(args, 0);

	(void)k;
	if (of == NULL || pickle_name_of(of) == NULL)
		return 0;
	return gives(vm, op, pv_one(vm, PV_NAMESPACE, of), ret);
}

static bool
is_code(const struct pv *v)
{
	static const char tail[] = ".__code__";
	const size_t n = sizeof(tail) - 1;

	return v->kind == PV_GLOBAL && v->n > n &&
	    memcmp(v->u.p + v->n - n, tail, n) == 0;
}

/* type(x): the class that made x. */
static int
eval_type(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *of = pv_arg(args, 0);

	(void)k;
	if (of == NULL || args->n != 1)
		return 0;
	if (is_code(of))
		return gives(vm, op, pickle_resolve(vm, "types.CodeType", 14),
		    ret);
	if (of->kind != PV_CALL)
		return 0;
	return gives(vm, op, of->u.item[0], ret);
}

/* type(name, bases, dict): methods that calling or filling it will find. */
static int
after_class(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *dict = pv_arg(args, 2);

	(void)k;
	for (size_t i = 0; dict != NULL && dict->kind == PV_DICT &&
	    i + 1 < dict->n; i += 2)
		if (pv_is_kept_text(dict->u.item[i]) && !pickle_plant(vm,
		    result, dict->u.item[i]->u.p, dict->u.item[i]->n,
		    dict->u.item[i + 1]))
			return full(vm, op);
	return 0;
}

/* The names of types' types; dill uses it for those of builtins too. */
static int
eval_builtin_type(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *name = pv_arg(args, 0);
	const char *of = "types";

	(void)k;
	if (!pv_is_kept_text(name) || name->n == 0)
		return 0;
	if (pv_is_text(name, "PartialType"))
		return gives(vm, op, pickle_resolve(vm, "functools.partial",
		    17), ret);
	if (name->u.p[0] >= 'a' && name->u.p[0] <= 'z')
		of = "builtins";
	return gives(vm, op, pickle_attr(vm, pickle_module(vm, of,
	    strlen(of)), name->u.p, name->n), ret);
}

static int
eval_first(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *v = pv_arg(args, 0);

	(void)k;
	return v == NULL || args->n != 1 ? 0 : gives(vm, op, v, ret);
}

/* next(iter(x)), max((x,)): the one element, or the first. */
static int
eval_element(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	const struct pv *of = pv_arg(args, 0);

	if (of == NULL || of->kind < PV_TUPLE || of->kind > PV_LIST ||
	    of->n == 0 || (k->a == 1 && of->n > 1))
		return 0;
	return gives(vm, op, of->u.item[0], ret);
}

static int
eval_fold(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	(void)op;
	return pickle_fold(vm, k->path, strlen(k->path), args, ret);
}

static int
eval_construct(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *cls = pv_arg(args, 0), *given;

	if (cls == NULL)
		return 0;
	given = k->b == 2 ? pv_tail(vm, args, 1) : pv_new(vm, PV_TUPLE);
	if (k->b == 1 && pv_arg(args, 1) != NULL &&
	    pv_arg(args, 1)->kind == PV_TUPLE)
		given = pv_arg(args, 1);
	return given == NULL ? full(vm, op) :
	    pickle_apply(vm, op, cls, given, 0, ret);
}

static int
eval_reduce(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret)
{
	struct pv *f = pv_arg(args, k->a), *seq = pv_arg(args, k->b);
	struct pv *acc = pv_arg(args, k->b + 1), *pair;
	size_t i = 0;
	int r;

	if (f == NULL || seq == NULL || (seq->kind != PV_LIST &&
	    seq->kind != PV_TUPLE) || seq->more > 0)
		return 0;
	if (acc == NULL && seq->n > 0)
		acc = seq->u.item[i++];
	for (; i < seq->n && i < REDUCE_MAX && acc != NULL; i++) {
		acc->flags |= PV_SHARED;
		seq->u.item[i]->flags |= PV_SHARED;
		if ((pair = pv_pair(vm, PV_TUPLE, acc, seq->u.item[i])) ==
		    NULL)
			return full(vm, op);
		if ((r = pickle_apply(vm, op, f, pair, CALL_DEFERRED,
		    &acc)) != 0)
			return r;
	}
	return acc == NULL ? 0 : gives(vm, op, acc, ret);
}

static int
after_register(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *code = pv_arg(args, 2);

	(void)k;
	(void)result;
	if (code == NULL || code->kind != PV_INT)
		return 0;
	return pickle_register(vm, (uint64_t)code->u.num, pv_arg(args, 0),
	    pv_arg(args, 1)) ? 0 : full(vm, op);
}

static int
after_setattr(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *name = pv_arg(args, 1);

	(void)k;
	(void)result;
	if (!pv_is_kept_text(name) || pv_arg(args, 2) == NULL)
		return 0;
	return pickle_plant(vm, pv_arg(args, 0), name->u.p, name->n,
	    pv_arg(args, 2)) ? 0 : full(vm, op);
}

#define WRAPS_MAX 6

static bool
is_buffer(const struct pv *v)
{
	return v->kind == PV_CALL && (pv_is_name(v->u.item[0], "io.BytesIO") ||
	    pv_is_name(v->u.item[0], "_io.BytesIO"));
}

/* GzipFile(None, 'rb', 9, BytesIO(...)): the argument that has the bytes. */
static const struct pv *
first_stream(const struct pv *args)
{
	for (size_t i = 0; args->kind == PV_TUPLE && i < args->n; i++)
		if (pv_is_kept_bytes(args->u.item[i]) ||
		    args->u.item[i]->kind == PV_CALL)
			return args->u.item[i];
	return pv_item(args, 0);
}

/*
 * The bytes behind what a loader is given: a constant, io.BytesIO of it, or
 * what we did not decompress: gzip.open(BytesIO(...)), bz2.decompress(...).
 * *packed: they are examined as what they are, not as the loader's format.
 */
static const struct pv *
stream_of(const struct pv *v, bool *packed)
{
	const struct pv *callee, *args;

	*packed = false;
	for (unsigned i = 0; i < WRAPS_MAX && v != NULL; i++) {
		if (pv_is_kept_bytes(v) || pv_is_kept_text(v))
			return v;
		if (v->kind != PV_CALL)
			return NULL;
		*packed |= !is_buffer(v);
		callee = v->u.item[0];
		args = v->u.item[1];
		/* x.read() */
		if (callee->kind == PV_METHOD)
			v = callee->u.item[0];
		else if ((args->flags & PV_KEYWORDS) != 0 && args->n == 1)
			v = pv_dict_get(args->u.item[0], "fileobj");
		else
			v = first_stream(args);
	}
	return NULL;
}

static int
after_stream(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	static const char *const formats[] = {"pickle", NULL, "marshal"};
	bool packed;
	const struct pv *bytes = stream_of(pv_arg(args, k->a), &packed);

	(void)result;
	return bytes == NULL ? 0 : pickle_tell_stream(vm, op, k->path, bytes,
	    packed ? NULL : formats[k->b], 0);
}

/* {...}.update(dict): each of its items. */
static int
update(struct pickle_vm *vm, const struct pickle_op *op, struct pv *self,
    const struct pv *dict)
{
	int r = 0;

	for (size_t i = 0; dict != NULL && dict->kind == PV_DICT &&
	    i + 1 < dict->n && r == 0; i += 2)
		r = pickle_set_item(vm, op, self, dict->u.item[i],
		    dict->u.item[i + 1]);
	return r;
}

/* operator.setitem(x, key, value) */
static int
after_setitem(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	(void)k;
	(void)result;
	return pv_arg(args, 2) == NULL ? 0 : pickle_set_item(vm, op,
	    pv_arg(args, 0), pv_arg(args, 1), pv_arg(args, 2));
}

/* sys.modules.update(dict), as a name of its own: a is what it is of. */
static int
after_update(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const char *dot = strrchr(k->path, '.');
	struct pv *of = pickle_resolve(vm, k->path, (size_t)(dot - k->path));

	(void)result;
	return of == NULL ? full(vm, op) : update(vm, op, of, pv_arg(args, 0));
}

#define eval_map pickle_callers_map
#define after_caller pickle_callers_plain
#define after_method_caller pickle_callers_method
#define after_keyword_caller pickle_callers_keyword
#define after_factory pickle_callers_factory
#define after_key pickle_callers_key
#define after_sentinel pickle_callers_sentinel
#define after_code pickle_code_after
#define eval_none NULL
#define after_none NULL
static const struct pickle_known rows[] = {
#define KNOWN(path, eval, after, a, b) \
	{path, eval_##eval, after_##after, a, b},
#include "formats/pickle_known.def"
#undef KNOWN
};

const struct pickle_known *
pickle_known_find(const char *path, size_t n)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].path) == n &&
		    memcmp(rows[i].path, path, n) == 0)
			return &rows[i];
	return NULL;
}

static bool
is_one_of(const char *p, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, p, n) == 0)
			return true;
	return false;
}

int
pickle_known_method(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *self, const char *name, size_t n, struct pv *args,
    struct pv **ret)
{
	static const char *const items[] = {"get", "__getitem__", "pop",
	    "setdefault", NULL};
	static const char *const attributes[] = {"__getattribute__",
	    "__getattr__", NULL};
	struct pv *planted = pickle_planted(vm, self, name, n), *v;
	const struct pv *what = pv_arg(args, 0);

	if (planted != NULL)
		return pickle_apply(vm, op, planted, args, 0, ret);
	/* type.__call__(f, x) */
	if (n == 8 && memcmp(name, "__call__", 8) == 0)
		return pickle_apply(vm, op, self, args, 0, ret);
	if (n == 6 && memcmp(name, "update", 6) == 0)
		return update(vm, op, self, what);
	if (n == 11 && memcmp(name, "__setitem__", 11) == 0 &&
	    args->n == 2)
		return pickle_set_item(vm, op, self, args->u.item[0],
		    args->u.item[1]);
	if (n == 3 && memcmp(name, "pop", 3) == 0 && what == NULL &&
	    self->kind == PV_LIST && self->n > 0)
		return gives(vm, op, self->u.item[self->n - 1], ret);
	if (is_one_of(name, n, items) && (v = pickle_item(vm, self,
	    what)) != NULL)
		return gives(vm, op, v, ret);
	/* object.__getattribute__(x, name): its self is the class. */
	if (is_one_of(name, n, attributes) && args->n == 2)
		return eval_getattr(vm, op, NULL, args, ret);
	if (is_one_of(name, n, attributes) && pv_is_kept_text(what))
		return gives(vm, op, pickle_attr(vm, self, what->u.p,
		    what->n), ret);
	return pickle_fold_method(vm, self, name, n, args, ret);
}
