#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx_outline_value.h"

/*
 * Messages by the schema (onnx_schema.def) on an explicit stack, as deep as
 * LIMIT_PB_DEPTH.  A message that has a row below is entered, every other is
 * passed over; one that breaks off is left where it does, and the outline is
 * cut.  Fields come in any order, so what an entry belongs to is a number,
 * and lists are chained.
 */
static uint32_t
append(struct onnx_outline *o, struct outline_list *l, uint32_t name)
{
	uint32_t i = onnx_outline_add(o, &o->uses);
	struct outline_use *u = OUTLINE_AT(outline_use, &o->uses, i);

	u->name = name;
	u->next = 0;
	if (i == 0)
		return 0;
	if (l->last != 0)
		OUTLINE_AT(outline_use, &o->uses, l->last)->next = i;
	else
		l->first = i;
	l->last = i;
	l->count++;
	return i;
}

static int
model_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	static const char *const keys[] = {
	    [ONNX_MODEL_IR_VERSION] = "ir_version",
	    [ONNX_MODEL_PRODUCER] = "producer_name",
	    [ONNX_MODEL_PRODUCER_VERSION] = "producer_version",
	    [ONNX_MODEL_DOMAIN] = "domain",
	    [ONNX_MODEL_VERSION] = "model_version",
	    [ONNX_MODEL_DOC] = "doc_string"};

	(void)f;
	if (w->number >= sizeof(keys) / sizeof(keys[0]) ||
	    keys[w->number] == NULL)
		return 0;
	return onnx_outline_fact(r, keys[w->number], w);
}

static uint32_t
new_scope(struct outline_read *r)
{
	uint32_t i = onnx_outline_add(r->o, &r->o->scopes);

	memset(OUTLINE_AT(outline_scope, &r->o->scopes, i), 0,
	    sizeof(struct outline_scope));
	return i;
}

static int
graph_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_scope *s;

	/* A second graph of the model is merged into the first. */
	if (up->id == ONNX_MODEL && r->o->main != 0) {
		f->scope = r->o->main;
		return 0;
	}
	f->scope = new_scope(r);
	s = OUTLINE_AT(outline_scope, &r->o->scopes, f->scope);
	if (up->id == ONNX_MODEL) {
		r->o->main = f->scope;
	} else {
		s->parent = up->scope;
		s->attr = up->index;
		s->node = (up - 1)->id == ONNX_NODE ? (up - 1)->index : 0;
		OUTLINE_AT(outline_attr, &r->o->attrs, up->index)->graph =
		    true;
	}
	return 0;
}

static int
graph_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	if (f->scope != r->o->main || (w->number != ONNX_GRAPH_NAME &&
	    w->number != ONNX_GRAPH_DOC))
		return 0;
	return onnx_outline_fact(r, w->number == ONNX_GRAPH_NAME ?
	    "graph.name" : "graph.doc_string", w);
}

static int
node_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_node *n;

	(void)up;
	f->index = onnx_outline_add(r->o, &r->o->nodes);
	n = OUTLINE_AT(outline_node, &r->o->nodes, f->index);
	memset(n, 0, sizeof(*n));
	n->scope = f->scope;
	return 0;
}

static int
node_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct outline_node *n = OUTLINE_AT(outline_node, &r->o->nodes,
	    f->index);
	uint32_t name;
	int rc;

	if (w->number == ONNX_NODE_DOC) {
		uint32_t i = onnx_outline_attr(r->o, &n->attrs);
		struct outline_attr *a = OUTLINE_AT(outline_attr,
		    &r->o->attrs, i);

		a->name = onnx_outline_intern(r->o, "doc_string", 10);
		return onnx_outline_text_field(r, w, &a->value);
	}
	if (w->type != PB_LEN)
		return 0;
	if ((rc = onnx_outline_name_field(r, w, &name)) < 0)
		return rc;
	if (w->number == ONNX_NODE_INPUT)
		(void)append(r->o, &n->in, name);
	else if (w->number == ONNX_NODE_OUTPUT)
		(void)append(r->o, &n->out, name);
	else if (w->number == ONNX_NODE_NAME)
		n->name = name;
	else if (w->number == ONNX_NODE_OP)
		n->op = name;
	else if (w->number == ONNX_NODE_DOMAIN)
		n->domain = onnx_outline_domain(r, name);
	else if (w->number == ONNX_NODE_OVERLOAD)
		n->overload = name;
	return 0;
}

static int
attribute_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	f->whole = true;
	buf_clear(&r->text[r->w.depth]);
	f->index = onnx_outline_attr(r->o, up->id == ONNX_NODE ?
	    &OUTLINE_AT(outline_node, &r->o->nodes, up->index)->attrs :
	    &OUTLINE_AT(outline_scope, &r->o->scopes, up->scope)->attrs);
	return 0;
}

static int
attribute_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_attr *a = OUTLINE_AT(outline_attr, &r->o->attrs,
	    f->index);
	struct buf *b = &r->text[r->w.depth], list;
	int rc;

	(void)up;
	if (a->graph) {
		buf_clear(b);
		buf_puts(b, "graph");
		f->whole = true;
	}
	if (!f->list)
		return onnx_outline_value(r, b, f->whole, f, &a->value);
	buf_init(&list, 4 * OUTLINE_TEXT);
	buf_putc(&list, '[');
	buf_put(&list, b->p, b->len);
	buf_putc(&list, ']');
	if (!f->whole)
		buf_printf(&list, " of %u", f->items);
	rc = onnx_outline_value(r, &list, f->whole && buf_failed(b) == 0, f,
	    &a->value);
	buf_release(&list);
	return rc;
}

/* A field of an attribute that is a message which is not entered. */
static int
attribute_message(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	if (w->number >= ONNX_ATTRIBUTE_TP &&
	    w->number != ONNX_ATTRIBUTE_TYPE &&
	    w->number != ONNX_ATTRIBUTE_REF)
		f->whole = false;	/* a type, sparse tensors: by bytes */
	return onnx_outline_attribute_field(r, f, w);
}

static int
function_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	(void)up;
	f->scope = new_scope(r);
	OUTLINE_AT(outline_scope, &r->o->scopes, f->scope)->body = true;
	return 0;
}

static int
function_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct outline_scope *s = OUTLINE_AT(outline_scope, &r->o->scopes,
	    f->scope);
	uint32_t name;
	int rc;

	if (w->type != PB_LEN || w->number == ONNX_FUNCTION_DOC)
		return 0;
	if ((rc = onnx_outline_name_field(r, w, &name)) < 0)
		return rc;
	if (w->number == ONNX_FUNCTION_NAME)
		s->function = name;
	else if (w->number == ONNX_FUNCTION_DOMAIN)
		s->domain = onnx_outline_domain(r, name);
	else if (w->number == ONNX_FUNCTION_OVERLOAD)
		s->overload = name;
	else if (w->number == ONNX_FUNCTION_INPUT)
		(void)onnx_outline_io(r, f->scope, OUTLINE_INPUT, name);
	else if (w->number == ONNX_FUNCTION_OUTPUT)
		(void)onnx_outline_io(r, f->scope, OUTLINE_OUTPUT, name);
	return 0;
}

static const struct {
	bool enter;
	outline_edge *begin, *end;
	outline_act *field;
} rows[ONNX_MESSAGES] = {
    [ONNX_MODEL] = {true, NULL, NULL, model_field},
    [ONNX_GRAPH] = {true, graph_begin, NULL, graph_field},
    [ONNX_NODE] = {true, node_begin, NULL, node_field},
    [ONNX_ATTRIBUTE] = {true, attribute_begin, attribute_end,
	attribute_message},
    [ONNX_TENSOR] = {true, onnx_outline_tensor_begin, onnx_outline_tensor_end,
	onnx_outline_tensor_field},
    [ONNX_VALUE] = {true, onnx_outline_value_begin,
	onnx_outline_value_end, onnx_outline_value_field},
    [ONNX_TYPE] = {true, NULL, NULL, NULL},
    [ONNX_ELEMENT_TYPE] = {true, onnx_outline_container_begin, NULL, NULL},
    [ONNX_MAP_TYPE] = {true, onnx_outline_container_begin, NULL, NULL},
    [ONNX_TENSORTYPE] = {true, NULL, NULL, onnx_outline_element_field},
    [ONNX_SHAPE] = {true, onnx_outline_shape_begin, NULL, NULL},
    [ONNX_DIMENSION] = {true, onnx_outline_dim_begin,
	onnx_outline_dim_end, onnx_outline_dim_field},
    [ONNX_ENTRY] = {true, onnx_outline_entry_begin,
	onnx_outline_entry_end, onnx_outline_entry_field},
    [ONNX_OPSET] = {true, onnx_outline_entry_begin,
	onnx_outline_opset_end, onnx_outline_opset_field},
    [ONNX_FUNCTION] = {true, function_begin, NULL, function_field}};

/* Is the message in field ${w} of ${f} entered?  Its kind, or ONNX_NONE. */
static enum onnx_message
inner(const struct outline_frame *f, const struct pb_field *w)
{
	const struct onnx_field *s = onnx_field(f->id, w->number);

	if (w->type != PB_LEN || s == NULL || s->kind != ONNX_KIND_MSG ||
	    !rows[s->of].enter)
		return ONNX_NONE;
	/* Types in between are the writer's own; a type has no value. */
	if ((s->of == ONNX_VALUE && (f->id != ONNX_GRAPH ||
	    w->number == ONNX_GRAPH_VALUE_INFO)) ||
	    (s->of == ONNX_TYPE && f->id == ONNX_ATTRIBUTE) ||
	    (s->of == ONNX_ENTRY && f->id != ONNX_MODEL &&
	    f->id != ONNX_GRAPH && f->id != ONNX_NODE))
		return ONNX_NONE;
	return (enum onnx_message)s->of;
}

static int
enter(struct outline_read *r, const struct pb_field *w, enum onnx_message id)
{
	struct outline_frame *up = &r->f[r->w.depth], *f = up + 1;

	if (!pbwire_enter(&r->w, w)) {
		r->o->cut = true;
		return 0;
	}
	memset(f, 0, sizeof(*f));
	f->id = id;
	f->from = w->number;
	f->scope = up->scope;
	f->at = w->at;
	f->len = w->len;
	return rows[id].begin != NULL ? rows[id].begin(r, up, f) : 0;
}

/* The innermost message is over. */
static int
leave(struct outline_read *r)
{
	struct outline_frame *f = &r->f[r->w.depth];
	int rc = rows[f->id].end != NULL ? rows[f->id].end(r, f - 1, f) : 0;

	pbwire_leave(&r->w);
	return rc;
}

static int
walk(struct outline_read *r)
{
	struct pb_field w;
	enum onnx_message id;
	int found, rc = 0;

	while (rc == 0) {
		struct outline_frame *f = &r->f[r->w.depth];

		if ((found = pbwire_next(&r->w, &w, r->e)) < 0)
			return found;
		r->o->cut |= found == PB_BAD || found == PB_LONG;
		if (found != PB_FIELD && r->w.depth == 0)
			return 0;
		if (found != PB_FIELD)
			rc = leave(r);
		else if ((id = inner(f, &w)) != ONNX_NONE)
			rc = enter(r, &w, id);
		else if (rows[f->id].field != NULL && w.type != PB_GROUP &&
		    onnx_field(f->id, w.number) != NULL)
			rc = rows[f->id].field(r, f, &w);
	}
	return rc;
}

static int
tables(struct onnx_outline *o, struct err *e)
{
	const struct {
		struct outline_vec *v;
		size_t size;
		uint32_t max;
	} all[] = {
	    {&o->nodes, sizeof(struct outline_node), LIMIT_OUTLINE_NODES},
	    {&o->attrs, sizeof(struct outline_attr), LIMIT_OUTLINE_ATTRS},
	    {&o->uses, sizeof(struct outline_use), LIMIT_OUTLINE_USES},
	    {&o->ios, sizeof(struct outline_io), LIMIT_OUTLINE_IOS},
	    {&o->scopes, sizeof(struct outline_scope), LIMIT_OUTLINE_SCOPES},
	    {&o->facts, sizeof(struct outline_fact), LIMIT_OUTLINE_FACTS}};
	int rc = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && rc == 0; i++)
		rc = onnx_outline_vec(o, all[i].v, all[i].size, all[i].max,
		    e);
	return rc;
}

int
onnx_outline_read(const struct bytesrc *src, struct outline_names *names,
    struct arena *a, struct onnx_outline *ret, struct err *e)
{
	struct outline_read *r = arena_alloc(a, sizeof(*r));
	int rc;

	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memset(ret, 0, sizeof(*ret));
	ret->a = a;
	ret->src = src;
	ret->names = names;
	r->o = ret;
	r->e = e;
	r->f[0].id = ONNX_MODEL;
	for (unsigned i = 0; i <= LIMIT_PB_DEPTH; i++)
		buf_init(&r->text[i], 4 * OUTLINE_TEXT);
	buf_init(&r->value.prefix, OUTLINE_TEXT);
	buf_init(&r->value.shape, OUTLINE_TEXT);
	if ((rc = tables(ret, e)) == 0 && (rc = pbwire_init(&r->w, src, 0,
	    bytesrc_size(src), 0, a, e)) == 0)
		rc = walk(r);
	for (unsigned i = 0; i <= LIMIT_PB_DEPTH; i++)
		buf_release(&r->text[i]);
	buf_release(&r->value.prefix);
	buf_release(&r->value.shape);
	return rc;
}
