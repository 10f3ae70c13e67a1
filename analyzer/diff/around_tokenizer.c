#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/diff/around_config.h"
#include "analyzer/diff/around_tokenizer_parts.h"
#include "base/bug.h"
#include "formats/tokenizer.h"

/* What is one for the whole vocabulary: model, settings, roles. */

#define KEY_MAX 4096
#define ROLE_SHOWN 512

bool
around_tokenizer_room(struct around_tok *t)
{
	t->in_all++;
	if (t->listed >= AROUND_TOKENIZER_ROWS)
		return false;
	t->listed++;
	return true;
}

static struct row_text
text_or_none(const char *p)
{
	return (struct row_text){p, p != NULL ? strlen(p) : 0};
}

int
around_tokenizer_tell(struct around_tok *t, enum change_what what,
    const char *old, const char *new, struct basis *more)
{
	const struct row_change r = {.area = CHANGE_TOKENIZER, .what = what,
	    .path = t->path, .key = {buf_str(&t->key), t->key.len},
	    .old = text_or_none(old), .new = text_or_none(new), .more = more};

	return t->rows->change(t->rows->ctx, &r);
}

int
around_tokenizer_rest(struct around_tok *t, enum change_what what,
    const char *key, const char *effect)
{
	struct basis more;
	int r = 0;

	if (t->in_all > t->listed) {
		buf_clear(&t->key);
		buf_printf(&t->key, "(more %s)", key);
		basis_init(&more);
		basis_str(&more, "effect", effect);
		basis_u64(&more, "listed", t->listed);
		basis_u64(&more, "in_all", t->in_all);
		r = around_tokenizer_tell(t, what, NULL, NULL, &more);
		basis_release(&more);
	}
	t->listed = t->in_all = 0;
	return r;
}

/* Our own words on both sides. */
static int
tell_names(struct around_tok *t, const char *key, const char *old,
    const char *new)
{
	struct basis more;
	int r;

	if (strcmp(old, new) == 0)
		return 0;
	buf_clear(&t->key);
	buf_puts(&t->key, key);
	basis_init(&more);
	r = around_tokenizer_tell(t, CHANGE_CHANGED, old, new, &more);
	basis_release(&more);
	return r;
}

static int
tell_settings(struct around_tok *t)
{
	const struct flat_list old = {.v = t->old->settings,
	    .n = t->old->nsettings};
	const struct flat_list new = {.v = t->new->settings,
	    .n = t->new->nsettings};

	return around_flat(&old, &new, CHANGE_TOKENIZER, t->path, t->rows,
	    t->e);
}

static const char *
effect_of_role(const struct vocab_role *r)
{
	static const char *const ends[] = {"eos_token", "bos_token",
	    "pad_token", "eot_token", "eom_token"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (r->role_len == strlen(ends[i]) &&
		    memcmp(r->role, ends[i], r->role_len) == 0)
			return "answers can begin or end elsewhere";
	return "the same text can become other tokens";
}

static int
role_order(const struct vocab_role *x, const struct vocab_role *y)
{
	const size_t n = x->role_len < y->role_len ? x->role_len :
	    y->role_len;
	const int c = memcmp(x->role, y->role, n);

	if (c != 0)
		return c;
	return x->role_len < y->role_len ? -1 : x->role_len > y->role_len;
}

static bool
same_role(const struct vocab_role *x, const struct vocab_role *y)
{
	return x->id == y->id && x->n == y->n &&
	    (x->p == NULL) == (y->p == NULL) &&
	    (x->p == NULL || memcmp(x->p, y->p, x->n) == 0);
}

static void
put_id(struct basis *more, const char *key, const struct vocab_role *r)
{
	if (r == NULL)
		return;
	if (r->id == VOCAB_NONE)
		basis_null(more, key);
	else
		basis_u64(more, key, r->id);
}

static int
tell_role(struct around_tok *t, const struct vocab_role *old,
    const struct vocab_role *new)
{
	const struct vocab_role *r = old == NULL ? new : old; /* one role */
	struct row_change row = {.area = CHANGE_TOKENIZER, .path = t->path,
	    .what = old == NULL ? CHANGE_ADDED : new == NULL ?
	    CHANGE_REMOVED : CHANGE_CHANGED};
	struct basis more;
	int rc;

	buf_clear(&t->key);
	buf_puts(&t->key, "role ");
	buf_put(&t->key, r->role, r->role_len < ROLE_SHOWN ? r->role_len :
	    ROLE_SHOWN);
	basis_init(&more);
	basis_str(&more, "effect", effect_of_role(r));
	put_id(&more, "old_id", old);
	put_id(&more, "new_id", new);
	row.key = (struct row_text){buf_str(&t->key), t->key.len};
	if (old != NULL)
		row.old = (struct row_text){old->p, old->n};
	if (new != NULL)
		row.new = (struct row_text){new->p, new->n};
	row.more = &more;
	rc = t->rows->change(t->rows->ctx, &row);
	basis_release(&more);
	return rc;
}

static int
tell_roles(struct around_tok *t, bool same_source)
{
	const struct vocab_role *x = t->old->roles, *y = t->new->roles;
	const struct vocab_role *const x_end = x + t->old->nroles;
	const struct vocab_role *const y_end = y + t->new->nroles;
	int c, r = 0;

	while (r >= 0 && (x < x_end || y < y_end)) {
		c = x == x_end ? 1 : y == y_end ? -1 : role_order(x, y);
		if (c == 0 && !same_role(x, y))
			r = tell_role(t, x, y);
		else if (c < 0 && same_source)
			r = tell_role(t, x, NULL);
		else if (c > 0 && same_source)
			r = tell_role(t, NULL, y);
		x += c <= 0;
		y += c >= 0;
	}
	return r;
}

/* One side has no vocabulary at all. */
static int
tell_lone(struct around_tok *t)
{
	const struct vocab *v = t->new != NULL ? t->new : t->old;
	struct basis more;
	char text[96];
	int r;

	buf_clear(&t->key);
	buf_puts(&t->key, "vocabulary");
	(void)snprintf(text, sizeof(text), "%s: %" PRIu64 " tokens", v->source,
	    v->named);
	basis_init(&more);
	r = t->new != NULL ?
	    around_tokenizer_tell(t, CHANGE_ADDED, NULL, text, &more) :
	    around_tokenizer_tell(t, CHANGE_REMOVED, text, NULL, &more);
	basis_release(&more);
	return r;
}

static int
tell_all(struct around_tok *t)
{
	const bool same = strcmp(t->old->source, t->new->source) == 0;
	int r;

	if ((r = tell_names(t, "source", t->old->source,
	    t->new->source)) < 0 ||
	    (r = tell_names(t, "model", vocab_model_name(t->old->model),
	    vocab_model_name(t->new->model))) < 0 ||
	    (same && (r = tell_settings(t)) < 0) ||
	    (r = tell_roles(t, same)) < 0 ||
	    (r = around_tokenizer_tokens(t)) < 0)
		return r;
	return same ? around_tokenizer_merges(t) : 0;
}

int
around_tokenizer(const struct vocab *old, const struct vocab *new,
    struct row_text path, const struct rows *rows, struct arena *a,
    struct err *e)
{
	struct around_tok t = {.old = old, .new = new, .path = path,
	    .rows = rows, .a = a, .e = e};
	int r;

	BUG_ON(old == NULL && new == NULL);
	buf_init(&t.key, KEY_MAX);
	r = old == NULL || new == NULL ? tell_lone(&t) : tell_all(&t);
	buf_release(&t.key);
	return r;
}
