#include <string.h>

#include "formats/rows/thrift.h"

void
thrift_init(struct thrift *t, const struct cursor *c)
{
	t->c = *c;
	t->depth = 0;
}

static bool
zigzag(struct thrift *t, int64_t *ret)
{
	uint64_t v;

	if (!cursor_varint(&t->c, &v))
		return false;
	*ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
	return true;
}

bool
thrift_enter(struct thrift *t)
{
	if (t->depth == THRIFT_DEPTH)
		return false;
	t->last[t->depth++] = 0;
	return true;
}

int
thrift_next(struct thrift *t, struct thrift_field *f)
{
	int64_t id;
	uint8_t b;

	if (!cursor_u8(&t->c, &b))
		return -1;
	if (b == 0) {
		t->depth--;
		return 0;
	}
	if (b >> 4 != 0)
		id = t->last[t->depth - 1] + (b >> 4);
	else if (!zigzag(t, &id))
		return -1;
	if (id < INT16_MIN || id > INT16_MAX || (b & 15) == 0 ||
	    (b & 15) > THRIFT_STRUCT)
		return -1;
	f->id = (int16_t)id;
	f->type = b & 15;
	t->last[t->depth - 1] = f->id;
	return 1;
}

bool
thrift_int(struct thrift *t, const struct thrift_field *f, int64_t min,
    int64_t max, int64_t *ret)
{
	uint8_t b;
	int64_t v;

	if (f->type == THRIFT_I8) {
		if (!cursor_u8(&t->c, &b))
			return false;
		v = (int8_t)b;
	} else if (f->type < THRIFT_I16 || f->type > THRIFT_I64 ||
	    !zigzag(t, &v)) {
		return false;
	}
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool
thrift_bool(const struct thrift_field *f, bool *ret)
{
	if (f->type != THRIFT_TRUE && f->type != THRIFT_FALSE)
		return false;
	*ret = f->type == THRIFT_TRUE;
	return true;
}

bool
thrift_binary(struct thrift *t, const struct thrift_field *f,
    struct cursor *ret)
{
	uint64_t n;

	return f->type == THRIFT_BINARY && cursor_varint(&t->c, &n) &&
	    cursor_sub(&t->c, n, ret);
}

bool
thrift_list(struct thrift *t, const struct thrift_field *f, uint8_t *type,
    uint64_t *n)
{
	uint64_t size;
	uint8_t b;

	if ((f->type != THRIFT_LIST && f->type != THRIFT_SET) ||
	    !cursor_u8(&t->c, &b))
		return false;
	size = b >> 4;
	if (size == 15 && !cursor_varint(&t->c, &size))
		return false;
	if ((b & 15) > THRIFT_STRUCT || ((b & 15) == 0 && size > 0) ||
	    size > cursor_left(&t->c))
		return false;
	*type = b & 15;
	*n = size;
	return true;
}

/* A scalar outside lists: booleans are in the type there. */
static bool
scalar(struct thrift *t, uint8_t type)
{
	struct thrift_field f = {0, type};
	struct cursor sub;
	int64_t v;

	switch (type) {
	case THRIFT_TRUE:
	case THRIFT_FALSE:
		return true;
	case THRIFT_DOUBLE:
		return cursor_skip(&t->c, 8);
	case THRIFT_BINARY:
		return thrift_binary(t, &f, &sub);
	default:
		return thrift_int(t, &f, INT64_MIN, INT64_MAX, &v);
	}
}

/* What is open while a value is passed over: a struct, or elements. */
struct open {
	bool is_struct;
	uint8_t type[2];	/* of the elements; of keys and values */
	uint64_t left;		/* elements */
};

/* An element of a list: a boolean is one byte there. */
static bool
element(struct thrift *t, uint8_t type)
{
	if (type == THRIFT_TRUE || type == THRIFT_FALSE)
		return cursor_skip(&t->c, 1);
	return scalar(t, type);
}

/* Begin a value that holds others. */
static bool
begin(struct thrift *t, struct open *o, uint8_t type)
{
	struct thrift_field f = {0, type};
	uint64_t n;
	uint8_t b;

	o->is_struct = type == THRIFT_STRUCT;
	if (o->is_struct)
		return thrift_enter(t);
	if (type != THRIFT_MAP) {
		if (!thrift_list(t, &f, &o->type[0], &o->left))
			return false;
		o->type[1] = o->type[0];
		return true;
	}
	o->left = 0;
	if (!cursor_varint(&t->c, &n) || n > cursor_left(&t->c))
		return false;
	if (n == 0)
		return true;
	if (!cursor_u8(&t->c, &b) || b >> 4 == 0 || b >> 4 > THRIFT_STRUCT ||
	    (b & 15) == 0 || (b & 15) > THRIFT_STRUCT)
		return false;
	/* Keys and values take turns: of an even number left, a key. */
	o->type[0] = b >> 4;
	o->type[1] = b & 15;
	o->left = 2 * n;
	return true;
}

/* The next value in ${o}: 1 and its type, 0 at the end, -1. */
static int
step(struct thrift *t, struct open *o, uint8_t *type)
{
	struct thrift_field f;
	int r;

	if (o->is_struct) {
		if ((r = thrift_next(t, &f)) == 1)
			*type = f.type;
		return r;
	}
	if (o->left == 0)
		return 0;
	*type = o->type[o->left & 1];
	o->left--;
	return 1;
}

bool
thrift_skip(struct thrift *t, const struct thrift_field *f)
{
	struct open open[THRIFT_DEPTH];
	unsigned depth = 0;
	uint8_t type = 0;
	int r;

	if (f->type < THRIFT_LIST)
		return scalar(t, f->type);
	if (!begin(t, &open[depth++], f->type))
		return false;
	while (depth > 0) {
		if ((r = step(t, &open[depth - 1], &type)) < 0)
			return false;
		if (r == 0) {
			depth--;
		} else if (type >= THRIFT_LIST) {
			if (depth == THRIFT_DEPTH ||
			    !begin(t, &open[depth], type))
				return false;
			depth++;
		} else if (!(open[depth - 1].is_struct ? scalar(t, type) :
		    element(t, type))) {
			return false;
		}
	}
	return true;
}

static const struct thrift_want *
wanted(const struct thrift_want *want, size_t n, int16_t id)
{
	for (size_t i = 0; i < n; i++)
		if (want[i].id == id)
			return &want[i];
	return NULL;
}

bool
thrift_read(struct thrift *t, const struct thrift_want *want, size_t n,
    void *into, bool (*other)(struct thrift *t, const struct thrift_field *f,
    void *into))
{
	const struct thrift_want *w;
	struct thrift_field f;
	int64_t v;
	bool ok;
	int r;

	if (!thrift_enter(t))
		return false;
	while ((r = thrift_next(t, &f)) == 1) {
		if ((w = wanted(want, n, f.id)) == NULL) {
			ok = other != NULL ? other(t, &f, into) :
			    thrift_skip(t, &f);
		} else if ((ok = thrift_int(t, &f, w->min, w->max, &v))) {
			memcpy((uint8_t *)into + w->at, &v, sizeof(v));
		}
		if (!ok)
			return false;
	}
	return r == 0;
}
