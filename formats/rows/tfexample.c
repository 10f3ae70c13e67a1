#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/text.h"
#include "formats/rows/rows.h"
#include "formats/rows/tfexample.h"
#include "formats/rows/value.h"

enum kind { KIND_NONE, KIND_BYTES, KIND_FLOATS, KIND_INTS };

struct field {
	uint32_t number;
	unsigned type;		/* of the wire */
	uint64_t value;		/* of a varint */
	struct cursor body;	/* of the others */
};

/* The next field of a message: false at its end or where it breaks. */
static bool
field(struct cursor *c, struct field *f)
{
	uint64_t tag, n;

	if (!cursor_varint(c, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
		return false;
	f->number = (uint32_t)(tag >> 3);
	f->type = tag & 7;
	switch (f->type) {
	case 0:
		return cursor_varint(c, &f->value);
	case 1:
		return cursor_sub(c, 8, &f->body);
	case 2:
		return cursor_varint(c, &n) && cursor_sub(c, n, &f->body);
	case 5:
		return cursor_sub(c, 4, &f->body);
	default:
		return false;
	}
}

/* --- values of one feature ---------------------------------------------- */

struct values {
	enum kind kind;
	struct cursor c;	/* of the list's message */
	struct cursor packed;	/* scalars in one field */
};

/* The list that a Feature holds: of several the last, as for oneof. */
static bool
values_init(struct values *v, struct cursor feature)
{
	struct field f;

	v->kind = KIND_NONE;
	cursor_init(&v->c, NULL, 0, 0);
	v->packed = v->c;
	while (!cursor_at_end(&feature)) {
		if (!field(&feature, &f))
			return false;
		if (f.number < 1 || f.number > 3)
			continue;
		if (f.type != 2)
			return false;
		v->kind = (enum kind)f.number;
		v->c = f.body;
	}
	return true;
}

static bool
is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' &&
		    p[i] != '\t') || p[i] == 0x7f)
			return false;
	return text_is_utf8(p, n);
}

static bool
scalar(struct values *v, struct rows_value *ret)
{
	uint64_t u;
	uint32_t u4;
	float f;

	if (v->kind == KIND_INTS) {
		if (!cursor_varint(&v->packed, &u))
			return false;
		ret->type = ROWS_INT;
		ret->i = (int64_t)u;
		return true;
	}
	if (!cursor_u32le(&v->packed, &u4))
		return false;
	memcpy(&f, &u4, sizeof(f));
	ret->type = ROWS_REAL;
	ret->d = (double)f;
	return true;
}

/* 1 and *ret, 0: no more, -1: it breaks. */
static int
next(struct values *v, struct rows_value *ret)
{
	struct field f;

	memset(ret, 0, sizeof(*ret));
	for (;;) {
		if (!cursor_at_end(&v->packed))
			return scalar(v, ret) ? 1 : -1;
		if (cursor_at_end(&v->c))
			return 0;
		if (!field(&v->c, &f))
			return -1;
		if (f.number != 1)
			continue;
		if (v->kind == KIND_INTS && f.type == 0) {
			ret->type = ROWS_INT;
			ret->i = (int64_t)f.value;
			return 1;
		}
		if (f.type != 2 && !(v->kind == KIND_FLOATS && f.type == 5))
			return -1;
		if (v->kind != KIND_BYTES) {
			v->packed = f.body;
			continue;
		}
		ret->type = is_text(f.body.buf, f.body.len) ? ROWS_TEXT :
		    ROWS_BYTES;
		ret->p = f.body.buf;
		ret->n = f.body.len;
		return 1;
	}
}

static void
put_values(struct buf *b, struct cursor feature)
{
	struct rows_value first, v;
	struct values list;
	bool alone;

	if (!values_init(&list, feature) || next(&list, &first) != 1) {
		buf_puts(b, "[]");
		return;
	}
	alone = next(&list, &v) != 1;
	buf_puts(b, alone ? "" : "[");
	value_json(b, &first);
	if (alone)
		return;
	do {
		buf_putc(b, ',');
		value_json(b, &v);
	} while (next(&list, &v) == 1 && !buf_failed(b));
	buf_putc(b, ']');
}

/* --- the map ------------------------------------------------------------ */

struct entry {
	struct cursor name, body;
	bool list;		/* a FeatureList of a SequenceExample */
};

/* Name and value of a map's entry; both have defaults. */
static bool
read_entry(struct cursor c, struct entry *ret)
{
	struct field f;

	cursor_init(&ret->name, NULL, 0, 0);
	ret->body = ret->name;
	while (!cursor_at_end(&c)) {
		if (!field(&c, &f))
			return false;
		if (f.number > 2)
			continue;
		if (f.type != 2)
			return false;
		if (f.number == 1)
			ret->name = f.body;
		else
			ret->body = f.body;
	}
	return ret->name.len == 0 ||
	    text_is_utf8(ret->name.buf, ret->name.len);
}

struct walk {
	struct cursor example, map;
	bool list;
};

static void
walk_init(struct walk *w, const uint8_t *p, size_t n)
{
	cursor_init(&w->example, p, n, 0);
	cursor_init(&w->map, NULL, 0, 0);
	w->list = false;
}

/* 1 and *ret, 0 at the end, -1: it breaks. */
static int
walk_next(struct walk *w, struct entry *ret)
{
	struct field f;

	for (;;) {
		if (cursor_at_end(&w->map)) {
			if (cursor_at_end(&w->example))
				return 0;
			if (!field(&w->example, &f))
				return -1;
			if (f.number > 2)
				continue;
			if (f.type != 2)
				return -1;
			w->list = f.number == 2;
			w->map = f.body;
			continue;
		}
		if (!field(&w->map, &f))
			return -1;
		if (f.number != 1)
			continue;
		if (f.type != 2 || !read_entry(f.body, ret))
			return -1;
		ret->list = w->list;
		return 1;
	}
}

static bool
check_feature(struct cursor c)
{
	struct rows_value v;
	struct values list;
	int r;

	if (!values_init(&list, c))
		return false;
	while ((r = next(&list, &v)) == 1)
		;
	return r == 0;
}

bool
tfexample_check(const uint8_t *p, size_t n)
{
	struct entry en;
	struct field f;
	struct walk w;
	int r;

	walk_init(&w, p, n);
	while ((r = walk_next(&w, &en)) == 1) {
		if (!en.list) {
			if (!check_feature(en.body))
				return false;
			continue;
		}
		while (!cursor_at_end(&en.body))
			if (!field(&en.body, &f) || (f.number == 1 &&
			    (f.type != 2 || !check_feature(f.body))))
				return false;
	}
	return r == 0;
}

static void
put_entry(struct buf *b, const struct entry *en)
{
	struct cursor c = en->body;
	struct field f;
	bool comma = false;

	if (!en->list) {
		put_values(b, c);
		return;
	}
	buf_putc(b, '[');
	while (!cursor_at_end(&c) && field(&c, &f)) {
		if (f.number != 1)
			continue;
		buf_puts(b, comma ? "," : "");
		put_values(b, f.body);
		comma = true;
	}
	buf_putc(b, ']');
}

/* Does an entry of the same name follow?  Then this one does not count. */
static bool
is_replaced(struct walk w, const struct entry *en)
{
	struct entry other;

	while (walk_next(&w, &other) == 1)
		if (other.list == en->list &&
		    other.name.len == en->name.len && (en->name.len == 0 ||
		    memcmp(other.name.buf, en->name.buf, en->name.len) == 0))
			return true;
	return false;
}

/* Entries that are compared with those behind them: this is quadratic. */
#define ENTRIES_MAX 1000

void
tfexample_json(struct buf *b, const uint8_t *p, size_t n)
{
	struct entry en;
	struct walk w;
	unsigned count = 0;
	bool comma = false;

	walk_init(&w, p, n);
	buf_putc(b, '{');
	while (walk_next(&w, &en) == 1 && !buf_failed(b)) {
		if (count++ < ENTRIES_MAX && is_replaced(w, &en))
			continue;
		buf_puts(b, comma ? "," : "");
		value_key(b, en.name.buf, en.name.len);
		put_entry(b, &en);
		comma = true;
	}
	buf_putc(b, '}');
}

/* The value of number ${want} of a feature. */
static void
get_value(struct cursor feature, uint64_t want, struct rows_value *v)
{
	struct rows_value it;
	struct values list;

	if (!values_init(&list, feature))
		return;
	while (next(&list, &it) == 1)
		if (want-- == 0) {
			*v = it;
			return;
		}
}

static void
get_all(const struct entry *en, struct rows_value *v, struct buf *scratch)
{
	struct rows_value second;

	memset(&second, 0, sizeof(second));
	if (!en->list) {
		get_value(en->body, 0, v);
		get_value(en->body, 1, &second);
		if (v->type != ROWS_ABSENT && second.type == ROWS_ABSENT)
			return;
	}
	memset(v, 0, sizeof(*v));
	buf_clear(scratch);
	put_entry(scratch, en);
	v->type = ROWS_TREE;
	v->p = scratch->p;
	v->n = scratch->len;
}

void
tfexample_get(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, struct buf *scratch)
{
	struct entry en, best = {.list = false};
	size_t taken = 0;
	bool any = false;
	struct walk w;
	uint64_t k;

	memset(v, 0, sizeof(*v));
	buf_clear(scratch);
	walk_init(&w, p, n);
	while (walk_next(&w, &en) == 1) {
		size_t len = en.name.len;

		if (len < taken || (len > 0 && strncmp(path,
		    (const char *)en.name.buf, len) != 0) ||
		    (len > 0 && memchr(en.name.buf, '\0', len) != NULL) ||
		    (path[len] != '\0' && path[len] != '.'))
			continue;
		best = en;
		taken = len;
		any = true;
	}
	if (!any)
		return;
	path += taken;
	if (*path == '\0')
		get_all(&best, v, scratch);
	else if (!best.list &&
	    text_u64(path + 1, strlen(path + 1), 10, UINT64_MAX, &k))
		get_value(best.body, k, v);
}
