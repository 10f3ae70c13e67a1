#include <string.h>

#include "base/err.h"
#include "base/limits.h"
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
	return pickle_push(vm, pv_int(vm, v), op);
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
	double d;
	int r;

	switch (op->code) {
	case 'I':
	case 'L':
		r = pickle_text_int(vm, op, op->code == 'L', &v);
		return push_read(vm, op, r, v);
	case 'F':
		return pickle_text_float(op, &d) ? push_float(vm, op, d) :
		    bad_argument(vm, op);
	case 'G':
		return push_float(vm, op, op->real);
	case 'J':
		return pickle_push(vm, pv_int(vm, op->inum), op);
	case 'K':
	case 'M':
		return pickle_push(vm, pv_int(vm, (int64_t)op->num), op);
	case 0x88:
	case 0x89:
		return pickle_push(vm, pv_bool(vm, op->code == 0x88), op);
	case 'N':
		return pickle_push(vm, pv_empty(vm, PV_NONE), op);
	default:
		return push_long(vm, op);	/* LONG1, LONG4 */
	}
}

/*
 * A constant that is a whole pickle: examined, though nothing says that it is
 * loaded (what does is told by the loader's call).
 */
static int
embedded(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct pv bytes = {.kind = PV_BYTES, .n = op->n,
	    .u = {.p = (const char *)op->p}};
	struct cursor c;

	if (op->n < 8 || op->p == NULL || op->p[0] != 0x80 ||
	    op->p[op->n - 1] != '.')
		return 0;
	cursor_init(&c, op->p, op->n < FORMAT_HEAD ? op->n : FORMAT_HEAD, 0);
	return pickle_plausible(c, op->n) < 36 ? 0 : pickle_tell_stream(vm,
	    op, "constant", &bytes, "pickle", MEMBER_DORMANT);
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
	if ((r = embedded(vm, op)) != 0)
		return r;
	return pickle_push(vm, pv_text(vm, kind, op->p, op->p != NULL ?
	    op->n : (size_t)op->num), op);
}

static int
do_empty(struct pickle_vm *vm, const struct pickle_op *op)
{
	enum pv_kind kind = op->code == ']' ? PV_LIST : op->code == '}' ?
	    PV_DICT : PV_SET;

	if (op->code == ')')
		return pickle_push(vm, pv_empty(vm, PV_TUPLE), op);
	return pickle_push(vm, pv_new(vm, kind), op);
}

/* LIST, TUPLE, DICT, FROZENSET: everything above the mark. */
static int
do_collect(struct pickle_vm *vm, const struct pickle_op *op)
{
	enum pv_kind kind = op->code == 'l' ? PV_LIST : op->code == 't' ?
	    PV_TUPLE : op->code == 'd' ? PV_DICT : PV_FROZENSET;
	struct pv *v;
	size_t at, n;
	int r;

	if (!pickle_pop_mark(vm, &at))
		return underflow(vm, op);
	n = vm->sp - at;
	if (kind == PV_DICT && n % 2 != 0)
		return bad_argument(vm, op);
	if (vm->hooks == NULL || vm->hooks->fill == NULL ||
	    (kind == PV_TUPLE && n <= PV_KEEP))
		return pickle_push(vm, pv_of_stack(vm, kind, at), op);
	/* The stack keeps what is dropped from it until the next push. */
	for (size_t i = at; i < vm->sp; i++)
		vm->stack[i]->flags |= PV_SHARED;
	if ((v = pv_of_stack(vm, kind, at)) != NULL &&
	    (r = pickle_tell_fill(vm, v, vm->stack + at, n, kind)) < 0)
		return r;
	return pickle_push(vm, v, op);
}

static int
do_tuple(struct pickle_vm *vm, const struct pickle_op *op)
{
	size_t n = (size_t)(op->code - 0x84);

	if (vm->sp - pickle_floor(vm) < n)
		return underflow(vm, op);
	return pickle_push(vm, pv_of_stack(vm, PV_TUPLE, vm->sp - n), op);
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
		v->flags |= PV_SHARED;
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

/* A name is UTF-8 without NUL, or the import fails. */
static int
find_class(struct pickle_vm *vm, const struct pickle_op *op,
    const void *module, size_t mn, const void *name, size_t nn,
    struct pv **ret)
{
	struct pv *v;
	int r;

	if (memchr(module, 0, mn) != NULL || memchr(name, 0, nn) != NULL ||
	    mn > LIMIT_PICKLE_NAME || nn > LIMIT_PICKLE_NAME)
		return bad_argument(vm, op);
	if ((v = pickle_find_class(vm, module, mn, name, nn)) == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((r = pickle_tell_global(vm, op, v)) < 0)
		return r;
	*ret = v;
	return 0;
}

static int
do_global(struct pickle_vm *vm, struct pickle_op *op)
{
	struct pv *name, *module, *v, *find, *names;
	int r;

	if (op->code == 'c') {
		if ((r = find_class(vm, op, op->p, op->n, op->p2, op->n2,
		    &v)) != 0)
			return r;
		return pickle_push(vm, v, op);
	}
	if ((name = pickle_pop(vm)) == NULL ||
	    (module = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if (pv_is_kept_text(name) && pv_is_kept_text(module)) {
		if ((r = find_class(vm, op, module->u.p, module->n,
		    name->u.p, name->n, &v)) != 0)
			return r;
		return pickle_push(vm, v, op);
	}
	/* Computed names may be text when it runs; other constants cannot. */
	if (name->kind != PV_CALL && module->kind != PV_CALL)
		return bad_argument(vm, op);
	if ((r = format_anomaly(vm->p, ANOMALY_PICKLE_UNRESOLVED, op->off, 1,
	    NULL, 0)) < 0)
		return r;
	/* Told as the call that it is, when something calls what it gives. */
	find = pickle_resolve(vm, "pickle.Unpickler.find_class", 27);
	names = pv_pair(vm, PV_TUPLE, module, name);
	return pickle_push(vm, pv_pair(vm, PV_CALL, find, names), op);
}

static int
do_ext(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct fact facts[] = {FACT_NUM("code", op->num)};
	const struct pickle_ext *x;
	int r;

	if (op->num == 0 || op->num > INT32_MAX)
		return bad_argument(vm, op);
	if ((r = format_anomaly(vm->p, ANOMALY_PICKLE_EXT, op->off,
	    op->end - op->off, facts, 1)) < 0)
		return r;
	for (x = vm->w->ext; x != NULL; x = x->next)
		if (x->code == op->num) {
			r = pickle_tell_global(vm, op, x->global);
			return r < 0 ? r : pickle_push(vm, x->global, op);
		}
	/* A code of the loading process's own registry. */
	return pickle_push(vm, pv_pair(vm, PV_CALL,
	    pv_text(vm, PV_STR, "extension registry", 18),
	    pv_int(vm, (int64_t)op->num)), op);
}

static int
call_and_push(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args)
{
	struct pv *result = NULL;
	int r;

	if (args == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((r = pickle_apply(vm, op, callee, args, 0, &result)) != 0)
		return r;
	return pickle_push(vm, result, op);
}

/* INST, OBJ: the arguments lie above the mark. */
static int
do_inst(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pv *callee, *args;
	size_t at;
	int r;

	if (!pickle_pop_mark(vm, &at))
		return underflow(vm, op);
	if (op->code == 'i') {
		if ((r = find_class(vm, op, op->p, op->n, op->p2, op->n2,
		    &callee)) != 0)
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

static int
do_call(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pv *callee, *args, *kw = NULL;

	if (op->code == 0x92 && (kw = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	if ((args = pickle_pop(vm)) == NULL ||
	    (callee = pickle_pop(vm)) == NULL)
		return underflow(vm, op);
	/* The C unpickler wants a tuple and a dict. */
	if (kw != NULL && (kw->kind != PV_DICT || args->kind != PV_TUPLE))
		return bad_argument(vm, op);
	if (kw != NULL && kw->n > 0) {
		args = pv_tail(vm, args, 0);
		if (args == NULL || !pv_add(vm, args, kw))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		args->flags |= PV_KEYWORDS;
	}
	return call_and_push(vm, op, callee, args);
}

/*
 * ('module', class, file, source): how torch.save before 1.6 named classes of
 * modules, with their source to compare.  Its loader gives the class.
 */
static struct pv *
persistent_class(const struct pickle_vm *vm, const struct pv *id)
{
	if (vm->hooks == NULL || id->kind != PV_TUPLE || id->n != 4 ||
	    !pv_is_text(id->u.item[0], "module") ||
	    id->u.item[1]->kind != PV_GLOBAL)
		return NULL;
	id->u.item[1]->flags |= PV_SHARED;
	return id->u.item[1];
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
	if (id != NULL && (v = persistent_class(vm, id)) != NULL)
		return pickle_push(vm, v, op);
	if (id == NULL || (v = pv_one(vm, PV_PERSID, id)) == NULL)
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
	int r;

	if (op->code == 0x80) {
		if (op->num > 5)
			return bad_argument(vm, op);
		vm->proto = (unsigned)op->num;
		return 0;
	}
	/* A frame within the buffered one moves nothing. */
	if ((vm->flags & CALL_UNFRAMED) != 0 && op->end < vm->frame_end) {
		if (op->num <= vm->frame_end - op->end)
			return 0;
		if ((r = reader_seek(vm->r, vm->frame_end, vm->p->e)) < 0)
			return r;
	}
	if (op->num > reader_left(vm->r))
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	vm->frame_end = reader_tell(vm->r) + op->num;
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
		return pickle_fill(vm, op);
	case '0': case '1': case '2':
		return do_pop(vm, op);
	case 'p': case 'q': case 'r': case 'g': case 'h': case 'j': case 0x94:
		return do_memo(vm, op);
	case 'c': case 0x93:
		return do_global(vm, op);
	case 0x82: case 0x83: case 0x84:
		return do_ext(vm, op);
	case 'R': case 0x81: case 0x92:
		return do_call(vm, op);
	case 'i': case 'o':
		return do_inst(vm, op);
	case 'b':
		return pickle_build(vm, op);
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
