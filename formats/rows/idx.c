#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/rows/ndset.h"
#include "formats/rows/packed.h"
#include "formats/rows/rows.h"

/*
 * IDX, of MNIST and its heirs (yann.lecun.com/exdb/mnist):
 *
 *	0 0  0 0   2 type   3 axes   4 each axis, u32 big-endian   elements
 *
 * The files of a set are read together: those with as many rows are aligned,
 * as images and their labels are.  An array of one axis is the field "label",
 * others are "image"; where that would be one name twice, the fields have the
 * files' names.
 */
struct idx {
	struct ndset set;
	struct ndarray *array;
	struct bytesrc **unpacked;	/* one for each file, or NULL */
	const struct rows_params *p;
};

static bool
element_type(uint8_t code, struct ndtype *ret)
{
	static const struct {
		uint8_t code;
		char kind;
		uint8_t size;
	} types[] = {{8, 'u', 1}, {9, 'i', 1}, {11, 'i', 2}, {12, 'i', 4},
	    {13, 'f', 4}, {14, 'f', 8}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].code == code) {
			ret->kind = types[i].kind;
			ret->size = types[i].size;
			ret->big = true;
			return true;
		}
	return false;
}

/* The header; rows of axis 0 in *rows.  False: it is none. */
static bool
header(struct cursor *c, struct ndfield *f, uint64_t *rows)
{
	uint8_t code, axes;
	uint32_t n;

	if (!cursor_match(c, (const uint8_t *)"\0\0", 2) ||
	    !cursor_u8(c, &code) || !cursor_u8(c, &axes) || axes == 0 ||
	    axes > NDTYPE_RANK || !element_type(code, &f->type))
		return false;
	f->rank = 0;
	for (unsigned i = 0; i < axes; i++) {
		if (!cursor_u32be(c, &n))
			return false;
		if (i == 0)
			*rows = n;
		else
			f->shape[f->rank++] = n;
	}
	return true;
}

static unsigned
idx_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	const uint64_t size = bytesrc_size(p->file[0].src);
	struct ndfield f = {0};
	uint64_t rows, item;
	struct cursor c;

	cursor_init(&c, head, n, 0);
	if (!header(&c, &f, &rows) || !ndset_size(&f, &item) || item == 0)
		return 0;
	/* The magic is short; that the size is right says more. */
	if (size - c.off == rows * item && rows > 0)
		return 56;
	return rows_named(&p->file[0], "-ubyte") ||
	    rows_named(&p->file[0], ".idx") ? 32 : 0;
}

static int
open_one(struct idx *x, uint32_t k, struct err *e)
{
	const struct rows_params *p = x->p;
	struct ndarray *a = &x->array[k];
	uint8_t head[4 + 4 * NDTYPE_RANK];
	uint64_t rows = 0;
	struct cursor c;
	size_t n;
	int r;

	if ((a->field = arena_alloc(p->arena, sizeof(a->field[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	a->fields = 1;
	a->file = k;
	a->src = p->file[k].src;
	a->len = bytesrc_size(a->src);
	if ((r = packed_open(p, k, &x->unpacked[k], e)) < 0)
		return r;
	if (r > 0) {
		a->src = x->unpacked[k];
		a->packed = true;
	}
	if ((r = bytesrc_read_some(a->src, 0, head, sizeof(head), &n, e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	if (!header(&c, a->field, &rows) ||
	    !ndset_size(a->field, &a->item))
		return rows_bad(p, k, 0, "a file has no header of IDX", e);
	a->data = c.off;
	if (!a->packed) {
		a->off = c.off;
		a->len -= c.off;
	}
	return ndset_rows(p, a, rows, e);
}

/* "label" and "image", unless that would be one name twice. */
static void
name_fields(struct idx *x, size_t files)
{
	const struct rows_file *f;
	bool twice = false;
	size_t slash;

	for (size_t i = 0; i < files; i++) {
		struct ndfield *d = x->array[i].field;

		d->name = d->rank == 0 ? "label" : "image";
		d->name_len = 5;
		for (size_t k = 0; k < i; k++)
			twice |= x->array[k].rows == x->array[i].rows &&
			    strcmp(x->array[k].field->name, d->name) == 0;
	}
	for (size_t i = 0; i < files && twice; i++) {
		f = &x->p->file[i];
		slash = f->name_len;
		while (slash > 0 && f->name[slash - 1] != '/')
			slash--;
		x->array[i].field->name = f->name + slash;
		x->array[i].field->name_len = f->name_len - slash;
	}
}

static void
free_unpacked(struct idx *x)
{
	for (size_t i = 0; i < x->p->files; i++)
		bytesrc_free(x->unpacked[i]);
}

static int
idx_open(const struct rows_params *p, void **self, struct err *e)
{
	struct idx *x;
	int r = 0;

	if ((x = arena_alloc(p->arena, sizeof(*x))) == NULL ||
	    (x->array = arena_array(p->arena, p->files,
	    sizeof(x->array[0]))) == NULL ||
	    (x->unpacked = arena_array(p->arena, p->files,
	    sizeof(x->unpacked[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	x->p = p;
	for (size_t i = 0; i < p->files && r >= 0; i++)
		r = open_one(x, (uint32_t)i, e);
	if (r < 0) {
		free_unpacked(x);
		return r;
	}
	name_fields(x, p->files);
	*self = x;
	ndset_open(&x->set, p, x->array, p->files);
	return 0;
}

static void
idx_close(void *self)
{
	ndset_close(&((struct idx *)self)->set);
	free_unpacked(self);
}

const struct rows_format rows_idx = {
    .id = "idx",
    .flags = ROWS_WHOLE | ROWS_FORWARD,
    .bid = idx_bid,
    .open = idx_open,
    .next = ndset_next,
    .field = ndset_field,
    .array = ndset_array,
    .json = ndset_json,
    .seek = ndset_seek,
    .count = ndset_count,
    .raw = ndset_raw,
    .fields = ndset_fields,
    .close = idx_close,
};
