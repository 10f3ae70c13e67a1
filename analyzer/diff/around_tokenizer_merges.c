#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around_tokenizer_parts.h"
#include "base/arena.h"
#include "base/err.h"
#include "formats/tokenizer.h"

/*
 * Merges are an ordered list: the earlier of two that fit wins.  What both
 * lists begin and end with is set aside.  Of the rest, equal pairs are
 * brought together by sorting both lists by text (the n-th of equal ones with
 * the n-th), and the longest run of pairs whose order both lists share (the
 * longest increasing subsequence, by patience sorting: Fredman, Discrete
 * Mathematics 11, 1975) did not move: all other pairs did.  That is the least
 * number of moves that explains the lists, and O(n log n).
 */
#define NOWHERE UINT32_MAX
#define SHOWN 512	/* bytes of a half in a key */

static const char effect[] =
    "the same text can become other tokens: the earlier merge wins";

struct merges {
	struct around_tok *t;
	const struct vocab_pair *old, *new;	/* without the common ends */
	uint32_t n[ROW_SIDES];
	uint32_t before;	/* pairs set aside in front */
	uint32_t *by_text[ROW_SIDES];
	uint32_t *to;		/* of OLD's pairs: where in NEW */
	uint8_t *taken;		/* of NEW's pairs */
	uint8_t *kept;		/* of OLD's pairs: it did not move */
};

static int
pair_order(const struct vocab_pair *x, const struct vocab_pair *y)
{
	const size_t n = (size_t)x->left + x->right;
	const size_t m = (size_t)y->left + y->right;
	const int c = memcmp(x->p, y->p, n < m ? n : m);

	if (c != 0)
		return c;
	if (n != m)
		return n < m ? -1 : 1;
	return x->left < y->left ? -1 : x->left > y->left;
}

static int
by_text(const void *xv, const void *yv, void *ctx)
{
	const struct vocab_pair *const *v = ctx;
	const uint32_t x = *(const uint32_t *)xv, y = *(const uint32_t *)yv;
	const int c = pair_order(&(*v)[x], &(*v)[y]);

	return c != 0 ? c : x < y ? -1 : x > y;
}

static int
nomem(struct merges *m)
{
	return err_set(m->t->e, ERR_NOMEM, "out of memory for merges");
}

/* Set aside what both lists begin and end with. */
static void
trim(struct merges *m)
{
	const struct vocab *a = m->t->old, *b = m->t->new;
	uint64_t x = a->npairs, y = b->npairs, at = 0;

	while (at < x && at < y &&
	    pair_order(&a->pairs[at], &b->pairs[at]) == 0)
		at++;
	while (x > at && y > at &&
	    pair_order(&a->pairs[x - 1], &b->pairs[y - 1]) == 0) {
		x--;
		y--;
	}
	m->old = a->pairs + at;
	m->new = b->pairs + at;
	m->before = (uint32_t)at;
	m->n[ROW_OLD] = (uint32_t)(x - at);
	m->n[ROW_NEW] = (uint32_t)(y - at);
}

static int
match(struct merges *m)
{
	const struct vocab_pair *v[ROW_SIDES] = {m->old, m->new};
	uint32_t i = 0, k = 0;
	int c;

	for (unsigned s = 0; s < ROW_SIDES; s++) {
		m->by_text[s] = arena_array(m->t->a, m->n[s],
		    sizeof(*m->by_text[s]));
		if (m->by_text[s] == NULL)
			return nomem(m);
		for (uint32_t at = 0; at < m->n[s]; at++)
			m->by_text[s][at] = at;
		qsort_r(m->by_text[s], m->n[s], sizeof(*m->by_text[s]),
		    by_text, &v[s]);
	}
	while (i < m->n[ROW_OLD]) {
		const uint32_t x = m->by_text[ROW_OLD][i];

		c = k == m->n[ROW_NEW] ? -1 : pair_order(&m->old[x],
		    &m->new[m->by_text[ROW_NEW][k]]);
		m->to[x] = c == 0 ? m->by_text[ROW_NEW][k] : NOWHERE;
		if (c == 0)
			m->taken[m->by_text[ROW_NEW][k]] = 1;
		i += c <= 0;
		k += c >= 0;
	}
	return 0;
}

/*
 * tail[l] is the pair of OLD that ends the best run of length l + 1, that
 * whose place in NEW is the lowest; from[x] is the pair before x in its run.
 */
static int
keep_longest(struct merges *m)
{
	uint32_t *tail, *from, len = 0, lo, hi, mid;

	tail = arena_array(m->t->a, m->n[ROW_OLD], sizeof(*tail));
	from = arena_array(m->t->a, m->n[ROW_OLD], sizeof(*from));
	if (tail == NULL || from == NULL)
		return nomem(m);
	for (uint32_t x = 0; x < m->n[ROW_OLD]; x++) {
		if (m->to[x] == NOWHERE)
			continue;
		for (lo = 0, hi = len; lo < hi;) {
			mid = lo + (hi - lo) / 2;
			if (m->to[tail[mid]] < m->to[x])
				lo = mid + 1;
			else
				hi = mid;
		}
		from[x] = lo > 0 ? tail[lo - 1] : NOWHERE;
		tail[lo] = x;
		len += lo == len;
	}
	for (uint32_t x = len > 0 ? tail[len - 1] : NOWHERE; x != NOWHERE;
	    x = from[x])
		m->kept[x] = 1;
	return 0;
}

static int
tell(struct merges *m, enum change_what what, uint32_t old, uint32_t new)
{
	const struct vocab_pair *p = new != NOWHERE ? &m->new[new] :
	    &m->old[old];
	struct around_tok *t = m->t;
	struct basis more;
	char x[16], y[16];
	int r;

	if (!around_tokenizer_room(t))
		return 0;
	(void)snprintf(x, sizeof(x), "%" PRIu32, old + m->before);
	(void)snprintf(y, sizeof(y), "%" PRIu32, new + m->before);
	buf_clear(&t->key);
	buf_puts(&t->key, "merge ");
	buf_put(&t->key, p->p, p->left < SHOWN ? p->left : SHOWN);
	buf_puts(&t->key, " ");
	buf_put(&t->key, p->p + p->left, p->right < SHOWN ? p->right : SHOWN);
	basis_init(&more);
	basis_str(&more, "effect", effect);
	r = around_tokenizer_tell(t, what, old != NOWHERE ? x : NULL,
	    new != NOWHERE ? y : NULL, &more);
	basis_release(&more);
	return r;
}

static int
tell_all(struct merges *m)
{
	int r = 0;

	for (uint32_t x = 0; x < m->n[ROW_OLD] && r >= 0; x++)
		if (m->to[x] == NOWHERE)
			r = tell(m, CHANGE_REMOVED, x, NOWHERE);
	if (r < 0 || (r = around_tokenizer_rest(m->t, CHANGE_REMOVED,
	    "merges removed", effect)) < 0)
		return r;
	for (uint32_t y = 0; y < m->n[ROW_NEW] && r >= 0; y++)
		if (!m->taken[y])
			r = tell(m, CHANGE_ADDED, NOWHERE, y);
	if (r < 0 || (r = around_tokenizer_rest(m->t, CHANGE_ADDED,
	    "merges added", effect)) < 0)
		return r;
	for (uint32_t x = 0; x < m->n[ROW_OLD] && r >= 0; x++)
		if (m->to[x] != NOWHERE && !m->kept[x])
			r = tell(m, CHANGE_MOVED, x, m->to[x]);
	return r < 0 ? r : around_tokenizer_rest(m->t, CHANGE_MOVED,
	    "merges moved", effect);
}

int
around_tokenizer_merges(struct around_tok *t)
{
	struct merges m = {.t = t};
	int r;

	trim(&m);
	if (m.n[ROW_OLD] + m.n[ROW_NEW] == 0)
		return 0;
	if ((m.to = arena_array(t->a, m.n[ROW_OLD], sizeof(*m.to))) == NULL ||
	    (m.kept = arena_alloc(t->a, m.n[ROW_OLD])) == NULL ||
	    (m.taken = arena_alloc(t->a, m.n[ROW_NEW])) == NULL)
		return nomem(&m);
	if ((r = match(&m)) < 0 || (r = keep_longest(&m)) < 0)
		return r;
	return tell_all(&m);
}
