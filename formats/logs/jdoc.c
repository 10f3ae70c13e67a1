#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/logs/jdoc.h"

/*
 * Method.  One pass with a stack of the containers that are open; ${c->i} is
 * compared with ${c->n} before each byte.  next of a node is set when its
 * successor is made: last[] holds the latest child of each open container.
 */
struct walk {
	struct jdoc *d;
	size_t i;		/* next byte */
	size_t n;
	unsigned depth;		/* containers that are open */
	uint32_t open[LIMIT_JSON_DEPTH], last[LIMIT_JSON_DEPTH];
	uint32_t key_off, key_len;
	bool key_escaped;
	uint8_t mark;
};

/* A byte by which a name that is sought passes most others unread. */
static uint8_t
mark_of(const void *name, size_t n)
{
	const uint8_t *p = name;
	uint32_t mark = 0;

	if (n > 0)
		mark = p[0] + 7U * p[n / 2] + 31U * p[n - 1];
	return (uint8_t)(mark & 0xff);
}

static void
blanks(struct walk *w)
{
	const uint8_t *p = w->d->p;

	while (w->i < w->n && (p[w->i] == ' ' || p[w->i] == '\n' ||
	    p[w->i] == '\r' || p[w->i] == '\t'))
		w->i++;
}

static int
grow(struct jdoc *d)
{
	uint32_t cap = d->cap > 0 ? d->cap * 4 : 1024;
	struct jnode *v;

	if (d->cap >= LIMIT_LOG_NODES)
		return ERR_LIMIT;
	if ((v = arena_array(d->a, cap, sizeof(*v))) == NULL)
		return ERR_NOMEM;
	if (d->nodes > 0)
		memcpy(v, d->v, d->nodes * sizeof(*v));
	d->v = v;
	d->cap = cap;
	return 0;
}

/* A new node below the innermost open container. */
static int
node(struct walk *w, enum jtype type, size_t off, size_t len)
{
	struct jdoc *d = w->d;
	const uint32_t self = d->nodes;
	int r;

	if (d->nodes == d->cap && (r = grow(d)) < 0)
		return r;
	d->v[self] = (struct jnode){.off = (uint32_t)off,
	    .len = (uint32_t)len, .key_off = w->key_off,
	    .key_len = w->key_len, .next = JDOC_NONE, .type = (uint8_t)type,
	    .key_escaped = w->key_escaped, .mark = w->mark};
	if (w->depth > 0) {
		uint32_t *last = &w->last[w->depth - 1];

		if (*last != JDOC_NONE)
			d->v[*last].next = self;
		*last = self;
		d->v[w->open[w->depth - 1]].count++;
	}
	d->nodes++;
	return 0;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is one of eight bytes a quote, a backslash, a control or not ASCII? */
static bool
special(const uint8_t *p)
{
	uint64_t w, quote, slash;

	memcpy(&w, p, sizeof(w));
	quote = w ^ EACH('"');
	slash = w ^ EACH('\\');
	return ((w | (w - EACH(0x20)) | (quote - EACH(1)) |
	    (slash - EACH(1))) & EACH(0x80)) != 0;
}

/* After the opening quote; *len is what stands before the closing one. */
static int
string(struct walk *w, size_t *len, bool *escaped)
{
	const uint8_t *p = w->d->p;
	const size_t from = w->i;
	bool high = false;

	*escaped = false;
	for (;;) {
		while (w->n - w->i >= 8 && !special(p + w->i))
			w->i += 8;
		if (w->i >= w->n || p[w->i] == '"')
			break;
		if (p[w->i] == '\\') {
			*escaped = true;
			if (w->n - w->i < 2)
				break;
			w->i++;
		} else if (p[w->i] < 0x20) {
			w->d->odd = true;
		}
		high |= p[w->i] >= 0x80;
		w->i++;
	}
	if (w->i >= w->n || p[w->i] != '"')
		return ERR_TRUNC;
	*len = w->i - from;
	w->i++;
	if (high && !text_is_utf8(p + from, *len))
		w->d->odd = true;
	return 0;
}

static bool
word(struct walk *w, const char *text)
{
	const size_t n = strlen(text);

	if (n > w->n - w->i || memcmp(w->d->p + w->i, text, n) != 0)
		return false;
	w->i += n;
	return true;
}

static bool
digits(struct walk *w)
{
	const size_t from = w->i;

	while (w->i < w->n && w->d->p[w->i] >= '0' && w->d->p[w->i] <= '9')
		w->i++;
	return w->i > from;
}

static bool
at(const struct walk *w, const char *set)
{
	return w->i < w->n && w->d->p[w->i] != '\0' &&
	    strchr(set, w->d->p[w->i]) != NULL;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, or Python's three. */
static bool
number(struct walk *w)
{
	size_t from;

	if (at(w, "-"))
		w->i++;
	if (word(w, "NaN") || word(w, "Infinity"))
		return true;
	from = w->i;
	if (!digits(w) || (w->d->p[from] == '0' && w->i - from > 1))
		return false;
	if (at(w, ".")) {
		w->i++;
		if (!digits(w))
			return false;
	}
	if (at(w, "eE")) {
		w->i++;
		if (at(w, "+-"))
			w->i++;
		if (!digits(w))
			return false;
	}
	return true;
}

static int
scalar(struct walk *w)
{
	const size_t from = w->i;
	enum jtype type = JDOC_NUMBER;

	if (word(w, "true"))
		type = JDOC_TRUE;
	else if (word(w, "false"))
		type = JDOC_FALSE;
	else if (word(w, "null"))
		type = JDOC_NULL;
	else if (!number(w))
		return w->i >= w->n ? ERR_TRUNC : ERR_FORMAT;
	return node(w, type, from, w->i - from);
}

/* One value, or the beginning of a container. */
static int
value(struct walk *w)
{
	const uint8_t c = w->d->p[w->i];
	const size_t from = w->i;
	bool escaped;
	size_t len;
	int r;

	if (c == '"') {
		w->i++;
		if ((r = string(w, &len, &escaped)) < 0 ||
		    (r = node(w, JDOC_STRING, from + 1, len)) < 0)
			return r;
		w->d->v[w->d->nodes - 1].escaped = escaped;
		return 0;
	}
	if (c != '{' && c != '[')
		return scalar(w);
	if (w->depth >= LIMIT_JSON_DEPTH)
		return ERR_LIMIT;
	if ((r = node(w, c == '{' ? JDOC_OBJECT : JDOC_ARRAY, from, 0)) < 0)
		return r;
	w->open[w->depth] = w->d->nodes - 1;
	w->last[w->depth] = JDOC_NONE;
	w->depth++;
	w->i++;
	return 0;
}

static int
key(struct walk *w)
{
	size_t len;
	int r;

	if (w->d->p[w->i] != '"')
		return ERR_FORMAT;
	w->i++;
	w->key_off = (uint32_t)w->i;
	if ((r = string(w, &len, &w->key_escaped)) < 0)
		return r;
	w->key_len = (uint32_t)len;
	w->mark = mark_of(w->d->p + w->key_off, len);
	blanks(w);
	if (w->i >= w->n)
		return ERR_TRUNC;
	if (w->d->p[w->i] != ':')
		return ERR_FORMAT;
	w->i++;
	blanks(w);
	return w->i < w->n ? 0 : ERR_TRUNC;
}

/* Within a container: its end, or a comma where one must be, and a member. */
static int
member(struct walk *w)
{
	struct jnode *c = &w->d->v[w->open[w->depth - 1]];
	const uint8_t b = w->d->p[w->i];
	int r;

	if (b == (c->type == JDOC_OBJECT ? '}' : ']')) {
		w->i++;
		c->len = (uint32_t)(w->i - c->off);
		w->depth--;
		return 0;
	}
	if (c->count > 0) {
		if (b != ',')
			return ERR_FORMAT;
		w->i++;
		blanks(w);
		if (w->i >= w->n)
			return ERR_TRUNC;
	}
	w->key_len = 0;
	w->key_escaped = false;
	if (c->type == JDOC_OBJECT && (r = key(w)) < 0)
		return r;
	return value(w);
}

int
jdoc_parse(struct jdoc *d, const uint8_t *p, size_t n, size_t *used)
{
	struct walk w = {.d = d, .n = n};
	int r;

	d->p = p;
	d->n = 0;
	d->nodes = 0;
	d->odd = d->doubles = false;
	d->marked = JDOC_NONE;
	*used = 0;
	if (n > LIMIT_LOG_RECORD)
		return ERR_LIMIT;
	blanks(&w);
	if (w.i >= n)
		return ERR_TRUNC;
	for (r = value(&w); r >= 0 && w.depth > 0; r = member(&w)) {
		blanks(&w);
		if (w.i >= n) {
			r = ERR_TRUNC;
			break;
		}
	}
	*used = w.i;
	if (r < 0)
		return r;
	d->n = w.i;
	return 0;
}

static void
gather(struct jdoc *d, uint32_t object)
{
	d->marked = object;
	memset(d->marks, 0, sizeof(d->marks));
	for (uint32_t i = object + 1; i != JDOC_NONE; i = d->v[i].next)
		if (d->v[i].key_escaped)
			memset(d->marks, 0xff, sizeof(d->marks));
		else
			d->marks[d->v[i].mark >> 6] |= UINT64_C(1) <<
			    (d->v[i].mark & 63);
}

uint32_t
jdoc_get_n(struct jdoc *d, uint32_t object, const char *name, size_t n)
{
	const uint8_t mark = mark_of(name, n);
	uint32_t hit = JDOC_NONE;

	if (!jdoc_is(d, object, JDOC_OBJECT) || d->v[object].count == 0)
		return JDOC_NONE;
	if (d->marked == JDOC_NONE)
		gather(d, object);
	if (d->marked == object &&
	    (d->marks[mark >> 6] >> (mark & 63) & 1) == 0)
		return JDOC_NONE;
	for (uint32_t i = object + 1; i != JDOC_NONE; i = d->v[i].next)
		if ((d->v[i].key_escaped || (d->v[i].mark == mark &&
		    d->v[i].key_len == n)) && jdoc_key_is(d, i, name, n)) {
			d->doubles |= hit != JDOC_NONE;
			hit = i;
		}
	return hit;
}

uint32_t
jdoc_at(const struct jdoc *d, uint32_t container, uint32_t i)
{
	uint32_t k;

	if (container == JDOC_NONE || d->v[container].type < JDOC_ARRAY ||
	    i >= d->v[container].count)
		return JDOC_NONE;
	for (k = container + 1; i > 0; i--)
		k = d->v[k].next;
	return k;
}

uint32_t
jdoc_path(struct jdoc *d, uint32_t from, const char *path)
{
	const char *dot;
	uint32_t i, hit;
	uint64_t k;

	if ((hit = jdoc_get(d, from, path)) != JDOC_NONE)
		return hit;
	for (dot = strchr(path, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		const size_t n = (size_t)(dot - path);

		if (jdoc_is(d, from, JDOC_ARRAY)) {
			if (!text_u64(path, n, 10, UINT32_MAX, &k))
				return JDOC_NONE;
			i = jdoc_at(d, from, (uint32_t)k);
		} else {
			i = jdoc_get_n(d, from, path, n);
		}
		if (i != JDOC_NONE)
			return jdoc_path(d, i, dot + 1);
	}
	if (jdoc_is(d, from, JDOC_ARRAY) &&
	    text_u64(path, strlen(path), 10, UINT32_MAX, &k))
		return jdoc_at(d, from, (uint32_t)k);
	return JDOC_NONE;
}
