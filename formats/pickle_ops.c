#include <string.h>

#include "base/err.h"
#include "base/reader.h"
#include "formats/pickle_vm.h"

/*
 * What each opcode does to the machine, grouped by kind.  A handler returns
 * PICKLE_GO, PICKLE_END (told) or negative.
 */
static int
underflow(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_PICKLE_UNDERFLOW, op);
}

static int
bad_argument(struct pickle_vm *vm, const struct pickle_op *op)
{
	return pickle_fail(vm, ANOMALY_PICKLE_BAD_ARGUMENT, op);
}

/* The result of a text reader. */
static int
push_read(struct pickle_vm *vm, const struct pickle_op *op, int r,
    struct pv *v)
{
	if (r == ERR_FORMAT)
		return bad_argument(vm, op);
	if (r == ERR_NOMEM)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	return r < 0 ? r : pickle_push(vm, v, op);
}

static int
push_int(struct pickle_vm *vm, const struct pickle_op *op, int64_t v,
    bool boolean)
{
	struct pv *p = pv_int(vm, v);

	if (p != NULL && boolean)
		p->kind = PV_BOOL;
	return pickle_push(vm, p, op);
}

static int
push_long(struct pickle_vm *vm, const struct pickle_op *op)
{
	int64_t v = 0;

	if (op->n > 8 || op->p == NULL)
		return pickle_push(vm, pv_text(vm, PV_LONG, op->p,
		    (size_t)op->num), op);
	for (size_t i = op->n; i-- > 0;)
		v = (int64_t)((uint64_t)v << 8 | op->p[i]);
	/* Two's complement, little endian: extend the sign. */
	if (op->n > 0 && op->n < 8 && (op->p[op->n - 1] & 0x80) != 0)
		v -= (int64_t)1 << (8 * op->n);
	return push_int(vm, op, v, false);
}

static int
push_float(struct pickle_vm *vm, const struct pickle_op *op, double d)
{
	struct pv *v = pv_new(vm, PV_FLOAT);

	if (v != NULL)
		v->u.real = d;
	return pickle_push(vm, v, op);
}

static int
do_number(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *v = NULL;
	char *end;
	double d;
	int r;

	switch (op->code) {
	case 'I':
	case 'L':
		r = pickle_text_int(vm, op, op->code == 'L', &v);
		return push_read(vm, op, r, v);
	case 'F':
		d = strtod((const char *)op->p, &end);
		/* C reads up to a NUL and wants all of that. */
		if (end == (const char *)op->p || *end != '\0')
			return bad_argument(vm, op);
		return push_float(vm, op, d);
	case 'G':
		return push_float(vm, op, op->real);
	case 'J':
		return push_int(vm, op, op->inum, false);
	case 'K':
	case 'M':
		return push_int(vm, op, (int64_t)op->num, false);
	case 0x88:
	case 0x89:
		return push_int(vm, op, op->code == 0x88, true);
	case 'N':
		return pickle_push(vm, pv_new(vm, PV_NONE), op);
	default:
		return push_long(vm, op);	/* LONG1, LONG4 */
	}
}

static int
do_text(struct pickle_vm *vm, struct pickle_op *op)
{
	enum pv_kind kind = PV_STR;
	struct pv *v = NULL;
	int r;

	if (op->code == 'S' || op->code == 'V') {
		r = op->code == 'S' ? pickle_text_string(vm, op, &v) :
		    pickle_text_unicode(vm, op, &v);
		return push_read(vm, op, r, v);
	}
	if (op->code == 'B' || op->code == 'C' || op->code == 0x8e)
		kind = PV_BYTES;
	else if (op->code == 0x96)
		kind = PV_BYTEARRAY;
	return pickle_push(vm, pv_text(vm, kind, op->p, op->p != NULL ?
	    op->n : (size_t)op->num), op);
}

static int
do_empty(struct pickle_vm *vm, const struct pickle_op *op)
{
	enum pv_kind kind = op->code == ']' ? PV_LIST : op->code == '}' ?
	    PV_DICT : op->code == ')' ? PV_TUPLE : PV_SET;

	return pickle_push(vm, pv_new(vm, kind), op);
}

/* LIST, TUPLE, DICT, FROZENSET: everything above the mark. */
static int
do_collect(struct pickle_vm *vm, const struct pickle_op *op)
{
	enum pv_kind kind = op->code == 'l' ? PV_LIST : op->code == 't' ?
	    PV_TUPLE : op->code == 'd' ? PV_DICT : PV_FROZENSET;
	size_t at;

	if (!pickle_pop_mark(vm, &at))
		return underflow(vm, op);
	if (kind == PV_DICT && (vm->sp - at) % 2 != 0)
		return bad_argument(vm, op);
	return pickle_push(vm, pv_of_stack(vm, kind, at), op);
}

static int
do_tuple(struct pickle_vm *vm, const struct pickle_op *op)
{
	size_t n = (size_t)(op->code - 0x84);

	if (vm->sp - (vm->marks > 0 ? vm->mark[vm->marks - 1] : 0) < n)
		return underflow(vm, op);
	return pickle_push(vm, pv_of_stack(vm, PV_TUPLE, vm->sp - n), op);
}

static bool
add_all(struct pickle_vm *vm, struct pv *to, size_t from)
{
	for (size_t i = from; i < vm->sp; i++)
		if (!pv_add(vm, to, vm->stack[i]))
			return false;
	return true;
}

/*
 * APPEND(S), SETITEM(S), ADDITEMS onto what lies below: its own kind of
 * container takes them, anything else has a method called.
 */
static int
fill(struct pickle_vm *vm, const struct pickle_op *op, size_t from,
    enum pv_kind kind, const char *method)
{
	struct pv *args, *result;
	size_t floor = vm->marks > 0 ? vm->mark[vm->marks - 1] : 0;
	struct pv *to;
	int r = 0;

	if (from <= floor)
		return underflow(vm, op);
	to = vm->stack[from - 1];
	if (kind == PV_DICT && (vm->sp - from) % 2 != 0)
		return bad_argument(vm, op);
	if (from == vm->sp)
		return 0;	/* nothing, onto anything */
	if (to->kind == kind) {
		if (!add_all(vm, to, from))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
	} else {
		if ((args = pv_new(vm, PV_TUPLE)) == NULL ||
		    !add_all(vm, args, from))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		r = pickle_call(vm, op, to, method, args, &result);
	}
	vm->sp = from;
	return r;
}

static int
do_fill(struct pickle_vm *vm, const struct pickle_op *op)
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

static int
do_pop(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pv *v;
	size_t at;

	switch (op->code) {
	case '0':
		/* POP may take a MARK. */
		if (vm->marks > 0 && vm->mark[vm->marks - 1] == vm->sp) {
			vm->marks--;
			return 0;
		}
		return pickle_pop(vm) != NULL ? 0 : underflow(vm, op);
	case '1':
		if (!pickle_pop_mark(vm, &at))
			return underflow(vm, op);
		vm->sp = at;
		return 0;
	default:
		if ((v = pickle_top(vm)) == NULL)
			return underflow(vm, op);
		return pickle_push(vm, v, op);
	}
}

static int
do_memo(struct pickle_vm *vm, struct pickle_op *op)
{
	bool put = op->code == 'p' || op->code == 'q' || op->code == 'r';
	uint64_t i = op->num;
	struct pv *v;
	int r;

	if (op->code == 0x94)
		return pickle_memo_put(vm, vm->memo_count, pickle_top(vm),
		    op);
	if ((op->code == 'p' || op->code == 'g') &&
	    !pickle_text_index(vm, op, &i))
		return bad_argument(vm, op);
	if (put)
		return pickle_memo_put(vm, i, pickle_top(vm), op);
	if ((v = pickle_memo_get(vm, i)) == NULL) {
		r = pickle_fail(vm, ANOMALY_PICKLE_MEMO, op);
		return r;
	}
	return pickle_push(vm, v, op);
}

static int
do_global(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *name, *module, *v;
	int r;

	if (op->code == 'c') {
		if ((r = pickle_global(vm, op, op->p, op->n, op->p2, op->n2,
		    &v)) != 0)
			return r;
		return pickle_push(vm, v, op);
	}
	if ((name = pickle_pop(vm)) == NULL ||
	    (module = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if (name->kind == PV_STR && module->kind == PV_STR &&
	    name->u.p != NULL && module->u.p != NULL) {
		if ((r = pickle_global(vm, op,
		    (const uint8_t *)module->u.p, module->n,
		    (const uint8_t *)name->u.p, name->n, &v)) != 0)
			return r;
		return pickle_push(vm, v, op);
	}
	/* Computed names may be text when it runs; other constants cannot. */
	if (name->kind != PV_CALL && module->kind != PV_CALL)
		return bad_argument(vm, op);
	if ((r = format_anomaly(vm->p, ANOMALY_PICKLE_UNRESOLVED, op->off, 1,
	    NULL, 0)) < 0)
		return r;
	if ((v = pv_new(vm, PV_CALL)) == NULL || !pv_add(vm, v, module) ||
	    !pv_add(vm, v, name))
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	return pickle_push(vm, v, op);
}

static int
do_ext(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct fact facts[] = {FACT_NUM("code", op->num)};
	const struct pickle_ext *x;
	struct pv *v;
	int r;

	if (op->num == 0 || op->num > INT32_MAX)
		return bad_argument(vm, op);
	if ((r = format_anomaly(vm->p, ANOMALY_PICKLE_EXT, op->off,
	    op->end - op->off, facts, 1)) < 0)
		return r;
	for (x = vm->ext; x != NULL; x = x->next)
		if (x->code == op->num)
			return pickle_push(vm, x->global, op);
	/* A code of the loading process's own registry. */
	if ((v = pv_new(vm, PV_CALL)) == NULL ||
	    !pv_add(vm, v, pv_text(vm, PV_STR, "extension registry", 18)) ||
	    !pv_add(vm, v, pv_int(vm, (int64_t)op->num)))
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	return pickle_push(vm, v, op);
}

static int
call_and_push(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args)
{
	struct pv *result;
	int r;

	if (args == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((r = pickle_call(vm, op, callee, NULL, args, &result)) != 0)
		return r;
	return pickle_push(vm, result, op);
}

static int
do_call(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *callee, *args, *kw = NULL;
	size_t at;
	int r;

	if (op->code == 'i' || op->code == 'o') {
		if (!pickle_pop_mark(vm, &at))
			return underflow(vm, op);
		if (op->code == 'i') {
			if ((r = pickle_global(vm, op, op->p, op->n, op->p2,
			    op->n2, &callee)) != 0)
				return r;
		} else {
			if (at == vm->sp)
				return underflow(vm, op);
			callee = vm->stack[at];
		}
		args = pv_of_stack(vm, PV_TUPLE, at + (op->code == 'o'));
		vm->sp = at;
		return call_and_push(vm, op, callee, args);
	}
	if (op->code == 0x92 && (kw = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if ((args = pickle_pop(vm)) == NULL ||
	    (callee = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if (kw != NULL && kw->n > 0) {
		struct pv *both = pv_new(vm, PV_TUPLE);

		if (both == NULL || !pv_add(vm, both, args) ||
		    !pv_add(vm, both, kw))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		args = both;
	}
	return call_and_push(vm, op, callee, args);
}

static int
do_build(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *state, *obj, *args, *result;
	int r;

	if ((state = pickle_pop(vm)) == NULL ||
	    (obj = pickle_top(vm)) == NULL)
		return underflow(vm, op);
	if ((args = pv_new(vm, PV_TUPLE)) == NULL || !pv_add(vm, args, state))
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((r = pickle_call(vm, op, obj, "__setstate__", args,
	    &result)) != 0)
		return r;
	if (obj->kind == PV_CALL && obj->n == 2) {
		if (!pv_add(vm, obj, state))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		obj->state = true;
	}
	return pickle_joblib(vm, op);
}

static int
do_persid(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *id, *v;
	int r;

	if (op->code == 'P')
		id = pv_text(vm, PV_STR, op->p, op->n);
	else if ((id = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if (id == NULL || (v = pv_new(vm, PV_PERSID)) == NULL ||
	    !pv_add(vm, v, id))
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if (vm->hooks == NULL)
		r = format_anomaly(vm->p, ANOMALY_PICKLE_PERSID, op->off, 1,
		    NULL, 0);
	else
		r = vm->hooks->persid != NULL ?
		    vm->hooks->persid(vm->hooks->ctx, id, op->off) : 0;
	return r < 0 ? r : pickle_push(vm, v, op);
}

static int
do_buffer(struct pickle_vm *vm, const struct pickle_op *op)
{
	int r;

	if (op->code == 0x98)	/* READONLY_BUFFER: of what is on top */
		return pickle_top(vm) != NULL ? 0 : underflow(vm, op);
	if ((r = format_anomaly(vm->p, ANOMALY_PICKLE_BUFFER, op->off, 1,
	    NULL, 0)) < 0)
		return r;
	return pickle_push(vm, pv_new(vm, PV_BUFFER), op);
}

static int
do_proto(struct pickle_vm *vm, const struct pickle_op *op)
{
	if (op->code == 0x80) {
		if (op->num > 5)
			return bad_argument(vm, op);
		vm->proto = (unsigned)op->num;
		return 0;
	}
	if (op->num > reader_left(vm->r))
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	vm->frame_end = op->end + op->num;
	return 0;
}

/* A dispatcher: one line an opcode, longer than a function should be. */
int
pickle_step(struct pickle_vm *vm, struct pickle_op *op)
{
	switch (op->code) {
	case 'I': case 'L': case 'F': case 'G': case 'J': case 'K': case 'M':
	case 'N': case 0x88: case 0x89: case 0x8a: case 0x8b:
		return do_number(vm, op);
	case 'S': case 'T': case 'U': case 'V': case 'X': case 'B': case 'C':
	case 0x8c: case 0x8d: case 0x8e: case 0x96:
		return do_text(vm, op);
	case ']': case '}': case ')': case 0x8f:
		return do_empty(vm, op);
	case 'l': case 't': case 'd': case 0x91:
		return do_collect(vm, op);
	case 0x85: case 0x86: case 0x87:
		return do_tuple(vm, op);
	case 'a': case 'e': case 's': case 'u': case 0x90:
		return do_fill(vm, op);
	case '0': case '1': case '2':
		return do_pop(vm, op);
	case 'p': case 'q': case 'r': case 'g': case 'h': case 'j': case 0x94:
		return do_memo(vm, op);
	case 'c': case 0x93:
		return do_global(vm, op);
	case 0x82: case 0x83: case 0x84:
		return do_ext(vm, op);
	case 'R': case 'i': case 'o': case 0x81: case 0x92:
		return do_call(vm, op);
	case 'b':
		return do_build(vm, op);
	case 'P': case 'Q':
		return do_persid(vm, op);
	case 0x97: case 0x98:
		return do_buffer(vm, op);
	case 0x80: case 0x95:
		return do_proto(vm, op);
	default:
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_OPCODE, op);
	}
}
