#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pickle_vm.h"

/*
 * The machine: an object stack, a stack of marks (indexes into it), and the
 * memo.  The memo is dense up to a bound that grows with its entries; what is
 * written far above that goes into a tree of four levels, so that a write at
 * 2^32 - 1 costs four small tables, and a lookup costs the same wherever an
 * attacker puts things.
 */
#define FAR_BITS 8
#define FAR_LEVELS 4
#define MEMO_REFUSED (1U << 28)	/* 4 GiB for the memo alone */
#define FAR_MAX 16384		/* entries; each may cost 6 KiB */

struct pickle_sparse {
	void *slot[1 << FAR_BITS];
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

/* The slot of entry i, made if ${make}; NULL: not there, or no room. */
static struct pv **
far_slot(struct pickle_vm *vm, uint64_t i, bool make)
{
	struct pickle_sparse **at = &vm->sparse;
	unsigned shift = FAR_BITS * FAR_LEVELS;
	void **slot = NULL;

	if (i >> shift != 0)
		return NULL;
	while (shift > 0) {
		if (*at == NULL && (!make || (*at = arena_alloc(vm->p->arena,
		    sizeof(**at))) == NULL))
			return NULL;
		shift -= FAR_BITS;
		slot = &(*at)->slot[i >> shift & ((1U << FAR_BITS) - 1)];
		at = (struct pickle_sparse **)slot;
	}
	return (struct pv **)slot;
}

/*
 * C makes room for twice as many entries as the index says, and writes to
 * each: most hosts end the load there.  Those with memory enough go on, and
 * so do we.
 */
static int
put_far(struct pickle_vm *vm, uint64_t i, struct pv *v,
    const struct pickle_op *op)
{
	struct pv **slot = vm->far < FAR_MAX ? far_slot(vm, i, true) :
	    far_slot(vm, i, false);

	if (slot == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if (i >= MEMO_REFUSED && !vm->far_told) {
		vm->far_told = true;
		if (format_anomaly(vm->p, ANOMALY_PICKLE_BAD_ARGUMENT,
		    op->off, op->end - op->off, NULL, 0) < 0)
			return ERR_STOP;
	}
	if (*slot == NULL) {
		vm->memo_count++;
		vm->far++;
	}
	*slot = v;
	return 0;
}

int
pickle_memo_put(struct pickle_vm *vm, uint64_t i, struct pv *v,
    const struct pickle_op *op)
{
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
	/* What was far away once stays there. */
	if (i >= vm->memo_cap || (vm->sparse != NULL &&
	    far_slot(vm, i, false) != NULL &&
	    *far_slot(vm, i, false) != NULL))
		return put_far(vm, i, v, op);
	if (vm->memo[i] != NULL && vm->memo[i] != v && !vm->memo_told) {
		/* Readers that resolve names by the last writer go wrong. */
		vm->memo_told = true;
		if (format_anomaly(vm->p, ANOMALY_PICKLE_MEMO, op->off, 1,
		    NULL, 0) < 0)
			return ERR_STOP;
	}
	vm->memo_count += vm->memo[i] == NULL;
	vm->memo[i] = v;
	return 0;
}

struct pv *
pickle_memo_get(struct pickle_vm *vm, uint64_t i)
{
	struct pv **slot;

	if (i < vm->memo_cap && vm->memo[i] != NULL)
		return vm->memo[i];
	return (slot = far_slot(vm, i, false)) != NULL ? *slot : NULL;
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
	vm->far = 0;
	vm->memo_told = vm->far_told = false;
	vm->proto = (vm->flags & CALL_CARVED) != 0 ? 4 : 0;
	vm->stream = stream;
	vm->frame_end = 0;
	vm->start = reader_tell(vm->r);
	vm->result = NULL;
	if ((r = run(vm)) < 0)
		return r;
	*result = vm->result;
	if (r != PICKLE_STOP)
		return 1;
	return vm->nesting > 0 || vm->hooks == NULL ||
	    vm->hooks->result == NULL ? 0 :
	    vm->hooks->result(vm->hooks->ctx, vm->result, stream);
}
