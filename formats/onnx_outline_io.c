#include <string.h>

#include "base/err.h"
#include "formats/onnx_outline_value.h"

/*
 * Inputs, outputs and initializers: a ValueInfoProto's type is messages deep,
 * and what is wanted of it is noted in r->value meanwhile, of a dimension in
 * r->dim, of a tensor in r->tensor; none of them nests in its own kind.
 */
int
onnx_outline_tensor_begin(struct outline_read *r,
    const struct outline_frame *up, struct outline_frame *f)
{
	(void)up;
	(void)f;
	memset(&r->tensor, 0, sizeof(r->tensor));
	return 0;
}

struct outline_io *
onnx_outline_io(struct outline_read *r, uint32_t scope,
    enum outline_io_kind kind, uint32_t name)
{
	struct outline_scope *s = OUTLINE_AT(outline_scope, &r->o->scopes,
	    scope);
	struct outline_io *io = OUTLINE_AT(outline_io, &r->o->ios,
	    onnx_outline_add(r->o, &r->o->ios));

	memset(io, 0, sizeof(*io));
	io->scope = scope;
	io->kind = kind;
	io->name = name;
	io->place = s->count[kind]++;
	io->type.text = "";
	io->type.whole = true;
	return io;
}

int
onnx_outline_tensor_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct buf *b = &r->text[r->w.depth - 1];
	struct outline_frame *attr = &r->f[r->w.depth - 1];
	struct outline_io *io;
	struct buf type;
	int rc;

	if (up->id == ONNX_ATTRIBUTE) {
		if (attr->items++ > 0)
			buf_puts(b, ", ");
		return onnx_outline_tensor_text(r, b, &attr->whole);
	}
	io = onnx_outline_io(r, f->scope, OUTLINE_INITIALIZER, r->tensor.name);
	buf_init(&type, OUTLINE_TEXT);
	onnx_outline_tensor_type(&r->tensor, &type);
	rc = onnx_outline_value(r, &type, true, f, &io->type);
	buf_release(&type);
	return rc;
}

int
onnx_outline_value_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	(void)up;
	(void)f;
	buf_clear(&r->value.prefix);
	buf_clear(&r->value.shape);
	r->value.name = 0;
	r->value.element = 0;
	r->value.ranked = false;
	return 0;
}

int
onnx_outline_value_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	(void)f;
	return w->number == ONNX_VALUE_NAME ?
	    onnx_outline_name_field(r, w, &r->value.name) : 0;
}

int
onnx_outline_value_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_io *io;
	struct buf b;
	int rc;

	(void)up;
	io = onnx_outline_io(r, f->scope, f->from == ONNX_GRAPH_INPUT ?
	    OUTLINE_INPUT : OUTLINE_OUTPUT, r->value.name);
	buf_init(&b, 2 * OUTLINE_TEXT);
	onnx_outline_type(r, &b);
	rc = onnx_outline_value(r, &b, buf_failed(&r->value.shape) == 0, f,
	    &io->type);
	buf_release(&b);
	return rc;
}

int
onnx_outline_container_begin(struct outline_read *r,
    const struct outline_frame *up, struct outline_frame *f)
{
	(void)up;
	buf_puts(&r->value.prefix, f->id == ONNX_MAP_TYPE ? "map of " :
	    f->from == ONNX_TYPE_OPTIONAL ? "optional " : "sequence of ");
	return 0;
}

int
onnx_outline_shape_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	(void)up;
	(void)f;
	r->value.ranked = true;
	return 0;
}

int
onnx_outline_dim_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	(void)up;
	(void)f;
	memset(&r->dim, 0, sizeof(r->dim));
	return 0;
}

int
onnx_outline_dim_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct buf *b = &r->value.shape;

	(void)up;
	(void)f;
	if (b->len > 0)
		buf_putc(b, ',');
	if (r->dim.has_value)
		buf_printf(b, "%lld", (long long)r->dim.value);
	else if (r->dim.param.n > 0)
		buf_put(b, r->dim.param.p, r->dim.param.n);
	else
		buf_putc(b, '?');
	return 0;
}
