#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/diff/around_tokenizer_parts.h"
#include "base/arena.h"
#include "base/err.h"
#include "formats/tokenizer.h"

/*
 * Tokens by id.  map[i] is where OLD's token i is in NEW by its text; a text
 * with several ids keeps those that it had.  Each kind of change is a walk of
 * its own, so that a block of thousands does not use up the rows of the two
 * that were swapped.
 */
#define BLOCK 8		/* fewer that moved alike are told one by one */
#define SHOWN 512	/* bytes of a token in a key */

static const char effect_swap[] =
    "each of the two is read and written as the other, with the same weights",
    effect_move[] =
    "text with this token is read with another row of the embedding",
    effect_block[] =
    "if the rows of the embedding did not move alike, these are other tokens",
    effect_marker[] =
    "a marker that no text of before contains, with a row of its own",
    effect_word[] =
    "text that was several tokens is one, with a row of its own",
    effect_twice[] =
    "a text that was there has another id, with a row of its own",
    effect_gone[] = "text with it becomes other tokens",
    effect_type[] =
    "what people type can become a control token, or be matched otherwise",
    effect_score[] = "the same text can become other tokens";

struct tokens {
	struct around_tok *t;
	uint32_t *map;		/* of OLD's ids */
	uint8_t *taken;		/* of NEW's ids: some id of OLD is there */
};

static void
put_token(struct around_tok *t, const struct vocab *v, uint32_t id)
{
	struct buf b;

	buf_init(&b, SHOWN);
	vocab_show(v, id, &b);
	if (buf_failed(&b) != 0)
		buf_puts(&t->key, "(long)");
	else
		buf_put(&t->key, b.p, b.len);
	buf_release(&b);
}

/* A row about one token; ${more} has what is special of it. */
static int
tell(struct around_tok *t, enum change_what what, const struct vocab *v,
    uint32_t id, const char *const value[ROW_SIDES], struct basis *more)
{
	buf_clear(&t->key);
	buf_puts(&t->key, "token ");
	put_token(t, v, id);
	basis_text(more, "raw", v->v[id].p, v->v[id].n);
	basis_str(more, "kind",
	    vocab_kind_name((enum token_kind)v->v[id].kind));
	return around_tokenizer_tell(t, what, value[ROW_OLD], value[ROW_NEW],
	    more);
}

static int
tell_ids(struct around_tok *t, enum change_what what, uint32_t old,
    uint32_t new, struct basis *more)
{
	char x[16], y[16];
	const char *const value[ROW_SIDES] = {old != VOCAB_NONE ? x : NULL,
	    new != VOCAB_NONE ? y : NULL};

	(void)snprintf(x, sizeof(x), "%" PRIu32, old);
	(void)snprintf(y, sizeof(y), "%" PRIu32, new);
	return tell(t, what, new != VOCAB_NONE ? t->new : t->old,
	    new != VOCAB_NONE ? new : old, value, more);
}

/* --- moved --- */

/* Its text stands at its own old place too: this id was one too many. */
static bool
is_doubled(const struct tokens *k, uint32_t i)
{
	const uint32_t to = k->map[i];

	return to != i && to < k->t->old->n && k->map[to] == to;
}

static bool
is_moved(const struct tokens *k, uint32_t i)
{
	return k->map[i] != VOCAB_NONE && k->map[i] != i && !is_doubled(k, i);
}

static bool
is_swapped(const struct tokens *k, uint32_t i)
{
	return is_moved(k, i) && k->map[i] < k->t->old->n &&
	    k->map[k->map[i]] == i;
}

static int
tell_swap(struct tokens *k, uint32_t i)
{
	struct basis more;
	int r;

	basis_init(&more);
	basis_str(&more, "effect", effect_swap);
	basis_text(&more, "swapped_with", k->t->old->v[k->map[i]].p,
	    k->t->old->v[k->map[i]].n);
	r = tell_ids(k->t, CHANGE_MOVED, i, k->map[i], &more);
	basis_release(&more);
	return r;
}

static int
tell_swaps(struct tokens *k)
{
	int r = 0;

	for (uint32_t i = 0; i < k->t->old->n && r >= 0; i++)
		if (is_swapped(k, i) && k->map[i] > i &&
		    around_tokenizer_room(k->t))
			r = tell_swap(k, i);
	return r < 0 ? r : around_tokenizer_rest(k->t, CHANGE_MOVED,
	    "tokens swapped", effect_swap);
}

/*
 * The end of the run from ${i} of tokens that moved by one number; *n of
 * them, holes apart.  PRE: i moved and is not swapped.
 */
static uint32_t
run_from(const struct tokens *k, uint32_t i, uint64_t *n)
{
	const uint32_t by = k->map[i] - i;	/* modulo 2^32, as is below */
	uint32_t end = i + 1;

	*n = 1;
	for (uint32_t at = i + 1; at < k->t->old->n; at++) {
		if (k->t->old->v[at].p == NULL)
			continue;
		if (!is_moved(k, at) || is_swapped(k, at) ||
		    k->map[at] - at != by)
			break;
		++*n;
		end = at + 1;
	}
	return end;
}

static int
tell_move(struct tokens *k, uint32_t i)
{
	struct basis more;
	int r;

	if (!around_tokenizer_room(k->t))
		return 0;
	basis_init(&more);
	basis_str(&more, "effect", effect_move);
	r = tell_ids(k->t, CHANGE_MOVED, i, k->map[i], &more);
	basis_release(&more);
	return r;
}

static int
tell_block(struct tokens *k, uint32_t i, uint32_t end, uint64_t n)
{
	const uint32_t last = end - 1;
	struct around_tok *t = k->t;
	struct basis more;
	char x[40], y[40];
	int r;

	if (!around_tokenizer_room(t))
		return 0;
	buf_clear(&t->key);
	buf_puts(&t->key, "tokens ");
	put_token(t, t->old, i);
	buf_puts(&t->key, " to ");
	put_token(t, t->old, last);
	(void)snprintf(x, sizeof(x), "%" PRIu32 " to %" PRIu32, i, last);
	(void)snprintf(y, sizeof(y), "%" PRIu32 " to %" PRIu32, k->map[i],
	    k->map[last]);
	basis_init(&more);
	basis_str(&more, "effect", effect_block);
	basis_u64(&more, "tokens", n);
	r = around_tokenizer_tell(t, CHANGE_MOVED, x, y, &more);
	basis_release(&more);
	return r;
}

static int
tell_moves(struct tokens *k, bool blocks)
{
	uint32_t end;
	uint64_t n;
	int r = 0;

	for (uint32_t i = 0; i < k->t->old->n && r >= 0; i = end) {
		end = i + 1;
		if (!is_moved(k, i) || is_swapped(k, i))
			continue;
		end = run_from(k, i, &n);
		if (blocks && n >= BLOCK)
			r = tell_block(k, i, end, n);
		for (uint32_t at = i; !blocks && n < BLOCK && at < end &&
		    r >= 0; at++)
			if (is_moved(k, at))
				r = tell_move(k, at);
	}
	if (r < 0)
		return r;
	return blocks ? around_tokenizer_rest(k->t, CHANGE_MOVED,
	    "blocks moved", effect_block) : around_tokenizer_rest(k->t,
	    CHANGE_MOVED, "tokens moved", effect_move);
}

/* --- removed and added --- */

static int
tell_gone(struct tokens *k)
{
	struct basis more;
	int r = 0;

	for (uint32_t i = 0; i < k->t->old->n && r >= 0; i++) {
		if (k->t->old->v[i].p == NULL ||
		    (k->map[i] != VOCAB_NONE && !is_doubled(k, i)) ||
		    !around_tokenizer_room(k->t))
			continue;
		basis_init(&more);
		if (k->map[i] == VOCAB_NONE)
			basis_str(&more, "effect", effect_gone);
		else
			basis_u64(&more, "same_text_at", k->map[i]);
		r = tell_ids(k->t, CHANGE_REMOVED, i, VOCAB_NONE, &more);
		basis_release(&more);
	}
	return r < 0 ? r : around_tokenizer_rest(k->t, CHANGE_REMOVED,
	    "tokens removed", effect_gone);
}

static int
tell_new(struct tokens *k, uint32_t id)
{
	const struct token *t = &k->t->new->v[id];
	const uint32_t was = vocab_find(k->t->old, t->p, t->n);
	struct basis more;
	int r;

	basis_init(&more);
	basis_str(&more, "effect", was != VOCAB_NONE ? effect_twice :
	    t->kind == TOKEN_NORMAL ? effect_word : effect_marker);
	if (was != VOCAB_NONE)
		basis_u64(&more, "same_text_at", was);
	r = tell_ids(k->t, CHANGE_ADDED, VOCAB_NONE, id, &more);
	basis_release(&more);
	return r;
}

static int
tell_added(struct tokens *k)
{
	int r = 0;

	for (uint32_t i = 0; i < k->t->new->n && r >= 0; i++)
		if (k->t->new->v[i].p != NULL && !k->taken[i] &&
		    around_tokenizer_room(k->t))
			r = tell_new(k, i);
	return r < 0 ? r : around_tokenizer_rest(k->t, CHANGE_ADDED,
	    "tokens added", effect_word);
}

/* --- the same text, otherwise --- */

#define TYPE_FLAGS (TOKEN_SPECIAL | TOKEN_NORMALIZED | TOKEN_LSTRIP | \
	TOKEN_RSTRIP | TOKEN_SINGLE_WORD | TOKEN_LATER)

static void
type_text(const struct token *t, struct buf *b)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {{TOKEN_SPECIAL, "special"},
	    {TOKEN_NORMALIZED, "normalized"}, {TOKEN_LSTRIP, "lstrip"},
	    {TOKEN_RSTRIP, "rstrip"}, {TOKEN_SINGLE_WORD, "single_word"},
	    {TOKEN_LATER, "added"}};

	buf_puts(b, vocab_kind_name((enum token_kind)t->kind));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((t->flags & names[i].flag) != 0)
			buf_printf(b, " %s", names[i].name);
}

static int
tell_type(struct tokens *k, uint32_t id, const struct token *x,
    const struct token *y)
{
	struct buf old, new;
	struct basis more;
	int r;

	buf_init(&old, 256);
	buf_init(&new, 256);
	type_text(x, &old);
	type_text(y, &new);
	basis_init(&more);
	basis_str(&more, "effect", effect_type);
	basis_u64(&more, "id", id);
	r = tell(k->t, CHANGE_CHANGED, k->t->new, id,
	    (const char *const[]){buf_str(&old), buf_str(&new)}, &more);
	basis_release(&more);
	buf_release(&old);
	buf_release(&new);
	return r;
}

static int
tell_score(struct tokens *k, uint32_t id, const struct token *x,
    const struct token *y)
{
	char old[32], new[32];
	struct basis more;
	int r;

	(void)snprintf(old, sizeof(old), "%.9g", (double)x->score);
	(void)snprintf(new, sizeof(new), "%.9g", (double)y->score);
	basis_init(&more);
	basis_str(&more, "effect", effect_score);
	basis_u64(&more, "id", id);
	r = tell(k->t, CHANGE_CHANGED, k->t->new, id,
	    (const char *const[]){old, new}, &more);
	basis_release(&more);
	return r;
}

static bool
other_type(const struct token *x, const struct token *y)
{
	return x->kind != y->kind ||
	    ((x->flags ^ y->flags) & TYPE_FLAGS) != 0;
}

static bool
other_score(const struct token *x, const struct token *y)
{
	if (isnan(x->score) || isnan(y->score))
		return isnan(x->score) != isnan(y->score);
	return x->score < y->score || x->score > y->score;
}

static int
tell_others(struct tokens *k, bool (*differ)(const struct token *,
    const struct token *), int (*say)(struct tokens *, uint32_t,
    const struct token *, const struct token *), const char *name,
    const char *effect)
{
	int r = 0;

	for (uint32_t i = 0; i < k->t->old->n && r >= 0; i++) {
		const struct token *x = &k->t->old->v[i];
		const struct token *y;

		if (k->map[i] == VOCAB_NONE || is_doubled(k, i))
			continue;
		y = &k->t->new->v[k->map[i]];
		if (differ(x, y) && around_tokenizer_room(k->t))
			r = say(k, k->map[i], x, y);
	}
	return r < 0 ? r : around_tokenizer_rest(k->t, CHANGE_CHANGED, name,
	    effect);
}

int
around_tokenizer_tokens(struct around_tok *t)
{
	const bool same = strcmp(t->old->source, t->new->source) == 0;
	struct tokens k = {.t = t};
	int r;

	if ((k.map = arena_array(t->a, (size_t)t->old->n,
	    sizeof(*k.map))) == NULL ||
	    (k.taken = arena_alloc(t->a, (size_t)t->new->n)) == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory for tokens");
	(void)vocab_align(t->old, t->new, k.map);
	for (uint32_t i = 0; i < t->old->n; i++)
		if (k.map[i] != VOCAB_NONE)
			k.taken[k.map[i]] = 1;
	if ((r = tell_swaps(&k)) < 0 || (r = tell_moves(&k, false)) < 0 ||
	    (r = tell_moves(&k, true)) < 0 || (r = tell_gone(&k)) < 0 ||
	    (r = tell_added(&k)) < 0)
		return r;
	if (same && ((r = tell_others(&k, other_type, tell_type,
	    "kinds changed", effect_type)) < 0 ||
	    (r = tell_others(&k, other_score, tell_score, "scores changed",
	    effect_score)) < 0))
		return r;
	return 0;
}
