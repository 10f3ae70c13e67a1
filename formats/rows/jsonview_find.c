#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/text.h"
#include "formats/rows/jsonview.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/*
 * Values of a document that jsonview_check has let pass.  What the grammar
 * promises is still compared before it is used: a caller that forgot the
 * check gets nonsense, never bytes outside.
 */
static uint8_t
at(const struct cursor *c)
{
	return c->off < c->len ? c->buf[c->off] : 0;
}

static void
step(struct cursor *c)
{
	if (c->off < c->len)
		c->off++;
}

static void
skip_blanks(struct cursor *c)
{
	while (at(c) == ' ' || at(c) == '\n' || at(c) == '\r' ||
	    at(c) == '\t')
		c->off++;
}

/* Behind a value: does another follow?  Then behind the comma. */
static bool
more(struct cursor *c)
{
	skip_blanks(c);
	if (at(c) != ',')
		return false;
	step(c);
	skip_blanks(c);
	return true;
}

/* At a quote: the string's inside; passes the closing quote. */
static void
string(struct cursor *c, struct cursor *inside, bool *escaped)
{
	const uint8_t *end;
	size_t from;

	step(c);
	from = c->off;
	*escaped = false;
	while (c->off < c->len) {
		const uint8_t *here = c->buf + c->off;

		/* The next quote, unless a backslash comes before it. */
		if ((end = memchr(here, '"', c->len - c->off)) == NULL) {
			c->off = c->len;
			break;
		}
		if ((here = memchr(here, '\\', (size_t)(end - here))) ==
		    NULL) {
			c->off = (size_t)(end - c->buf);
			break;
		}
		*escaped = true;
		c->off = (size_t)(here - c->buf);
		step(c);
		step(c);
	}
	cursor_init(inside, c->buf + from, c->off - from, from);
	step(c);
}

/* Pass over one value, whatever it is. */
static void
skip_value(struct cursor *c)
{
	struct cursor inside;
	unsigned depth = 0;
	bool escaped;

	do {
		skip_blanks(c);
		switch (at(c)) {
		case '"':
			string(c, &inside, &escaped);
			break;
		case '{':
		case '[':
			depth++;
			step(c);
			continue;
		case '}':
		case ']':
			depth--;
			step(c);
			break;
		case ',':
		case ':':
			step(c);
			break;
		default:
			while (c->off < c->len && strchr(" \t\r\n,:]}",
			    c->buf[c->off]) == NULL)
				c->off++;
		}
	} while (depth > 0 && c->off < c->len);
}

static uint32_t
hex4(struct cursor *c)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint8_t b = at(c);

		v = v << 4 | (uint32_t)(b <= '9' ? b - '0' :
		    (b | 0x20) - 'a' + 10);
		step(c);
	}
	return v & 0xffff;
}

static void
put_escape(struct buf *b, struct cursor *c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *hit;
	uint32_t cp;
	uint8_t k = at(c);

	step(c);
	if (k != 'u') {
		hit = k == 0 ? NULL : strchr(from, k);
		buf_putc(b, hit != NULL ? to[hit - from] : (char)k);
		return;
	}
	cp = hex4(c);
	if (cp >= 0xd800 && cp < 0xdc00) {
		step(c);
		step(c);
		cp = 0x10000 + ((cp - 0xd800) << 10 |
		    ((hex4(c) - 0xdc00) & 0x3ff));
	}
	value_utf8(b, cp);
}

static void
unescape(struct buf *b, const struct cursor *inside)
{
	struct cursor c = *inside;
	const uint8_t *hit;
	size_t n;

	while (c.off < c.len) {
		hit = memchr(c.buf + c.off, '\\', c.len - c.off);
		n = hit == NULL ? c.len - c.off :
		    (size_t)(hit - c.buf) - c.off;
		buf_put(b, c.buf + c.off, n);
		c.off += n;
		if (hit == NULL)
			return;
		step(&c);
		put_escape(b, &c);
	}
}

/*
 * How much of ${path} is this key?  0: it is not the beginning of it that
 * ends at a dot or with the path.
 */
static size_t
key_part(const struct cursor *inside, bool escaped, const char *path,
    struct buf *scratch)
{
	const uint8_t *p = inside->buf;
	size_t n = inside->len;

	if (escaped) {
		buf_clear(scratch);
		unescape(scratch, inside);
		if (buf_failed(scratch))
			return 0;
		p = scratch->p;
		n = scratch->len;
	}
	if (n == 0 || strncmp(path, (const char *)p, n) != 0 ||
	    memchr(p, '\0', n) != NULL ||
	    (path[n] != '\0' && path[n] != '.'))
		return 0;
	return n;
}

/* At a brace: go to the value of the longest key that begins ${path}. */
static size_t
enter_object(struct cursor *c, const char *path, bool *twice,
    struct buf *scratch)
{
	struct cursor inside, found = *c;
	size_t n, best = 0;
	bool escaped;

	step(c);
	skip_blanks(c);
	if (at(c) != '"')
		return 0;
	do {
		string(c, &inside, &escaped);
		skip_blanks(c);
		step(c);
		n = key_part(&inside, escaped, path, scratch);
		if (n > 0 && n >= best) {
			*twice |= n == best;
			best = n;
			found = *c;
		}
		skip_value(c);
	} while (more(c));
	*c = found;
	return best;
}

/* At a bracket: go to the element whose number begins ${path}. */
static size_t
enter_array(struct cursor *c, const char *path)
{
	size_t n = strcspn(path, ".");
	uint64_t want;

	if (!text_u64(path, n, 10, SIZE_MAX, &want))
		return 0;
	step(c);
	skip_blanks(c);
	if (at(c) == ']')
		return 0;
	while (want > 0) {
		skip_value(c);
		if (!more(c))
			return 0;
		want--;
	}
	return n;
}

static void
set_number(struct rows_value *v, const struct cursor *text,
    struct buf *scratch)
{
	const bool minus = text->len > 0 && text->buf[0] == '-';
	const char *digits = (const char *)text->buf + minus;
	uint64_t u;

	if (text_u64(digits, text->len - minus, 10, UINT64_MAX, &u) &&
	    (!minus || u <= (uint64_t)INT64_MAX + 1)) {
		v->type = minus || u <= INT64_MAX ? ROWS_INT : ROWS_UINT;
		v->i = (int64_t)(minus ? 0 - u : u);
		v->u = u;
		return;
	}
	buf_clear(scratch);
	buf_put(scratch, text->buf, text->len);
	v->type = ROWS_REAL;
	v->d = strtod(buf_str(scratch), NULL);
}

static void
set_value(struct rows_value *v, struct cursor *c, struct buf *scratch)
{
	struct cursor inside;
	size_t from = c->off;
	bool escaped;

	if (at(c) == '"') {
		string(c, &inside, &escaped);
		v->type = ROWS_TEXT;
		v->p = inside.buf;
		v->n = inside.len;
		if (!escaped)
			return;
		buf_clear(scratch);
		unescape(scratch, &inside);
		v->p = scratch->p;
		v->n = scratch->len;
		return;
	}
	skip_value(c);
	cursor_init(&inside, c->buf + from, c->off - from, from);
	switch (at(&inside)) {
	case '{':
	case '[':
		buf_clear(scratch);
		jsonview_compact(scratch, inside.buf, inside.len);
		v->type = ROWS_TREE;
		v->p = scratch->p;
		v->n = scratch->len;
		break;
	case 't':
	case 'f':
		v->type = ROWS_BOOL;
		v->i = inside.buf[0] == 't';
		break;
	case 'n':
		v->type = ROWS_NULL;
		break;
	default:
		set_number(v, &inside, scratch);
	}
}

void
jsonview_get(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, bool *twice, struct buf *scratch)
{
	struct cursor c;
	size_t part;

	cursor_init(&c, p, n, 0);
	memset(v, 0, sizeof(*v));
	buf_clear(scratch);
	*twice = false;
	for (;;) {
		skip_blanks(&c);
		part = at(&c) == '{' ?
		    enter_object(&c, path, twice, scratch) :
		    at(&c) == '[' ? enter_array(&c, path) : 0;
		if (part == 0)
			return;
		path += part;
		if (*path == '\0')
			break;
		path++;
	}
	skip_blanks(&c);
	set_value(v, &c, scratch);
}

/* A string of the document again: escapes kept, what is hidden escaped. */
static void
put_string(struct buf *b, const struct cursor *inside)
{
	struct cursor c = *inside;
	uint32_t cp = 0;
	size_t n, from;

	buf_putc(b, '"');
	while (c.off < c.len) {
		from = c.off;
		while (c.off < c.len && at(&c) < 0x7f)
			c.off++;
		buf_put(b, c.buf + from, c.off - from);
		if (c.off == c.len)
			break;
		n = text_utf8_len(c.buf + c.off, c.len - c.off, &cp);
		if (n == 0 || !text_cp_printable(cp))
			value_escape(b, n == 0 ? at(&c) : cp);
		else
			buf_put(b, c.buf + c.off, n);
		c.off += n == 0 ? 1 : n;
	}
	buf_putc(b, '"');
}

void
jsonview_compact(struct buf *b, const uint8_t *p, size_t n)
{
	struct cursor c, inside;
	bool escaped;

	cursor_init(&c, p, n, 0);
	for (;;) {
		skip_blanks(&c);
		if (c.off == c.len)
			return;
		if (at(&c) == '"') {
			string(&c, &inside, &escaped);
			put_string(b, &inside);
			continue;
		}
		buf_putc(b, (char)at(&c));
		step(&c);
	}
}

bool
jsonview_value(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, bool *twice, struct buf *scratch)
{
	size_t bad;

	*twice = false;
	memset(v, 0, sizeof(*v));
	if (!jsonview_check(p, n, &bad))
		return false;
	if (*path != '\0') {
		jsonview_get(p, n, path, v, twice, scratch);
		return true;
	}
	buf_clear(scratch);
	jsonview_compact(scratch, p, n);
	v->type = ROWS_TREE;
	v->p = scratch->p;
	v->n = scratch->len;
	return true;
}

static const char *
type_name(uint8_t c)
{
	return c == '{' ? "object" : c == '[' ? "array" : c == '"' ?
	    "string" : c == 't' || c == 'f' ? "boolean" : c == 'n' ?
	    "null" : "number";
}

void
jsonview_keys(const uint8_t *p, size_t n, void (*each)(void *ctx,
    const char *name, const char *type), void *ctx)
{
	struct cursor c, inside;
	char name[256];
	bool escaped;

	cursor_init(&c, p, n, 0);
	skip_blanks(&c);
	if (at(&c) != '{')
		return;
	step(&c);
	skip_blanks(&c);
	if (at(&c) != '"')
		return;
	do {
		string(&c, &inside, &escaped);
		skip_blanks(&c);
		step(&c);
		skip_blanks(&c);
		each(ctx, text_z(name, sizeof(name), inside.buf, inside.len),
		    type_name(at(&c)));
		skip_value(&c);
	} while (more(&c));
}
