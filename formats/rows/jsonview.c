#include <endian.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/jsonview.h"

/*
 * Method.  A walk with an explicit stack of what is open, one bit of grammar
 * at a time; in strings, eight plain bytes at a time.  Finding values in a
 * checked document is jsonview_find.c.
 */
static bool
peek(const struct cursor *c, uint8_t *ret)
{
	if (c->off == c->len)
		return false;
	*ret = c->buf[c->off];
	return true;
}

static void
skip_blanks(struct cursor *c)
{
	while (c->off < c->len && (c->buf[c->off] == ' ' ||
	    c->buf[c->off] == '\n' || c->buf[c->off] == '\r' ||
	    c->buf[c->off] == '\t'))
		c->off++;
}

/*
 * The high bit of each byte of w that is a control, not ASCII, a quote or a
 * backslash.  The lowest that is set is right; one above it may follow from
 * its borrow alone.
 */
static uint64_t
specials(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = w ^ ones * '"', back = w ^ ones * '\\';

	return ((w - ones * 0x20) | (quote - ones) | (back - ones) | w) &
	    ones * 0x80;
}

static void
skip_plain(struct cursor *c)
{
	uint64_t w;

	while (c->len - c->off >= sizeof(w)) {
		memcpy(&w, c->buf + c->off, sizeof(w));
		if ((w = specials(le64toh(w))) != 0) {
			c->off += (size_t)__builtin_ctzll(w) / 8;
			return;
		}
		c->off += sizeof(w);
	}
}

static bool
hex4(struct cursor *c, uint32_t *ret)
{
	uint32_t v = 0;
	uint8_t b;

	for (unsigned i = 0; i < 4; i++) {
		if (!cursor_u8(c, &b))
			return false;
		if (b >= '0' && b <= '9')
			v = v << 4 | (uint32_t)(b - '0');
		else if (b >= 'a' && b <= 'f')
			v = v << 4 | (uint32_t)(b - 'a' + 10);
		else if (b >= 'A' && b <= 'F')
			v = v << 4 | (uint32_t)(b - 'A' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

/* Behind a backslash. */
static bool
escape(struct cursor *c)
{
	uint32_t unit, low;
	uint8_t b;

	if (!cursor_u8(c, &b))
		return false;
	if (b != 'u')
		return b != '\0' && strchr("\"\\/bfnrt", b) != NULL;
	if (!hex4(c, &unit) || (unit >= 0xdc00 && unit < 0xe000))
		return false;
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	return cursor_match(c, (const uint8_t *)"\\u", 2) && hex4(c, &low) &&
	    low >= 0xdc00 && low < 0xe000;
}

/* Behind the opening quote; passes the closing one. */
static bool
string(struct cursor *c)
{
	uint32_t cp;
	size_t len;
	uint8_t b;

	for (;;) {
		skip_plain(c);
		if (!peek(c, &b) || b < 0x20)
			return false;
		if (b >= 0x80) {
			if ((len = text_utf8_len(c->buf + c->off,
			    c->len - c->off, &cp)) == 0)
				return false;
			c->off += len;
			continue;
		}
		c->off++;
		if (b == '"')
			return true;
		if (b == '\\' && !escape(c))
			return false;
	}
}

static bool
digits(struct cursor *c)
{
	size_t from = c->off;

	while (c->off < c->len && c->buf[c->off] >= '0' &&
	    c->buf[c->off] <= '9')
		c->off++;
	return c->off > from;
}

static bool
number(struct cursor *c)
{
	uint8_t b;

	if (peek(c, &b) && b == '-')
		c->off++;
	if (!peek(c, &b))
		return false;
	if (b == '0')
		c->off++;
	else if (!digits(c))
		return false;
	if (peek(c, &b) && b == '.') {
		c->off++;
		if (!digits(c))
			return false;
	}
	if (peek(c, &b) && (b == 'e' || b == 'E')) {
		c->off++;
		if (peek(c, &b) && (b == '+' || b == '-'))
			c->off++;
		return digits(c);
	}
	return true;
}

static bool
scalar(struct cursor *c, uint8_t b)
{
	switch (b) {
	case '"':
		c->off++;
		return string(c);
	case 't':
		return cursor_match(c, (const uint8_t *)"true", 4);
	case 'f':
		return cursor_match(c, (const uint8_t *)"false", 5);
	case 'n':
		return cursor_match(c, (const uint8_t *)"null", 4);
	default:
		return number(c);
	}
}

struct open_stack {
	uint8_t kind[LIMIT_JSON_DEPTH];
	unsigned depth;
};

/* A key and its colon, or the end of an object that is empty. */
static bool
key(struct cursor *c)
{
	uint8_t b;

	skip_blanks(c);
	if (!cursor_u8(c, &b) || b != '"' || !string(c))
		return false;
	skip_blanks(c);
	return cursor_u8(c, &b) && b == ':';
}

/*
 * One value, or the beginning of one: *opened says that a container was
 * entered that is not empty.
 */
static bool
value(struct cursor *c, struct open_stack *s, bool *opened)
{
	uint8_t b, end;

	*opened = false;
	skip_blanks(c);
	if (!peek(c, &b))
		return false;
	if (b != '{' && b != '[')
		return scalar(c, b);
	if (s->depth == LIMIT_JSON_DEPTH)
		return false;
	c->off++;
	skip_blanks(c);
	if (peek(c, &end) && end == (b == '{' ? '}' : ']')) {
		c->off++;
		return true;
	}
	s->kind[s->depth++] = b;
	*opened = true;
	return b == '[' || key(c);
}

/* Behind a value: commas and ends, until the next value is due or all ends. */
static bool
after(struct cursor *c, struct open_stack *s)
{
	uint8_t b, open;

	while (s->depth > 0) {
		open = s->kind[s->depth - 1];
		skip_blanks(c);
		if (!cursor_u8(c, &b))
			return false;
		if (b == ',')
			return open == '[' || key(c);
		if (b != (open == '{' ? '}' : ']'))
			return false;
		s->depth--;
	}
	return true;
}

bool
jsonview_check(const uint8_t *p, size_t n, size_t *bad)
{
	struct open_stack s = {.depth = 0};
	struct cursor c;
	bool opened, ok;

	cursor_init(&c, p, n, 0);
	do
		ok = value(&c, &s, &opened) && (opened || after(&c, &s));
	while (ok && s.depth > 0);
	if (ok)
		skip_blanks(&c);
	*bad = c.off;
	return ok && cursor_at_end(&c);
}

bool
jsonview_is_object(const uint8_t *p, size_t n)
{
	struct cursor c;
	uint8_t b;

	cursor_init(&c, p, n, 0);
	skip_blanks(&c);
	return peek(&c, &b) && b == '{';
}
