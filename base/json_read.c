#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/reader.h"
#include "base/text.h"

/*
 * What may come next.  Inside containers the kind array says which; state
 * says whether a value, a key or a comma is due.
 */
enum state {
	STATE_VALUE,		/* a value must come */
	STATE_VALUE_OR_END,	/* after '[' */
	STATE_KEY_OR_END,	/* after '{' */
	STATE_AFTER,		/* after a value */
	STATE_DONE,
};

void
json_open(struct json *j, struct reader *r, struct arena *a)
{
	memset(j, 0, sizeof(*j));
	j->r = r;
	j->a = a;
	j->state = STATE_VALUE;
}

static int
bad(struct json *j, const char *what, struct err *e)
{
	bool first = e != NULL && e->code == ERR_OK;

	(void)err_set(e, ERR_FORMAT, "%s", what);
	if (first)
		e->off = reader_tell(j->r);
	return ERR_FORMAT;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Pass over blanks; the next byte is not consumed. */
static int
skip_blanks(struct json *j, uint8_t *c, struct err *e)
{
	int r;

	while ((r = reader_peek_u8(j->r, c, e)) >= 0 && is_blank(*c))
		j->r->pos++;
	return r;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * A string or number is collected in pieces of the arena that double; the
 * pieces of one token are bounded by LIMIT_JSON_STRING.
 */
struct piece {
	struct arena *a;
	char *p;
	size_t n, cap;
};

static int
put(struct piece *b, char c, struct err *e)
{
	size_t cap;
	char *p;

	if (b->n + 1 >= b->cap) {
		cap = b->cap == 0 ? 32 : 2 * b->cap;
		if (cap > 2 * LIMIT_JSON_STRING)
			return err_set(e, ERR_LIMIT, "a string is too long");
		if ((p = arena_alloc(b->a, cap)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (b->n > 0)
			memcpy(p, b->p, b->n);
		b->p = p;
		b->cap = cap;
	}
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
	return 0;
}

static int
put_utf8(struct piece *b, uint32_t cp, struct err *e)
{
	char out[4];
	size_t n;
	int r = 0;

	if (cp < 0x80) {
		out[0] = (char)cp;
		n = 1;
	} else if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 63));
		n = 2;
	} else if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 63));
		out[2] = (char)(0x80 | (cp & 63));
		n = 3;
	} else {
		out[0] = (char)(0xf0 | cp >> 18);
		out[1] = (char)(0x80 | (cp >> 12 & 63));
		out[2] = (char)(0x80 | (cp >> 6 & 63));
		out[3] = (char)(0x80 | (cp & 63));
		n = 4;
	}
	for (size_t i = 0; i < n && r >= 0; i++)
		r = put(b, out[i], e);
	return r;
}

static int
hex4(struct json *j, uint32_t *ret, struct err *e)
{
	uint32_t v = 0;
	uint8_t c;
	int r;

	for (unsigned i = 0; i < 4; i++) {
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (is_digit(c))
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (uint32_t)(c - 'A' + 10);
		else
			return bad(j, "a bad \\u escape", e);
	}
	*ret = v;
	return 0;
}

static int
unicode_escape(struct json *j, struct piece *b, struct err *e)
{
	uint32_t cp, low;
	uint8_t c;
	int r;

	if ((r = hex4(j, &cp, e)) < 0)
		return r;
	if (cp >= 0xdc00 && cp <= 0xdfff)
		return bad(j, "a lone surrogate", e);
	if (cp >= 0xd800 && cp <= 0xdbff) {
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (c != '\\')
			return bad(j, "a lone surrogate", e);
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (c != 'u')
			return bad(j, "a lone surrogate", e);
		if ((r = hex4(j, &low, e)) < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(j, "a lone surrogate", e);
		cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
	}
	return put_utf8(b, cp, e);
}

static int
escape(struct json *j, struct piece *b, struct err *e)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	uint8_t c;
	int r;

	if ((r = reader_u8(j->r, &c, e)) < 0)
		return r;
	if (c == 'u')
		return unicode_escape(j, b, e);
	if (c == '\0' || (hit = strchr(from, c)) == NULL)
		return bad(j, "an unknown escape", e);
	return put(b, to[hit - from], e);
}

/* After the opening quote. */
static int
string(struct json *j, struct json_token *t, struct err *e)
{
	struct piece b = {.a = j->a};
	uint8_t c;
	int r;

	for (;;) {
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (c == '"')
			break;
		if (c < 0x20)
			return bad(j, "a control character in a string", e);
		if (c == '\\') {
			t->escaped = true;
			r = escape(j, &b, e);
		} else {
			r = put(&b, (char)c, e);
		}
		if (r < 0)
			return r;
		if (b.n > LIMIT_JSON_STRING)
			return err_set(e, ERR_LIMIT, "a string is too long");
	}
	if (!text_is_utf8((const uint8_t *)b.p, b.n))
		return bad(j, "a string is not UTF-8", e);
	t->str = b.p != NULL ? b.p : "";
	t->len = b.n;
	return 0;
}

/* Pass over digits; were there any? */
static bool
digits(const char *p, size_t n, size_t *i)
{
	const size_t from = *i;

	while (*i < n && is_digit((uint8_t)p[*i]))
		++*i;
	return *i > from;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool
number_ok(const char *p, size_t n)
{
	size_t i = 0, from;

	if (i < n && p[i] == '-')
		i++;
	from = i;
	if (!digits(p, n, &i) || (p[from] == '0' && i - from > 1))
		return false;
	if (i < n && p[i] == '.') {
		i++;
		if (!digits(p, n, &i))
			return false;
	}
	if (i < n && (p[i] == 'e' || p[i] == 'E')) {
		i++;
		if (i < n && (p[i] == '+' || p[i] == '-'))
			i++;
		if (!digits(p, n, &i))
			return false;
	}
	return i == n;
}

static int
number(struct json *j, struct json_token *t, struct err *e)
{
	struct piece b = {.a = j->a};
	uint8_t c;
	int r;

	while (reader_left(j->r) > 0) {
		if ((r = reader_peek_u8(j->r, &c, e)) < 0)
			return r;
		if (!is_digit(c) && c != '-' && c != '+' && c != '.' &&
		    c != 'e' && c != 'E')
			break;
		j->r->pos++;
		if ((r = put(&b, (char)c, e)) < 0)
			return r;
		if (b.n > LIMIT_JSON_STRING)
			return err_set(e, ERR_LIMIT, "a number is too long");
	}
	if (b.n == 0 || !number_ok(b.p, b.n))
		return bad(j, "a malformed number", e);
	t->type = JSON_NUMBER;
	t->str = b.p;
	t->len = b.n;
	t->is_u64 = text_u64(b.p, b.n, 10, UINT64_MAX, &t->u64);
	return 0;
}

static int
literal(struct json *j, const char *word, struct err *e)
{
	uint8_t c;
	int r;

	for (; *word != '\0'; word++) {
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (c != (uint8_t)*word)
			return bad(j, "neither a value nor a literal", e);
	}
	return 0;
}

static int
open_container(struct json *j, struct json_token *t, uint8_t c,
    struct err *e)
{
	if (j->depth >= LIMIT_JSON_DEPTH)
		return err_set(e, ERR_LIMIT, "JSON nests too deep");
	j->r->pos++;
	j->kind[++j->depth] = c;
	t->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
	j->state = c == '{' ? STATE_KEY_OR_END : STATE_VALUE_OR_END;
	return 0;
}

static int
value(struct json *j, struct json_token *t, uint8_t c, struct err *e)
{
	if (c == '{' || c == '[')
		return open_container(j, t, c, e);
	j->state = STATE_AFTER;
	switch (c) {
	case '"':
		j->r->pos++;
		t->type = JSON_STRING;
		return string(j, t, e);
	case 't':
		t->type = JSON_TRUE;
		return literal(j, "true", e);
	case 'f':
		t->type = JSON_FALSE;
		return literal(j, "false", e);
	case 'n':
		t->type = JSON_NULL;
		return literal(j, "null", e);
	default:
		return number(j, t, e);
	}
}

static int
close_container(struct json *j, struct json_token *t)
{
	j->r->pos++;
	t->type = j->kind[j->depth] == '{' ? JSON_OBJECT_END : JSON_ARRAY_END;
	j->depth--;
	t->depth = j->depth;
	j->state = STATE_AFTER;
	return 0;
}

static int
key(struct json *j, struct json_token *t, uint8_t c, struct err *e)
{
	int r;

	if (c != '"')
		return bad(j, "a key must be a string", e);
	j->r->pos++;
	t->type = JSON_KEY;
	if ((r = string(j, t, e)) < 0 || (r = skip_blanks(j, &c, e)) < 0)
		return r;
	if (c != ':')
		return bad(j, "a colon is missing", e);
	j->r->pos++;
	j->state = STATE_VALUE;
	return 0;
}

/* After a value: a comma, or the container's end. */
static int
after(struct json *j, struct json_token *t, uint8_t c, struct err *e)
{
	bool object = j->kind[j->depth] == '{';
	int r;

	if (c == (object ? '}' : ']'))
		return close_container(j, t);
	if (c != ',')
		return bad(j, "a comma is missing", e);
	j->r->pos++;
	if ((r = skip_blanks(j, &c, e)) < 0)
		return r;
	t->off = reader_tell(j->r);
	return object ? key(j, t, c, e) : value(j, t, c, e);
}

int
json_next(struct json *j, struct json_token *t, struct err *e)
{
	uint8_t c;
	int r;

	memset(t, 0, sizeof(*t));
	if (j->state == STATE_DONE ||
	    (j->state == STATE_AFTER && j->depth == 0)) {
		j->state = STATE_DONE;
		t->type = JSON_END;
		t->off = reader_tell(j->r);
		return 0;
	}
	if ((r = skip_blanks(j, &c, e)) < 0)
		return r;
	t->off = reader_tell(j->r);
	t->depth = j->depth;
	switch ((enum state)j->state) {
	case STATE_VALUE:
		return value(j, t, c, e);
	case STATE_VALUE_OR_END:
		return c == ']' ? close_container(j, t) : value(j, t, c, e);
	case STATE_KEY_OR_END:
		return c == '}' ? close_container(j, t) : key(j, t, c, e);
	case STATE_AFTER:
		return after(j, t, c, e);
	case STATE_DONE:
		break;
	}
	return 0;
}

int
json_skip(struct json *j, const struct json_token *t, struct err *e)
{
	struct json_token x = *t;
	unsigned depth;
	int r;

	if (x.type == JSON_KEY && (r = json_next(j, &x, e)) < 0)
		return r;
	if (x.type != JSON_OBJECT && x.type != JSON_ARRAY)
		return 0;
	for (depth = j->depth; j->depth >= depth;)
		if ((r = json_next(j, &x, e)) < 0)
			return r;
	return 0;
}

int
json_trailing(struct json *j, uint64_t *n, bool *blanks_only, struct err *e)
{
	uint64_t left = reader_left(j->r);
	bool blanks = true;
	uint8_t c;
	int r;

	while (reader_left(j->r) > 0) {
		if ((r = reader_u8(j->r, &c, e)) < 0)
			return r;
		if (!is_blank(c)) {
			blanks = false;
			break;
		}
	}
	*n = left;
	*blanks_only = blanks;
	return 0;
}
