#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/json_write.h"
#include "base/text.h"

void
json_init(struct json_write *w, struct buf *b, enum json_style style)
{
	memset(w, 0, sizeof(*w));
	w->b = b;
	w->style = style;
}

static void
indent(struct json_write *w)
{
	if (w->style != JSON_PRETTY)
		return;
	buf_putc(w->b, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_putc(w->b, ' ');
}

/* Before a value or a key: the comma, and whether it may stand here. */
static void
before(struct json_write *w, bool key)
{
	bool in_object = w->depth > 0 && w->is_object[w->depth];

	if (w->after_key) {
		BUG_ON(key);
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		return;
	if (in_object != key)
		BUG("%s", key ? "a key outside of an object" :
		    "a value without a key");
	if (w->need_comma[w->depth])
		buf_putc(w->b, ',');
	w->need_comma[w->depth] = true;
	indent(w);
}

static void
begin(struct json_write *w, bool object)
{
	before(w, false);
	BUG_ON(w->depth + 1 >= JSON_WRITE_DEPTH);
	w->depth++;
	w->is_object[w->depth] = object;
	w->need_comma[w->depth] = false;
	w->last_key[w->depth][0] = '\0';
	buf_putc(w->b, object ? '{' : '[');
}

static void
end(struct json_write *w, bool object)
{
	bool any;

	BUG_ON(w->depth == 0 || w->is_object[w->depth] != object ||
	    w->after_key);
	any = w->need_comma[w->depth];
	w->depth--;
	if (any)
		indent(w);
	buf_putc(w->b, object ? '}' : ']');
}

void
json_begin_object(struct json_write *w)
{
	begin(w, true);
}

void
json_end_object(struct json_write *w)
{
	end(w, true);
}

void
json_begin_array(struct json_write *w)
{
	begin(w, false);
}

void
json_end_array(struct json_write *w)
{
	end(w, false);
}

static void
put_quoted(struct json_write *w, const char *p, size_t n)
{
	size_t begin = 0;

	buf_putc(w->b, '"');
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] >= 0x20 && p[i] != '"' &&
		    p[i] != '\\')
			continue;
		buf_put(w->b, p + begin, i - begin);
		begin = i + 1;
		switch (p[i]) {
		case '"':
		case '\\':
			buf_putc(w->b, '\\');
			buf_putc(w->b, p[i]);
			break;
		case '\n':
			buf_puts(w->b, "\\n");
			break;
		case '\t':
			buf_puts(w->b, "\\t");
			break;
		default:
			BUG("a control character in our own text");
		}
	}
	buf_put(w->b, p + begin, n - begin);
	buf_putc(w->b, '"');
}

void
json_key(struct json_write *w, const char *key)
{
	size_t n = strlen(key);
	char *last;

	before(w, true);
	if (w->style == JSON_CANONICAL) {
		last = w->last_key[w->depth];
		if (n >= sizeof(w->last_key[0]) || strcmp(last, key) >= 0)
			BUG("canonical key '%s' after '%s'", key, last);
		memcpy(last, key, n + 1);
	}
	put_quoted(w, key, n);
	buf_puts(w->b, w->style == JSON_PRETTY ? ": " : ":");
	w->after_key = true;
}

void
json_str(struct json_write *w, const char *s)
{
	if (s == NULL) {
		json_null(w);
		return;
	}
	before(w, false);
	put_quoted(w, s, strlen(s));
}

/* What JSON itself wants escaped; the rest in runs. */
static void
put_escaped(struct json_write *w, const char *p, size_t n)
{
	size_t begin = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != '"' && p[i] != '\\' && p[i] != '\n' &&
		    p[i] != '\t')
			continue;
		buf_put(w->b, p + begin, i - begin);
		begin = i + 1;
		buf_putc(w->b, '\\');
		buf_putc(w->b, p[i] == '\n' ? 'n' : p[i] == '\t' ? 't' :
		    p[i]);
	}
	buf_put(w->b, p + begin, n - begin);
}

/* The inside of a string. */
static void
put_text(struct json_write *w, const uint8_t *s, size_t n, unsigned flags)
{
	char piece[1024];
	size_t used, len;

	while (n > 0) {
		len = text_printable(piece, sizeof(piece), s, n, flags, &used);
		put_escaped(w, piece, len);
		s += used;
		n -= used;
	}
}

void
json_text(struct json_write *w, const void *p, size_t n, unsigned flags)
{
	before(w, false);
	buf_putc(w->b, '"');
	put_text(w, p, n, flags);
	buf_putc(w->b, '"');
}

void
json_literal(struct json_write *w, const void *p, size_t n)
{
	const uint8_t *s = p, *slash;
	size_t part;

	before(w, false);
	buf_putc(w->b, '"');
	while (n > 0) {
		slash = memchr(s, '\\', n);
		part = slash != NULL ? (size_t)(slash - s) : n;
		put_text(w, s, part, TEXT_PLAIN);
		if (slash != NULL) {
			buf_puts(w->b, "\\\\");
			part++;
		}
		s += part;
		n -= part;
	}
	buf_putc(w->b, '"');
}

/* A record has a dozen numbers, and printf is slow. */
static void
put_number(struct json_write *w, uint64_t v, bool negative)
{
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	if (negative)
		text[--at] = '-';
	buf_put(w->b, text + at, sizeof(text) - at);
}

void
json_u64(struct json_write *w, uint64_t v)
{
	before(w, false);
	put_number(w, v, false);
}

void
json_i64(struct json_write *w, int64_t v)
{
	before(w, false);
	put_number(w, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0);
}

void
json_bool(struct json_write *w, bool v)
{
	before(w, false);
	buf_puts(w->b, v ? "true" : "false");
}

void
json_null(struct json_write *w)
{
	before(w, false);
	buf_puts(w->b, "null");
}

void
json_double(struct json_write *w, double v)
{
	char text[40];

	if (w->style == JSON_CANONICAL)
		BUG("floating point in canonical JSON");
	if (!isfinite(v)) {
		json_null(w);
		return;
	}
	before(w, false);
	/* The shortest that reads back as the same value; 17 always does. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_puts(w->b, text);
}

void
json_hex(struct json_write *w, const void *p, size_t n)
{
	before(w, false);
	buf_putc(w->b, '"');
	buf_hex(w->b, p, n);
	buf_putc(w->b, '"');
}

void
json_raw(struct json_write *w, const char *json)
{
	before(w, false);
	buf_puts(w->b, json);
}

void
json_kstr(struct json_write *w, const char *key, const char *s)
{
	json_key(w, key);
	json_str(w, s);
}

void
json_ktext(struct json_write *w, const char *key, const void *p, size_t n)
{
	json_key(w, key);
	json_text(w, p, n, TEXT_PLAIN);
}

void
json_ku64(struct json_write *w, const char *key, uint64_t v)
{
	json_key(w, key);
	json_u64(w, v);
}

void
json_ki64(struct json_write *w, const char *key, int64_t v)
{
	json_key(w, key);
	json_i64(w, v);
}

void
json_kbool(struct json_write *w, const char *key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}

void
json_knull(struct json_write *w, const char *key)
{
	json_key(w, key);
	json_null(w);
}

void
json_khex(struct json_write *w, const char *key, const void *p, size_t n)
{
	json_key(w, key);
	json_hex(w, p, n);
}
