#include <stdio.h>
#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Python's two ways to format, as far as they spell text: %s %d %c %x %o %%
 * and {} {0} {name} with an optional :c, :s, :d or :x.  Whatever else stands
 * there leaves the result unknown.
 */
struct out {
	uint8_t *p;
	size_t n, cap;
};

static bool
put(struct out *o, const uint8_t *p, size_t n)
{
	if (n > o->cap - o->n)
		return false;
	if (n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
	return true;
}

static bool
put_value(struct out *o, const struct jval *v, uint8_t how)
{
	uint8_t tmp[24];
	const uint8_t *p;
	size_t n;
	int len;

	if (how == 'c' && v->kind == JV_INT) {
		if (v->num < 0 || v->num > 0x7f)
			return false;
		tmp[0] = (uint8_t)v->num;
		return put(o, tmp, 1);
	}
	if ((how == 'x' || how == 'o') && v->kind == JV_INT) {
		len = snprintf((char *)tmp, sizeof(tmp), how == 'x' ? "%llx" :
		    "%llo", (unsigned long long)v->num);
		return len > 0 && put(o, tmp, (size_t)len);
	}
	return jfold_text(v, tmp, &p, &n) && put(o, p, n);
}

static bool
percent(const struct jval *fmt, const struct jargs *a, struct out *o)
{
	unsigned next = 0;
	size_t i = 0;

	while (i < fmt->n) {
		if (fmt->p[i] != '%') {
			if (!put(o, fmt->p + i++, 1))
				return false;
			continue;
		}
		if (++i == fmt->n)
			return false;
		if (fmt->p[i] == '%') {
			if (!put(o, fmt->p + i++, 1))
				return false;
			continue;
		}
		if (fmt->p[i] == '\0' || strchr("sdicxor", fmt->p[i]) == NULL ||
		    next == a->n || !put_value(o, &a->v[next++], fmt->p[i]))
			return false;
		i++;
	}
	return true;
}

/* The argument that {..} names, by place or by keyword. */
static const struct jval *
find_arg(const struct jargs *a, const uint8_t *p, size_t n, unsigned *next)
{
	unsigned k = 0;

	if (n == 0)
		return *next < a->n ? &a->v[(*next)++] : NULL;
	for (unsigned i = 0; i < a->n; i++)
		if (a->key[i] != NULL && a->key_len[i] == n &&
		    memcmp(a->key[i], p, n) == 0)
			return &a->v[i];
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || k > JINJA_ARGS)
			return NULL;
		k = k * 10 + (unsigned)(p[i] - '0');
	}
	return k < a->n && a->key[k] == NULL ? &a->v[k] : NULL;
}

/* Behind "{": what stands up to "}", and *i behind it. */
static bool
brace_field(const struct jval *fmt, size_t *i, const struct jargs *a,
    unsigned *next, struct out *o)
{
	const uint8_t *p = fmt->p + *i, *close, *colon;
	const struct jval *v;
	uint8_t how = 's';
	size_t n, name;

	if ((close = memchr(p, '}', fmt->n - *i)) == NULL)
		return false;
	n = name = (size_t)(close - p);
	if (n > 0 && (colon = memchr(p, ':', n)) != NULL) {
		name = (size_t)(colon - p);
		how = n - name > 1 ? p[n - 1] : 's';
	}
	*i += n + 1;
	return (v = find_arg(a, p, name, next)) != NULL &&
	    put_value(o, v, how);
}

static bool
braces(const struct jval *fmt, const struct jargs *a, struct out *o)
{
	unsigned next = 0;
	size_t i = 0;

	while (i < fmt->n) {
		const uint8_t c = fmt->p[i++];

		/* two of them are one */
		if ((c == '{' || c == '}') && i < fmt->n && fmt->p[i] == c) {
			i++;
		} else if (c == '{') {
			if (!brace_field(fmt, &i, a, &next, o))
				return false;
			continue;
		}
		if (!put(o, &c, 1))
			return false;
	}
	return true;
}

bool
jfold_format(struct jinja *j, const struct jval *fmt, const struct jargs *a,
    struct jval *ret)
{
	struct out o = {.n = 0};
	const uint8_t *p;
	uint8_t tmp[24];
	size_t n;
	bool ok;

	if (fmt->kind != JV_STR)
		return false;
	o.cap = fmt->n;
	for (unsigned i = 0; i < a->n; i++) {
		if (!jfold_text(&a->v[i], tmp, &p, &n))
			continue;
		if (n > JINJA_STR || o.cap > JINJA_STR)
			return false;
		o.cap += n + sizeof(tmp);
	}
	if (o.cap > JINJA_STR || (o.p = jfold_room(j, o.cap)) == NULL)
		return false;
	ok = fmt->n > 0 && memchr(fmt->p, '%', fmt->n) != NULL ?
	    percent(fmt, a, &o) : braces(fmt, a, &o);
	if (ok)
		jfold_made(ret, o.p, o.n, fmt->at);
	return ok;
}
