#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/pickle_vm.h"

/*
 * Globals and calls as events.
 *
 * A global is a value "module.name".  Below PROTO 3 python-2 names are
 * mapped as fix_imports does; from PROTO 4 on dots in the name walk
 * attributes, below it they are part of a name that does not exist, which we
 * tell all the same.
 */
static const struct {
	const char *from, *to;
	bool whole;		/* "module.name", or a module */
} compat[] = {
#define COMPAT_NAME(from, to) {from, to, true},
#define COMPAT_MODULE(from, to) {from, to, false},
#include "formats/pickle_compat.def"
#undef COMPAT_NAME
#undef COMPAT_MODULE
};

bool
pickle_compat(const char *module, const char *name, const char **ret,
    bool *whole)
{
	size_t m = strlen(module);

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < sizeof(compat) / sizeof(compat[0]);
		    i++) {
			const char *from = compat[i].from;

			if (compat[i].whole != (pass == 0))
				continue;
			if (pass == 0 ? strncmp(from, module, m) != 0 ||
			    from[m] != '.' || strcmp(from + m + 1, name) != 0 :
			    strcmp(from, module) != 0)
				continue;
			*ret = compat[i].to;
			*whole = pass == 0;
			return true;
		}
	return false;
}

/* "module.name" in the arena, after mapping. */
static struct pv *
make_global(struct pickle_vm *vm, const char *module, const char *name)
{
	const char *to, *dot;
	bool whole = false;
	struct pv *v;
	char *dotted;
	size_t mn;

	if (vm->proto < 3 && pickle_compat(module, name, &to, &whole)) {
		if (whole) {
			dot = strrchr(to, '.');
			mn = dot != NULL ? (size_t)(dot - to) : strlen(to);
			if ((v = pv_text(vm, PV_GLOBAL, to, strlen(to))) !=
			    NULL)
				v->split = (uint32_t)mn;
			return v;
		}
		module = to;
	}
	mn = strlen(module);
	if ((dotted = arena_alloc(vm->p->arena, mn + strlen(name) + 2)) ==
	    NULL)
		return NULL;
	(void)snprintf(dotted, mn + strlen(name) + 2, "%s.%s", module, name);
	if ((v = pv_text(vm, PV_GLOBAL, dotted, strlen(dotted))) != NULL)
		v->split = (uint32_t)mn;
	return v;
}

int
pickle_global(struct pickle_vm *vm, const struct pickle_op *op,
    const uint8_t *module, size_t mn, const uint8_t *name, size_t nn,
    struct pv **ret)
{
	struct ev_global ev = {0};
	struct pv *v;

	/* A name is UTF-8 without NUL, or the import fails. */
	if (memchr(module, 0, mn) != NULL || memchr(name, 0, nn) != NULL ||
	    mn > 4096 || nn > 4096)
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_ARGUMENT, op);
	v = make_global(vm, arena_dup(vm->p->arena, module, mn),
	    arena_dup(vm->p->arena, name, nn));
	if (v == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	ev.module = v->u.p;
	ev.module_len = v->split;
	ev.name = v->u.p + v->split + 1;
	ev.name_len = v->n - v->split - 1;
	ev.off = op->off;
	ev.opcode = pickle_opinfo(op->code)->name;
	ev.resolved = true;
	*ret = v;
	return format_global(vm->p, &ev);
}

static unsigned
shape_of(const struct pv *args)
{
	static const unsigned shapes[] = {
	    [PV_NONE] = ARGS_NUMBER, [PV_BOOL] = ARGS_NUMBER,
	    [PV_INT] = ARGS_NUMBER, [PV_LONG] = ARGS_NUMBER,
	    [PV_FLOAT] = ARGS_NUMBER, [PV_STR] = ARGS_TEXT,
	    [PV_BYTES] = ARGS_BYTES, [PV_BYTEARRAY] = ARGS_BYTES,
	    [PV_TUPLE] = ARGS_CONTAINER, [PV_LIST] = ARGS_CONTAINER,
	    [PV_DICT] = ARGS_CONTAINER, [PV_SET] = ARGS_CONTAINER,
	    [PV_FROZENSET] = ARGS_CONTAINER, [PV_GLOBAL] = ARGS_GLOBAL,
	    [PV_CALL] = ARGS_CALL, [PV_PERSID] = ARGS_PERSID,
	    [PV_BUFFER] = ARGS_BYTES};
	unsigned shape = 0;

	if (args->kind != PV_TUPLE)
		return ARGS_UNKNOWN;
	for (size_t i = 0; i < args->n; i++)
		shape |= shapes[args->u.item[i]->kind];
	return args->n == 0 ? ARGS_NONE : shape;
}

/*
 * What is called: of an instance its class; what is itself the result of a
 * call is shown as it was computed.
 */
static void
name_callee(struct buf *b, const struct pv *callee, const char *method,
    bool *resolved)
{
	const struct pv *v = callee;

	*resolved = false;
	/* An instance: the class that made it answers for its methods. */
	if (method != NULL && v->kind == PV_CALL && v->n > 0 &&
	    v->u.item[0]->kind == PV_GLOBAL)
		v = v->u.item[0];
	if (v->kind == PV_GLOBAL) {
		*resolved = true;
		text_put(b, v->u.p, v->n, TEXT_PLAIN);
	} else {
		pickle_render(b, v);
	}
	if (method != NULL)
		buf_printf(b, ".%s", method);
}

/* copyreg.add_extension(module, name, code): remembered for EXT opcodes. */
static int
note_extension(struct pickle_vm *vm, const struct pv *callee,
    const struct pv *args)
{
	const struct pv *m = pv_item(args, 0), *n = pv_item(args, 1);
	const struct pv *c = pv_item(args, 2);
	struct pickle_ext *x;

	if (callee->kind != PV_GLOBAL || callee->n != 21 ||
	    memcmp(callee->u.p, "copyreg.add_extension", 21) != 0 ||
	    m == NULL || n == NULL || c == NULL || m->kind != PV_STR ||
	    n->kind != PV_STR || c->kind != PV_INT || m->u.p == NULL ||
	    n->u.p == NULL)
		return 0;
	if ((x = arena_alloc(vm->p->arena, sizeof(*x))) == NULL ||
	    (x->global = make_global(vm, m->u.p, n->u.p)) == NULL)
		return ERR_NOMEM;
	x->code = (uint64_t)c->u.num;
	x->next = vm->ext;
	vm->ext = x;
	return 0;
}

/* Native containers take a state and items without calling anything. */
static bool
is_native(const struct pv *v)
{
	return v->kind < PV_GLOBAL || v->kind == PV_BUFFER;
}

int
pickle_call(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, const char *method, struct pv *args, struct pv **ret)
{
	struct ev_call ev = {0};
	struct buf name, text;
	struct pv *v;
	int r;

	if ((v = pv_new(vm, PV_CALL)) == NULL || !pv_add(vm, v, callee) ||
	    !pv_add(vm, v, args) || note_extension(vm, callee, args) < 0)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	*ret = v;
	if (method != NULL && is_native(callee))
		return 0;
	buf_init(&name, LIMIT_RENDER);
	buf_init(&text, LIMIT_RENDER);
	name_callee(&name, callee, method, &ev.resolved);
	pickle_render_args(&text, args);
	ev.args_cut = buf_failed(&text) < 0;
	ev.callee = name.p != NULL ? (const char *)name.p : "";
	ev.callee_len = name.len;
	ev.args = text.p != NULL ? (const char *)text.p : "";
	ev.args_len = text.len;
	ev.off = op->off;
	ev.opcode = pickle_opinfo(op->code)->name;
	ev.index = vm->calls++;
	ev.stream = vm->stream;
	ev.shape = shape_of(args);
	r = format_call(vm->p, &ev);
	buf_release(&name);
	buf_release(&text);
	return r;
}
