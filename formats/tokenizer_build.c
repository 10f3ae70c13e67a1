#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tokenizer_parts.h"

/*
 * Tokens come in any order and with any id.  They are kept as they come, in
 * chunks that are freed at the end, and placed once all are there: an id that
 * is far above their count is a lie or a mistake, and a table up to it would
 * be ours to pay for.
 */
#define CHUNK 1024
#define TEXT_ROOM 16384
/* Ids that may lie behind the last that their count explains. */
#define SPARE 65536

struct token_chunk {
	struct token_chunk *next;
	size_t n;
	struct {
		struct token t;
		uint64_t id;
	} v[CHUNK];
};

struct pair_chunk {
	struct pair_chunk *next;
	size_t n;
	struct vocab_pair v[CHUNK];
};

static int
nomem(struct vocab_build *b)
{
	return err_set(b->e, ERR_NOMEM, "out of memory for a vocabulary");
}

int
tokenizer_start(struct vocab_build *b, struct arena *a, struct err *e)
{
	memset(b, 0, sizeof(*b));
	b->a = b->settings.a = a;
	b->e = e;
	return (b->work = arena_new(LIMIT_ARENA)) == NULL ? nomem(b) : 0;
}

void
tokenizer_release(struct vocab_build *b)
{
	arena_free(b->work);
	b->work = NULL;
}

/* Room for n bytes and a NUL; small texts share a block. */
static char *
text_room(struct vocab_build *b, size_t n)
{
	char *p;

	if (n + 1 > TEXT_ROOM / 4)
		return arena_alloc(b->a, n + 1);
	if (n + 1 > b->left) {
		if ((b->room = arena_alloc(b->a, TEXT_ROOM)) == NULL)
			return NULL;
		b->left = TEXT_ROOM;
	}
	p = b->room;
	b->room += n + 1;
	b->left -= n + 1;
	return p;
}

static const char *
keep_text(struct vocab_build *b, const char *p, size_t n)
{
	char *to = text_room(b, n);

	if (to != NULL && n > 0)
		memcpy(to, p, n);
	return to;
}

int
tokenizer_token(struct vocab_build *b, uint64_t id, const struct token *t)
{
	struct token_chunk *c = b->last;

	if (b->count >= LIMIT_VOCAB_TOKENS)
		return err_set(b->e, ERR_LIMIT, "a vocabulary is too large");
	if (c == NULL || c->n == CHUNK) {
		if ((c = arena_alloc(b->work, sizeof(*c))) == NULL)
			return nomem(b);
		if (b->last != NULL)
			b->last->next = c;
		else
			b->first = c;
		b->last = c;
	}
	c->v[c->n].t = *t;
	c->v[c->n].id = id;
	if ((c->v[c->n].t.p = keep_text(b, t->p, t->n)) == NULL)
		return nomem(b);
	c->n++;
	b->count++;
	return 0;
}

/* All are asked for in their order, so the walk to the chunk is short. */
struct token *
tokenizer_told(struct vocab_build *b, uint64_t i, uint64_t *id)
{
	if (i % CHUNK == 0)
		b->at = i == 0 ? b->first : b->at->next;
	*id = b->at->v[i % CHUNK].id;
	return &b->at->v[i % CHUNK].t;
}

int
tokenizer_pair(struct vocab_build *b, const char *left, size_t nleft,
    const char *right, size_t nright)
{
	struct pair_chunk *c = b->pair_last;
	char *p;

	if (b->npairs >= LIMIT_VOCAB_MERGES)
		return err_set(b->e, ERR_LIMIT, "a vocabulary is too large");
	if (c == NULL || c->n == CHUNK) {
		if ((c = arena_alloc(b->work, sizeof(*c))) == NULL)
			return nomem(b);
		if (b->pair_last != NULL)
			b->pair_last->next = c;
		else
			b->pair_first = c;
		b->pair_last = c;
	}
	if ((p = text_room(b, nleft + nright)) == NULL)
		return nomem(b);
	if (nleft > 0)
		memcpy(p, left, nleft);
	if (nright > 0)
		memcpy(p + nleft, right, nright);
	c->v[c->n++] = (struct vocab_pair){p, (uint32_t)nleft,
	    (uint32_t)nright};
	b->npairs++;
	return 0;
}

int
tokenizer_role(struct vocab_build *b, const char *role, size_t role_len,
    const char *p, size_t n, uint64_t id)
{
	struct vocab_role *r = b->roles;
	struct vocab_role *const end = b->roles + b->nroles;

	while (r < end && (r->role_len != role_len ||
	    memcmp(r->role, role, role_len) != 0))
		r++;
	if (r == LIMIT_VOCAB_ROLES + b->roles) {
		b->cut = true;
		return 0;
	}
	if (r == end) {
		r->role_len = (uint32_t)role_len;
		if ((r->role = keep_text(b, role, role_len)) == NULL)
			return nomem(b);
		b->nroles++;
	}
	r->id = id < VOCAB_NONE ? (uint32_t)id : VOCAB_NONE;
	r->n = (uint32_t)n;
	r->p = NULL;
	if (p != NULL && (r->p = keep_text(b, p, n)) == NULL)
		return nomem(b);
	return 0;
}

/* Too many or too long: there is more than we say, and that is said. */
int
tokenizer_setting(struct vocab_build *b, const char *key, size_t key_len,
    enum flat_type type, const void *p, size_t n)
{
	const int r = flatjson_put(&b->settings, flatjson_leaf(key, key_len,
	    type, p, n), b->e);

	if (r != ERR_LIMIT)
		return r;
	err_reset(b->e);
	b->cut = true;
	return 0;
}

int
tokenizer_soft(struct vocab_build *b, int r)
{
	if (r != ERR_FORMAT && r != ERR_TRUNC && r != ERR_LIMIT)
		return r;
	err_reset(b->e);
	b->cut = true;
	return b->count > 0 ? 0 : 1;
}

int
tokenizer_order(const void *p, size_t n, const void *q, size_t m)
{
	const size_t both = n < m ? n : m;
	const int c = both > 0 ? memcmp(p, q, both) : 0;

	return c != 0 ? c : n < m ? -1 : n > m;
}

static uint64_t
head_of(const char *p, size_t n)
{
	uint64_t head = 0;

	for (size_t i = 0; i < 8; i++)
		head = head << 8 | (i < n ? (uint8_t)p[i] : 0);
	return head;
}

static int
by_text(const void *xv, const void *yv, void *ctx)
{
	const struct vocab_key *x = xv, *y = yv;
	const struct token *v = ((const struct vocab *)ctx)->v;
	int c;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	c = tokenizer_order(v[x->id].p, v[x->id].n, v[y->id].p, v[y->id].n);
	return c != 0 ? c : x->id < y->id ? -1 : x->id > y->id;
}

/*
 * The later of two tokens of one id wins, unless it is a weak one, which a
 * program would not place there.  One token told twice is what both say.
 */
static void
place(struct vocab *v, struct token *to, const struct token *t)
{
	const bool weak = (t->flags & TOKENIZER_WEAK) != 0;
	struct token x = *t;

	x.flags &= (uint8_t)~TOKENIZER_WEAK;
	if (to->p == NULL) {
		v->named++;
	} else if (tokenizer_order(to->p, to->n, t->p, t->n) != 0) {
		v->clashes++;
		if (weak)
			return;
	} else if (weak) {
		return;
	} else {
		if (x.kind == TOKEN_NORMAL) {
			x.kind = to->kind;
			x.flags |= to->flags;
		}
		if ((x.flags & TOKEN_SCORED) == 0)
			x.score = to->score;
		x.flags |= to->flags & TOKEN_SCORED;
	}
	*to = x;
}

static int
place_all(struct vocab_build *b, struct vocab *v)
{
	uint64_t most = 4 * b->count + SPARE;
	struct token *table;

	if (most > LIMIT_VOCAB_TOKENS)
		most = LIMIT_VOCAB_TOKENS;
	for (const struct token_chunk *c = b->first; c != NULL; c = c->next)
		for (size_t i = 0; i < c->n; i++)
			if (c->v[i].id < most && c->v[i].id >= v->n)
				v->n = c->v[i].id + 1;
	if ((table = arena_array(b->a, (size_t)v->n, sizeof(*table))) == NULL)
		return nomem(b);
	for (const struct token_chunk *c = b->first; c != NULL; c = c->next)
		for (size_t i = 0; i < c->n; i++) {
			if (c->v[i].id >= most)
				v->stray++;
			else
				place(v, &table[c->v[i].id], &c->v[i].t);
		}
	for (uint64_t i = 0; i < v->n; i++) {
		struct token *t = &table[i];

		if (t->p == NULL || t->kind != TOKEN_NORMAL)
			continue;
		t->kind = (uint8_t)tokenizer_kind(t->p, t->n);
		if (t->kind == TOKEN_NORMAL && (t->flags & TOKEN_LATER) != 0)
			t->kind = TOKEN_ADDED;
	}
	v->v = b->table = table;
	return 0;
}

static int
index_all(struct vocab_build *b, struct vocab *v)
{
	const struct token *const t = v->v;
	struct vocab_key *k;
	size_t n = 0;

	if ((k = arena_array(b->a, (size_t)v->named, sizeof(*k))) == NULL)
		return nomem(b);
	for (uint64_t i = 0; i < v->n; i++)
		if (t[i].p != NULL)
			k[n++] = (struct vocab_key){head_of(t[i].p, t[i].n),
			    (uint32_t)i};
	qsort_r(k, n, sizeof(*k), by_text, v);
	for (size_t i = 1; i < n; i++)
		v->repeated += k[i].head == k[i - 1].head &&
		    tokenizer_order(t[k[i].id].p, t[k[i].id].n,
		    t[k[i - 1].id].p, t[k[i - 1].id].n) == 0;
	v->by_text = k;
	return 0;
}

uint32_t
vocab_find(const struct vocab *v, const void *p, size_t n)
{
	const uint64_t head = head_of(p, n);
	size_t lo = 0, hi = (size_t)v->named;

	/* the first that is greater: the last that is equal is before it */
	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const struct vocab_key *k = &v->by_text[mid];
		const struct token *t = &v->v[k->id];
		const int c = k->head != head ? (k->head < head ? -1 : 1) :
		    tokenizer_order(t->p, t->n, p, n);

		if (c <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return VOCAB_NONE;
	lo = v->by_text[lo - 1].id;
	return tokenizer_order(v->v[lo].p, v->v[lo].n, p, n) == 0 ?
	    (uint32_t)lo : VOCAB_NONE;
}

static int
by_role(const void *xv, const void *yv)
{
	const struct vocab_role *x = xv, *y = yv;

	return tokenizer_order(x->role, x->role_len, y->role, y->role_len);
}

static int
roles_all(struct vocab_build *b, struct vocab *v)
{
	struct vocab_role *r;

	if ((r = arena_array(b->a, b->nroles, sizeof(*r))) == NULL)
		return nomem(b);
	for (size_t i = 0; i < b->nroles; i++) {
		r[i] = b->roles[i];
		if (r[i].p != NULL) {
			r[i].id = vocab_find(v, r[i].p, r[i].n);
		} else if (r[i].id < v->n) {
			r[i].p = v->v[r[i].id].p;
			r[i].n = v->v[r[i].id].n;
		}
	}
	qsort(r, b->nroles, sizeof(*r), by_role);
	v->roles = r;
	v->nroles = b->nroles;
	return 0;
}

static int
pairs_all(struct vocab_build *b, struct vocab *v)
{
	struct vocab_pair *p;
	size_t n = 0;

	if ((p = arena_array(b->a, (size_t)b->npairs, sizeof(*p))) == NULL)
		return nomem(b);
	for (const struct pair_chunk *c = b->pair_first; c != NULL;
	    c = c->next) {
		memcpy(p + n, c->v, c->n * sizeof(*p));
		n += c->n;
	}
	v->pairs = p;
	v->npairs = n;
	return 0;
}

int
tokenizer_finish(struct vocab_build *b, const struct vocab **ret)
{
	struct flat_list settings;
	struct vocab *v;
	int r;

	if ((v = arena_alloc(b->a, sizeof(*v))) == NULL)
		return nomem(b);
	if ((r = flatjson_done(&b->settings, &settings, b->e)) < 0 ||
	    (r = tokenizer_said(b, &settings)) < 0 ||
	    (r = place_all(b, v)) < 0 || (r = index_all(b, v)) < 0 ||
	    (r = roles_all(b, v)) < 0 || (r = pairs_all(b, v)) < 0)
		return r;
	v->source = b->source;
	v->model = b->model;
	v->cut = b->cut;
	v->settings = settings.v;
	v->nsettings = settings.n;
	tokenizer_judge(b, v);
	*ret = v;
	return 0;
}
