#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/match.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Two sorted lists of keys, walked together.  A key that occurs twice on one
 * side says nothing and is left to other rules (of equal names the first
 * counts: two shards that hold one tensor).
 */
struct key {
	const char *p;
	size_t n;
	size_t at;		/* in m->left */
};

static int
compare(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = memcmp(x->p, y->p, n);

	if (c != 0)
		return c;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static bool
same(const struct key *x, const struct key *y)
{
	return x->n == y->n && memcmp(x->p, y->p, x->n) == 0;
}

/* What a name is known by; false: by nothing. */
typedef bool key_of(struct match *m, const struct tensor *t, struct key *k);

static bool
key_name(struct match *m, const struct tensor *t, struct key *k)
{
	(void)m;
	k->p = t->name;
	k->n = t->name_len;
	return true;
}

static bool
key_bare(struct match *m, const struct tensor *t, struct key *k)
{
	(void)m;
	k->p = rename_bare(t->name, t->name_len, &k->n);
	return true;
}

static bool
key_canonical(struct match *m, const struct tensor *t, struct key *k)
{
	char dst[512];

	k->n = rename_canonical(t->name, t->name_len, dst, sizeof(dst));
	return k->n > 0 && (k->p = arena_dup(m->arena, dst, k->n)) != NULL;
}

static struct key *
make_keys(struct match *m, unsigned s, key_of *of, size_t *ret)
{
	struct key *v = calloc(m->nleft[s] + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL) {
		(void)err_set(m->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < m->nleft[s]; i++) {
		v[n].at = i;
		n += of(m, m->left[s][i], &v[n]);
	}
	qsort(v, n, sizeof(*v), compare);
	*ret = n;
	return v;
}

static bool
alone(const struct key *v, size_t n, size_t i)
{
	return (i == 0 || !same(&v[i - 1], &v[i])) &&
	    (i + 1 == n || !same(&v[i], &v[i + 1]));
}

/* Could one have become the other?  Names of other frameworks are guesses. */
static bool
plausible(const struct tensor *a, const struct tensor *b)
{
	return a->n == b->n || (a->rank == b->rank && a->rank >= 2 &&
	    a->cols == b->cols);
}

/* Turned round: linear layers of Keras, of Conv1D, of exported graphs. */
static int
turn(struct match *m, struct pair *p)
{
	const struct tensor *x;

	if (p->a->rank != 2 || p->b->rank != 2 || p->a->rows == p->a->cols ||
	    p->a->rows != p->b->cols || p->a->cols != p->b->rows ||
	    p->a->p == NULL || p->b->p == NULL)
		return 0;
	if ((x = table_transposed(m->side[0], p->a, m->e)) == NULL) {
		err_reset(m->e);
		return 0;
	}
	p->was = p->a;
	p->a = x;
	p->transposed = true;
	return 0;
}

static int
join(struct match *m, size_t i, size_t j, enum pair_match how)
{
	struct pair p = {.a = m->left[0][i], .b = m->left[1][j], .how = how,
	    .status = how == MATCH_NAME ? ROW_CHANGED : ROW_RENAMED};
	int r;

	if (how == MATCH_TABLE && !plausible(p.a, p.b))
		return 0;
	m->left[0][i] = NULL;
	m->left[1][j] = NULL;
	if ((r = turn(m, &p)) < 0)
		return r;
	return match_add(m, &p);
}

static int
match_keys(struct match *m, key_of *of, enum pair_match how)
{
	struct key *a, *b = NULL;
	size_t na = 0, nb = 0, i = 0, j = 0;
	bool twice = how == MATCH_NAME;
	int r = ERR_NOMEM, c;

	if ((a = make_keys(m, 0, of, &na)) == NULL ||
	    (b = make_keys(m, 1, of, &nb)) == NULL)
		goto out;
	r = 0;
	while (i < na && j < nb && r >= 0) {
		size_t n = a[i].n < b[j].n ? a[i].n : b[j].n;

		if ((c = memcmp(a[i].p, b[j].p, n)) == 0)
			c = (a[i].n > b[j].n) - (a[i].n < b[j].n);
		if (c == 0 && (twice || (alone(a, na, i) &&
		    alone(b, nb, j))))
			r = join(m, a[i].at, b[j].at, how);
		i += c <= 0;
		j += c >= 0;
	}
out:
	free(a);
	free(b);
	return r;
}

int
match_by_name(struct match *m)
{
	return match_keys(m, key_name, MATCH_NAME);
}

int
match_by_prefix(struct match *m)
{
	return match_keys(m, key_bare, MATCH_PREFIX);
}

int
match_by_table(struct match *m)
{
	return match_keys(m, key_canonical, MATCH_TABLE);
}
