#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/npydict.h"
#include "formats/rows/ndset.h"
#include "formats/rows/npyhead.h"
#include "formats/rows/rows.h"

/*
 * What descr may be: a type string, or a list of ('name', 'type') and
 * ('name', 'type', (2, 3)); the rest of the header is npydict.h.
 */
struct head {
	struct cursor c;
	const struct rows_params *p;
	struct ndarray *a;
	const char *prefix;
	size_t prefix_len;
	struct npydict dict;
	bool has_descr, structured, object, nested;
};

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

	buf_init(&b, 2 * NPYDICT_MAX);
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
structured_field(struct head *h, struct cursor *c, struct ndfield *f)
{
	struct cursor name, type;
	uint64_t one;

	if (!npydict_take(c, '('))
		return false;
	/* A title: ('title', 'name'). */
	if (npydict_take(c, '(')) {
		if (!npydict_string(c, &type) || !npydict_take(c, ',') ||
		    !npydict_string(c, &name) || !npydict_take(c, ')'))
			return false;
	} else if (!npydict_string(c, &name)) {
		return false;
	}
	if (!npydict_take(c, ','))
		return false;
	if (npydict_at(c, '[')) {
		h->nested = true;
		return false;
	}
	if (!npydict_string(c, &type) || !type_string(h, type, f) ||
	    !set_name(h, f, name.buf, name.len))
		return false;
	if (npydict_take(c, ',') && !npydict_at(c, ')')) {
		if (npydict_at(c, '(')) {
			if (!npydict_tuple(c, f->shape, &f->rank))
				return false;
		} else {
			if (!npydict_number(c, &one))
				return false;
			f->shape[0] = one;
			f->rank = 1;
		}
		(void)npydict_take(c, ',');
	}
	return npydict_take(c, ')');
}

static bool
structured(struct head *h, struct cursor *c)
{
	struct ndarray *a = h->a;

	h->structured = true;
	if (!npydict_take(c, '['))
		return false;
	while (!npydict_take(c, ']')) {
		if (a->fields == NDTYPE_FIELDS) {
			h->nested = true;
			return false;
		}
		if (!structured_field(h, c, &a->field[a->fields]))
			return false;
		a->fields++;
		if (!npydict_take(c, ',') && !npydict_at(c, ']'))
			return false;
	}
	return a->fields > 0;
}

static bool
descr(struct cursor *c, void *ctx)
{
	struct head *h = ctx;
	struct cursor s;

	/* Of two, loaders take the last: nobody writes such. */
	if (h->has_descr)
		return false;
	h->has_descr = true;
	if (npydict_at(c, '['))
		return structured(h, c);
	h->a->fields = 1;
	return npydict_string(c, &s) && type_string(h, s, &h->a->field[0]) &&
	    set_name(h, &h->a->field[0], NULL, 0);
}

/* The places of fields in a row, and the row's size. */
static bool
lay_out(struct head *h)
{
	struct ndarray *a = h->a;
	struct ndfield *f = a->field;
	uint64_t n;

	if (!h->structured) {
		f->rank = h->dict.rank - 1;
		memcpy(f->shape, h->dict.shape + 1,
		    f->rank * sizeof(f->shape[0]));
	}
	a->item = 0;
	for (unsigned i = 0; i < a->fields; i++) {
		a->field[i].off = a->item;
		if (!ndset_size(&a->field[i], &n) ||
		    !ckd_add64(&a->item, a->item, n))
			return false;
	}
	/* The elements of other axes follow each other in a row. */
	for (unsigned i = 1; h->structured && i < h->dict.rank; i++)
		if (h->dict.shape[i] != 1)
			return false;
	return true;
}

/* Read the header's bytes; 0, or ERR_FORMAT (told). */
static int
read_text(struct head *h, struct err *e)
{
	struct ndarray *a = h->a;
	uint8_t head[NPYDICT_FRONT], *text;
	struct cursor c;
	uint32_t n;
	size_t got;
	int r;

	if ((r = bytesrc_read_some(a->src, 0, head, sizeof(head), &got,
	    e)) < 0)
		return r;
	cursor_init(&c, head, got, 0);
	if (!npydict_magic(&c))
		return rows_bad(h->p, a->file, a->off, "no array of NumPy", e);
	if (!npydict_length(&c, &n) || n > bytesrc_size(a->src) - c.off)
		return rows_bad(h->p, a->file, a->off, "a header is cut", e);
	if (n > NPYDICT_MAX)
		return rows_bad(h->p, a->file, a->off,
		    "a header is too long", e);
	if ((text = arena_alloc(h->p->arena, n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(a->src, c.off, text, n, e)) < 0)
		return r;
	a->data = c.off + n;
	cursor_init(&h->c, text, n, c.off);
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
	ok = npydict_read(&h.c, &h.dict, descr, &h);
	a->fortran = h.dict.fortran;
	if (h.object)
		return without(&h, "an array of objects is a pickle, which "
		    "is not read");
	if (h.nested)
		return without(&h, "an array of nested types is not read");
	if (!ok)
		return rows_bad(p, a->file, a->off + cursor_tell(&h.c),
		    "a header is no literal of NumPy", e);
	if (h.dict.rank == 0)
		return without(&h, "an array without rows");
	if (!lay_out(&h))
		return without(&h, "an array of such a shape is not read");
	/* Of one axis both orders are the same. */
	if (h.dict.rank == 1)
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
	return (r = ndset_rows(p, a, h.dict.shape[0], e)) < 0 ? r : 0;
}
