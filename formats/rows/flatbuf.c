#include "base/cursor.h"
#include "formats/rows/flatbuf.h"

static bool
at(const struct flatbuf *b, size_t off, struct cursor *c)
{
	cursor_init(c, b->p, b->n, 0);
	return cursor_seek(c, off);
}

static bool
table_at(const struct flatbuf *b, size_t off, struct flattable *ret)
{
	struct flattable t = {.at = off};
	struct cursor c;
	uint32_t back;
	int64_t vtable;

	if (!at(b, off, &c) || !cursor_u32le(&c, &back))
		return false;
	vtable = (int64_t)off - (int32_t)back;
	if (vtable < 0 || !at(b, (size_t)vtable, &c) ||
	    !cursor_u16le(&c, &t.vsize) || !cursor_u16le(&c, &t.size))
		return false;
	t.vtable = (size_t)vtable;
	if (t.vsize < 4 || t.vsize > b->n - t.vtable || t.size < 4 ||
	    t.size > b->n - off)
		return false;
	*ret = t;
	return true;
}

bool
flatbuf_root(const struct flatbuf *b, struct flattable *ret)
{
	struct cursor c;
	uint32_t off;

	return at(b, 0, &c) && cursor_u32le(&c, &off) && table_at(b, off, ret);
}

/* Where ${size} bytes of a field stand: 1, 0 or -1. */
static int
place(const struct flatbuf *b, const struct flattable *t, unsigned field,
    size_t size, size_t *ret)
{
	struct cursor c;
	uint16_t off;

	if (4 + 2 * (size_t)field + 2 > t->vsize)
		return 0;
	if (!at(b, t->vtable + 4 + 2 * (size_t)field, &c) ||
	    !cursor_u16le(&c, &off))
		return -1;
	if (off == 0)
		return 0;
	if (off > t->size || size > (size_t)t->size - off)
		return -1;
	*ret = t->at + off;
	return 1;
}

bool
flatbuf_int(const struct flatbuf *b, const struct flattable *t,
    unsigned field, unsigned size, int64_t otherwise, int64_t *ret)
{
	struct cursor c;
	uint64_t v = 0;
	uint8_t byte;
	size_t off;
	int r;

	if ((r = place(b, t, field, size, &off)) < 0)
		return false;
	if (r == 0) {
		*ret = otherwise;
		return true;
	}
	if (!at(b, off, &c))
		return false;
	for (unsigned i = 0; i < size; i++) {
		if (!cursor_u8(&c, &byte))
			return false;
		v |= (uint64_t)byte << 8 * i;
	}
	if (size < 8 && v >> (8 * size - 1) != 0)
		v |= UINT64_MAX << 8 * size;
	*ret = (int64_t)v;
	return true;
}

/* Follow the offset in a field: 1 and where it leads. */
static int
follow(const struct flatbuf *b, const struct flattable *t, unsigned field,
    size_t *ret)
{
	struct cursor c;
	uint32_t by;
	size_t off;
	int r;

	if ((r = place(b, t, field, 4, &off)) <= 0)
		return r;
	if (!at(b, off, &c) || !cursor_u32le(&c, &by) || by < 4 ||
	    by > b->n - off)
		return -1;
	*ret = off + by;
	return 1;
}

int
flatbuf_table(const struct flatbuf *b, const struct flattable *t,
    unsigned field, struct flattable *ret)
{
	size_t off;
	int r;

	if ((r = follow(b, t, field, &off)) <= 0)
		return r;
	return table_at(b, off, ret) ? 1 : -1;
}

int
flatbuf_vector(const struct flatbuf *b, const struct flattable *t,
    unsigned field, size_t size, struct flatvec *ret)
{
	struct cursor c;
	uint32_t count;
	size_t off;
	int r;

	if ((r = follow(b, t, field, &off)) <= 0)
		return r;
	if (!at(b, off, &c) || !cursor_u32le(&c, &count) ||
	    count > cursor_left(&c) / size)
		return -1;
	ret->at = off + 4;
	ret->count = count;
	return 1;
}

bool
flatbuf_element(const struct flatbuf *b, const struct flatvec *v, uint32_t i,
    struct flattable *ret)
{
	size_t off = v->at + 4 * (size_t)i;
	struct cursor c;
	uint32_t by;

	return i < v->count && at(b, off, &c) && cursor_u32le(&c, &by) &&
	    by >= 4 && by <= b->n - off && table_at(b, off + by, ret);
}

bool
flatbuf_number(const struct flatbuf *b, const struct flatvec *v, size_t off,
    int64_t *ret)
{
	struct cursor c;
	uint64_t u;

	if (!at(b, v->at, &c) || !cursor_skip(&c, off) ||
	    !cursor_u64le(&c, &u))
		return false;
	*ret = (int64_t)u;
	return true;
}
