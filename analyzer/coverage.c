#include <stdlib.h>
#include <string.h>

#include "analyzer/coverage.h"
#include "base/arena.h"
#include "base/limits.h"

void
coverage_init(struct coverage *c, struct arena *a)
{
	memset(c, 0, sizeof(*c));
	c->arena = a;
}

/* Does [off, end) begin inside the last range or right behind it? */
static bool
extends_last(const struct coverage_list *l, uint64_t off)
{
	return l->n > 0 && off >= l->v[l->n - 1].off &&
	    off <= l->v[l->n - 1].end;
}

static bool
grow(struct coverage *c, struct coverage_list *l)
{
	size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
	struct coverage_range *v;

	if (cap > LIMIT_COVER_RANGES ||
	    (v = arena_array(c->arena, cap, sizeof(*v))) == NULL)
		return false;
	if (l->n > 0)
		memcpy(v, l->v, l->n * sizeof(*v));
	l->v = v;
	l->cap = cap;
	return true;
}

static void
put(struct coverage *c, struct coverage_list *l, uint64_t off, uint64_t len)
{
	uint64_t end = len > UINT64_MAX - off ? UINT64_MAX : off + len;

	if (len == 0 || c->full)
		return;
	if (extends_last(l, off)) {
		if (end > l->v[l->n - 1].end)
			l->v[l->n - 1].end = end;
		return;
	}
	if (l->n == l->cap && !grow(c, l)) {
		c->full = true;
		return;
	}
	l->v[l->n++] = (struct coverage_range){off, end};
}

void
coverage_add(struct coverage *c, uint64_t off, uint64_t len, enum cover kind)
{
	c->told = true;
	put(c, kind == COVER_PADDING ? &c->padding : &c->explained, off, len);
}

void
coverage_tell(struct coverage *c, uint64_t off, uint64_t len)
{
	put(c, &c->told_of, off, len);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct coverage_range *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

static void
merge(struct coverage_list *l)
{
	size_t kept = 0;

	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_ranges);
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && l->v[i].off <= l->v[kept - 1].end) {
			if (l->v[i].end > l->v[kept - 1].end)
				l->v[kept - 1].end = l->v[i].end;
			continue;
		}
		l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

/* The first range that does not end before ${at}. */
static const struct coverage_range *
next_range(const struct coverage_list *l, size_t *i, uint64_t at)
{
	static const struct coverage_range none = {UINT64_MAX, UINT64_MAX};

	while (*i < l->n && l->v[*i].end <= at)
		++*i;
	return *i < l->n ? &l->v[*i] : &none;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int
coverage_walk(struct coverage *c, uint64_t size,
    int (*fn)(void *ctx, enum coverage_kind kind, uint64_t off,
    uint64_t len), void *ctx)
{
	const struct coverage_range *e, *p, *t;
	enum coverage_kind kind;
	uint64_t at = 0, end;
	size_t i = 0, j = 0, k = 0;
	int r = 0;

	merge(&c->explained);
	merge(&c->padding);
	merge(&c->told_of);
	for (; at < size && r >= 0; at = end) {
		e = next_range(&c->explained, &i, at);
		p = next_range(&c->padding, &j, at);
		t = next_range(&c->told_of, &k, at);
		if (t->off <= at) {
			kind = COVERAGE_TOLD;
			end = t->end;
		} else if (e->off <= at) {
			kind = COVERAGE_EXPLAINED;
			end = least(e->end, t->off);
		} else if (p->off <= at) {
			kind = COVERAGE_PADDING;
			end = least(least(p->end, e->off), t->off);
		} else {
			kind = COVERAGE_UNEXPLAINED;
			end = least(least(e->off, p->off), t->off);
		}
		end = least(end, size);
		r = fn(ctx, kind, at, end - at);
	}
	return r;
}

void
coverage_count(struct coverage_sum *s, enum coverage_kind kind, uint64_t off,
    uint64_t len)
{
	if (kind == COVERAGE_TOLD)
		kind = COVERAGE_UNEXPLAINED;
	s->bytes[kind] += len;
	s->ranges[kind]++;
	if (kind == COVERAGE_EXPLAINED || s->nbare == LIMIT_COVER_LISTED)
		return;
	s->bare[s->nbare].off = off;
	s->bare[s->nbare].len = len;
	s->bare[s->nbare++].padding = kind == COVERAGE_PADDING;
}

bool
coverage_sum_ok(const struct coverage_sum *s, uint64_t size)
{
	uint64_t left = size, bare = s->ranges[COVERAGE_PADDING] +
	    s->ranges[COVERAGE_UNEXPLAINED], at = 0;

	for (unsigned k = 0; k < COVERAGE_KINDS; k++) {
		if (s->bytes[k] > left || s->ranges[k] > s->bytes[k])
			return false;
		left -= s->bytes[k];
	}
	if (left > 0 || s->nbare > LIMIT_COVER_LISTED || s->nbare > bare)
		return false;
	for (unsigned i = 0; i < s->nbare; i++) {
		if (s->bare[i].off < at || s->bare[i].off > size ||
		    s->bare[i].len > size - s->bare[i].off)
			return false;
		at = s->bare[i].off + s->bare[i].len;
	}
	return true;
}
