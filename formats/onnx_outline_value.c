#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx_outline_value.h"

/*
 * Text that is equal exactly when the value is.  Floats have nine digits
 * (seventeen for doubles), which name one number each; what is no number is
 * written as its bits, half floats too, and a float is never written like an
 * integer.  Strings stand in quotes, lists in brackets.
 */

/* One more of a list, or the value. */
static void
separate(struct outline_frame *f, struct buf *b)
{
	if (f->items++ > 0)
		buf_puts(b, ", ");
	if (b->len > OUTLINE_TEXT)
		f->whole = false;
}

static void
put_float(struct buf *b, uint32_t bits)
{
	float v;

	memcpy(&v, &bits, sizeof(v));
	if (isnan(v))
		buf_printf(b, "nan(0x%08x)", bits);
	else if (v == floorf(v) && fabsf(v) < 1e6F)
		buf_printf(b, "%.1f", (double)v);
	else
		buf_printf(b, "%.9g", (double)v);
}

static void
put_double(struct buf *b, uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	if (isnan(v))
		buf_printf(b, "nan(0x%016llx)", (unsigned long long)bits);
	else
		buf_printf(b, "%.17g", v);
}

static void
put_int(struct buf *b, uint64_t v)
{
	buf_printf(b, "%lld", (long long)v);
}

/* A scalar, or a packed run of them: each is given to ${put}. */
struct scalars {
	struct outline_read *r;
	struct outline_frame *f;
	struct buf *b;
	void (*put)(struct scalars *s, uint64_t bits);
};

static void
scalar_int(struct scalars *s, uint64_t bits)
{
	separate(s->f, s->b);
	if (s->f->whole)
		put_int(s->b, bits);
}

static void
scalar_float(struct scalars *s, uint64_t bits)
{
	separate(s->f, s->b);
	if (s->f->whole)
		put_float(s->b, (uint32_t)bits);
}

static void
scalar_element(struct scalars *s, uint64_t bits)
{
	struct outline_tensor *t = &s->r->tensor;

	if (t->count < OUTLINE_SHOWN)
		t->bits[t->count] = bits;
	t->count++;
}

static void
scalar_dim(struct scalars *s, uint64_t bits)
{
	struct outline_tensor *t = &s->r->tensor;

	if (t->rank == ONNX_RANK)
		t->odd = true;
	else
		t->dims[t->rank++] = bits;
}

/* Packed fixed-width values: their first bytes; the rest is counted. */
static int
packed_fixed(struct scalars *s, const struct pb_field *w, unsigned width)
{
	uint64_t v, i = 0;
	uint8_t raw[8];
	int r;

	for (; i < w->len / width; i++) {
		if (s->put == scalar_element && i >= OUTLINE_SHOWN) {
			s->r->tensor.count += w->len / width - i;
			return 0;
		}
		if (s->put != scalar_element && !s->f->whole)
			return 0;
		if ((r = bytesrc_read(s->r->o->src, w->at + i * width, raw,
		    width, s->r->e)) < 0)
			return r;
		v = 0;
		for (unsigned k = width; k-- > 0;)
			v = v << 8 | raw[k];
		s->put(s, v);
	}
	return 0;
}

static int
each(struct scalars *s, const struct pb_field *w, unsigned width)
{
	struct outline_read *r = s->r;
	unsigned flags = 0;
	uint64_t v;
	int found;

	if (w->type != PB_LEN) {
		s->put(s, w->value);
		return 0;
	}
	if (width > 0)
		return packed_fixed(s, w, width);
	if (!pbwire_enter(&r->w, w)) {
		r->o->cut = true;
		return 0;
	}
	while ((found = pbwire_packed(&r->w, &v, &flags, r->e)) == PB_FIELD)
		s->put(s, v);
	pbwire_leave(&r->w);
	r->o->cut |= found == PB_BAD;
	return found < 0 ? found : 0;
}

static int
put_string(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct buf *b = &r->text[r->w.depth];
	size_t n;
	int rc;

	separate(f, b);
	if (w->len > OUTLINE_TEXT)
		f->whole = false;
	if ((rc = pbwire_copy(&r->w, w, r->scratch, OUTLINE_TEXT, &n,
	    r->e)) < 0)
		return rc;
	if (f->items > 1 && !f->whole)
		return 0;
	buf_putc(b, '"');
	for (size_t i = 0; i < n; i++) {
		if (r->scratch[i] == '"' || r->scratch[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, (char)r->scratch[i]);
	}
	buf_putc(b, '"');
	return 0;
}

int
onnx_outline_attribute_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct outline_attr *a = OUTLINE_AT(outline_attr, &r->o->attrs,
	    f->index);
	struct buf *b = &r->text[r->w.depth];
	struct scalars s = {r, f, b, scalar_int};
	size_t n;
	int rc;

	f->list |= w->number == ONNX_ATTRIBUTE_FLOATS ||
	    w->number == ONNX_ATTRIBUTE_INTS ||
	    w->number == ONNX_ATTRIBUTE_STRINGS;
	switch (w->number) {
	case ONNX_ATTRIBUTE_F:
	case ONNX_ATTRIBUTE_FLOATS:
		s.put = scalar_float;
		return each(&s, w, 4);
	case ONNX_ATTRIBUTE_I:
	case ONNX_ATTRIBUTE_INTS:
		return each(&s, w, 0);
	case ONNX_ATTRIBUTE_S:
	case ONNX_ATTRIBUTE_STRINGS:
		return put_string(r, f, w);
	default:
		break;
	}
	if (w->number != ONNX_ATTRIBUTE_NAME && w->number != ONNX_ATTRIBUTE_REF)
		return 0;
	if ((rc = pbwire_copy(&r->w, w, r->scratch, sizeof(r->scratch), &n,
	    r->e)) < 0)
		return rc;
	r->o->cut |= w->len > n;
	if (w->number == ONNX_ATTRIBUTE_NAME) {
		a->name = onnx_outline_intern(r->o, r->scratch, n);
	} else {
		/* A function's attribute that stands for this one. */
		separate(f, b);
		buf_puts(b, "attribute ");
		buf_put(b, r->scratch, n);
	}
	return 0;
}

int
onnx_outline_tensor_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct outline_tensor *t = &r->tensor;
	struct scalars s = {r, f, NULL, scalar_element};
	size_t n;
	int rc;

	switch (w->number) {
	case ONNX_TENSOR_DIMS:
		s.put = scalar_dim;
		return each(&s, w, 0);
	case ONNX_TENSOR_TYPE:
		t->type = w->value;
		return 0;
	case ONNX_TENSOR_FLOATS:
		return each(&s, w, 4);
	case ONNX_TENSOR_DOUBLES:
		return each(&s, w, 8);
	case ONNX_TENSOR_INT32S:
	case ONNX_TENSOR_INT64S:
	case ONNX_TENSOR_UINT64S:
		return each(&s, w, 0);
	case ONNX_TENSOR_RAW:
		t->raw_off = w->at;
		t->raw_len = w->len;
		return 0;
	case ONNX_TENSOR_NAME:
		if ((rc = pbwire_copy(&r->w, w, r->scratch,
		    sizeof(r->scratch), &n, r->e)) < 0)
			return rc;
		r->o->cut |= w->len > n;
		t->name = onnx_outline_intern(r->o, r->scratch, n);
		return 0;
	default:
		t->odd = true;	/* strings, a segment, another file */
		return 0;
	}
}

void
onnx_outline_tensor_type(const struct outline_tensor *t, struct buf *b)
{
	const char *dtype = onnx_dtype(t->type);

	if (dtype != NULL)
		buf_puts(b, dtype);
	else
		buf_printf(b, "type%llu", (unsigned long long)t->type);
	buf_putc(b, '[');
	for (unsigned i = 0; i < t->rank; i++)
		buf_printf(b, i == 0 ? "%llu" : ",%llu",
		    (unsigned long long)t->dims[i]);
	buf_putc(b, ']');
}

/* Raw data as the typed fields would have held it. */
static int
take_raw(struct outline_read *r, unsigned bits)
{
	struct outline_tensor *t = &r->tensor;
	unsigned width = bits / 8;
	uint8_t raw[8];
	int rc;

	if (width == 0 || width > 8 || t->raw_len / width > OUTLINE_SHOWN ||
	    t->raw_len % width != 0 || t->count > 0) {
		t->odd = true;
		return 0;
	}
	for (; t->count < t->raw_len / width; t->count++) {
		if ((rc = bytesrc_read(r->o->src, t->raw_off +
		    t->count * width, raw, width, r->e)) < 0)
			return rc;
		t->bits[t->count] = 0;
		for (unsigned k = width; k-- > 0;)
			t->bits[t->count] = t->bits[t->count] << 8 | raw[k];
	}
	return 0;
}

/* Typed fields are wider than their elements: the same bits for both. */
static void
put_element(struct buf *b, uint64_t type, unsigned bits, uint64_t v)
{
	uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	bool is_signed = type == ONNX_INT8 || type == ONNX_INT16 ||
	    type == ONNX_INT32 || type == ONNX_INT64;

	v &= mask;
	if (type == ONNX_FLOAT) {
		put_float(b, (uint32_t)v);
	} else if (type == ONNX_DOUBLE) {
		put_double(b, v);
	} else if (is_signed) {
		if (bits < 64 && (v >> (bits - 1) & 1) != 0)
			v |= ~mask;
		put_int(b, v);
	} else if (type == ONNX_UINT8 || type == ONNX_UINT16 ||
	    type == ONNX_UINT32 || type == ONNX_UINT64 || type == ONNX_BOOL) {
		buf_printf(b, "%llu", (unsigned long long)v);
	} else {
		buf_printf(b, "0x%llx", (unsigned long long)v);
	}
}

int
onnx_outline_tensor_text(struct outline_read *r, struct buf *b, bool *whole)
{
	struct outline_tensor *t = &r->tensor;
	unsigned bits = onnx_bits(t->type);
	int rc;

	onnx_outline_tensor_type(t, b);
	if (t->raw_len > 0 && (rc = take_raw(r, bits)) < 0)
		return rc;
	if (t->odd || bits < 8 || bits > 64 || t->count > OUTLINE_SHOWN ||
	    t->type == ONNX_COMPLEX64) {
		*whole = false;
		return 0;
	}
	buf_puts(b, " {");
	for (uint64_t i = 0; i < t->count; i++) {
		if (i > 0)
			buf_puts(b, ", ");
		put_element(b, t->type, bits, t->bits[i]);
	}
	buf_putc(b, '}');
	return 0;
}

int
onnx_outline_dim_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	size_t n;
	int rc;

	(void)f;
	if (w->number == ONNX_DIMENSION_VALUE) {
		r->dim.has_value = true;
		r->dim.value = w->value;
		return 0;
	}
	if (w->number != ONNX_DIMENSION_PARAM)
		return 0;
	if ((rc = pbwire_copy(&r->w, w, r->scratch, 256, &n, r->e)) < 0)
		return rc;
	r->dim.param.p = arena_dup(r->o->a, r->scratch, n);
	r->dim.param.n = r->dim.param.p != NULL ? (uint32_t)n : 0;
	return 0;
}

int
onnx_outline_element_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	(void)f;
	if (w->type == PB_VARINT)
		r->value.element = w->value;
	return 0;
}

void
onnx_outline_type(struct outline_read *r, struct buf *b)
{
	const char *dtype = onnx_dtype(r->value.element);

	buf_puts(b, buf_str(&r->value.prefix));
	if (r->value.element == 0)
		buf_putc(b, '?');
	else if (dtype != NULL)
		buf_puts(b, dtype);
	else
		buf_printf(b, "type%llu",
		    (unsigned long long)r->value.element);
	if (!r->value.ranked)
		return;
	buf_putc(b, '[');
	buf_put(b, r->value.shape.p, r->value.shape.len);
	buf_putc(b, ']');
}

int
onnx_outline_value(struct outline_read *r, const struct buf *b, bool whole,
    const struct outline_frame *f, struct outline_value *ret)
{
	size_t n = b->len < 2 * OUTLINE_TEXT ? b->len : 2 * OUTLINE_TEXT;

	/* What did not fit the buffer is compared by its bytes. */
	ret->whole = whole && buf_failed(b) == 0 && n == b->len;
	ret->text = n == 0 ? "" : arena_dup(r->o->a, b->p, n);
	ret->len = (uint32_t)n;
	ret->off = f->at;
	ret->size = f->len;
	if (ret->text == NULL)
		return err_set(r->e, ERR_NOMEM, "out of memory");
	return 0;
}
