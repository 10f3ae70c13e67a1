#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/flatjson.h"
#include "formats/jinja_outline.h"
#include "formats/jinja_parts.h"

/* Parts of a real template are some hundreds. */
#define PARTS_MAX 65536
#define PART_MAX (64 * KIB)
#define KEY_MAX 1024

struct part {
	const char *p;
	size_t n;
};

struct outline {
	struct flatjson *f;
	const char *prefix;
	struct cursor c;
	struct buf b;		/* the part that is being read */
	struct part *v;
	size_t count, cap;
	uint64_t order;		/* 64-bit FNV-1a */
	struct err *e;
};

/* All that counts goes into the digest, whatever is kept of it. */
static void
emit(struct outline *o, uint8_t b)
{
	buf_putc(&o->b, (char)b);
	o->order = (o->order ^ b) * UINT64_C(0x100000001b3);
}

/* What is cut off ends at the end. */
static void
step(struct cursor *c, size_t n)
{
	while (n > 0 && cursor_skip(c, 1))
		n--;
}

static bool
at(const struct outline *o, char x, char y)
{
	uint8_t a, b;

	return cursor_peek(&o->c, 0, &a) && cursor_peek(&o->c, 1, &b) &&
	    a == (uint8_t)x && b == (uint8_t)y;
}

/* "%}" and "-%}", "+%}". */
static bool
at_close(const struct outline *o, char kind)
{
	uint8_t a, b, c;

	if (at(o, kind, '}'))
		return true;
	return cursor_peek(&o->c, 0, &a) && (a == '-' || a == '+') &&
	    cursor_peek(&o->c, 1, &b) && b == (uint8_t)kind &&
	    cursor_peek(&o->c, 2, &c) && c == '}';
}

static void
pass_close(struct outline *o, char kind)
{
	step(&o->c, at(o, kind, '}') ? 2 : 3);
}

static void
read_quoted(struct outline *o, uint8_t quote)
{
	uint8_t b;

	while (cursor_u8(&o->c, &b)) {
		emit(o, b);
		if (b == '\\' && cursor_u8(&o->c, &b))
			emit(o, b);
		else if (b == quote)
			return;
	}
}

/* The next byte, with each run of blanks made one; false: there is none. */
static bool
copy_byte(struct outline *o, bool *blank, uint8_t *b)
{
	if (!cursor_u8(&o->c, b))
		return false;
	if (jinja_is_blank(*b)) {
		*blank = o->b.len > 0;
		return true;
	}
	if (*blank)
		emit(o, ' ');
	*blank = false;
	emit(o, *b);
	return true;
}

static void
read_tag(struct outline *o, char kind)
{
	bool blank = false;
	uint8_t b;

	step(&o->c, 2);
	if (cursor_peek(&o->c, 0, &b) && (b == '-' || b == '+'))
		step(&o->c, 1);
	while (!at_close(o, kind) && copy_byte(o, &blank, &b))
		if (b == '"' || b == '\'')
			read_quoted(o, b);
	pass_close(o, kind);
}

static void
skip_comment(struct outline *o)
{
	step(&o->c, 2);
	while (!cursor_at_end(&o->c) && !at_close(o, '#'))
		step(&o->c, 1);
	pass_close(o, '#');
}

static void
read_text(struct outline *o)
{
	bool blank = false;
	uint8_t b;

	while (!at(o, '{', '{') && !at(o, '{', '%') && !at(o, '{', '#') &&
	    copy_byte(o, &blank, &b))
		;
}

static int
keep(struct outline *o, const char *what)
{
	struct part *v;
	struct buf key;
	size_t cap;
	int r = 0;

	/* "does", "prints" and "writes" differ in the first letter. */
	if (o->b.len > 0)
		o->order = (o->order ^ (uint8_t)*what ^ 0x80) *
		    UINT64_C(0x100000001b3);
	if (o->b.len == 0 || o->count == PARTS_MAX)
		return 0;
	if (o->count == o->cap) {
		cap = o->cap == 0 ? 256 : 2 * o->cap;
		if ((v = reallocarray(o->v, cap, sizeof(*v))) == NULL)
			return err_set(o->e, ERR_NOMEM, "out of memory");
		o->v = v;
		o->cap = cap;
	}
	buf_init(&key, PART_MAX);
	buf_puts(&key, o->prefix);
	buf_puts(&key, what);
	buf_put(&key, o->b.p, o->b.len < KEY_MAX ? o->b.len : KEY_MAX);
	v = &o->v[o->count];
	v->n = key.len;
	if (buf_failed(&key) < 0 ||
	    (v->p = arena_dup(o->f->a, key.p, key.len)) == NULL)
		r = err_set(o->e, ERR_NOMEM, "out of memory");
	else
		o->count++;
	buf_release(&key);
	return r;
}

static int
compare(const void *a, const void *b)
{
	const struct part *x = a;
	const struct part *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = memcmp(x->p, y->p, n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static int
put_all(struct outline *o)
{
	char text[32];
	size_t i, k;
	int r = 0, n;

	if (o->count > 0)
		qsort(o->v, o->count, sizeof(*o->v), compare);
	for (i = 0; i < o->count && r >= 0; i = k) {
		for (k = i; k < o->count &&
		    compare(&o->v[i], &o->v[k]) == 0; k++)
			;
		n = snprintf(text, sizeof(text), "%zu", k - i);
		r = flatjson_put(o->f, flatjson_leaf(o->v[i].p, o->v[i].n,
		    FLAT_NUMBER, text, (size_t)n), o->e);
	}
	if (r < 0)
		return r;
	n = snprintf(text, sizeof(text), "%016llx",
	    (unsigned long long)o->order);
	buf_clear(&o->b);
	buf_puts(&o->b, o->prefix);
	buf_puts(&o->b, "order");
	return flatjson_put(o->f, flatjson_leaf((const char *)o->b.p,
	    o->b.len, FLAT_STRING, text, (size_t)n), o->e);
}

static int
read_part(struct outline *o)
{
	buf_clear(&o->b);
	if (at(o, '{', '#')) {
		skip_comment(o);
		return 0;
	}
	if (at(o, '{', '{')) {
		read_tag(o, '}');
		return keep(o, "prints ");
	}
	if (at(o, '{', '%')) {
		read_tag(o, '%');
		return keep(o, "does ");
	}
	read_text(o);
	return keep(o, "writes ");
}

int
jinja_outline_put(struct flatjson *f, const char *prefix, const uint8_t *t,
    size_t n, struct err *e)
{
	struct outline o = {.f = f, .prefix = prefix, .e = e,
	    .order = UINT64_C(0xcbf29ce484222325)};
	int r = 0;

	cursor_init(&o.c, t, n, 0);
	buf_init(&o.b, PART_MAX);
	while (r >= 0 && !cursor_at_end(&o.c))
		r = read_part(&o);
	if (r >= 0)
		r = put_all(&o);
	free(o.v);
	buf_release(&o.b);
	return r;
}
