#include "base/err.h"
#include "formats/onnx.h"

/*
 * What an operator makes of what its inputs depend on; see onnx_flow.c for
 * what the flags mean, and onnx_ops.def for the classes.
 */
#define NET_ALL 8		/* reduced along all axes */

struct onnx_value *
onnx_input(const struct onnx *o, const struct onnx_node *n, unsigned i)
{
	return onnx_nth(o, &n->in, i);
}

static uint32_t
index_of(const struct onnx *o, const struct onnx_node *n, unsigned i)
{
	uint32_t at = n->in.first;

	while (at != 0 && i-- > 0)
		at = ONNX_AT(onnx_edge, &o->edges, at)->next;
	return ONNX_AT(onnx_edge, &o->edges, at)->value;
}

static void
add(struct onnx_state *s, const struct onnx *o, uint32_t v)
{
	const struct onnx_value *x = onnx_at(&o->values, v);
	bool gate = (x->flags & ONNX_GATE) != 0;

	if ((x->flags & (ONNX_RAW | ONNX_GATE)) != 0 &&
	    (x->net > s->net || (s->flags & (ONNX_RAW | ONNX_GATE)) == 0))
		s->net = x->net;
	if ((gate && (s->flags & ONNX_GATE) == 0) ||
	    (s->from == 0 && (x->flags & ONNX_RAW) != 0))
		s->from = v;
	s->flags |= x->flags;
}

/* The inputs that hold data; *wide: a constant among them. */
static struct onnx_state
data_state(const struct onnx *o, const struct onnx_node *n, uint32_t *consts)
{
	struct onnx_state s = {0};
	const struct onnx_edge *e;
	unsigned k = 0;

	*consts = 0;
	for (uint32_t i = n->in.first; i != 0; i = e->next, k++) {
		e = onnx_at(&o->edges, i);
		if (n->data != 0 && k >= n->data)
			break;
		if (e->value == 0)
			continue;
		add(&s, o, e->value);
		if ((ONNX_AT(onnx_value, &o->values, e->value)->flags &
		    (ONNX_INPUT | ONNX_CONTROL)) == 0)
			*consts |= ONNX_AT(onnx_value, &o->values,
			    e->value)->flags | ONNX_SCALED;
	}
	return s;
}

/* The other inputs: indices, axes, a condition. */
static struct onnx_state
other_state(const struct onnx *o, const struct onnx_node *n, unsigned from)
{
	struct onnx_state s = {0};
	const struct onnx_edge *e;
	unsigned k = 0;

	for (uint32_t i = n->in.first; i != 0; i = e->next, k++) {
		e = onnx_at(&o->edges, i);
		if (k >= from && e->value != 0)
			add(&s, o, e->value);
	}
	return s;
}

/* The tensor that an input is, or NULL. */
static const struct onnx_tensor *
tensor_of(const struct onnx *o, const struct onnx_value *v)
{
	uint32_t t = v->tensor;

	if (t == 0 && v->node != 0)
		t = ONNX_AT(onnx_node, &o->nodes, v->node)->tensor;
	return t != 0 ? onnx_at(&o->tensors, t) : NULL;
}

/* How many axes a reduction or Unsqueeze has: an attribute or an input. */
static int
axes_of(const struct onnx *o, const struct onnx_node *n, int none)
{
	const struct onnx_tensor *t = tensor_of(o, onnx_input(o, n, 1));

	if (n->axes > 0)
		return n->axes < NET_ALL ? (int)n->axes : NET_ALL;
	if (t == NULL)
		return none;
	return t->elements < NET_ALL ? (int)t->elements : NET_ALL;
}

static bool
is_gate(uint32_t flags)
{
	return (flags & ONNX_GATE) != 0 && (flags & ONNX_HEAVY) == 0;
}

static void
to_gate(struct onnx_state *s, uint32_t more)
{
	if ((s->flags & ONNX_HEAVY) == 0 && (s->flags & ONNX_INPUT) != 0)
		s->flags = ONNX_GATE | more;
	else
		s->flags &= ONNX_HEAVY | ONNX_CONTROL;
}

/* Some values of the data, by indices. */
static void
pick(const struct onnx *o, const struct onnx_node *n, struct onnx_state *s,
    const struct onnx_state *by)
{
	const struct onnx_tensor *t = tensor_of(o, onnx_input(o, n, 0));

	if ((s->flags & (ONNX_INPUT | ONNX_CONTROL)) != 0) {
		s->net++;
		if ((s->flags & ONNX_HEAVY) == 0)
			s->flags |= by->flags & ONNX_INPUT;
		return;
	}
	if (is_gate(by->flags)) {
		s->flags = ONNX_GATE | ((s->flags & ONNX_WIDE) != 0 ?
		    ONNX_MIX : 0);
	} else if ((by->flags & ONNX_RAW) != 0) {
		/* A row for each token is an embedding, a number a table. */
		s->flags = t != NULL && t->rank <= 1 ? ONNX_GATE : ONNX_HEAVY;
	} else {
		s->flags |= by->flags & (ONNX_HEAVY | ONNX_CONTROL);
		return;
	}
	s->net = by->net;
	s->from = by->from;
}

static void
heavy(const struct onnx *o, const struct onnx_node *n, struct onnx_state *s,
    uint32_t consts)
{
	const struct onnx_tensor *t = tensor_of(o, onnx_input(o, n, 1));

	if ((s->flags & ONNX_HEAVY) != 0) {
		s->flags = ONNX_HEAVY;
		return;
	}
	if ((s->flags & ONNX_RAW) == 0) {
		if ((s->flags & ONNX_GATE) != 0 && (consts & ONNX_WIDE) != 0)
			s->flags |= ONNX_MIX;
	} else if (t != NULL && t->vector && t->elements > 1) {
		s->net++;
	} else {
		s->flags = ONNX_HEAVY;
	}
}

static void
select_one(const struct onnx *o, const struct onnx_node *n,
    struct onnx_state *s)
{
	const struct onnx_value *c = onnx_input(o, n, 0);
	const uint32_t kept = s->flags;

	*s = other_state(o, n, 1);
	if (is_gate(c->flags)) {
		if ((s->flags & (ONNX_RAW | ONNX_HEAVY)) == 0 &&
		    (s->flags & (ONNX_WIDE | ONNX_MIX)) != 0)
			s->flags |= ONNX_MIX;
		s->flags |= ONNX_GATE | (c->flags & ONNX_SOFT);
		if (s->net < c->net)
			s->net = c->net;
		s->from = index_of(o, n, 0);
	} else if ((s->flags & ONNX_INPUT) == 0) {
		s->flags |= kept;
		s->from = index_of(o, n, 0);
	}
}

static void
scatter(struct onnx_state *s)
{
	if (is_gate(s->flags) && (s->flags & ONNX_RAW) == 0)
		s->flags |= ONNX_MIX;
}

static void
shape(struct onnx_state *s)
{
	if ((s->flags & ONNX_DYNAMIC) == 0) {
		*s = (struct onnx_state){0};
		return;
	}
	s->flags &= ONNX_INPUT;
	s->net += NET_ALL;
}

/* A condition that decides which constant comes out. */
struct onnx_state
onnx_transfer_body(const struct onnx *o, const struct onnx_node *n,
    const struct onnx_value *out)
{
	struct onnx_state s = {0}, c = {0};
	const struct onnx_copy *copy;

	if (n->function != 0)
		return s;
	add(&c, o, index_of(o, n, 0));
	if (onnx_is(o, n->op, "Loop"))
		add(&c, o, index_of(o, n, 1));
	for (uint32_t i = out->back; i != 0; i = copy->next_back) {
		copy = onnx_at(&o->copies, i);
		add(&s, o, copy->from);
	}
	if (!is_gate(c.flags) || (s.flags & (ONNX_RAW | ONNX_HEAVY)) != 0)
		return (struct onnx_state){0};
	c.flags = ONNX_GATE | ((s.flags & (ONNX_WIDE | ONNX_MIX)) != 0 ?
	    ONNX_MIX : 0);
	return c;
}

/* Values that were combined value by value. */
static void
combine(struct onnx_state *s, uint32_t consts)
{
	if (!is_gate(s->flags))
		return;
	if ((consts & ONNX_WIDE) != 0)
		s->flags |= ONNX_MIX;
	if ((consts & ONNX_SCALED) != 0)
		s->flags |= ONNX_SCALED;
	s->flags &= ~(uint32_t)ONNX_WIDE;
}

struct onnx_state
onnx_transfer(const struct onnx *o, const struct onnx_node *n)
{
	uint32_t consts;
	struct onnx_state s = data_state(o, n, &consts), by;

	switch ((enum onnx_flow)n->flow) {
	case ONNX_FLOW_CHEAP:
	case ONNX_FLOW_MERGE:
		combine(&s, consts);
		break;
	case ONNX_FLOW_HEAVY:
		heavy(o, n, &s, consts);
		break;
	case ONNX_FLOW_COMPARE:
		to_gate(&s, 0);
		break;
	case ONNX_FLOW_SATURATE:
		if ((s.flags & ONNX_RAW) != 0 && s.net > 0)
			to_gate(&s, ONNX_SOFT);
		break;
	case ONNX_FLOW_CAST:
		if (n->arg == ONNX_BOOL && (s.flags & ONNX_RAW) != 0)
			to_gate(&s, 0);
		break;
	case ONNX_FLOW_REDUCE:
		s.net += axes_of(o, n, NET_ALL);
		s.flags &= ~(uint32_t)(ONNX_MIX | ONNX_WIDE);
		break;
	case ONNX_FLOW_REDUCE_ONE:
		s.net++;
		s.flags &= ~(uint32_t)(ONNX_MIX | ONNX_WIDE);
		break;
	case ONNX_FLOW_PICK:
		by = other_state(o, n, 1);
		pick(o, n, &s, &by);
		break;
	case ONNX_FLOW_UNSQUEEZE:
		if (s.net <= 0)
			s.net -= axes_of(o, n, 1);
		break;
	case ONNX_FLOW_SHAPE:
		shape(&s);
		break;
	case ONNX_FLOW_DYNAMIC:
		s.flags |= (s.flags & ONNX_INPUT) != 0 ? ONNX_DYNAMIC : 0;
		break;
	case ONNX_FLOW_CONST:
		s = (struct onnx_state){.flags = n->wide ? ONNX_WIDE : 0};
		break;
	case ONNX_FLOW_CONCAT:
		if ((s.flags & ONNX_HEAVY) != 0 && consts != 0)
			s.flags |= ONNX_PART;
		if (is_gate(s.flags) && consts != 0)
			s.flags |= ONNX_MIX;
		break;
	case ONNX_FLOW_WIDEN:
		if (is_gate(s.flags))
			s.flags |= ONNX_MIX;
		break;
	case ONNX_FLOW_SELECT:
		by = (struct onnx_state){0};
		add(&by, o, index_of(o, n, 0));
		s = by;
		select_one(o, n, &s);
		break;
	case ONNX_FLOW_SCATTER:
		scatter(&s);
		break;
	case ONNX_FLOW_BODY:
		break;
	}
	return s;
}

