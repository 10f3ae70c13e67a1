#include <stdio.h>
#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Pure functions on constants: what an author uses to spell a name so that
 * it does not stand in the template.  Text is handled by bytes where it is
 * ASCII; indices into other text are left unknown, since Python counts
 * characters.
 */
uint8_t *
jfold_room(struct jinja *j, size_t n)
{
	if (n > JINJA_STR)
		return NULL;
	if (n > j->made) {
		jinja_limit(j);
		return NULL;
	}
	j->made -= n;
	return jinja_alloc(j, n, 1);
}

void
jfold_made(struct jval *ret, const uint8_t *p, size_t n, size_t at)
{
	const struct jval old = *ret;

	*ret = jval_str(p, n, at);
	ret->made = true;
	ret->lit = jinja_lit(p, n, at);
	ret->taint = old.taint;
	ret->pos = old.pos;
	ret->neg = old.neg;
}

/* Text as it would be printed; numbers are spelled into ${tmp}. */
bool
jfold_text(const struct jval *v, uint8_t tmp[24], const uint8_t **p, size_t *n)
{
	int len;

	if (v->kind == JV_STR) {
		*p = v->p;
		*n = v->n;
		return true;
	}
	if (v->kind != JV_INT)
		return false;
	len = snprintf((char *)tmp, 24, "%lld", (long long)v->num);
	*p = tmp;
	*n = len > 0 ? (size_t)len : 0;
	return true;
}

bool
jfold_ascii(const struct jval *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] >= 0x80)
			return false;
	return true;
}

bool
jfold_concat(struct jinja *j, const struct jval *a, const struct jval *b,
    struct jval *ret)
{
	uint8_t ta[24], tb[24], *to;
	const uint8_t *pa, *pb;
	size_t na, nb;

	if (a->kind == JV_LIST && b->kind == JV_LIST)
		return jseq_concat(j, a, b, ret);
	if (!jfold_text(a, ta, &pa, &na) || !jfold_text(b, tb, &pb, &nb) ||
	    na > JINJA_STR || nb > JINJA_STR ||
	    (to = jfold_room(j, na + nb)) == NULL)
		return false;
	memcpy(to, pa, na);
	memcpy(to + na, pb, nb);
	jfold_made(ret, to, na + nb, a->at);
	return true;
}

bool
jfold_repeat(struct jinja *j, const struct jval *a, int64_t times,
    struct jval *ret)
{
	uint8_t *to;

	if (times < 0 || times > (int64_t)JINJA_STR ||
	    a->n * (uint64_t)times > JINJA_STR ||
	    (to = jfold_room(j, a->n * (size_t)times)) == NULL)
		return false;
	for (int64_t i = 0; i < times; i++)
		memcpy(to + (size_t)i * a->n, a->p, a->n);
	jfold_made(ret, to, a->n * (size_t)times, a->at);
	return true;
}

static bool
change_case(struct jinja *j, const struct jval *v, char how,
    struct jval *ret)
{
	uint8_t *to;
	bool inside = false, up;

	if (v->kind != JV_STR || (to = jfold_room(j, v->n)) == NULL)
		return false;
	for (size_t i = 0; i < v->n; i++) {
		const uint8_t c = v->p[i], low = c | 0x20;
		const bool alpha = low >= 'a' && low <= 'z';

		up = how == 'u' || (how == 't' && !inside) ||
		    (how == 'c' && i == 0) || (how == 's' && c == low);
		to[i] = !alpha ? c : up ? (uint8_t)(low - 0x20) : low;
		inside = alpha;
	}
	jfold_made(ret, to, v->n, v->at);
	return true;
}

static bool
strip(const struct jval *v, const struct jargs *a, bool left, bool right,
    struct jval *ret)
{
	const uint8_t *set = (const uint8_t *)" \t\n\r\v\f", *p = v->p;
	size_t nset = 6, n = v->n;

	if (v->kind != JV_STR || (a->n > 0 && a->v[0].kind != JV_STR))
		return false;
	if (a->n > 0) {
		set = a->v[0].p;
		nset = a->v[0].n;
	}
	while (left && n > 0 && nset > 0 && memchr(set, p[0], nset) != NULL) {
		p++;
		n--;
	}
	while (right && n > 0 && nset > 0 &&
	    memchr(set, p[n - 1], nset) != NULL)
		n--;
	jfold_made(ret, p, n, v->at);
	ret->made = n != v->n;
	return true;
}

/* At most what jfold_room() gives: a small text that grows is left unknown. */
static bool
replace(struct jinja *j, const struct jval *v, const struct jargs *a,
    struct jval *ret)
{
	const struct jval *from = &a->v[0], *to = &a->v[1];
	uint8_t *p;
	size_t n = 0, i = 0;

	if (v->kind != JV_STR || a->n < 2 || from->kind != JV_STR ||
	    to->kind != JV_STR || from->n == 0 || v->n > JINJA_STR ||
	    to->n > JINJA_STR / (v->n / from->n + 1) ||
	    (p = jfold_room(j, v->n + (v->n / from->n + 1) * to->n)) == NULL)
		return false;
	while (i < v->n) {
		if (v->n - i >= from->n &&
		    memcmp(v->p + i, from->p, from->n) == 0) {
			memcpy(p + n, to->p, to->n);
			n += to->n;
			i += from->n;
		} else {
			p[n++] = v->p[i++];
		}
	}
	jfold_made(ret, p, n, v->at);
	return true;
}

enum fold { F_LOWER, F_UPPER, F_TITLE, F_CAPITAL, F_SWAP, F_STRIP, F_LSTRIP,
	F_RSTRIP, F_REPLACE, F_JOIN, F_REVERSE, F_LIST, F_SAME, F_FIRST,
	F_LAST, F_SPLIT, F_FORMAT, F_GET, F_MAP, F_NONE };

static enum fold
find_fold(const uint8_t *name, size_t n)
{
	static const struct {
		const char *name;
		enum fold fold;
	} folds[] = {{"lower", F_LOWER}, {"upper", F_UPPER},
	    {"casefold", F_LOWER}, {"title", F_TITLE},
	    {"capitalize", F_CAPITAL}, {"swapcase", F_SWAP},
	    {"strip", F_STRIP}, {"trim", F_STRIP}, {"lstrip", F_LSTRIP},
	    {"rstrip", F_RSTRIP}, {"replace", F_REPLACE}, {"join", F_JOIN},
	    {"reverse", F_REVERSE}, {"reversed", F_REVERSE},
	    {"list", F_LIST}, {"keys", F_LIST}, {"string", F_SAME},
	    {"safe", F_SAME}, {"e", F_SAME}, {"escape", F_SAME},
	    {"forceescape", F_SAME}, {"encode", F_SAME},
	    {"decode", F_SAME}, {"first", F_FIRST}, {"last", F_LAST},
	    {"split", F_SPLIT}, {"format", F_FORMAT}, {"get", F_GET},
	    {"map", F_MAP}};

	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++)
		if (jinja_word(name, n, folds[i].name))
			return folds[i].fold;
	return F_NONE;
}

/* ['__CLA', 'SS__']|map('lower') */
static bool
map(struct jinja *j, const struct jval *v, const struct jargs *a,
    struct jval *ret)
{
	const struct jargs none = {.n = 0};
	enum fold f;
	struct jval all;

	if (v->kind != JV_LIST || a->n == 0 || a->v[0].kind != JV_STR ||
	    a->key[0] != NULL)
		return false;
	f = find_fold(a->v[0].p, a->v[0].n);
	if (f >= F_REPLACE && f != F_SAME && f != F_FIRST && f != F_LAST &&
	    f != F_REVERSE)
		return false;
	all = *ret;
	if (!jseq_list(j, v, &all))
		return false;
	for (size_t i = 0; i < all.count; i++)
		(void)jfold_call(j, a->v[0].p, a->v[0].n, &v->item[i], &none,
		    &all.item[i]);
	*ret = all;
	return true;
}

bool
jfold_call(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a, struct jval *ret)
{
	const struct jval first = {.kind = JV_INT}, last = {.kind = JV_INT,
	    .num = -1};
	const enum fold f = find_fold(name, n);

	switch (f) {
	case F_LOWER:
	case F_UPPER:
	case F_TITLE:
	case F_CAPITAL:
	case F_SWAP:
		return change_case(j, v, "lutcs"[f - F_LOWER], ret);
	case F_STRIP:
	case F_LSTRIP:
	case F_RSTRIP:
		return strip(v, a, f != F_RSTRIP, f != F_LSTRIP, ret);
	case F_REPLACE:
		return replace(j, v, a, ret);
	case F_JOIN:
		if (v->kind == JV_STR && a->n > 0)
			return jseq_join(j, &a->v[0], v, ret);
		return jseq_join(j, v, a->n > 0 ? &a->v[0] : NULL, ret);
	case F_REVERSE:
		return jseq_reverse(j, v, ret);
	case F_LIST:
		return jseq_list(j, v, ret);
	case F_SAME:
		if (v->kind == JV_STR)
			jfold_made(ret, v->p, v->n, v->at);
		return v->kind == JV_STR;
	case F_FIRST:
	case F_LAST:
		if (f == F_FIRST && v->kind == JV_DICT && v->count > 0) {
			*ret = v->item[0];
			return true;
		}
		return v->kind != JV_DICT && jfold_index(j, v,
		    f == F_FIRST ? &first : &last, ret);
	case F_SPLIT:
		return jseq_split(j, v, a, ret);
	case F_FORMAT:
		return jfold_format(j, v, a, ret);
	case F_GET:
		return a->n > 0 && jfold_index(j, v, &a->v[0], ret);
	case F_MAP:
		return map(j, v, a, ret);
	case F_NONE:
		break;
	}
	return false;
}
