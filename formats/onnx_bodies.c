#include "base/err.h"
#include "formats/onnx.h"

/*
 * Graphs inside of nodes, and functions, as part of one flow: a value that
 * goes in or comes out is a copy of another.
 *
 *	If	then_branch, else_branch: outputs -> outputs
 *	Loop	body: (iteration, condition, state...) ->
 *		(condition, state..., scan...)
 *	Scan	body: (state..., scan...) -> (state..., scan...)
 *	call	inputs -> inputs of the function, and its outputs -> outputs
 *
 * A function has one body however often it is called, so what one call puts
 * in is seen at the outputs of all.
 */
struct onnx_value *
onnx_nth(const struct onnx *o, const struct onnx_list *l, unsigned i)
{
	uint32_t at = l->first;

	while (at != 0 && i-- > 0)
		at = ONNX_AT(onnx_edge, &o->edges, at)->next;
	return onnx_at(&o->values,
	    ONNX_AT(onnx_edge, &o->edges, at)->value);
}

static void
copy(struct onnx *o, uint32_t from, uint32_t to)
{
	struct onnx_copy *c;
	uint32_t i;

	if (from == 0 || to == 0)
		return;
	c = onnx_add(o, &o->copies, &i);
	if (i == 0)
		return;
	*c = (struct onnx_copy){from, to,
	    ONNX_AT(onnx_value, &o->values, from)->copy,
	    ONNX_AT(onnx_value, &o->values, to)->back};
	ONNX_AT(onnx_value, &o->values, from)->copy = i;
	ONNX_AT(onnx_value, &o->values, to)->back = i;
}

/* Pair by pair, each list from its own beginning. */
static void
copy_lists(struct onnx *o, const struct onnx_list *from, unsigned skip_from,
    const struct onnx_list *to, unsigned skip_to)
{
	uint32_t a = from->first, b = to->first;

	for (; a != 0 && skip_from > 0; skip_from--)
		a = ONNX_AT(onnx_edge, &o->edges, a)->next;
	for (; b != 0 && skip_to > 0; skip_to--)
		b = ONNX_AT(onnx_edge, &o->edges, b)->next;
	while (a != 0 && b != 0) {
		const struct onnx_edge *x = onnx_at(&o->edges, a);
		const struct onnx_edge *y = onnx_at(&o->edges, b);

		copy(o, x->value, y->value);
		a = x->next;
		b = y->next;
	}
}

static void
body(struct onnx *o, const struct onnx_node *n, const struct onnx_scope *s)
{
	if (onnx_is(o, n->op, "If")) {
		copy_lists(o, &s->out, 0, &n->out, 0);
	} else if (onnx_is(o, n->op, "Loop")) {
		copy_lists(o, &n->in, 2, &s->in, 2);
		copy_lists(o, &s->out, 1, &s->in, 2);
		copy_lists(o, &s->out, 1, &n->out, 0);
	} else if (onnx_is(o, n->op, "Scan") ||
	    onnx_is(o, n->op, "SequenceMap")) {
		copy_lists(o, &n->in, 0, &s->in, 0);
		copy_lists(o, &s->out, 0, &n->out, 0);
	}
}

/* The inputs of graphs and functions are values of their scope. */
static void
find_inputs(struct onnx *o, uint32_t scope)
{
	const struct onnx_scope *s = onnx_at(&o->scopes, scope);
	struct onnx_edge *e;

	for (uint32_t i = s->in.first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		e->value = onnx_find(o, ONNX_PAIR_VALUE, scope, e->name);
	}
}

int
onnx_bodies(struct onnx *o)
{
	for (uint32_t i = 1; i < o->scopes.count; i++)
		find_inputs(o, i);
	for (uint32_t i = 1; i < o->scopes.count; i++) {
		const struct onnx_scope *s = onnx_at(&o->scopes, i);

		if (s->node != 0)
			body(o, onnx_at(&o->nodes, s->node), s);
	}
	for (uint32_t i = 1; i < o->nodes.count; i++) {
		const struct onnx_node *n = onnx_at(&o->nodes, i);
		const struct onnx_function *fn = onnx_at(&o->functions,
		    n->function);
		const struct onnx_scope *s = onnx_at(&o->scopes, fn->scope);

		if (n->function == 0)
			continue;
		copy_lists(o, &n->in, 0, &s->in, 0);
		copy_lists(o, &s->out, 0, &n->out, 0);
	}
	return o->nomem ? err_set(o->p->e, ERR_NOMEM, "out of memory") : 0;
}
