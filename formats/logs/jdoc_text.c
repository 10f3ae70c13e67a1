#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "formats/logs/jdoc.h"

/*
 * What nodes of a JSON document say: text without its escapes, numbers.
 */
static bool
hex4(const uint8_t *p, size_t n, uint32_t *ret)
{
	uint32_t v = 0;

	if (n < 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t c = p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

static size_t
put_utf8(uint8_t *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 63));
		out[2] = (uint8_t)(0x80 | (cp & 63));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | cp >> 18);
	out[1] = (uint8_t)(0x80 | (cp >> 12 & 63));
	out[2] = (uint8_t)(0x80 | (cp >> 6 & 63));
	out[3] = (uint8_t)(0x80 | (cp & 63));
	return 4;
}

/*
 * The escape at p[0] == 'u', its four digits and those of a low surrogate
 * that follows; 0 when it is none.
 */
static size_t
unicode(const uint8_t *p, size_t n, uint32_t *cp)
{
	uint32_t low;

	if (!hex4(p + 1, n - 1, cp))
		return 0;
	if (*cp >= 0xd800 && *cp <= 0xdbff && n >= 11 && p[5] == '\\' &&
	    p[6] == 'u' && hex4(p + 7, n - 7, &low) && low >= 0xdc00 &&
	    low <= 0xdfff) {
		*cp = 0x10000 + ((*cp - 0xd800) << 10 | (low - 0xdc00));
		return 11;
	}
	return 5;
}

/*
 * Never longer than the source: an escape of six bytes is three, one of
 * twelve four.  An unknown escape stands as it is, backslash and all.
 */
static size_t
unescape(uint8_t *out, const uint8_t *p, size_t n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	size_t k = 0, used;
	uint32_t cp;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\\' || i + 1 >= n) {
			out[k++] = p[i];
			continue;
		}
		i++;
		if (p[i] == 'u' && (used = unicode(p + i, n - i, &cp)) > 0) {
			k += put_utf8(out + k, cp);
			i += used - 1;
		} else if (p[i] != '\0' && (hit = strchr(from, p[i])) != NULL) {
			out[k++] = (uint8_t)to[hit - from];
		} else {
			out[k++] = '\\';
			out[k++] = p[i];
		}
	}
	return k;
}

bool
jdoc_key_is(const struct jdoc *d, uint32_t i, const char *name, size_t n)
{
	const struct jnode *v;
	uint8_t key[256];

	if (i == JDOC_NONE)
		return false;
	v = &d->v[i];
	if (!v->key_escaped)
		return v->key_len == n &&
		    memcmp(d->p + v->key_off, name, n) == 0;
	return v->key_len <= sizeof(key) &&
	    unescape(key, d->p + v->key_off, v->key_len) == n &&
	    memcmp(key, name, n) == 0;
}

bool
jdoc_text(const struct jdoc *d, uint32_t i, struct arena *a,
    const uint8_t **p, size_t *n)
{
	const struct jnode *v;
	uint8_t *out;

	if (!jdoc_is(d, i, JDOC_STRING))
		return false;
	v = &d->v[i];
	*p = d->p + v->off;
	*n = v->len;
	if (!v->escaped)
		return true;
	if ((out = arena_alloc(a, v->len)) == NULL)
		return false;
	*n = unescape(out, *p, v->len);
	*p = out;
	return true;
}

bool
jdoc_scalar(const struct jdoc *d, uint32_t i, struct arena *a,
    const uint8_t **p, size_t *n)
{
	if (jdoc_text(d, i, a, p, n))
		return true;
	if (i == JDOC_NONE || d->v[i].type == JDOC_NULL ||
	    d->v[i].type >= JDOC_STRING)
		return false;
	jdoc_raw(d, i, p, n);
	return true;
}

void
jdoc_raw(const struct jdoc *d, uint32_t i, const uint8_t **p, size_t *n)
{
	*p = d->p + d->v[i].off;
	*n = d->v[i].len;
}

bool
jdoc_decimal(const uint8_t *p, size_t n, double *ret)
{
	char text[65], *end;

	if (n == 0 || n >= sizeof(text) || p[0] <= ' ' || p[0] == '+')
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] == 'x' || p[i] == 'X' || p[i] == '(' || p[i] == '\0')
			return false;
	memcpy(text, p, n);
	text[n] = '\0';
	*ret = strtod(text, &end);
	return end == text + n;
}

bool
jdoc_real(const struct jdoc *d, uint32_t i, double *ret)
{
	if (!jdoc_is(d, i, JDOC_NUMBER) && !jdoc_is(d, i, JDOC_STRING))
		return false;
	return jdoc_decimal(d->p + d->v[i].off, d->v[i].len, ret);
}

bool
jdoc_u64(const struct jdoc *d, uint32_t i, uint64_t *ret)
{
	if (!jdoc_is(d, i, JDOC_NUMBER) && !jdoc_is(d, i, JDOC_STRING))
		return false;
	return text_u64((const char *)d->p + d->v[i].off, d->v[i].len, 10,
	    UINT64_MAX, ret);
}

bool
jdoc_equal(const struct jdoc *d, uint32_t i, const char *text)
{
	const size_t n = strlen(text);

	return jdoc_is(d, i, JDOC_STRING) && d->v[i].len == n &&
	    memcmp(d->p + d->v[i].off, text, n) == 0;
}
