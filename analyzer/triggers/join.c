#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/triggers/join.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define SUPPORTS 16		/* that a candidate's evidence lists */

struct join_item {
	struct row_candidate c;	/* texts in the arena */
	const uint8_t *evidence;
	size_t evidence_len;
	enum join_origin origin;
	struct row_text source;	/* of the evidence; or absent */
	struct row_text plain;	/* what is compared; absent: no text */
	double ratio;
	size_t at;		/* in the order they came */
	size_t group;		/* the least ${at} of those that agree */
	unsigned origins;	/* of its group, one bit each */
	size_t members;
};

const char *
join_origin_name(enum join_origin o)
{
	static const char *const names[JOIN_ORIGINS] = {"data", "pair",
	    "traffic"};

	return names[o];
}

/* --- taking in ------------------------------------------------------------ */

static bool
copy(struct arena *a, struct row_text *t)
{
	if (t->p == NULL)
		return true;
	t->p = arena_dup(a, t->p, t->n);
	return t->p != NULL;
}

static bool
is_text(const char *kind)
{
	static const char *const kinds[] = {"token", "phrase", "character"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* Marks before words: of GPT-2's byte vocabulary, SentencePiece, WordPiece. */
static size_t
mark(const char *p, size_t n)
{
	static const char *const marks[] = {"\xc4\xa0", "\xe2\x96\x81", "##",
	    "^ ", "$ ", " "};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t m = strlen(marks[i]);

		if (n > m && memcmp(p, marks[i], m) == 0)
			return m;
	}
	return 0;
}

/* The value as it is compared. */
static bool
plain(struct arena *a, const struct row_candidate *c, struct row_text *ret)
{
	const char *p = c->value.p;
	size_t n = c->value.n, m;
	char *s;

	*ret = (struct row_text){NULL, 0};
	if (!is_text(c->kind) || p == NULL)
		return true;
	while ((m = mark(p, n)) > 0) {
		p += m;
		n -= m;
	}
	while (n > 1 && p[n - 1] == ' ')
		n--;
	if ((s = arena_dup(a, p, n)) == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] >= 'A' && s[i] <= 'Z')
			s[i] = (char)(s[i] - 'A' + 'a');
	*ret = (struct row_text){s, n};
	return true;
}

static void
weigh(struct join_item *x)
{
	const char *text;
	double threshold;
	size_t n;

	x->ratio = isfinite(x->c.score) ? x->c.score : 0;
	if (basis_number(x->evidence, x->evidence_len, "threshold",
	    &threshold) && threshold > 0)
		x->ratio /= threshold;
	else
		x->ratio = 1;
	if (basis_find(x->evidence, x->evidence_len, "source", &text, &n) &&
	    text != NULL)
		x->source = (struct row_text){text, n};
}

static struct join_item *
next_place(struct join *j)
{
	size_t cap = j->cap == 0 ? 64 : 2 * j->cap;
	struct join_item *v;

	if (j->n == j->cap) {
		if ((v = arena_array(j->arena, cap, sizeof(*v))) == NULL)
			return NULL;
		if (j->n > 0)
			memcpy(v, j->v, j->n * sizeof(*v));
		j->v = v;
		j->cap = cap;
	}
	return &j->v[j->n];
}

int
join_add(struct join *j, const struct row_candidate *c,
    enum join_origin origin, struct err *e)
{
	struct join_item *x = next_place(j);
	const uint8_t *p = NULL;
	size_t n = 0;

	if (x == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memset(x, 0, sizeof(*x));
	x->c = *c;
	x->origin = origin;
	if (c->evidence != NULL)
		p = basis_bytes(c->evidence, &n);
	if (!copy(j->arena, &x->c.value) || !copy(j->arena, &x->c.target) ||
	    (x->c.kind = arena_dup(j->arena, c->kind, strlen(c->kind))) ==
	    NULL || (x->c.method = arena_dup(j->arena, c->method,
	    strlen(c->method))) == NULL ||
	    (x->evidence = (const uint8_t *)arena_dup(j->arena, n > 0 ?
	    (const void *)p : "", n)) == NULL ||
	    !plain(j->arena, c, &x->plain))
		return err_set(e, ERR_NOMEM, "out of memory");
	x->evidence_len = n;
	x->at = x->group = j->n;
	weigh(x);
	j->n++;
	return 0;
}

/* --- agreeing ------------------------------------------------------------- */

/* Are ${b}'s words among ${a}'s, one after the other? */
static bool
holds(struct row_text a, struct row_text b)
{
	for (size_t i = 0; b.n > 1 && a.n >= b.n && i <= a.n - b.n; i++) {
		if ((i > 0 && a.p[i - 1] != ' ') ||
		    (i + b.n < a.n && a.p[i + b.n] != ' '))
			continue;
		if (memcmp(a.p + i, b.p, b.n) == 0)
			return true;
	}
	return false;
}

static bool
same(struct row_text a, struct row_text b)
{
	return a.p != NULL && b.p != NULL && a.n == b.n &&
	    memcmp(a.p, b.p, a.n) == 0;
}

/* One detector's candidates over one piece of evidence are kept apart. */
static bool
agree(const struct join_item *a, const struct join_item *b)
{
	if (a->plain.p == NULL || b->plain.p == NULL ||
	    (a->origin == b->origin && (same(a->source, b->source) ||
	    a->source.p == NULL || b->source.p == NULL)))
		return false;
	return same(a->plain, b->plain) || holds(a->plain, b->plain) ||
	    holds(b->plain, a->plain);
}

static void
group(struct join *j)
{
	size_t n = j->n < JOIN_COMPARED ? j->n : JOIN_COMPARED;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i && !j->v[i].c.lead; k++)
			if (!j->v[k].c.lead && agree(&j->v[i], &j->v[k])) {
				j->v[i].group = j->v[k].group;
				break;
			}
	for (size_t i = 0; i < j->n; i++) {
		struct join_item *head = &j->v[j->v[i].group];

		head->origins |= 1U << j->v[i].origin;
		head->members += !j->v[i].c.lead;
	}
	for (size_t i = 0; i < j->n; i++) {
		j->v[i].origins = j->v[j->v[i].group].origins;
		j->v[i].members = j->v[j->v[i].group].members;
	}
}

static int
order(double x, double y)
{
	return x > y ? -1 : x < y;
}

static int
by_strength(const void *pa, const void *pb)
{
	const struct join_item *a = *(const struct join_item *const *)pa,
	    *b = *(const struct join_item *const *)pb;
	int r;

	if (a->c.lead != b->c.lead)
		return a->c.lead ? 1 : -1;
	if (a->c.lead)
		return (a->at > b->at) - (a->at < b->at);
	if ((r = __builtin_popcount(b->origins) -
	    __builtin_popcount(a->origins)) != 0 ||
	    (r = order((double)a->members, (double)b->members)) != 0 ||
	    (r = order(a->ratio, b->ratio)) != 0)
		return r;
	return (a->at > b->at) - (a->at < b->at);
}

/* --- telling -------------------------------------------------------------- */

struct telling {
	struct join *j;
	struct join_item **order;
	int (*tell)(void *ctx, const struct join_told *t);
	void *ctx;
	uint32_t rank;
};

static void
put_support(struct basis *b, const struct join_item *x)
{
	basis_object(b, NULL);
	basis_str(b, "evidence", join_origin_name(x->origin));
	basis_str(b, "method", x->c.method);
	basis_text(b, "value", x->c.value.p, x->c.value.n);
	basis_f64(b, "score", x->c.score);
	basis_u64(b, "rank", x->c.rank);
	if (x->source.p != NULL)
		basis_text(b, "source", x->source.p, x->source.n);
	basis_end(b);
}

static void
put_supports(const struct telling *t, struct basis *b, size_t group)
{
	unsigned left = SUPPORTS;

	basis_array(b, "supported_by");
	for (size_t i = 0; i < t->j->n && left > 0; i++)
		if (t->order[i]->group == group && !t->order[i]->c.lead) {
			put_support(b, t->order[i]);
			left--;
		}
	basis_end(b);
}

static int
one(struct telling *t, const struct join_item *x, uint32_t rank,
    uint32_t into)
{
	struct row_candidate c = x->c;
	struct join_told told = {.c = &c, .origin = x->origin};
	struct basis b;
	int r;

	basis_init(&b);
	buf_put(&b.b, x->evidence, x->evidence_len);
	if (into > 0)
		basis_u64(&b, "joined_into", into);
	else if (!c.lead && x->members > 1)
		put_supports(t, &b, x->group);
	c.lead = c.lead || into > 0;
	c.rank = rank;
	c.evidence = &b;
	told.origins = c.lead ? 0 : x->origins;
	r = buf_failed(&b.b) != 0 ? ERR_NOMEM : t->tell(t->ctx, &told);
	basis_release(&b);
	return r;
}

/* The head of a group, then its others as leads. */
static int
tell_group(struct telling *t, size_t first)
{
	const struct join_item *head = t->order[first];
	int r = one(t, head, ++t->rank, 0);

	for (size_t i = first + 1; r >= 0 && head->members > 1 && i < t->j->n;
	    i++)
		if (t->order[i]->group == head->group &&
		    !t->order[i]->c.lead)
			r = one(t, t->order[i], t->order[i]->c.rank, t->rank);
	return r;
}

int
join_tell(struct join *j, int (*tell)(void *ctx,
    const struct join_told *t), void *ctx, struct err *e)
{
	struct telling t = {.j = j, .tell = tell, .ctx = ctx};
	bool *told;
	int r = 0;

	if (j->n == 0)
		return 0;
	if ((t.order = arena_array(j->arena, j->n, sizeof(t.order[0]))) ==
	    NULL || (told = arena_array(j->arena, j->n, sizeof(*told))) ==
	    NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	group(j);
	for (size_t i = 0; i < j->n; i++)
		t.order[i] = &j->v[i];
	qsort(t.order, j->n, sizeof(t.order[0]), by_strength);
	for (size_t i = 0; i < j->n && r >= 0; i++) {
		const struct join_item *x = t.order[i];

		if (x->c.lead) {
			r = one(&t, x, x->c.rank, 0);
		} else if (!told[x->group]) {
			told[x->group] = true;
			r = tell_group(&t, i);
		}
	}
	return r;
}

int
join_watch(const struct join *j, int (*each)(void *ctx,
    const struct row_candidate *c), void *ctx)
{
	int r = 0;

	for (size_t i = 0; i < j->n && r >= 0; i++)
		if (!j->v[i].c.lead && j->v[i].plain.p != NULL)
			r = each(ctx, &j->v[i].c);
	return r;
}
