#include <string.h>

#include "base/ckd.h"
#include "formats/rows/arrow.h"
#include "formats/rows/civil.h"
#include "formats/rows/rowtree.h"

/*
 * A row from the arrays of a batch (Columnar.rst).  Every index is compared
 * with the length of the array it goes into; recursion is bounded by the
 * schema's depth, a row's size by the tree.
 */
struct in {
	const struct arrow_row *r;
	const struct arrow_array *array;	/* of the batch, or dictionary */
};

static bool build(const struct in *in, uint32_t at, const uint8_t *name,
    size_t n, uint64_t i);

static bool
number(struct cursor c, uint64_t i, unsigned width, bool is_signed,
    uint64_t *ret)
{
	uint64_t v = 0;
	uint8_t b = 0;

	if (!cursor_skip(&c, i * width))
		return false;
	for (unsigned k = 0; k < width; k++) {
		if (!cursor_u8(&c, &b))
			return false;
		v |= (uint64_t)b << 8 * k;
	}
	if (is_signed && width < 8 && v >> (8 * width - 1) != 0)
		v |= UINT64_MAX << 8 * width;
	*ret = v;
	return true;
}

/* Begin and end of value ${i} of lists and strings, below ${max}. */
static bool
span(const struct arrow_array *a, uint64_t i, unsigned width, uint64_t max,
    uint64_t *from, uint64_t *to)
{
	return number(a->offsets, i, width, false, from) &&
	    number(a->offsets, i + 1, width, false, to) && *from <= *to &&
	    *to <= max;
}

static bool
is_large(const struct arrow_field *f)
{
	return f->type == ARROW_LARGE_BINARY || f->type == ARROW_LARGE_UTF8 ||
	    f->type == ARROW_LARGE_LIST;
}

static bool
is_text(const struct arrow_field *f)
{
	return f->type == ARROW_UTF8 || f->type == ARROW_LARGE_UTF8;
}

static bool
bytes(const struct arrow_field *f, const struct arrow_array *a, uint64_t i,
    struct rows_value *v)
{
	uint64_t from, to;

	if (!span(a, i, is_large(f) ? 8 : 4, a->data.len, &from, &to))
		return false;
	v->type = is_text(f) ? ROWS_TEXT : ROWS_BYTES;
	v->p = a->data.buf + from;
	v->n = (size_t)(to - from);
	return true;
}

/* Values of a fixed number of bytes that are no integers. */
static bool
fixed(const struct arrow_field *f, const struct arrow_array *a, uint64_t i,
    struct rows_value *v, char text[CIVIL_TEXT])
{
	struct cursor c = a->data, sub;
	uint8_t be[32];

	if (!cursor_skip(&c, i * f->width) || !cursor_sub(&c, f->width, &sub))
		return false;
	v->type = ROWS_BYTES;
	v->p = sub.buf;
	v->n = sub.len;
	if (f->type != ARROW_DECIMAL)
		return true;
	for (size_t k = 0; k < sub.len; k++)
		be[k] = sub.buf[sub.len - 1 - k];
	civil_decimal(v, be, sub.len, f->scale, text);
	return true;
}

static void
show_real(const struct arrow_field *f, uint64_t bits, struct rows_value *v)
{
	uint32_t low = (uint32_t)bits;
	float single;

	v->type = ROWS_REAL;
	if (f->width == 2) {
		v->d = civil_half((uint16_t)bits);
	} else if (f->width == 4) {
		memcpy(&single, &low, sizeof(single));
		v->d = (double)single;
	} else {
		memcpy(&v->d, &bits, sizeof(v->d));
	}
}

static void
show_number(const struct arrow_field *f, uint64_t bits, struct rows_value *v,
    char text[CIVIL_TEXT])
{
	if (f->type == ARROW_DATE && f->unit == 0) {
		civil_stamp(v, (int64_t)bits, 0, text);
	} else if (f->type == ARROW_DATE || f->type == ARROW_STAMP) {
		civil_units(v, (int64_t)bits, f->unit, text);
	} else if (f->type == ARROW_TIME) {
		civil_clock(v, (int64_t)bits, f->unit, text);
	} else if (f->type == ARROW_FLOAT) {
		show_real(f, bits, v);
	} else {
		v->type = ROWS_INT;
		v->i = (int64_t)bits;
		if (f->type == ARROW_INT && !f->is_signed &&
		    bits > INT64_MAX) {
			v->type = ROWS_UINT;
			v->u = bits;
		}
	}
}

static bool
scalar(const struct in *in, uint32_t at, const uint8_t *name, size_t n,
    uint64_t i)
{
	const struct arrow_field *f = &in->r->field[at];
	const struct arrow_array *a = &in->array[at];
	struct rows_value v = {.type = ROWS_NULL};
	char text[CIVIL_TEXT];
	uint64_t bits = 0;
	uint8_t b = 0;

	if (f->type == ARROW_BOOL) {
		if (!cursor_peek(&a->data, (size_t)(i / 8), &b))
			return false;
		v.type = ROWS_BOOL;
		v.i = b >> i % 8 & 1;
	} else if (is_text(f) || f->type == ARROW_BINARY ||
	    f->type == ARROW_LARGE_BINARY) {
		if (!bytes(f, a, i, &v))
			return false;
	} else if (f->type == ARROW_FIXED || f->type == ARROW_DECIMAL ||
	    f->type == ARROW_INTERVAL) {
		if (!fixed(f, a, i, &v, text))
			return false;
	} else if (f->type != ARROW_NULL) {
		if (!number(a->data, i, f->width, f->type != ARROW_INT ||
		    f->is_signed, &bits))
			return false;
		show_number(f, bits, &v, text);
	}
	rowtree_add(in->r->t, name, n, &v, v.n > 0 &&
	    (const char *)v.p >= text && (const char *)v.p < text +
	    sizeof(text));
	return true;
}

/* Elements [from, to) of the child. */
static bool
elements(const struct in *in, uint32_t child, const uint8_t *name, size_t n,
    uint64_t from, uint64_t to)
{
	uint32_t open = rowtree_open(in->r->t, ROWTREE_LIST, name, n);
	bool ok = true;

	for (uint64_t k = from; ok && k < to && !in->r->t->failed; k++)
		ok = build(in, child, NULL, 0, k);
	rowtree_close(in->r->t, open);
	return ok;
}

/* Pairs of a map whose keys are text. */
static bool
pairs(const struct in *in, uint32_t entries, const uint8_t *name, size_t n,
    uint64_t from, uint64_t to)
{
	const struct arrow_field *f = in->r->field;
	uint32_t open = rowtree_open(in->r->t, ROWTREE_OBJECT, name, n);
	uint32_t key = entries + 1;
	struct rows_value v = {.type = ROWS_NULL};
	bool ok = true;

	for (uint64_t k = from; ok && k < to && !in->r->t->failed; k++)
		ok = k < in->array[key].len &&
		    bytes(&f[key], &in->array[key], k, &v) &&
		    build(in, f[key].end, v.n > 0 ? v.p :
		    (const uint8_t *)"", v.n, k);
	rowtree_close(in->r->t, open);
	return ok;
}

static bool
list(const struct in *in, uint32_t at, const uint8_t *name, size_t n,
    uint64_t i)
{
	const struct arrow_field *f = &in->r->field[at], *child = f + 1;
	uint64_t from, to;

	if (f->type == ARROW_FIXED_LIST) {
		if (!ckd_mul64(&from, i, f->width) ||
		    !ckd_add64(&to, from, f->width) ||
		    to > in->array[at + 1].len)
			return false;
	} else if (!span(&in->array[at], i, is_large(f) ? 8 : 4,
	    in->array[at + 1].len, &from, &to)) {
		return false;
	}
	if (f->type == ARROW_MAP && child->type == ARROW_STRUCT &&
	    child->children == 2 && is_text(&child[1]) && !child[1].coded &&
	    !child->coded)
		return pairs(in, at + 1, name, n, from, to);
	return elements(in, at + 1, name, n, from, to);
}

static bool
fields(const struct in *in, uint32_t at, const uint8_t *name, size_t n,
    uint64_t i)
{
	const struct arrow_field *f = in->r->field;
	uint32_t open = rowtree_open(in->r->t, ROWTREE_OBJECT, name, n);
	bool ok = true;

	for (uint32_t k = at + 1; ok && k < f[at].end; k = f[k].end)
		ok = build(in, k, f[k].name, f[k].name_len, i);
	rowtree_close(in->r->t, open);
	return ok;
}

static bool
build(const struct in *in, uint32_t at, const uint8_t *name, size_t n,
    uint64_t i)
{
	const struct arrow_field *f = &in->r->field[at];
	const struct arrow_array *a = &in->array[at];
	const struct rows_value null = {.type = ROWS_NULL};
	struct in dict = {in->r, in->r->dict};
	uint64_t index;
	uint8_t b = 1;

	if (i >= a->len || in->r->t->failed)
		return false;
	if (a->valid.len > 0 && (!cursor_peek(&a->valid, (size_t)(i / 8),
	    &b) || (b >> i % 8 & 1) == 0)) {
		rowtree_add(in->r->t, name, n, &null, false);
		return true;
	}
	if (f->coded && in->array != in->r->dict)
		return number(a->data, i, f->index_width, f->index_signed,
		    &index) && build(&dict, at, name, n, index);
	if (f->type == ARROW_STRUCT)
		return fields(in, at, name, n, i);
	if (f->type == ARROW_LIST || f->type == ARROW_LARGE_LIST ||
	    f->type == ARROW_FIXED_LIST || f->type == ARROW_MAP)
		return list(in, at, name, n, i);
	return scalar(in, at, name, n, i);
}

bool
arrow_row_build(const struct arrow_row *r, uint32_t at, uint64_t i)
{
	const struct in in = {r, r->array};

	return build(&in, at, r->field[at].name, r->field[at].name_len, i) &&
	    !r->t->failed;
}
