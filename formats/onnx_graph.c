#include "base/err.h"
#include "formats/onnx.h"

/*
 * Names to values.  In each scope a name is defined once: by an initialiser,
 * an input (of old models with an initialiser as its default), or an output
 * of a node.  A nested graph sees the names of the graphs around it, a
 * training graph those of the model's.
 *
 * A second definition is where readers differ: one keeps the first, another
 * the last, a third refuses.  An initialiser that nothing uses is room in the
 * file; when its bytes are none that a model computes with, it is more.
 */
static uint32_t
define(struct onnx *o, uint32_t scope, uint32_t name, bool *fresh)
{
	struct onnx_pair *pair;
	struct onnx_value *v;

	pair = onnx_pair(o, ONNX_PAIR_VALUE, scope, name, fresh);
	if (!*fresh)
		return pair->value;
	v = onnx_add(o, &o->values, &pair->value);
	v->name = name;
	v->scope = scope;
	v->dist = UINT8_MAX;
	return pair->value;
}

static int
define_tensors(struct onnx *o)
{
	bool fresh;
	int r;

	for (uint32_t i = 1; i < o->tensors.count; i++) {
		const struct onnx_tensor *t = onnx_at(&o->tensors, i);
		uint32_t v;

		if (!t->initializer)
			continue;
		v = define(o, t->scope, t->name, &fresh);
		if (!fresh && !o->full && (r = onnx_tell_name(o,
		    ANOMALY_ONNX_DEFINED_TWICE, t->at, "initializer",
		    t->name)) < 0)
			return r;
		ONNX_AT(onnx_value, &o->values, v)->tensor = i;
	}
	return 0;
}

static int
define_inputs(struct onnx *o, uint32_t scope)
{
	const struct onnx_scope *s = onnx_at(&o->scopes, scope);
	const struct onnx_edge *e;
	bool fresh;
	int r;

	for (uint32_t i = s->in.first; i != 0; i = e->next) {
		struct onnx_value *v;

		e = onnx_at(&o->edges, i);
		v = onnx_at(&o->values, define(o, scope, e->name, &fresh));
		if (v->input && !o->full && (r = onnx_tell_name(o,
		    ANOMALY_ONNX_DEFINED_TWICE, 0, "input", e->name)) < 0)
			return r;
		v->input = true;
		v->type = e->type;
		v->rank = e->rank;
		v->single = e->single;
	}
	return 0;
}

static int
define_outputs(struct onnx *o, uint32_t node)
{
	const struct onnx_node *n = onnx_at(&o->nodes, node);
	struct onnx_edge *e;
	uint32_t out = 0;
	bool fresh;
	int r;

	for (uint32_t i = n->out.first; i != 0; i = e->next, out++) {
		struct onnx_value *v;

		e = onnx_at(&o->edges, i);
		if (e->name == 0)
			continue;	/* an output that is not wanted */
		e->value = define(o, n->scope, e->name, &fresh);
		v = onnx_at(&o->values, e->value);
		if (!fresh && !o->full && (r = onnx_tell_name(o,
		    ANOMALY_ONNX_DEFINED_TWICE, n->off, "output",
		    e->name)) < 0)
			return r;
		v->node = node;
		v->out = out;
	}
	return 0;
}

uint32_t
onnx_lookup(const struct onnx *o, uint32_t scope, uint32_t name)
{
	uint32_t v;

	for (unsigned i = 0; i <= LIMIT_PB_DEPTH && scope != 0; i++) {
		const struct onnx_scope *s = onnx_at(&o->scopes, scope);

		if ((v = onnx_find(o, ONNX_PAIR_VALUE, scope, name)) != 0)
			return v;
		scope = s->training && scope != o->main_scope ?
		    o->main_scope : s->parent;
	}
	return 0;
}

static void
use(struct onnx *o, uint32_t scope, uint32_t first)
{
	struct onnx_edge *e;

	for (uint32_t i = first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		if (e->name != 0)
			e->value = onnx_lookup(o, scope, e->name);
		ONNX_AT(onnx_value, &o->values, e->value)->used = true;
	}
}

static int
check_unused(struct onnx *o, const struct onnx_tensor *t)
{
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "initializer", t->name),
	    FACT_NUM("length", t->len)};
	int payload = onnx_is_payload(o, t);

	if (payload < 0)
		return payload;
	return onnx_tell(o, payload ? ANOMALY_ONNX_UNUSED_BYTES :
	    ANOMALY_ONNX_UNUSED, payload ? t->off : t->at, payload ?
	    t->len : 0, facts, 2);
}

static int
find_unused(struct onnx *o)
{
	int r = 0;

	for (uint32_t i = 1; i < o->tensors.count && r >= 0; i++) {
		const struct onnx_tensor *t = onnx_at(&o->tensors, i);
		uint32_t v;

		if (!t->initializer)
			continue;
		v = onnx_find(o, ONNX_PAIR_VALUE, t->scope, t->name);
		if (!ONNX_AT(onnx_value, &o->values, v)->used &&
		    onnx_find(o, ONNX_PAIR_NAMED, 0, t->name) == 0)
			r = check_unused(o, t);
	}
	return r;
}

int
onnx_graphs(struct onnx *o)
{
	int r;

	if ((r = onnx_domains(o)) < 0 || (r = define_tensors(o)) < 0)
		return r;
	for (uint32_t i = 1; i < o->scopes.count; i++)
		if ((r = define_inputs(o, i)) < 0)
			return r;
	for (uint32_t i = 1; i < o->nodes.count; i++)
		if ((r = define_outputs(o, i)) < 0)
			return r;
	for (uint32_t i = 1; i < o->nodes.count; i++) {
		const struct onnx_node *n = onnx_at(&o->nodes, i);

		use(o, n->scope, n->in.first);
	}
	for (uint32_t i = 1; i < o->scopes.count; i++) {
		const struct onnx_scope *s = onnx_at(&o->scopes, i);

		use(o, i, s->out.first);
	}
	/* Then some uses may be missing. */
	if (o->full || o->nomem)
		return 0;
	if ((r = find_unused(o)) < 0)
		return r;
	return onnx_flow(o);
}
