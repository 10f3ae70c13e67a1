#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/reg/pbtext.h"

void
pbtext_init(struct pbtext *t, const char *p, size_t n, struct arena *a)
{
	memset(t, 0, sizeof(*t));
	t->p = p;
	t->n = n;
	t->a = a;
}

/* The next byte that is no blank and no comment; -1 at the end. */
static int
peek_close(struct pbtext *t)
{
	for (; t->at < t->n; t->at++) {
		char c = t->p[t->at];

		if (c == '#')
			while (t->at + 1 < t->n && t->p[t->at + 1] != '\n')
				t->at++;
		else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return (unsigned char)c;
	}
	return -1;
}

/* The same behind commas and semicolons, which part fields and elements. */
static int
peek(struct pbtext *t)
{
	int c;

	while ((c = peek_close(t)) == ',' || c == ';')
		t->at++;
	return c;
}

static bool
is_word(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
	    c == '+' || c == '/';
}

static int
bad(struct pbtext *t, const char *why)
{
	t->why = why;
	return PBTEXT_BAD;
}

static size_t
word(struct pbtext *t)
{
	size_t n = 0;

	while (t->at + n < t->n && is_word((unsigned char)t->p[t->at + n]))
		n++;
	t->at += n;
	return n;
}

/* One escape behind the backslash; bytes used, 0: it is none. */
static size_t
unescape(const char *s, size_t n, char *ret)
{
	static const char names[] = "abfnrtv\\'\"?";
	static const char is[] = "\a\b\f\n\r\t\v\\'\"?";
	const char *hit;
	unsigned v = 0;
	size_t used = 0;

	if (n == 0)
		return 0;
	if (s[0] != '\0' && (hit = strchr(names, s[0])) != NULL) {
		*ret = is[hit - names];
		return 1;
	}
	for (; used < n && used < 3 && s[used] >= '0' && s[used] <= '7';
	    used++)
		v = v * 8 + (unsigned)(s[used] - '0');
	*ret = (char)v;
	return used;
}

/* Strings that stand one behind the other are one. */
static int
strings(struct pbtext *t, struct pbtext_leaf *ret)
{
	char *dst = arena_alloc(t->a, t->n - t->at + 1);
	size_t out = 0;
	int c;

	if (dst == NULL)
		return ERR_NOMEM;
	while ((c = peek_close(t)) == '"' || c == '\'') {
		t->at++;
		while (t->at < t->n && t->p[t->at] != c) {
			size_t used;

			if (t->p[t->at] == '\n')
				return bad(t, "a string has no end");
			if (t->p[t->at] != '\\') {
				dst[out++] = t->p[t->at++];
				continue;
			}
			t->at++;
			used = unescape(t->p + t->at, t->n - t->at,
			    &dst[out]);
			if (used == 0)
				return bad(t, "an unknown escape");
			out++;
			t->at += used;
		}
		if (t->at == t->n)
			return bad(t, "a string has no end");
		t->at++;
	}
	dst[out] = '\0';
	ret->value = dst;
	ret->value_len = out;
	ret->quoted = true;
	return PBTEXT_LEAF;
}

/* Down a level; the path stays what it is. */
static int
enter(struct pbtext *t, char close)
{
	if (t->depth == PBTEXT_DEPTH)
		return bad(t, "messages nest too deep");
	t->close[t->depth] = close;
	t->mark[t->depth++] = strlen(t->path);
	t->at++;
	return PBTEXT_END;
}

/* Is the innermost level a list?  Its elements have no names. */
static bool
in_list(const struct pbtext *t)
{
	return t->depth > 0 && t->close[t->depth - 1] == ']';
}

static int
value(struct pbtext *t, struct pbtext_leaf *ret)
{
	int c = peek(t);
	const char *from;
	size_t n;

	ret->path = t->path;
	if (c == '"' || c == '\'')
		return strings(t, ret);
	if (c == '{' || c == '<' || c == '[')
		return enter(t, c == '{' ? '}' : c == '<' ? '>' : ']');
	from = t->p + t->at;
	if ((n = word(t)) == 0)
		return bad(t, "a value is expected");
	if ((ret->value = arena_dup(t->a, from, n)) == NULL)
		return ERR_NOMEM;
	ret->value_len = n;
	ret->quoted = false;
	return PBTEXT_LEAF;
}

/* The path of what is open, and a name below it. */
static int
name(struct pbtext *t)
{
	size_t base = t->depth > 0 ? t->mark[t->depth - 1] : 0, n;
	const char *from = t->p + t->at;
	int c;

	if ((n = word(t)) == 0)
		return bad(t, "a name is expected");
	if (base + n + 2 > sizeof(t->path))
		return bad(t, "a name is too long");
	if (base > 0)
		t->path[base++] = '.';
	memcpy(t->path + base, from, n);
	t->path[base + n] = '\0';
	c = peek(t);
	if (c == ':')
		t->at++;
	else if (c != '{' && c != '<' && c != '[')
		return bad(t, "a colon is expected");
	return PBTEXT_END;
}

int
pbtext_next(struct pbtext *t, struct pbtext_leaf *ret)
{
	int c, r;

	while ((c = peek(t)) >= 0) {
		if (t->depth > 0 && c == t->close[t->depth - 1]) {
			t->at++;
			t->depth--;
			t->path[t->mark[t->depth]] = '\0';
			continue;
		}
		if (in_list(t))
			t->path[t->mark[t->depth - 1]] = '\0';
		else if ((r = name(t)) != PBTEXT_END)
			return r;
		if ((r = value(t, ret)) != PBTEXT_END)
			return r;
	}
	return t->depth > 0 ? bad(t, "a message has no end") : PBTEXT_END;
}
