#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/match.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Fused tensors: one side keeps q, k and v in one, the other apart.  A slice
 * of whole rows is a range of bytes, so the fused one is compared piece by
 * piece.  And ties: a tensor that one side states twice.
 */
#define NAME_CAP 512

/* The leftovers of a side by their canonical names. */
struct canonical {
	const char *p;
	size_t n;
	size_t at;		/* in m->left */
};

struct names {
	struct canonical *v;
	size_t n;
};

static int
compare_names(const char *p, size_t n, const char *q, size_t k)
{
	int c = memcmp(p, q, n < k ? n : k);

	return c != 0 ? c : (n > k) - (n < k);
}

static int
compare(const void *a, const void *b)
{
	const struct canonical *x = a;
	const struct canonical *y = b;
	int c = compare_names(x->p, x->n, y->p, y->n);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

/* In order; those without a canonical name, or without room, are left out. */
static int
index_names(struct match *m, unsigned s, struct names *ret)
{
	char dst[NAME_CAP];
	size_t n;

	ret->n = 0;
	if ((ret->v = calloc(m->nleft[s] + 1, sizeof(*ret->v))) == NULL)
		return err_set(m->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < m->nleft[s]; i++) {
		struct canonical *x = &ret->v[ret->n];

		n = rename_canonical(m->left[s][i]->name,
		    m->left[s][i]->name_len, dst, sizeof(dst));
		if (n == 0 || (x->p = arena_dup(m->arena, dst, n)) == NULL)
			continue;
		x->n = n;
		x->at = i;
		ret->n++;
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}

/* The first leftover of that canonical name; SIZE_MAX: none. */
static size_t
find(const struct match *m, unsigned s, const struct names *names,
    const char *name, size_t n)
{
	size_t from = 0, to = names->n, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (compare_names(names->v[mid].p, names->v[mid].n, name,
		    n) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < names->n && compare_names(names->v[from].p,
	    names->v[from].n, name, n) == 0; from++)
		if (m->left[s][names->v[from].at] != NULL)
			return names->v[from].at;
	return SIZE_MAX;
}

/* Rows of a tensor; the elements of a vector. */
static uint64_t
height(const struct tensor *t)
{
	return t->rank >= 2 ? t->rows : t->n;
}

static uint64_t
width(const struct tensor *t)
{
	return t->rank >= 2 ? t->cols : 1;
}

/* Rows [from, from + height of like) of ${t}; NULL: they are no range. */
static const struct tensor *
slice(struct match *m, const struct tensor *t, uint64_t from,
    const struct tensor *like)
{
	const struct elem_info *x = elem_info(t->elem);
	uint64_t first = from * width(t), n = height(like) * width(t);
	struct tensor *v;
	char name[NAME_CAP];
	int len;

	if (first % x->block != 0 || n % x->block != 0 ||
	    (v = arena_alloc(m->arena, sizeof(*v))) == NULL)
		return NULL;
	*v = *t;
	len = snprintf(name, sizeof(name), "%.*s[%llu:%llu]",
	    (int)(t->name_len < 400 ? t->name_len : 400), t->name,
	    (unsigned long long)from,
	    (unsigned long long)(from + height(like)));
	v->name_len = (uint32_t)len;
	v->name = arena_dup(m->arena, name, (size_t)len);
	v->shape = like->shape;
	v->rank = like->rank;
	v->n = n;
	v->rows = like->rows;
	v->cols = like->cols;
	v->p = t->p + first / x->block * x->bytes;
	v->len = n / x->block * x->bytes;
	v->off = t->off + first / x->block * x->bytes;
	v->digested = false;
	return v->name != NULL ? v : NULL;
}

/* The parts of a fused tensor on the other side; their number, or 0. */
static unsigned
parts_of(const struct match *m, unsigned s, const struct names *names,
    const struct tensor *whole, size_t at[RENAME_PARTS])
{
	char name[NAME_CAP], part[NAME_CAP];
	uint64_t rows = 0;
	size_t n, len;
	unsigned count = 0;

	n = rename_canonical(whole->name, whole->name_len, name,
	    sizeof(name));
	while (n > 0 && count < RENAME_PARTS && (len = rename_part(name, n,
	    count, part, sizeof(part))) > 0) {
		const struct tensor *t;

		if ((at[count] = find(m, 1 - s, names, part, len)) ==
		    SIZE_MAX)
			return 0;
		t = m->left[1 - s][at[count]];
		if (t->p == NULL || t->rank != whole->rank)
			return 0;
		rows += height(t);
		count++;
	}
	/* As it lies, or turned round (Conv1D keeps inputs in rows). */
	return count > 0 && (rows == height(whole) ||
	    (whole->rank == 2 && rows == whole->cols)) ? count : 0;
}

static int
split(struct match *m, unsigned s, size_t i, const size_t *at, unsigned n)
{
	const struct tensor *whole = m->left[s][i], *turned = whole;
	const struct tensor *piece[RENAME_PARTS];
	uint64_t rows = 0, from = 0;
	int r = 0;

	for (unsigned k = 0; k < n; k++)
		rows += height(m->left[1 - s][at[k]]);
	if (rows != height(whole) && (turned = table_transposed(m->side[s],
	    whole, m->e)) == NULL) {
		err_reset(m->e);
		return 0;
	}
	for (unsigned k = 0; k < n; k++) {
		const struct tensor *t = m->left[1 - s][at[k]];

		if (width(t) != width(turned) ||
		    (piece[k] = slice(m, turned, from, t)) == NULL)
			return 0;
		from += height(t);
	}
	m->left[s][i] = NULL;
	for (unsigned k = 0; k < n && r >= 0; k++) {
		const struct tensor *t = m->left[1 - s][at[k]];
		struct pair p = {.how = MATCH_PART, .status = ROW_RETIED,
		    .other = whole, .transposed = turned != whole};

		p.a = s == 0 ? piece[k] : t;
		p.b = s == 0 ? t : piece[k];
		m->left[1 - s][at[k]] = NULL;
		r = match_add(m, &p);
	}
	return r;
}

int
match_parts(struct match *m)
{
	struct names names[2] = {{NULL, 0}, {NULL, 0}};
	size_t at[RENAME_PARTS];
	unsigned n;
	int r;

	if ((r = index_names(m, 0, &names[0])) >= 0)
		r = index_names(m, 1, &names[1]);
	for (unsigned s = 0; s < 2; s++)
		for (size_t i = 0; i < m->nleft[s] && r >= 0; i++)
			if (m->left[s][i] != NULL &&
			    m->left[s][i]->p != NULL &&
			    (n = parts_of(m, s, &names[1 - s],
			    m->left[s][i], at)) > 0)
				r = split(m, s, i, at, n);
	free(names[0].v);
	free(names[1].v);
	return r;
}

/* Do the two hold the same bytes? */
static bool
twins(const struct tensor *a, const struct tensor *b)
{
	return a->elem == b->elem && a->len == b->len && a->len > 0 &&
	    a->p != NULL && b->p != NULL && a->n == b->n &&
	    (a->p == b->p || memcmp(a->p, b->p, a->len) == 0);
}

/* Only what is worth a tie: not the zeros of a hundred biases. */
#define TIE_ELEMENTS 1024
#define TIES_MAX 64

static const struct tensor *
find_twin(const struct match *m, unsigned s, const struct tensor *t)
{
	for (size_t i = 0; i < m->out->n; i++) {
		const struct tensor *x = s == 0 ? m->out->v[i].a :
		    m->out->v[i].b;

		if (x != NULL && x->unit == t->unit && twins(x, t))
			return x;
	}
	return NULL;
}

int
match_ties(struct match *m)
{
	unsigned looked = 0;
	int r = 0;

	for (unsigned s = 0; s < 2; s++)
		for (size_t i = 0; i < m->nleft[s] && r >= 0; i++) {
			const struct tensor *t = m->left[s][i];
			struct pair p = {.how = MATCH_TIED,
			    .status = ROW_RETIED};

			if (t == NULL || t->p == NULL ||
			    t->n < TIE_ELEMENTS || looked++ >= TIES_MAX ||
			    (p.other = find_twin(m, s, t)) == NULL)
				continue;
			if (s == 0)
				p.a = t;
			else
				p.b = t;
			m->left[s][i] = NULL;
			r = match_add(m, &p);
		}
	return r;
}
