#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/match.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * By what tensors hold.  Equal bytes first: a digest finds them, memcmp
 * decides.  Then, within one shape, the direction: a fingerprint of 64 signs
 * of fixed random projections finds candidates (for an angle t between two
 * tensors a share t/pi of the signs differ; Goemans and Williamson 1995), the
 * cosine over all elements decides.
 */
#define LEFT_MAX 4096		/* leftovers that are compared by direction */
#define PROJECTED 65536		/* elements that the projections see */
#define SIGNS 64
#define SMALLEST 16		/* elements: below, a cosine says nothing */
#define COS_SAME 0.9
#define COS_OTHER 0.5
/* cos 0.9: 14 % of the signs differ, 9 of 64; four sigma more. */
#define NEAR 20

struct print {
	size_t at;
	const struct tensor *t;
	uint64_t key;		/* digest, or signs */
};

/* Noted: the first pass over the pair, if there will be one, has it then. */
static uint64_t
digest(struct match *m, unsigned s, const struct tensor *t)
{
	uint64_t v;

	if (t->digested)
		return t->digest;
	v = pass_digest(m->pool, t->p, t->len);
	table_note_digest(m->side[s], t, v);
	return v;
}

static int
compare(const void *a, const void *b)
{
	const struct print *x = a;
	const struct print *y = b;

	if (x->t->elem != y->t->elem)
		return x->t->elem < y->t->elem ? -1 : 1;
	if (x->t->len != y->t->len)
		return x->t->len < y->t->len ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static bool
equal_keys(const struct print *x, const struct print *y)
{
	return x->t->elem == y->t->elem && x->t->len == y->t->len &&
	    x->key == y->key;
}

static struct print *
digests(struct match *m, unsigned s, size_t *ret)
{
	struct print *v = calloc(m->nleft[s] + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL) {
		(void)err_set(m->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < m->nleft[s]; i++) {
		const struct tensor *t = m->left[s][i];

		if (t->p == NULL || t->len == 0)
			continue;
		v[n].at = i;
		v[n].t = t;
		v[n].key = digest(m, s, t);
		n++;
	}
	qsort(v, n, sizeof(*v), compare);
	*ret = n;
	return v;
}

/* Bytes that two names have in common at their ends, up to END_MAX. */
#define END_MAX 256

static size_t
common_end(const struct tensor *a, const struct tensor *b)
{
	size_t n = 0;

	while (n < END_MAX && n < a->name_len && n < b->name_len &&
	    a->name[a->name_len - 1 - n] == b->name[b->name_len - 1 - n])
		n++;
	return n;
}

static int
join(struct match *m, size_t i, size_t j, enum pair_match how)
{
	const struct pair p = {.a = m->left[0][i], .b = m->left[1][j],
	    .how = how, .status = ROW_RENAMED};

	m->left[0][i] = NULL;
	m->left[1][j] = NULL;
	return match_add(m, &p);
}

/*
 * One digest, several tensors (zeros, ones, tied weights): those whose names
 * end alike longest; when two would do, it stays open which is which, and
 * for tensors that are equal it does not matter either: in order.
 */
static int
join_group(struct match *m, struct print *a, size_t na, struct print *b,
    size_t nb)
{
	int r = 0;

	for (size_t i = 0; i < na && r >= 0; i++) {
		size_t best = SIZE_MAX, most = 0, n;

		for (size_t j = 0; j < nb; j++) {
			if (m->left[1][b[j].at] == NULL)
				continue;
			n = common_end(a[i].t, b[j].t) + 1;
			if (n > most) {
				most = n;
				best = j;
			}
		}
		if (best != SIZE_MAX && memcmp(a[i].t->p, b[best].t->p,
		    a[i].t->len) == 0)
			r = join(m, a[i].at, b[best].at, MATCH_DIGEST);
	}
	return r;
}

/* A group is quadratic: zeros and ones come in thousands at most. */
#define GROUP_MAX 1024

int
match_by_digest(struct match *m)
{
	struct print *a, *b = NULL;
	size_t na = 0, nb = 0, i = 0, j = 0, k, l;
	int r = ERR_NOMEM, c;

	if ((a = digests(m, 0, &na)) == NULL ||
	    (b = digests(m, 1, &nb)) == NULL)
		goto out;
	r = 0;
	while (i < na && j < nb && r >= 0) {
		if (!equal_keys(&a[i], &b[j])) {
			struct print x = a[i], y = b[j];

			x.at = y.at = 0;
			c = compare(&x, &y);
			i += c < 0;
			j += c > 0;
			continue;
		}
		for (k = i; k < na && equal_keys(&a[k], &a[i]); k++)
			;
		for (l = j; l < nb && equal_keys(&b[l], &b[j]); l++)
			;
		r = join_group(m, a + i, k - i < GROUP_MAX ? k - i :
		    GROUP_MAX, b + j, l - j < GROUP_MAX ? l - j : GROUP_MAX);
		i = k;
		j = l;
	}
out:
	free(a);
	free(b);
	return r;
}

/* splitmix64 (Steele, Lea, Flood 2014): 64 random signs for element i. */
static uint64_t
signs_of(uint64_t i)
{
	uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t
fingerprint(const struct tensor *t)
{
	double sum[SIGNS] = {0};
	float v[DELTA_UNIT];
	uint64_t n = t->n < PROJECTED ? t->n : PROJECTED, bits, ret = 0;
	const struct elem_info *x = elem_info(t->elem);

	for (uint64_t at = 0; at < n; at += DELTA_UNIT) {
		size_t k = n - at < DELTA_UNIT ? (size_t)(n - at) :
		    DELTA_UNIT;

		k = k / x->block * x->block;
		elem_load(t->elem, t->p + at / x->block * x->bytes, k, v);
		for (size_t i = 0; i < k; i++) {
			bits = signs_of(at + i);
			for (unsigned s = 0; s < SIGNS; s++)
				sum[s] += bits >> s & 1 ? (double)v[i] :
				    -(double)v[i];
		}
	}
	for (unsigned s = 0; s < SIGNS; s++)
		ret |= (uint64_t)(sum[s] > 0) << s;
	return ret;
}

static bool
eligible(const struct tensor *t)
{
	return t->p != NULL && t->n >= SMALLEST &&
	    elem_info(t->elem)->kind != ELEM_OPAQUE;
}

static struct print *
prints(struct match *m, unsigned s)
{
	struct print *v = calloc(m->nleft[s] + 1, sizeof(*v));

	if (v == NULL) {
		(void)err_set(m->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < m->nleft[s]; i++) {
		v[i].at = i;
		v[i].t = m->left[s][i];
		if (eligible(v[i].t))
			v[i].key = fingerprint(v[i].t);
	}
	return v;
}

static int
cosine(struct match *m, const struct tensor *a, const struct tensor *b,
    double *ret)
{
	const struct delta d = {a, b, CAST_NONE};
	struct pass_sums s;
	int r;

	if ((r = pass_run(m->pool, &d, &s, NULL, m->e)) < 0)
		return r;
	*ret = pass_cosine(&s);
	return 0;
}

/* The nearest, and the next, of the same shape; SIZE_MAX: none. */
static void
nearest(const struct match *m, const struct print *x, const struct print *b,
    size_t ret[2])
{
	unsigned far[2] = {NEAR + 1, NEAR + 1}, d;

	ret[0] = ret[1] = SIZE_MAX;
	for (size_t j = 0; j < m->nleft[1]; j++) {
		if (m->left[1][j] == NULL || !eligible(b[j].t) ||
		    !tensor_same_shape(x->t, b[j].t))
			continue;
		d = (unsigned)__builtin_popcountll(x->key ^ b[j].key);
		if (d < far[0]) {
			ret[1] = ret[0];
			far[1] = far[0];
			ret[0] = j;
			far[0] = d;
		} else if (d < far[1]) {
			ret[1] = j;
			far[1] = d;
		}
	}
}

int
match_by_similarity(struct match *m)
{
	struct print *a = NULL, *b = NULL;
	size_t two[2];
	double c = 0, next;
	int r = 0;

	if (m->nleft[0] == 0 || m->nleft[1] == 0)
		return 0;
	if (m->nleft[0] > LEFT_MAX || m->nleft[1] > LEFT_MAX) {
		m->tired = true;
		return 0;
	}
	if ((a = prints(m, 0)) == NULL || (b = prints(m, 1)) == NULL)
		r = ERR_NOMEM;
	for (size_t i = 0; i < m->nleft[0] && r >= 0; i++) {
		if (!eligible(a[i].t))
			continue;
		nearest(m, &a[i], b, two);
		if (two[0] == SIZE_MAX)
			continue;
		next = 0;
		if ((r = cosine(m, a[i].t, b[two[0]].t, &c)) >= 0 &&
		    two[1] != SIZE_MAX)
			r = cosine(m, a[i].t, b[two[1]].t, &next);
		if (r >= 0 && c >= COS_SAME && next <= COS_OTHER)
			r = join(m, i, two[0], MATCH_SIMILAR);
	}
	free(a);
	free(b);
	return r;
}
