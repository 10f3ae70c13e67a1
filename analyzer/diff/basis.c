#include <endian.h>
#include <math.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/finding.h"
#include "base/bug.h"
#include "base/cursor.h"
#include "base/json_write.h"
#include "base/text.h"

enum kind {
	KIND_U64 = 1,
	KIND_F64,
	KIND_FALSE,
	KIND_TRUE,
	KIND_NULL,
	KIND_TEXT,
	KIND_OBJECT,
	KIND_ARRAY,
	KIND_END
};
#define KEY_MAX 32
/* A text of evidence is cut here: it is a sample, the evidence has it all. */
#define TEXT_MAX 1024

void
basis_init(struct basis *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->b, BASIS_MAX);
}

void
basis_release(struct basis *s)
{
	buf_release(&s->b);
}

/*
 * An item goes in whole or not at all, and room is kept to close what is
 * open: a basis that is full is shorter, never broken.
 */
static void
put(struct basis *s, enum kind kind, const char *key, const void *p, size_t n)
{
	uint8_t head[2];
	size_t len = key != NULL ? strlen(key) : 0;

	BUG_ON((key == NULL) != s->array[s->depth] || len > KEY_MAX);
	if (s->b.len + 2 + len + n + 2 * (BASIS_DEPTH + 1) > BASIS_MAX)
		return;
	head[0] = (uint8_t)kind;
	head[1] = (uint8_t)len;
	buf_put(&s->b, head, 2);
	buf_put(&s->b, key, len);
	buf_put(&s->b, p, n);
}

void
basis_u64(struct basis *s, const char *key, uint64_t v)
{
	v = htole64(v);
	put(s, KIND_U64, key, &v, sizeof(v));
}

void
basis_f64(struct basis *s, const char *key, double v)
{
	uint64_t u;

	if (!isfinite(v)) {
		basis_null(s, key);
		return;
	}
	memcpy(&u, &v, sizeof(u));
	u = htole64(u);
	put(s, KIND_F64, key, &u, sizeof(u));
}

void
basis_bool(struct basis *s, const char *key, bool v)
{
	put(s, v ? KIND_TRUE : KIND_FALSE, key, NULL, 0);
}

void
basis_null(struct basis *s, const char *key)
{
	put(s, KIND_NULL, key, NULL, 0);
}

void
basis_text(struct basis *s, const char *key, const void *p, size_t n)
{
	basis_long(s, key, p, n < TEXT_MAX ? n : TEXT_MAX);
}

void
basis_long(struct basis *s, const char *key, const void *p, size_t n)
{
	uint8_t tmp[4 + BASIS_LONG];
	uint32_t len;

	n = n < BASIS_LONG ? n : BASIS_LONG;
	len = htole32((uint32_t)n);
	memcpy(tmp, &len, 4);
	if (n > 0)
		memcpy(tmp + 4, p, n);
	put(s, KIND_TEXT, key, tmp, 4 + n);
}

void
basis_str(struct basis *s, const char *key, const char *v)
{
	if (v == NULL)
		basis_null(s, key);
	else
		basis_text(s, key, v, strlen(v));
}

/*
 * A container that does not fit is opened all the same (its room is kept):
 * what would have been inside is left out.
 */
static void
open_container(struct basis *s, enum kind kind, const char *key)
{
	BUG_ON(s->depth == BASIS_DEPTH);
	put(s, kind, key, NULL, 0);
	s->depth++;
	s->array[s->depth] = kind == KIND_ARRAY;
}

void
basis_object(struct basis *s, const char *key)
{
	open_container(s, KIND_OBJECT, key);
}

void
basis_array(struct basis *s, const char *key)
{
	open_container(s, KIND_ARRAY, key);
}

void
basis_end(struct basis *s)
{
	const uint8_t end[2] = {KIND_END, 0};

	BUG_ON(s->depth == 0);
	s->depth--;
	buf_put(&s->b, end, 2);
}

const uint8_t *
basis_bytes(struct basis *s, size_t *n)
{
	BUG_ON(s->depth != 0);
	*n = buf_failed(&s->b) < 0 ? 0 : s->b.len;
	return s->b.p;
}

/* One item, checked. */
struct item {
	enum kind kind;
	char key[KEY_MAX + 1];
	uint64_t num;
	const uint8_t *text;
	size_t n;
};

static bool
read_key(struct cursor *c, bool array, struct item *ret)
{
	uint8_t n;

	if (!cursor_u8(c, &n) || n > KEY_MAX ||
	    !cursor_copy(c, (uint8_t *)ret->key, n))
		return false;
	ret->key[n] = '\0';
	if (ret->kind == KIND_END)
		return n == 0;
	return array ? n == 0 : finding_key_ok((const uint8_t *)ret->key, n);
}

static bool
read_item(struct cursor *c, bool array, struct item *ret)
{
	struct cursor text;
	uint32_t n;
	uint8_t kind;

	if (!cursor_u8(c, &kind) || kind < KIND_U64 || kind > KIND_END)
		return false;
	ret->kind = (enum kind)kind;
	if (!read_key(c, array, ret))
		return false;
	if (kind == KIND_U64 || kind == KIND_F64)
		return cursor_u64le(c, &ret->num);
	if (kind != KIND_TEXT)
		return true;
	if (!cursor_u32le(c, &n) || n > BASIS_LONG || !cursor_sub(c, n, &text))
		return false;
	ret->text = text.buf;
	ret->n = n;
	return true;
}

/* The keys of the objects that are open. */
struct keys {
	char key[BASIS_DEPTH + 1][BASIS_KEYS][KEY_MAX + 1];
	unsigned count[BASIS_DEPTH + 1];
};

/* A key that is there twice would be read as the first or as the last. */
static bool
new_key(struct keys *k, unsigned depth, const char *key)
{
	unsigned n = k->count[depth];

	if (*key == '\0')	/* in an array, or an end */
		return true;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(k->key[depth][i], key) == 0)
			return false;
	if (n == BASIS_KEYS)
		return false;
	memcpy(k->key[depth][n], key, KEY_MAX + 1);
	k->count[depth]++;
	return true;
}

bool
basis_check(const uint8_t *p, size_t n)
{
	bool array[BASIS_DEPTH + 1] = {false};
	struct keys keys;
	struct cursor c;
	struct item it;
	unsigned depth = 0;

	if (n > BASIS_MAX)
		return false;
	keys.count[0] = 0;
	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c)) {
		if (!read_item(&c, array[depth], &it) ||
		    !new_key(&keys, depth, it.key))
			return false;
		if (it.kind == KIND_END) {
			if (depth-- == 0)
				return false;
		} else if (it.kind == KIND_OBJECT || it.kind == KIND_ARRAY) {
			if (depth == BASIS_DEPTH)
				return false;
			array[++depth] = it.kind == KIND_ARRAY;
			keys.count[depth] = 0;
		}
	}
	return depth == 0;
}

/* The item of that key at the top. */
static bool
find_item(const uint8_t *p, size_t n, const char *key, struct item *it)
{
	bool array[BASIS_DEPTH + 1] = {false};
	struct cursor c;
	unsigned depth = 0;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c) && read_item(&c, array[depth], it)) {
		if (depth == 0 && strcmp(it->key, key) == 0)
			return true;
		if (it->kind == KIND_END)
			depth--;
		else if (it->kind == KIND_OBJECT || it->kind == KIND_ARRAY)
			array[++depth] = it->kind == KIND_ARRAY;
	}
	return false;
}

bool
basis_find(const uint8_t *p, size_t n, const char *key, const char **text,
    size_t *len)
{
	struct item it;

	if (!find_item(p, n, key, &it))
		return false;
	*text = it.kind == KIND_TEXT ? (const char *)it.text : NULL;
	*len = it.kind == KIND_TEXT ? it.n : 0;
	return true;
}

static double
number(const struct item *it)
{
	double v;

	memcpy(&v, &it->num, sizeof(v));
	return v;
}

bool
basis_true(const uint8_t *p, size_t n, const char *key)
{
	struct item it;

	return find_item(p, n, key, &it) && it.kind == KIND_TRUE;
}

bool
basis_number(const uint8_t *p, size_t n, const char *key, double *ret)
{
	struct item it;

	if (!find_item(p, n, key, &it) ||
	    (it.kind != KIND_U64 && it.kind != KIND_F64))
		return false;
	*ret = it.kind == KIND_U64 ? (double)it.num : number(&it);
	return true;
}

static void
json_value(const struct item *it, struct json_write *w)
{
	if (it->kind == KIND_U64)
		json_u64(w, it->num);
	else if (it->kind == KIND_F64)
		json_double(w, number(it));
	else if (it->kind == KIND_FALSE || it->kind == KIND_TRUE)
		json_bool(w, it->kind == KIND_TRUE);
	else if (it->kind == KIND_TEXT)
		json_text(w, it->text, it->n, 0);
	else if (it->kind == KIND_OBJECT)
		json_begin_object(w);
	else if (it->kind == KIND_ARRAY)
		json_begin_array(w);
	else
		json_null(w);
}

void
basis_json(const uint8_t *p, size_t n, struct json_write *w)
{
	bool array[BASIS_DEPTH + 1] = {false};
	struct cursor c;
	struct item it;
	unsigned depth = 0;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c) && read_item(&c, array[depth], &it)) {
		if (it.kind == KIND_END) {
			if (array[depth--])
				json_end_array(w);
			else
				json_end_object(w);
			continue;
		}
		if (!array[depth])
			json_key(w, it.key);
		json_value(&it, w);
		if (it.kind == KIND_OBJECT || it.kind == KIND_ARRAY)
			array[++depth] = it.kind == KIND_ARRAY;
	}
}

static void
line_value(const struct item *it, struct buf *b)
{
	if (it->kind == KIND_U64)
		buf_printf(b, "%llu", (unsigned long long)it->num);
	else if (it->kind == KIND_F64)
		buf_printf(b, "%.4g", number(it));
	else if (it->kind == KIND_FALSE || it->kind == KIND_TRUE)
		buf_puts(b, it->kind == KIND_TRUE ? "yes" : "no");
	else if (it->kind == KIND_TEXT)
		text_put(b, it->text, it->n, 0);
	else if (it->kind == KIND_OBJECT)
		buf_puts(b, "(");
	else if (it->kind == KIND_ARRAY)
		buf_puts(b, "[");
	else
		buf_puts(b, "-");
}

void
basis_line(const uint8_t *p, size_t n, struct buf *b)
{
	bool array[BASIS_DEPTH + 1] = {false}, first = true;
	struct cursor c;
	struct item it;
	unsigned depth = 0;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c) && read_item(&c, array[depth], &it)) {
		if (it.kind == KIND_END) {
			buf_puts(b, array[depth--] ? "]" : ")");
			first = false;
			continue;
		}
		/* Base64 by the kilobyte is for programs. */
		if (depth == 0 && (it.kind == KIND_TEXT ||
		    it.kind == KIND_U64) &&
		    strncmp(it.key, "picture", 7) == 0)
			continue;
		if (!first)
			buf_puts(b, ", ");
		for (const char *k = it.key; *k != '\0'; k++)
			buf_putc(b, *k == '_' ? ' ' : *k);
		if (it.key[0] != '\0')
			buf_puts(b, " ");
		line_value(&it, b);
		first = false;
		if (it.kind == KIND_OBJECT || it.kind == KIND_ARRAY) {
			array[++depth] = it.kind == KIND_ARRAY;
			first = true;
		}
	}
}

#define LINE_FULL 68	/* no comma is looked for before this column ... */
#define LINE_MOST 70	/* ... of more text than this */

bool
basis_paragraph(const uint8_t *p, size_t n, size_t max, struct buf *b)
{
	struct buf flat;
	size_t at = 0, cut, len;
	bool more;

	buf_init(&flat, 4 * (size_t)BASIS_MAX);
	basis_line(p, n, &flat);
	len = flat.len < max ? flat.len : max;
	while (at < len) {
		cut = len - at;
		for (size_t i = 0; len - at > LINE_MOST && i < len - at &&
		    (i < LINE_FULL || cut == len - at); i++)
			if (flat.p[at + i] == ',')
				cut = i + 1;
		buf_printf(b, "      %.*s\n", (int)cut,
		    (const char *)flat.p + at);
		at += cut;
		while (at < len && flat.p[at] == ' ')
			at++;
	}
	more = flat.len > max;
	buf_release(&flat);
	return more;
}
