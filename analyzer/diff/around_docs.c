#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Which file of NEW is which of OLD.  The same path; else, as one side may be
 * a folder and the other a bundle of it, the same name and the longest run of
 * folders in common at the end.
 */
const char *
around_base(const struct doc *d, size_t *n)
{
	const char *p = d->path + d->path_len;

	while (p > d->path && p[-1] != '/' && p[-1] != '!')
		p--;
	*n = (size_t)(d->path + d->path_len - p);
	return p;
}

static int
compare(const struct doc *x, const struct doc *y)
{
	size_t n = x->path_len < y->path_len ? x->path_len : y->path_len;
	int c = memcmp(x->path, y->path, n);

	return c != 0 ? c : (x->path_len > y->path_len) -
	    (x->path_len < y->path_len);
}

static bool
same_base(const struct doc *x, const struct doc *y)
{
	size_t n, m;
	const char *p = around_base(x, &n), *q = around_base(y, &m);

	return n == m && memcmp(p, q, n) == 0;
}

static bool
is_edge(char c)
{
	return c == '/' || c == '!';
}

/*
 * Whole parts that two paths have in common at their ends, above; how few
 * ${y} has beyond them, below: a folder inside of a folder is another one.
 */
static size_t
likeness(const struct doc *x, const struct doc *y)
{
	size_t n = 0, parts = 0, beyond = 0;

	while (n < x->path_len && n < y->path_len &&
	    x->path[x->path_len - 1 - n] == y->path[y->path_len - 1 - n]) {
		parts += is_edge(x->path[x->path_len - 1 - n]);
		n++;
	}
	/* The last of them may be a whole one too. */
	parts += (n == x->path_len || is_edge(x->path[x->path_len - 1 - n])) &&
	    (n == y->path_len || is_edge(y->path[y->path_len - 1 - n]));
	for (size_t i = 0; i + n < y->path_len; i++)
		beyond += is_edge(y->path[i]);
	return (parts + 1) * (LIMIT_PATH * 16) - beyond;
}

/* Files without a partner of the same path; more are not looked through. */
#define STRAY_MAX 2000

static void
pair_strays(const struct docs *old, const struct docs *new, size_t *to,
    bool *taken)
{
	unsigned looked = 0;

	for (size_t i = 0; i < old->n; i++) {
		size_t best = SIZE_MAX, most = 0, n;

		if (to[i] != SIZE_MAX || looked++ >= STRAY_MAX)
			continue;
		for (size_t j = 0; j < new->n; j++)
			if (!taken[j] && same_base(&old->v[i], &new->v[j]) &&
			    (n = likeness(&old->v[i], &new->v[j])) > most) {
				most = n;
				best = j;
			}
		if (best != SIZE_MAX) {
			to[i] = best;
			taken[best] = true;
		}
	}
}

/* The files that were given themselves have no name of their own. */
static void
pair_given(const struct docs *old, const struct docs *new, size_t *to,
    bool *taken)
{
	size_t i = SIZE_MAX, j = SIZE_MAX;

	for (size_t k = 0; k < old->n; k++)
		if (old->v[k].path_len == 0)
			i = k;
	for (size_t k = 0; k < new->n; k++)
		if (new->v[k].path_len == 0)
			j = k;
	if (i != SIZE_MAX && j != SIZE_MAX && to[i] == SIZE_MAX &&
	    !taken[j]) {
		to[i] = j;
		taken[j] = true;
	}
}

int
around_pair(const struct docs *old, const struct docs *new, size_t *to,
    struct err *e)
{
	bool *taken = calloc(new->n + 1, sizeof(*taken));
	size_t i = 0, j = 0;
	int c;

	if (taken == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t k = 0; k < old->n; k++)
		to[k] = SIZE_MAX;
	while (i < old->n && j < new->n) {
		c = compare(&old->v[i], &new->v[j]);
		if (c == 0) {
			to[i] = j;
			taken[j] = true;
		}
		i += c <= 0;
		j += c >= 0;
	}
	pair_given(old, new, to, taken);
	pair_strays(old, new, to, taken);
	free(taken);
	return 0;
}

int
around_read(const struct doc *d, struct arena *arena, const uint8_t **ret,
    size_t *n, struct err *e)
{
	uint8_t *p;
	int r;

	*ret = NULL;
	*n = 0;
	if (d == NULL)
		return 0;
	if (d->size > AROUND_TEXT_MAX)
		return 1;
	if ((p = arena_alloc(arena, (size_t)d->size + 1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(d->src, 0, p, (size_t)d->size, e)) < 0)
		return r;
	*ret = p;
	*n = (size_t)d->size;
	return 0;
}
