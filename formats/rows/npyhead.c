#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/rows/ndset.h"
#include "formats/rows/npyhead.h"
#include "formats/rows/rows.h"

/*
 *	0 \x93NUMPY  6 major  7 minor  8 header length (u16 or u32)  header
 *
 * The header is a Python literal with the keys descr, fortran_order, shape:
 * a type string, or a list of ('name', 'type') and ('name', 'type', (2, 3)).
 */
#define HEADER_MAX 65536

struct head {
	struct cursor c;
	const struct rows_params *p;
	struct ndarray *a;
	const char *prefix;
	size_t prefix_len;
	uint64_t shape[NDTYPE_RANK];
	unsigned rank;
	bool has_descr, has_order, has_shape;
	bool structured, object, nested;
};

static void
skip_blanks(struct cursor *c)
{
	uint8_t b;

	while (cursor_peek(c, 0, &b) && (b == ' ' || b == '\n' || b == '\t'))
		if (!cursor_skip(c, 1))
			return;
}

static bool
next_is(struct cursor *c, char want)
{
	uint8_t b;

	skip_blanks(c);
	return cursor_peek(c, 0, &b) && b == (uint8_t)want;
}

static bool
take(struct cursor *c, char want)
{
	return next_is(c, want) && cursor_skip(c, 1);
}

/* A quoted string without escapes. */
static bool
string(struct cursor *c, struct cursor *ret)
{
	uint8_t quote;

	skip_blanks(c);
	if (!cursor_u8(c, &quote) || (quote != '\'' && quote != '"') ||
	    !cursor_line(c, quote, ret))
		return false;
	return ret->len == 0 || memchr(ret->buf, '\\', ret->len) == NULL;
}

static bool
number(struct cursor *c, uint64_t *ret)
{
	uint64_t v = 0;
	bool any = false;
	uint8_t b;

	skip_blanks(c);
	while (cursor_peek(c, 0, &b) && b >= '0' && b <= '9') {
		if (!ckd_mul64(&v, v, 10) ||
		    !ckd_add64(&v, v, (uint64_t)(b - '0')) ||
		    !cursor_skip(c, 1))
			return false;
		any = true;
	}
	/* Python 2 wrote long integers with an L. */
	if (any && cursor_peek(c, 0, &b) && b == 'L' && !cursor_skip(c, 1))
		return false;
	*ret = v;
	return any;
}

static bool
tuple(struct cursor *c, uint64_t shape[NDTYPE_RANK], unsigned *rank)
{
	*rank = 0;
	if (!take(c, '('))
		return false;
	while (!take(c, ')')) {
		if (*rank == NDTYPE_RANK || !number(c, &shape[*rank]))
			return false;
		++*rank;
		if (!take(c, ',') && !next_is(c, ')'))
			return false;
	}
	return true;
}

static bool
type_string(struct head *h, struct cursor s, struct ndfield *f)
{
	if (!ndtype_read(s, &f->type))
		return false;
	h->object |= f->type.kind == 'O';
	return true;
}

/* "prefix.name", "prefix" or "name", as far as there are any. */
static bool
set_name(struct head *h, struct ndfield *f, const uint8_t *name, size_t n)
{
	struct buf b;

	buf_init(&b, 2 * HEADER_MAX);
	buf_put(&b, h->prefix, h->prefix_len);
	if (h->prefix_len > 0 && n > 0)
		buf_putc(&b, '.');
	buf_put(&b, name, n);
	f->name = buf_failed(&b) ? NULL : arena_dup(h->p->arena, buf_str(&b),
	    b.len);
	f->name_len = b.len;
	buf_release(&b);
	return f->name != NULL;
}

/* ('name', 'type') or ('name', 'type', (2, 3)); "" is padding. */
static bool
structured_field(struct head *h, struct ndfield *f)
{
	struct cursor name, type;
	uint64_t one;

	if (!take(&h->c, '('))
		return false;
	/* A title: ('title', 'name'). */
	if (take(&h->c, '(')) {
		if (!string(&h->c, &type) || !take(&h->c, ',') ||
		    !string(&h->c, &name) || !take(&h->c, ')'))
			return false;
	} else if (!string(&h->c, &name)) {
		return false;
	}
	if (!take(&h->c, ','))
		return false;
	if (next_is(&h->c, '[')) {
		h->nested = true;
		return false;
	}
	if (!string(&h->c, &type) || !type_string(h, type, f) ||
	    !set_name(h, f, name.buf, name.len))
		return false;
	if (take(&h->c, ',') && !next_is(&h->c, ')')) {
		if (next_is(&h->c, '(')) {
			if (!tuple(&h->c, f->shape, &f->rank))
				return false;
		} else {
			if (!number(&h->c, &one))
				return false;
			f->shape[0] = one;
			f->rank = 1;
		}
		(void)take(&h->c, ',');
	}
	return take(&h->c, ')');
}

static bool
structured(struct head *h)
{
	struct ndarray *a = h->a;

	h->structured = true;
	if (!take(&h->c, '['))
		return false;
	while (!take(&h->c, ']')) {
		if (a->fields == NDTYPE_FIELDS) {
			h->nested = true;
			return false;
		}
		if (!structured_field(h, &a->field[a->fields]))
			return false;
		a->fields++;
		if (!take(&h->c, ',') && !next_is(&h->c, ']'))
			return false;
	}
	return a->fields > 0;
}

static bool
value(struct head *h, const struct cursor *key)
{
	static const uint8_t yes[] = "True", no[] = "False";
	struct cursor s, k = *key;

	skip_blanks(&h->c);
	if (k.len == 5 && !h->has_descr &&
	    cursor_match(&k, (const uint8_t *)"descr", 5)) {
		h->has_descr = true;
		if (next_is(&h->c, '['))
			return structured(h);
		h->a->fields = 1;
		return string(&h->c, &s) && type_string(h, s,
		    &h->a->field[0]) && set_name(h, &h->a->field[0], NULL, 0);
	}
	if (k.len == 13 &&
	    cursor_match(&k, (const uint8_t *)"fortran_order", 13)) {
		h->a->fortran = cursor_match(&h->c, yes, 4);
		h->has_order = h->a->fortran || cursor_match(&h->c, no, 5);
		return h->has_order;
	}
	if (k.len != 5 || !cursor_match(&k, (const uint8_t *)"shape", 5) ||
	    h->has_shape)
		return false;
	h->has_shape = true;
	return tuple(&h->c, h->shape, &h->rank);
}

static bool
literal(struct head *h)
{
	struct cursor key;

	if (!take(&h->c, '{'))
		return false;
	while (!take(&h->c, '}')) {
		if (!string(&h->c, &key) || !take(&h->c, ':') ||
		    !value(h, &key))
			return false;
		if (!take(&h->c, ',') && !next_is(&h->c, '}'))
			return false;
	}
	skip_blanks(&h->c);
	return cursor_at_end(&h->c) && h->has_descr && h->has_order &&
	    h->has_shape;
}

/* The places of fields in a row, and the row's size. */
static bool
lay_out(struct head *h)
{
	struct ndarray *a = h->a;
	struct ndfield *f = a->field;
	uint64_t n;

	if (!h->structured) {
		f->rank = h->rank - 1;
		memcpy(f->shape, h->shape + 1, f->rank * sizeof(f->shape[0]));
	}
	a->item = 0;
	for (unsigned i = 0; i < a->fields; i++) {
		a->field[i].off = a->item;
		if (!ndset_size(&a->field[i], &n) ||
		    !ckd_add64(&a->item, a->item, n))
			return false;
	}
	/* The elements of other axes follow each other in a row. */
	for (unsigned i = 1; h->structured && i < h->rank; i++)
		if (h->shape[i] != 1)
			return false;
	return true;
}

/* Read the header's bytes; 0, or ERR_FORMAT (told). */
static int
read_text(struct head *h, struct err *e)
{
	struct ndarray *a = h->a;
	uint64_t size = bytesrc_size(a->src), n;
	uint8_t head[12], *text;
	struct cursor c;
	uint16_t n16;
	uint32_t n32;
	size_t got;
	int r;

	if ((r = bytesrc_read_some(a->src, 0, head, sizeof(head), &got,
	    e)) < 0)
		return r;
	cursor_init(&c, head, got, 0);
	if (!cursor_match(&c, (const uint8_t *)"\x93NUMPY", 6) ||
	    !cursor_skip(&c, 2))
		return rows_bad(h->p, a->file, a->off, "no array of NumPy", e);
	if (head[6] >= 2 ? !cursor_u32le(&c, &n32) : !cursor_u16le(&c, &n16))
		return rows_bad(h->p, a->file, a->off, "a header is cut", e);
	n = head[6] >= 2 ? n32 : n16;
	if (n > size - c.off)
		return rows_bad(h->p, a->file, a->off, "a header is cut", e);
	if (n > HEADER_MAX)
		return rows_bad(h->p, a->file, a->off,
		    "a header is too long", e);
	if ((text = arena_alloc(h->p->arena, (size_t)n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(a->src, c.off, text, (size_t)n, e)) < 0)
		return r;
	a->data = c.off + n;
	cursor_init(&h->c, text, (size_t)n, c.off);
	return 0;
}

static int
without(struct head *h, const char *what)
{
	rows_tell(h->p, h->a->file, h->a->off, what);
	return 1;
}

int
npyhead_read(const struct rows_params *p, const char *name, size_t n,
    struct ndarray *a, struct err *e)
{
	struct head h = {.p = p, .a = a, .prefix = name, .prefix_len = n};
	bool ok;
	int r;

	if ((a->field = arena_array(p->arena, NDTYPE_FIELDS,
	    sizeof(a->field[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	a->fields = 0;
	if ((r = read_text(&h, e)) < 0)
		return r;
	ok = literal(&h);
	if (h.object)
		return without(&h, "an array of objects is a pickle, which "
		    "is not read");
	if (h.nested)
		return without(&h, "an array of nested types is not read");
	if (!ok)
		return rows_bad(p, a->file, a->off + cursor_tell(&h.c),
		    "a header is no literal of NumPy", e);
	if (h.rank == 0)
		return without(&h, "an array without rows");
	if (!lay_out(&h))
		return without(&h, "an array of such a shape is not read");
	/* Of one axis both orders are the same. */
	if (h.rank == 1)
		a->fortran = false;
	if (a->fortran && h.structured)
		return without(&h, "an array of such a shape is not read");
	if (a->fortran)
		rows_tell(p, a->file, a->off,
		    "an array is in Fortran's order: its rows are not "
		    "contiguous");
	if (!a->packed) {
		a->off += a->data;
		a->len -= a->data;
	}
	if (a->item == 0)
		return without(&h, "an array whose rows have no bytes");
	return (r = ndset_rows(p, a, h.shape[0], e)) < 0 ? r : 0;
}
