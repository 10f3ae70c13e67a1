#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/pbwire.h"

/*
 * Every length is compared with what is left of the innermost message, whose
 * end lies inside the end of the one around it, and so on to the source: no
 * read can leave it.  w->next moves only over what was understood.
 */
#define NUMBER_MAX ((UINT64_C(1) << 29) - 1)
#define VARINT_MAX 10

int
pbwire_init(struct pbwire *w, const struct bytesrc *src, uint64_t off,
    uint64_t len, size_t window, struct arena *a, struct err *e)
{
	int r;

	if (off > bytesrc_size(src) || len > bytesrc_size(src) - off)
		return err_set(e, ERR_TRUNC, "a message lies outside");
	if ((r = reader_init(&w->r, src, off, window, a, e)) < 0)
		return r;
	w->depth = 0;
	w->end[0] = off + len;
	w->next = off;
	w->why = NULL;
	return 0;
}

static uint64_t
left(const struct pbwire *w)
{
	return w->end[w->depth] - reader_tell(&w->r);
}

static int
bad(struct pbwire *w, const char *why)
{
	w->why = why;
	return PB_BAD;
}

/* 0, PB_BAD, or negative. */
static int
varint(struct pbwire *w, uint64_t *ret, unsigned *flags, struct err *e)
{
	uint64_t v = 0;
	uint8_t b;
	int r;

	for (unsigned i = 0; i < VARINT_MAX; i++) {
		if (left(w) == 0)
			return bad(w, "the message ends inside a varint");
		if ((r = reader_u8(&w->r, &b, e)) < 0)
			return r;
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (b >= 0x80)
			continue;
		if (b == 0 && i > 0)
			*flags |= PB_OVERLONG;
		if (b > 1 && i == VARINT_MAX - 1)
			*flags |= PB_OVERFLOW;
		*ret = v;
		return 0;
	}
	return bad(w, "a varint has more than ten bytes");
}

static int
fixed(struct pbwire *w, struct pb_field *f, struct err *e)
{
	uint32_t v;
	int r;

	f->len = f->type == PB_FIXED32 ? 4 : 8;
	if (left(w) < f->len)
		return bad(w, "the message ends inside a number");
	if (f->type == PB_FIXED64)
		return reader_u64le(&w->r, &f->value, e);
	if ((r = reader_u32le(&w->r, &v, e)) < 0)
		return r;
	f->value = v;
	return 0;
}

/* Types 4, 6 and 7 stay as numbers: the caller knows them. */
static int
tag(struct pbwire *w, struct pb_field *f, unsigned *type, struct err *e)
{
	uint64_t v;
	int r;

	f->flags = 0;
	f->value = 0;
	f->off = reader_tell(&w->r);
	if ((r = varint(w, &v, &f->flags, e)) != 0)
		return r;
	if (v >> 3 == 0 || v >> 3 > NUMBER_MAX)
		return bad(w, "no field has that number");
	f->number = (uint32_t)(v >> 3);
	f->at = reader_tell(&w->r);
	*type = (unsigned)(v & 7);
	return 0;
}

/* What stands behind a tag, except a group.  0, PB_BAD, PB_LONG, negative. */
static int
content(struct pbwire *w, struct pb_field *f, unsigned type, struct err *e)
{
	int r;

	switch (type) {
	case PB_VARINT:
		f->type = PB_VARINT;
		r = varint(w, &f->value, &f->flags, e);
		f->len = reader_tell(&w->r) - f->at;
		return r;
	case PB_FIXED64:
	case PB_FIXED32:
		f->type = type == PB_FIXED32 ? PB_FIXED32 : PB_FIXED64;
		return fixed(w, f, e);
	case PB_LEN:
		f->type = PB_LEN;
		if ((r = varint(w, &f->len, &f->flags, e)) != 0)
			return r;
		f->at = reader_tell(&w->r);
		if (f->len <= left(w))
			return 0;
		f->len = left(w);
		w->why = "a length goes beyond the end of the message";
		return PB_LONG;
	default:
		return bad(w, type < 5 ? "a group ends that never began" :
		    "no field has that type");
	}
}

/* From behind the first tag of a group to its end. */
static int
group(struct pbwire *w, struct pb_field *f, struct err *e)
{
	uint32_t open[LIMIT_PB_DEPTH];
	unsigned depth = 1, type = 0;
	struct pb_field in;
	int r;

	open[0] = f->number;
	f->type = PB_GROUP;
	while (depth > 0) {
		if ((r = tag(w, &in, &type, e)) != 0)
			return r;
		f->flags |= in.flags;
		if (type == 4) {
			if (open[--depth] != in.number)
				return bad(w, "another group ends");
		} else if (type == PB_GROUP) {
			if (depth == LIMIT_PB_DEPTH)
				return bad(w, "groups are nested too deep");
			open[depth++] = in.number;
		} else {
			if ((r = content(w, &in, type, e)) != 0)
				return r == PB_LONG ? PB_BAD : r;
			f->flags |= in.flags;
			if (type == PB_LEN &&
			    (r = reader_skip(&w->r, in.len, e)) < 0)
				return r;
		}
	}
	f->len = reader_tell(&w->r) - f->at;
	return 0;
}

int
pbwire_next(struct pbwire *w, struct pb_field *f, struct err *e)
{
	unsigned type = 0;
	int r;

	if (w->next == w->end[w->depth])
		return PB_END;
	if (reader_tell(&w->r) != w->next &&
	    (r = reader_seek(&w->r, w->next, e)) < 0)
		return r;
	if ((r = tag(w, f, &type, e)) != 0)
		return r;
	r = type == PB_GROUP ? group(w, f, e) : content(w, f, type, e);
	if (r != 0)
		return r;
	w->next = f->at + f->len;
	return PB_FIELD;
}

bool
pbwire_enter(struct pbwire *w, const struct pb_field *f)
{
	if (w->depth == LIMIT_PB_DEPTH)
		return false;
	w->end[++w->depth] = f->at + f->len;
	w->next = f->at;
	return true;
}

void
pbwire_leave(struct pbwire *w)
{
	w->next = w->end[w->depth--];
}

int
pbwire_packed(struct pbwire *w, uint64_t *ret, unsigned *flags,
    struct err *e)
{
	int r;

	if (w->next == w->end[w->depth])
		return PB_END;
	if (reader_tell(&w->r) != w->next &&
	    (r = reader_seek(&w->r, w->next, e)) < 0)
		return r;
	if ((r = varint(w, ret, flags, e)) != 0)
		return r;
	w->next = reader_tell(&w->r);
	return PB_FIELD;
}

int
pbwire_copy(struct pbwire *w, const struct pb_field *f, void *dst,
    size_t cap, size_t *n, struct err *e)
{
	size_t take = f->len < cap ? (size_t)f->len : cap;
	int r;

	if ((reader_tell(&w->r) != f->at &&
	    (r = reader_seek(&w->r, f->at, e)) < 0) ||
	    (r = reader_copy(&w->r, dst, take, e)) < 0)
		return r;
	*n = take;
	return 0;
}
