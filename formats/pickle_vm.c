#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pickle_vm.h"

/*
 * The machine: an object stack, a stack of marks (indexes into it), and the
 * memo.  The memo is dense up to a bound that grows with its entries; a
 * write at 2^31 costs a list node, not memory.
 */
struct pickle_sparse {
	struct pickle_sparse *next;
	uint64_t i;
	struct pv *v;
};

struct pickle_vm *
pickle_vm_new(struct parse *p, struct reader *r, const struct pickle_hooks *h)
{
	struct pickle_vm *vm = arena_alloc(p->arena, sizeof(*vm));

	if (vm == NULL) {
		(void)err_set(p->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	if ((vm->w = arena_alloc(p->arena, sizeof(*vm->w))) == NULL) {
		(void)err_set(p->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	vm->p = p;
	vm->r = r;
	vm->hooks = h;
	return vm;
}

/* Tell why the pickle ends here. */
int
pickle_fail(struct pickle_vm *vm, enum anomaly id, const struct pickle_op *op)
{
	const char *name = pickle_opinfo(op->code)->name;
	struct fact facts[1];
	int r;

	err_reset(vm->p->e);
	vm->broke = op->off + 1;
	if (name != NULL)
		facts[0] = (struct fact)FACT_TEXT("opcode", name,
		    strlen(name));
	else
		facts[0] = (struct fact)FACT_NUM("byte", op->code);
	r = format_anomaly(vm->p, id, op->off, op->end - op->off, facts, 1);
	return r < 0 ? r : PICKLE_END;
}

static bool
grow(struct pickle_vm *vm, void **p, size_t *cap, size_t n, size_t size,
    size_t max)
{
	size_t want = *cap == 0 ? 64 : *cap;
	void *q;

	while (want <= n)
		want *= 2;
	if (want > max || (q = arena_array(vm->p->arena, want, size)) == NULL)
		return false;
	if (*cap > 0)
		memcpy(q, *p, *cap * size);
	*p = q;
	*cap = want;
	return true;
}

int
pickle_push(struct pickle_vm *vm, struct pv *v, const struct pickle_op *op)
{
	void *p = vm->stack;

	if (v == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if (vm->sp == vm->stack_cap) {
		if (!grow(vm, &p, &vm->stack_cap, vm->sp, sizeof(v),
		    2 * LIMIT_PICKLE_STACK))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		vm->stack = p;
	}
	vm->stack[vm->sp++] = v;
	return 0;
}

/* What lies below the topmost mark cannot be popped. */
size_t
pickle_floor(const struct pickle_vm *vm)
{
	return vm->marks > 0 ? vm->mark[vm->marks - 1] : 0;
}

struct pv *
pickle_pop(struct pickle_vm *vm)
{
	return vm->sp > pickle_floor(vm) ? vm->stack[--vm->sp] : NULL;
}

struct pv *
pickle_top(const struct pickle_vm *vm)
{
	return vm->sp > pickle_floor(vm) ? vm->stack[vm->sp - 1] : NULL;
}

bool
pickle_pop_mark(struct pickle_vm *vm, size_t *at)
{
	if (vm->marks == 0)
		return false;
	*at = vm->mark[--vm->marks];
	return true;
}

static int
push_mark(struct pickle_vm *vm, const struct pickle_op *op)
{
	void *p = vm->mark;

	if (vm->marks == vm->mark_cap) {
		if (!grow(vm, &p, &vm->mark_cap, vm->marks, sizeof(size_t),
		    2 * LIMIT_PICKLE_STACK))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		vm->mark = p;
	}
	vm->mark[vm->marks++] = vm->sp;
	return 0;
}

static struct pickle_sparse *
find_sparse(const struct pickle_vm *vm, uint64_t i)
{
	struct pickle_sparse *s;

	for (s = vm->sparse; s != NULL && s->i != i; s = s->next)
		;
	return s;
}

int
pickle_memo_put(struct pickle_vm *vm, uint64_t i, struct pv *v,
    const struct pickle_op *op)
{
	struct pickle_sparse *s;
	void *p = vm->memo;

	if (v == NULL)
		return pickle_fail(vm, ANOMALY_PICKLE_UNDERFLOW, op);
	v->flags |= PV_SHARED;
	if (i >= vm->memo_cap && i < 4 * vm->memo_count + 4096) {
		if (!grow(vm, &p, &vm->memo_cap, (size_t)i, sizeof(v),
		    2 * LIMIT_PICKLE_MEMO))
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		vm->memo = p;
	}
	if (i < vm->memo_cap && (vm->sparse == NULL ||
	    find_sparse(vm, i) == NULL)) {
		vm->memo_count += vm->memo[i] == NULL;
		vm->memo[i] = v;
		return 0;
	}
	if ((s = find_sparse(vm, i)) == NULL) {
		if ((s = arena_alloc(vm->p->arena, sizeof(*s))) == NULL)
			return pickle_fail(vm, ANOMALY_LIMIT, op);
		s->i = i;
		s->next = vm->sparse;
		vm->sparse = s;
		vm->memo_count++;
	}
	s->v = v;
	return 0;
}

struct pv *
pickle_memo_get(const struct pickle_vm *vm, uint64_t i)
{
	const struct pickle_sparse *s;

	if (i < vm->memo_cap && vm->memo[i] != NULL)
		return vm->memo[i];
	return (s = find_sparse(vm, i)) != NULL ? s->v : NULL;
}

static int
stop(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct fact facts[] = {FACT_NUM("values", vm->sp),
	    FACT_NUM("marks", vm->marks)};
	int r;

	if (vm->marks > 0 || (vm->result = pickle_pop(vm)) == NULL) {
		/* C pops what lies on top, above an open mark. */
		if (vm->sp == 0)
			return pickle_fail(vm, ANOMALY_PICKLE_UNDERFLOW, op);
		vm->result = vm->stack[--vm->sp];
	}
	if (vm->sp == 0 && vm->marks == 0)
		return PICKLE_STOP;
	r = format_anomaly(vm->p, ANOMALY_PICKLE_LEFTOVER, op->off, 1, facts,
	    2);
	return r < 0 ? r : PICKLE_STOP;
}

static int
run(struct pickle_vm *vm)
{
	struct pickle_op op;
	int r;

	for (;;) {
		if ((r = pickle_read_op(vm, &op)) != PICKLE_GO)
			return r;
		if (++vm->w->ops > LIMIT_PICKLE_OPS)
			return pickle_fail(vm, ANOMALY_LIMIT, &op);
		if (op.code == '.')
			return stop(vm, &op);
		r = op.code == '(' ? push_mark(vm, &op) :
		    pickle_step(vm, &op);
		if (r != PICKLE_GO)
			return r;
	}
}

int
pickle_run_one(struct pickle_vm *vm, unsigned stream,
    const struct pv **result)
{
	int r;

	vm->sp = vm->marks = 0;
	vm->memo = NULL;
	vm->memo_cap = vm->memo_count = 0;
	vm->sparse = NULL;
	vm->proto = (vm->flags & CALL_CARVED) != 0 ? 4 : 0;
	vm->stream = stream;
	vm->frame_end = 0;
	vm->start = reader_tell(vm->r);
	vm->result = NULL;
	if ((r = run(vm)) < 0)
		return r;
	*result = vm->result;
	return r == PICKLE_STOP ? 0 : 1;
}
