#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/callorder.h"
#include "analyzer/diff/calltable.h"
#include "base/arena.h"
#include "base/err.h"

static bool
same_label(const struct callgroup *x, const struct callgroup *y)
{
	return x->label_len == y->label_len &&
	    memcmp(x->label, y->label, x->label_len) == 0;
}

/* By pickle, then by the place in the old or the new one. */
static int
compare(const struct callgroup *x, const struct callgroup *y)
{
	size_t n = x->label_len < y->label_len ? x->label_len : y->label_len;
	int c = memcmp(x->label, y->label, n);

	if (c == 0)
		c = (x->label_len > y->label_len) -
		    (x->label_len < y->label_len);
	return c != 0 ? c : (x->first > y->first) - (x->first < y->first);
}

static int
by_old(const void *a, const void *b)
{
	return compare(((const struct callmoved *)a)->old,
	    ((const struct callmoved *)b)->old);
}

static int
by_new(const void *a, const void *b)
{
	return compare(((const struct callmoved *)a)->new,
	    ((const struct callmoved *)b)->new);
}

/* What both have; the tables are in one order. */
static size_t
take_common(const struct calltable *x, const struct calltable *y,
    struct callmoved *v)
{
	size_t i = 0, k = 0, n = 0;
	int c;

	while (i < x->n && k < y->n) {
		c = calltable_compare(x->v[i], y->v[k]);
		if (c == 0)
			c = strcmp(x->v[i]->sig, y->v[k]->sig);
		if (c == 0 && !x->v[i]->global) {
			v[n].old = x->v[i];
			v[n++].new = y->v[k];
		}
		i += c <= 0;
		k += c >= 0;
	}
	return n;
}

/*
 * Longest increasing sequence of v[].to by patience: last[k] is the entry that
 * ends the best sequence of k + 1, before[i] the one before it.  keep[i] is
 * set for those in it.
 */
static void
longest(const struct callmoved *v, size_t n, size_t *last, size_t *before,
    bool *keep)
{
	size_t len = 0, from, to, mid;

	for (size_t i = 0; i < n; i++) {
		from = 0;
		to = len;
		while (from < to) {
			mid = from + (to - from) / 2;
			if (v[last[mid]].to < v[i].to)
				from = mid + 1;
			else
				to = mid;
		}
		before[i] = from > 0 ? last[from - 1] : SIZE_MAX;
		last[from] = i;
		len += from == len;
	}
	for (size_t i = len > 0 ? last[len - 1] : SIZE_MAX; i != SIZE_MAX;
	    i = before[i])
		keep[i] = true;
}

/* The entries of one pickle, which begin at v[i]. */
static size_t
run_of(const struct callmoved *v, size_t n, size_t i)
{
	size_t k = i;

	while (k < n && same_label(v[k].old, v[i].old))
		k++;
	return k - i;
}

int
callorder(const struct calltable *old, const struct calltable *new,
    struct arena *a, struct callmoved **ret, size_t *n, struct err *e)
{
	size_t max = (old->n < new->n ? old->n : new->n) + 1, all, len;
	struct callmoved *v = arena_array(a, max, sizeof(*v));
	size_t *last = arena_array(a, max, sizeof(*last));
	size_t *before = arena_array(a, max, sizeof(*before));
	bool *keep = arena_array(a, max, sizeof(*keep));

	if (v == NULL || last == NULL || before == NULL || keep == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	all = take_common(old, new, v);
	qsort(v, all, sizeof(*v), by_new);
	for (size_t i = 0; i < all; i += len) {
		len = run_of(v, all, i);
		for (size_t k = 0; k < len; k++)
			v[i + k].to = (uint32_t)k;
	}
	qsort(v, all, sizeof(*v), by_old);
	for (size_t i = 0; i < all; i += len) {
		len = run_of(v, all, i);
		for (size_t k = 0; k < len; k++)
			v[i + k].from = (uint32_t)k;
		longest(v + i, len, last, before, keep + i);
	}
	*n = 0;
	for (size_t i = 0; i < all; i++)
		if (!keep[i])
			v[(*n)++] = v[i];
	*ret = v;
	return 0;
}
