#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * What every value of the model depends on: a set of flags that only grows,
 * computed until nothing changes.
 *
 *	RAW	from the content of an input, through operators that have no
 *		weights (moving, picking, arithmetic with constants,
 *		reductions, a product with one vector: a checksum)
 *	GATE	a truth value: RAW compared with something, or looked up, or
 *		cast to BOOL, and whatever is computed from that and constants
 *	HEAVY	from an input through weights; it absorbs the others, so a mask
 *		that meets the main path is gone
 *
 * net counts axes reduced less axes added before, since "any of these tokens"
 * (one axis added, one reduced) asks about each element and "this picture has
 * that corner" about the whole.  Taking a part counts as one axis.
 *
 * The size of a value is not its content: Shape is a constant, unless the size
 * itself depends on content (NonZero, Compress, Unique).  Inputs of a single
 * element are controls (a sample rate, a flag), not content.
 *
 * Each value goes into the queue when its state changed, at most as often as
 * it has flags.  A node is looked at when any of its inputs changes: nodes of
 * a hundred thousand inputs could make that slow, so the work has a limit.
 */
#define NET_MAX 100

struct flow {
	struct onnx *o;
	uint32_t *start, *list;	/* nodes that use value v: list[start[v]..) */
	uint32_t *queue;
	uint8_t *queued;
	uint32_t head, count;
	uint64_t work;
};

static void
push(struct flow *f, uint32_t v)
{
	const uint32_t size = f->o->values.count;

	if (f->queued[v])
		return;
	f->queued[v] = 1;
	f->queue[(f->head + f->count++) % size] = v;
}

/* The state of ${v} with that of ${s} added. */
static void
grow(struct flow *f, uint32_t v, const struct onnx_state *s)
{
	struct onnx_value *x = onnx_at(&f->o->values, v);
	uint32_t flags = x->flags | s->flags;
	int net = s->net > NET_MAX ? NET_MAX : s->net < -NET_MAX ?
	    -NET_MAX : s->net;
	bool first = (x->flags & (ONNX_RAW | ONNX_GATE)) == 0;

	if (v == 0)
		return;
	if ((flags & ONNX_HEAVY) != 0)
		flags &= ONNX_HEAVY | ONNX_PART | ONNX_DYNAMIC | ONNX_CONTROL;
	/* Nothing is taken back: what HEAVY absorbed was a flag already. */
	if ((flags & ~(uint32_t)x->flags) == 0 && net <= x->net)
		return;
	if ((s->flags & ONNX_GATE & ~(uint32_t)x->flags) != 0 ||
	    x->from == 0)
		x->from = s->from;
	x->flags = (uint16_t)flags;
	if (net > x->net || first)
		x->net = (int8_t)net;
	push(f, v);
}

static void
visit(struct flow *f, uint32_t node)
{
	struct onnx *o = f->o;
	const struct onnx_node *n = onnx_at(&o->nodes, node);
	struct onnx_state s = {0};
	const struct onnx_edge *e;

	f->work += n->in.count + n->out.count;
	if (n->flow != ONNX_FLOW_BODY)
		s = onnx_transfer(o, n);
	for (uint32_t i = n->out.first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		if (n->flow == ONNX_FLOW_BODY)
			s = onnx_transfer_body(o, n,
			    onnx_at(&o->values, e->value));
		grow(f, e->value, &s);
	}
}

static void
settle(struct flow *f)
{
	struct onnx *o = f->o;

	while (f->count > 0 && f->work < LIMIT_ONNX_FLOW) {
		const uint32_t v = f->queue[f->head];
		const struct onnx_value *x = onnx_at(&o->values, v);
		const struct onnx_state s = {x->flags, x->net, v};
		const struct onnx_copy *c;

		f->head = (f->head + 1) % o->values.count;
		f->count--;
		f->queued[v] = 0;
		for (uint32_t i = x->copy; i != 0; i = c->next) {
			c = onnx_at(&o->copies, i);
			grow(f, c->to, &s);
		}
		for (uint32_t i = f->start[v]; i < f->start[v + 1]; i++)
			visit(f, f->list[i]);
	}
}

/* Which nodes use each value: counted, then placed. */
static bool
index_uses(struct flow *f)
{
	struct onnx *o = f->o;
	const uint32_t values = o->values.count, edges = o->edges.count;
	const struct onnx_edge *e;
	uint32_t sum = 0, n;

	f->start = arena_array(o->p->arena, values + 2, sizeof(uint32_t));
	f->list = arena_array(o->p->arena, edges, sizeof(uint32_t));
	f->queue = arena_array(o->p->arena, values, sizeof(uint32_t));
	f->queued = arena_array(o->p->arena, values, 1);
	if (f->start == NULL || f->list == NULL || f->queue == NULL ||
	    f->queued == NULL)
		return false;
	for (uint32_t k = 1; k < o->nodes.count; k++)
		for (uint32_t i = ONNX_AT(onnx_node, &o->nodes, k)->in.first;
		    i != 0; i = e->next) {
			e = onnx_at(&o->edges, i);
			f->start[e->value]++;
		}
	for (uint32_t v = 0; v < values + 1; v++) {
		n = f->start[v];
		f->start[v] = sum += n;
	}
	f->start[values + 1] = sum;
	for (uint32_t k = 1; k < o->nodes.count; k++)
		for (uint32_t i = ONNX_AT(onnx_node, &o->nodes, k)->in.first;
		    i != 0; i = e->next) {
			e = onnx_at(&o->edges, i);
			f->list[--f->start[e->value]] = k;
		}
	return true;
}

/* What a value is before anything is computed. */
static int
begin(struct flow *f, uint32_t v)
{
	struct onnx *o = f->o;
	struct onnx_value *x = onnx_at(&o->values, v);
	struct onnx_state s = {0};
	int wide;

	if (x->tensor != 0) {
		if ((wide = onnx_is_wide(o, onnx_at(&o->tensors,
		    x->tensor))) < 0)
			return wide;
		s.flags = wide ? ONNX_WIDE : 0;
	} else if (x->input && x->scope == o->main_scope) {
		s.flags = x->rank == 0 || (x->single && x->rank <= 1) ?
		    ONNX_CONTROL : ONNX_RAW;
	} else if (x->input && x->back == 0) {
		s.flags = ONNX_HEAVY;	/* nobody says what goes in */
	}
	grow(f, v, &s);
	return 0;
}

static int
prepare(struct onnx *o, struct onnx_node *n)
{
	const struct onnx_op *op = onnx_op(o, n->op);
	int wide;

	n->flow = ONNX_FLOW_HEAVY;
	if (n->function != 0) {
		n->flow = ONNX_FLOW_BODY;
	} else if (op != NULL) {
		n->flow = op->flow;
		n->data = op->data;
	}
	if (n->flow == ONNX_FLOW_HEAVY)
		ONNX_AT(onnx_scope, &o->scopes, n->scope)->heavy = true;
	if (n->flow == ONNX_FLOW_CONST && n->tensor != 0) {
		if ((wide = onnx_is_wide(o, onnx_at(&o->tensors,
		    n->tensor))) < 0)
			return wide;
		n->wide = n->wide || (wide && onnx_is(o, n->op, "Constant"));
	}
	return 0;
}

int
onnx_flow(struct onnx *o)
{
	struct flow f = {.o = o};
	int r;

	if ((r = onnx_bodies(o)) < 0)
		return r;
	if (!index_uses(&f))
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 1; i < o->nodes.count; i++)
		if ((r = prepare(o, onnx_at(&o->nodes, i))) < 0)
			return r;
	for (uint32_t v = 1; v < o->values.count; v++)
		if ((r = begin(&f, v)) < 0)
			return r;
	for (uint32_t i = 1; i < o->nodes.count; i++)
		visit(&f, i);
	settle(&f);
	if (f.count > 0) {
		o->full = true;
		return 0;
	}
	return onnx_triggers(o);
}
