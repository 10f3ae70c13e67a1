#include <string.h>

#include "formats/jinja_parts.h"

/* Lists, dicts and text as sequences: indices, slices, joins, splits. */

bool
jseq_concat(struct jinja *j, const struct jval *a, const struct jval *b,
    struct jval *ret)
{
	const size_t n = a->count + b->count;
	struct jval *item;

	if (n > j->items || (item = jinja_alloc(j, n + 1,
	    sizeof(*item))) == NULL)
		return false;
	j->items -= n;
	if (a->count > 0)
		memcpy(item, a->item, a->count * sizeof(*item));
	if (b->count > 0)
		memcpy(item + a->count, b->item, b->count * sizeof(*item));
	ret->kind = JV_LIST;
	ret->item = item;
	ret->count = n;
	return true;
}

/* An index from either end. */
static bool
place(const struct jval *key, size_t n, size_t *ret)
{
	const int64_t i = key->num < 0 && key->num >= -(int64_t)n ?
	    key->num + (int64_t)n : key->num;

	if (key->kind != JV_INT || i < 0 || (uint64_t)i >= n)
		return false;
	*ret = (size_t)i;
	return true;
}

static bool
same_text(const struct jval *a, const struct jval *b)
{
	return a->kind == JV_STR && b->kind == JV_STR && a->n == b->n &&
	    memcmp(a->p, b->p, a->n) == 0;
}

bool
jfold_index(struct jinja *j, const struct jval *v, const struct jval *key,
    struct jval *ret)
{
	size_t i;

	(void)j;
	if (v->kind == JV_DICT) {
		for (i = 0; i + 1 < v->count; i += 2)
			if (same_text(&v->item[i], key)) {
				*ret = v->item[i + 1];
				return true;
			}
		return false;
	}
	if (v->kind == JV_LIST && place(key, v->count, &i)) {
		*ret = v->item[i];
		return true;
	}
	if (v->kind == JV_STR && place(key, v->n, &i) && jfold_ascii(v)) {
		jfold_made(ret, v->p + i, 1, v->at);
		return true;
	}
	return false;
}

/* A bound of a slice: from the end when negative, ${low} when before all. */
static int64_t
bound(const struct jval *at, int64_t len, int64_t low, int64_t none)
{
	if (at->kind != JV_INT)
		return none;
	if (at->num < -len)
		return low;
	return at->num < 0 ? at->num + len : at->num;
}

/* Python's slice: the first index, how many, and the step. */
static bool
slice_of(const struct jval at[3], size_t n, int64_t *from, size_t *count,
    int64_t *step)
{
	const int64_t len = (int64_t)n;
	int64_t lo, hi;

	*step = at[2].kind == JV_INT ? at[2].num : 1;
	if (*step == 0 || *step < -len - 1 || *step > len + 1)
		return false;
	if (*step > 0) {
		lo = bound(&at[0], len, 0, 0);
		hi = bound(&at[1], len, 0, len);
		hi = hi > len ? len : hi;
		*count = hi > lo ? (size_t)((hi - lo - 1) / *step + 1) : 0;
	} else {
		lo = bound(&at[0], len, -1, len - 1);
		hi = bound(&at[1], len, -1, -1);
		lo = lo > len - 1 ? len - 1 : lo;
		*count = lo > hi ? (size_t)((lo - hi - 1) / -*step + 1) : 0;
	}
	*from = lo;
	return true;
}

bool
jfold_slice(struct jinja *j, const struct jval *v, const struct jval at[3],
    struct jval *ret)
{
	const size_t n = v->kind == JV_STR ? v->n : v->count;
	int64_t from, step;
	struct jval *item;
	size_t count;
	uint8_t *to;

	for (unsigned i = 0; i < 3; i++)
		if (at[i].kind != JV_INT && (at[i].kind != JV_UNKNOWN ||
		    at[i].taint != 0))
			return false;
	if (n > JINJA_STR || !slice_of(at, n, &from, &count, &step))
		return false;
	if (v->kind == JV_STR && jfold_ascii(v)) {
		if ((to = jfold_room(j, count)) == NULL)
			return false;
		for (size_t i = 0; i < count; i++)
			to[i] = v->p[from + (int64_t)i * step];
		jfold_made(ret, to, count, v->at);
		return true;
	}
	if (v->kind != JV_LIST || count > j->items ||
	    (item = jinja_alloc(j, count + 1, sizeof(*item))) == NULL)
		return false;
	j->items -= count;
	for (size_t i = 0; i < count; i++)
		item[i] = v->item[from + (int64_t)i * step];
	ret->kind = JV_LIST;
	ret->item = item;
	ret->count = count;
	return true;
}

/* The elements of a list, or the keys of a dict, with what stands between. */
bool
jseq_join(struct jinja *j, const struct jval *list, const struct jval *sep,
    struct jval *ret)
{
	const size_t step = list->kind == JV_DICT ? 2 : 1;
	const size_t gap = sep != NULL && sep->kind == JV_STR ? sep->n : 0;
	size_t total = 0, n, k = 0;
	const uint8_t *p;
	uint8_t tmp[24], *to;

	if (list->kind != JV_LIST && list->kind != JV_DICT)
		return false;
	for (size_t i = 0; i < list->count; i += step) {
		if (!jfold_text(&list->item[i], tmp, &p, &n) || n > JINJA_STR ||
		    gap > JINJA_STR || (total += n + gap) > JINJA_STR)
			return false;
	}
	if ((to = jfold_room(j, total)) == NULL)
		return false;
	for (size_t i = 0; i < list->count; i += step) {
		if (i > 0 && gap > 0) {
			memcpy(to + k, sep->p, gap);
			k += gap;
		}
		(void)jfold_text(&list->item[i], tmp, &p, &n);
		memcpy(to + k, p, n);
		k += n;
	}
	jfold_made(ret, to, k, list->at);
	return true;
}

bool
jseq_reverse(struct jinja *j, const struct jval *v, struct jval *ret)
{
	struct jval at[3] = {{0}};

	at[2].kind = JV_INT;
	at[2].num = -1;
	return jfold_slice(j, v, at, ret);
}

/* 'abc'|list, {'a': 1}|list, 'a b'.split(' ') */
bool
jseq_list(struct jinja *j, const struct jval *v, struct jval *ret)
{
	const size_t step = v->kind == JV_DICT ? 2 : 1;
	const size_t n = v->kind == JV_STR ? v->n : v->count / step;
	struct jval *item;

	if ((v->kind != JV_STR || !jfold_ascii(v)) && v->kind != JV_LIST &&
	    v->kind != JV_DICT)
		return false;
	if (n > j->items || (item = jinja_alloc(j, n + 1,
	    sizeof(*item))) == NULL)
		return false;
	j->items -= n;
	for (size_t i = 0; i < n; i++)
		item[i] = v->kind == JV_STR ? jval_str(v->p + i, 1, v->at) :
		    v->item[i * step];
	ret->kind = JV_LIST;
	ret->item = item;
	ret->count = n;
	return true;
}

bool
jseq_split(struct jinja *j, const struct jval *v, const struct jargs *a,
    struct jval *ret)
{
	const struct jval blank = jval_str((const uint8_t *)" ", 1, v->at);
	const struct jval *sep = a->n > 0 ? &a->v[0] : &blank;
	size_t n = 0, i = 0, from = 0, most;
	struct jval *item;

	if (v->kind != JV_STR || sep->kind != JV_STR || sep->n == 0)
		return false;
	most = v->n / sep->n + 1;
	if (most > j->items || (item = jinja_alloc(j, most,
	    sizeof(*item))) == NULL)
		return false;
	j->items -= most;
	while (i <= v->n) {
		const bool end = i == v->n;

		if (!end && (v->n - i < sep->n ||
		    memcmp(v->p + i, sep->p, sep->n) != 0)) {
			i++;
			continue;
		}
		item[n++] = jval_str(v->p + from, i - from, v->at);
		i += end ? 1 : sep->n;
		from = i;
	}
	ret->kind = JV_LIST;
	ret->item = item;
	ret->count = n;
	return true;
}
