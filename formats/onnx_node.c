#include <string.h>

#include "base/err.h"
#include "formats/onnx.h"

/*
 * Graphs, functions, nodes and attributes as they are read: entries in the
 * tables, in the order of the file.  What names mean is settled afterwards
 * (onnx_graph.c), since a graph may come before what it refers to.
 *
 * "ai.onnx" is another spelling of the empty domain: both are name 0.
 */
static uint32_t
plain_domain(const struct onnx *o, uint32_t domain)
{
	return onnx_is(o, domain, "ai.onnx") ? 0 : domain;
}

/* A second ModelProto.graph is merged into the first by the wire's rules. */
static int
graph_begin(struct onnx *o, const struct onnx_frame *up,
    struct onnx_frame *f)
{
	struct onnx_scope *s;

	if (up->id == ONNX_MODEL && o->main_scope != 0) {
		f->scope = o->main_scope;
		return 0;
	}
	s = onnx_add(o, &o->scopes, &f->scope);
	if (f->scope == 0)
		return 0;
	s->parent = up->id == ONNX_ATTRIBUTE ? up->scope : 0;
	s->training = up->id == ONNX_TRAINING;
	if (up->id == ONNX_MODEL)
		o->main_scope = f->scope;
	if (up->id == ONNX_ATTRIBUTE && (up - 1)->id == ONNX_NODE)
		s->node = (up - 1)->u.node.index;
	return 0;
}

static int
graph_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	if (up->id != ONNX_ATTRIBUTE || f->scope == 0)
		return 0;
	/* Its name may come later: chained until the attribute ends. */
	ONNX_AT(onnx_scope, &o->scopes, f->scope)->next = up->u.attribute.scopes;
	up->u.attribute.scopes = f->scope;
	return 0;
}

const struct onnx_row onnx_row_graph = {NULL, graph_begin, NULL, graph_end};

static int
node_begin(struct onnx *o, const struct onnx_frame *up, struct onnx_frame *f)
{
	struct onnx_node *n = onnx_add(o, &o->nodes, &f->u.node.index);

	(void)up;
	*n = (struct onnx_node){.scope = f->scope, .off = f->off};
	f->u.node.embed = 1;
	return 0;
}

static int
node_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	struct onnx_node *n = onnx_at(&o->nodes, f->u.node.index);
	uint32_t name;
	int r;

	if (w->number == ONNX_NODE_DOC)
		return 0;
	if ((r = onnx_intern_field(o, w, &name)) < 0)
		return r;
	switch (w->number) {
	case ONNX_NODE_INPUT:
		(void)onnx_append(o, &n->in, name);
		break;
	case ONNX_NODE_OUTPUT:
		(void)onnx_append(o, &n->out, name);
		break;
	case ONNX_NODE_NAME:
		n->name = name;
		break;
	case ONNX_NODE_OP:
		n->op = f->u.node.op = name;
		break;
	case ONNX_NODE_DOMAIN:
		n->domain = f->u.node.domain = plain_domain(o, name);
		break;
	default:
		n->overload = name;
		break;
	}
	return 0;
}

static int
node_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	(void)up;
	return onnx_check_op(o, f);
}

const struct onnx_row onnx_row_node = {NULL, node_begin, node_field,
    node_end};

/* AttributeProto.AttributeType of the fields that hold a value. */
static unsigned
kind_of(uint32_t number)
{
	static const uint8_t kinds[32] = {[ONNX_ATTRIBUTE_F] = 1,
	    [ONNX_ATTRIBUTE_I] = 2, [ONNX_ATTRIBUTE_S] = 3,
	    [ONNX_ATTRIBUTE_T] = 4, [ONNX_ATTRIBUTE_G] = 5,
	    [ONNX_ATTRIBUTE_FLOATS] = 6, [ONNX_ATTRIBUTE_INTS] = 7,
	    [ONNX_ATTRIBUTE_STRINGS] = 8, [ONNX_ATTRIBUTE_TENSORS] = 9,
	    [ONNX_ATTRIBUTE_GRAPHS] = 10, [ONNX_ATTRIBUTE_SPARSE] = 11,
	    [ONNX_ATTRIBUTE_SPARSES] = 12, [ONNX_ATTRIBUTE_TP] = 13,
	    [ONNX_ATTRIBUTE_TPS] = 14};

	return kinds[number];
}

static int
take_ints(struct onnx *o, struct onnx_frame_attribute *a,
    const struct pb_field *w)
{
	uint64_t v = w->value;
	unsigned flags = 0;
	int r;

	if (w->type != PB_LEN) {
		if (a->ints++ == 0)
			a->first = (int64_t)v;
		return 0;
	}
	if (!pbwire_enter(&o->w, w))
		return onnx_tell(o, ANOMALY_LIMIT, w->at, w->len, NULL, 0);
	while ((r = pbwire_packed(&o->w, &v, &flags, o->p->e)) == PB_FIELD)
		if (a->ints++ == 0)
			a->first = (int64_t)v;
	pbwire_leave(&o->w);
	return r == PB_BAD ? onnx_tell(o, ANOMALY_MALFORMED, w->at, w->len,
	    NULL, 0) : r;
}

static int
attribute_field(struct onnx *o, struct onnx_frame *f,
    const struct pb_field *w)
{
	struct onnx_frame_attribute *a = &f->u.attribute;

	switch (w->number) {
	case ONNX_ATTRIBUTE_NAME:
		return onnx_intern_field(o, w, &a->name);
	case ONNX_ATTRIBUTE_REF:
		return onnx_intern_field(o, w, &a->ref);
	case ONNX_ATTRIBUTE_TYPE:
		a->type = w->value;
		return 0;
	case ONNX_ATTRIBUTE_DOC:
		return 0;
	default:
		break;
	}
	/* Some writers store a scalar that is not there as its zero. */
	if (w->type == PB_LEN ? w->len > 0 : w->value != 0)
		a->kinds |= 1U << kind_of(w->number);
	switch (w->number) {
	case ONNX_ATTRIBUTE_I:
		a->first = (int64_t)w->value;
		return 0;
	case ONNX_ATTRIBUTE_INTS:
		return take_ints(o, a, w);
	case ONNX_ATTRIBUTE_FLOATS:
		a->ints += w->type == PB_LEN ? w->len / 4 : 1;
		return 0;
	case ONNX_ATTRIBUTE_S:
		a->s_off = w->at;
		a->s_len = w->len;
		return onnx_blob(o, w->at, w->len, "attribute", 9, false);
	case ONNX_ATTRIBUTE_STRINGS:
		a->ints++;
		return onnx_blob(o, w->at, w->len, "attribute", 9, false);
	default:
		return 0;
	}
}

/* What the flow of data needs to know of a node's attributes. */
static void
note_attribute(struct onnx *o, struct onnx_frame *node,
    const struct onnx_frame_attribute *a)
{
	struct onnx_node *n = onnx_at(&o->nodes, node->u.node.index);
	const char *name = onnx_text(o, a->name);

	if (onnx_is(o, a->name, "axes"))
		n->axes = a->ints < UINT32_MAX ? (uint32_t)a->ints : 1;
	else if (onnx_is(o, a->name, "to"))
		n->arg = (int32_t)a->first;
	else if (onnx_is(o, a->name, "embed_mode"))
		node->u.node.embed = a->first != 0;
	if (onnx_is(o, a->name, "ep_cache_context")) {
		node->u.node.context_off = a->s_off;
		node->u.node.context_len = a->s_len;
	}
	if (a->tensor != 0 && n->tensor == 0)
		n->tensor = a->tensor;
	if (strncmp(name, "value_", 6) == 0)
		n->wide = a->ints > 1;
}

/*
 * One value, of the stated type.  One reader goes by `type', another by the
 * field that is there.  What stands beside it is read by nobody.
 */
static int
attribute_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	struct onnx_frame_attribute *a = &f->u.attribute;
	uint32_t s = a->scopes, next, more;

	for (unsigned i = 1; i < 32; i++)
		if ((f->seen & 1U << i) != 0 &&
		    onnx_field(f->id, i)->kind == ONNX_KIND_MSG)
			a->kinds |= 1U << kind_of(i);
	for (; s != 0; s = next) {
		struct onnx_scope *scope = onnx_at(&o->scopes, s);

		scope->attribute = a->name;
		next = scope->next;
		scope->next = 0;
	}
	if (up->id == ONNX_NODE)
		note_attribute(o, up, a);
	/* Old writers state no type: then there is just one. */
	more = a->type == 0 ? a->kinds & (a->kinds - 1) :
	    a->type < 15 ? a->kinds & ~(1U << a->type) : 1;
	if (more == 0 && (a->ref == 0 || a->kinds == 0))
		return 0;
	return onnx_tell_name(o, ANOMALY_ONNX_ATTRIBUTE, f->off, "attribute",
	    a->name);
}

const struct onnx_row onnx_row_attribute = {NULL, NULL, attribute_field,
    attribute_end};

static int
function_begin(struct onnx *o, const struct onnx_frame *up,
    struct onnx_frame *f)
{
	struct onnx_function *fn = onnx_add(o, &o->functions,
	    &f->u.function.index);
	struct onnx_scope *s = onnx_add(o, &o->scopes, &f->scope);

	(void)up;
	*fn = (struct onnx_function){.scope = f->scope, .off = f->off};
	s->function = f->u.function.index;
	return 0;
}

static int
function_field(struct onnx *o, struct onnx_frame *f,
    const struct pb_field *w)
{
	struct onnx_function *fn = onnx_at(&o->functions,
	    f->u.function.index);
	struct onnx_scope *s = onnx_at(&o->scopes, f->scope);
	uint32_t name;
	int r;

	if (onnx_field(f->id, w->number)->of != ONNX_TEXT_NAME)
		return 0;
	if ((r = onnx_intern_field(o, w, &name)) < 0)
		return r;
	switch (w->number) {
	case ONNX_FUNCTION_NAME:
		fn->name = name;
		break;
	case ONNX_FUNCTION_DOMAIN:
		fn->domain = plain_domain(o, name);
		break;
	case ONNX_FUNCTION_OVERLOAD:
		fn->overload = name;
		break;
	case ONNX_FUNCTION_INPUT:
		(void)onnx_append(o, &s->in, name);
		break;
	case ONNX_FUNCTION_OUTPUT:
		(void)onnx_append(o, &s->out, name);
		break;
	default:
		break;
	}
	return 0;
}

static int
function_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	(void)up;
	return onnx_check_function(o, f->u.function.index);
}

const struct onnx_row onnx_row_function = {NULL, function_begin,
    function_field, function_end};

/*
 * ValueInfoProto.  Its type is messages deep; what is wanted of it (element
 * type, rank, whether it is one element) is noted in o->value meanwhile.
 */
static int
value_begin(struct onnx *o, const struct onnx_frame *up, struct onnx_frame *f)
{
	(void)up;
	(void)f;
	o->value.type = 0;
	o->value.rank = 255;
	o->value.single = true;
	return 0;
}

static int
value_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	return w->number == ONNX_VALUE_NAME ?
	    onnx_intern_field(o, w, &f->u.value.name) : 0;
}

static int
value_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	struct onnx_scope *s = onnx_at(&o->scopes, up->scope);
	struct onnx_edge *e;

	if (up->id != ONNX_GRAPH || (f->from != ONNX_GRAPH_INPUT &&
	    f->from != ONNX_GRAPH_OUTPUT))
		return 0;
	e = onnx_append(o, f->from == ONNX_GRAPH_INPUT ? &s->in : &s->out,
	    f->u.value.name);
	e->type = o->value.type;
	e->rank = o->value.rank;
	e->single = o->value.single && o->value.rank != 255;
	return 0;
}

const struct onnx_row onnx_row_value = {NULL, value_begin, value_field,
    value_end};

static int
tensor_type_field(struct onnx *o, struct onnx_frame *f,
    const struct pb_field *w)
{
	(void)f;
	o->value.type = w->value < ONNX_TYPES ? (uint8_t)w->value : 0;
	return 0;
}

const struct onnx_row onnx_row_tensor_type = {NULL, NULL, tensor_type_field,
    NULL};

static int
shape_begin(struct onnx *o, const struct onnx_frame *up, struct onnx_frame *f)
{
	(void)up;
	(void)f;
	o->value.rank = 0;
	return 0;
}

const struct onnx_row onnx_row_shape = {NULL, shape_begin, NULL, NULL};

static int
dimension_field(struct onnx *o, struct onnx_frame *f,
    const struct pb_field *w)
{
	(void)o;
	if (w->number == ONNX_DIMENSION_VALUE)
		f->u.dimension.one = w->value == 1;
	return 0;
}

static int
dimension_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	(void)up;
	if (o->value.rank < 254)
		o->value.rank++;
	o->value.single = o->value.single && f->u.dimension.one;
	return 0;
}

const struct onnx_row onnx_row_dimension = {NULL, NULL, dimension_field,
    dimension_end};

static int
opset_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	if (w->number == ONNX_OPSET_DOMAIN)
		return onnx_intern_field(o, w, &f->u.opset.domain);
	f->u.opset.version = w->value;
	return 0;
}

static int
opset_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	uint32_t scope = up->id == ONNX_FUNCTION ? up->scope : 0;
	uint32_t domain = plain_domain(o, f->u.opset.domain);
	uint32_t version = (uint32_t)f->u.opset.version + 1;
	struct onnx_pair *pair;
	bool fresh;

	pair = onnx_pair(o, ONNX_PAIR_OPSET, scope, domain, &fresh);
	if (fresh || o->full) {
		pair->value = version;
		return 0;
	}
	return onnx_tell_name(o, pair->value != version ?
	    ANOMALY_ONNX_OPSET_TWICE : ANOMALY_ONNX_OPSET, f->off, "domain",
	    domain);
}

const struct onnx_row onnx_row_opset = {NULL, NULL, opset_field, opset_end};
