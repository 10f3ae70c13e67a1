#include <string.h>

#include "analyzer/diff/around_config.h"
#include "analyzer/diff/docs.h"
#include "base/arena.h"
#include "base/bug.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/flatjson.h"
#include "formats/gguf_pairs.h"

/*
 * Two sorted lists of leaves are walked side by side, once to count and once
 * more for each effect that there is: so rows come out by weight without
 * being kept.
 */
enum effect {
#define EFFECT(id, words) EFFECT_##id,
#include "analyzer/diff/around_effects.def"
#undef EFFECT
	EFFECT_NONE
};

static const char *const words[] = {
#define EFFECT(id, words) words,
#include "analyzer/diff/around_effects.def"
#undef EFFECT
	NULL
};

static const struct {
	const char *name;
	size_t len;
	enum effect effect;
} settings[] = {
#define SETTING(name, effect) {name, sizeof(name) - 1, EFFECT_##effect},
#include "analyzer/diff/around_effects.def"
#undef SETTING
};

/* Lists whose order no reader looks at. */
static const char *const sets[] = {"architectures", "target_modules",
    "target_parameters", "exclude_modules", "modules_to_save",
    "modules_to_not_convert", "layers_to_transform", "suppress_tokens",
    "begin_suppress_tokens", "eos_token_id", "stop_strings",
    "keys_to_ignore_at_inference", "_no_split_modules", "tags", "language",
    "languages", "datasets", "metrics", "general.tags", "general.languages",
    "general.datasets"};

static enum effect
effect_of_name(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (n == settings[i].len &&
		    memcmp(p, settings[i].name, n) == 0)
			return settings[i].effect;
	return EFFECT_NONE;
}

/*
 * The first part of the way that is known.  A name in brackets and quotes is
 * somebody's own (a module, a label), but what it stands below may be known.
 */
static enum effect
effect_of(const char *key, size_t n)
{
	enum effect x = EFFECT_NONE;
	size_t from = 0;

	for (size_t i = 0; i <= n && x == EFFECT_NONE; i++) {
		if (i < n && strchr(".[{", key[i]) == NULL)
			continue;
		x = effect_of_name(key + from, i - from);
		from = i + 1;
	}
	return x;
}

/* --- one row --- */

/* How far two texts agree, and a little less, where a character begins. */
static size_t
shown_from(const struct row_text *x, const struct row_text *y)
{
	const size_t n = x->n < y->n ? x->n : y->n;
	size_t i = 0;

	while (i < n && x->p[i] == y->p[i])
		i++;
	i = i < AROUND_VALUE / 16 ? 0 : i - AROUND_VALUE / 16;
	while (i > 0 && ((uint8_t)x->p[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static struct row_text
part(const struct row_text *t, size_t from)
{
	if (t == NULL)
		return (struct row_text){NULL, 0};
	return (struct row_text){t->p + from, t->n - from < AROUND_VALUE ?
	    t->n - from : AROUND_VALUE};
}

int
around_value(struct row_change *r, struct row_text key,
    const struct row_text *old, const struct row_text *new,
    const char *effect, const struct rows *rows)
{
	const bool cut = (old != NULL && old->n > AROUND_VALUE) ||
	    (new != NULL && new->n > AROUND_VALUE);
	const size_t from = cut && old != NULL && new != NULL ?
	    shown_from(old, new) : 0;
	struct basis more;
	int rc;

	basis_init(&more);
	if (effect != NULL)
		basis_str(&more, "effect", effect);
	if (cut && old != NULL)
		basis_u64(&more, "old_bytes", old->n);
	if (cut && new != NULL)
		basis_u64(&more, "new_bytes", new->n);
	if (cut)
		basis_u64(&more, "shown_from", from);
	r->key = key;
	r->old = part(old, from);
	r->new = part(new, from);
	r->more = &more;
	rc = rows->change(rows->ctx, r);
	r->more = NULL;
	basis_release(&more);
	return rc;
}

/* --- two lists --- */

struct walk {
	const struct flat_list *list[ROW_SIDES];
	enum change_area area;
	struct row_text path;
	const struct rows *rows;
	bool counting;		/* no row is told yet */
	enum effect now;	/* rows of this one are told */
	uint64_t count[EFFECT_NONE + 1];
	uint64_t told;		/* of them, so far */
};

static int
tell(struct walk *w, const struct flat *old, const struct flat *new)
{
	const struct flat *f = old == NULL ? new : old; /* keys are equal */
	struct row_change r = {.area = w->area, .path = w->path,
	    .what = old == NULL ? CHANGE_ADDED : new == NULL ?
	    CHANGE_REMOVED : CHANGE_CHANGED};
	struct row_text x, y;
	enum effect found;

	BUG_ON(f == NULL);
	found = effect_of(f->key, f->key_len);
	w->count[found] += w->counting;
	if (w->counting || found != w->now || w->told++ >= AROUND_ROWS)
		return 0;
	if (old != NULL)
		x = (struct row_text){old->p, old->n};
	if (new != NULL)
		y = (struct row_text){new->p, new->n};
	return around_value(&r, (struct row_text){f->key, f->key_len},
	    old != NULL ? &x : NULL, new != NULL ? &y : NULL, words[w->now],
	    w->rows);
}

static int
order(const struct flat *x, const struct flat *y)
{
	const size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	const int c = memcmp(x->key, y->key, n);

	if (c != 0)
		return c;
	return x->key_len < y->key_len ? -1 : x->key_len > y->key_len;
}

static int
walk_lists(struct walk *w)
{
	const struct flat_list *a = w->list[ROW_OLD], *b = w->list[ROW_NEW];
	size_t i = 0, k = 0;
	int c, r = 0;

	while (r >= 0 && (i < a->n || k < b->n)) {
		c = i == a->n ? 1 : k == b->n ? -1 : order(&a->v[i],
		    &b->v[k]);
		if (c < 0)
			r = tell(w, &a->v[i++], NULL);
		else if (c > 0)
			r = tell(w, NULL, &b->v[k++]);
		else if (flatjson_equal(&a->v[i], &b->v[k]))
			i++, k++;
		else
			r = tell(w, &a->v[i++], &b->v[k++]);
	}
	return r;
}

/* What was not listed, of the effect that was just walked. */
static int
tell_rest(struct walk *w)
{
	struct row_change r = {.area = w->area, .what = CHANGE_CHANGED,
	    .path = w->path, .key = {"(more changes)", 14}};
	struct basis more;
	int rc;

	if (w->count[w->now] <= AROUND_ROWS)
		return 0;
	basis_init(&more);
	if (words[w->now] != NULL)
		basis_str(&more, "effect", words[w->now]);
	basis_u64(&more, "listed", AROUND_ROWS);
	basis_u64(&more, "in_all", w->count[w->now]);
	r.more = &more;
	rc = w->rows->change(w->rows->ctx, &r);
	basis_release(&more);
	return rc;
}

static int
tell_doubles(const struct walk *w)
{
	const uint64_t old = w->list[ROW_OLD]->doubles;
	const uint64_t new = w->list[ROW_NEW]->doubles;
	struct row_change r = {.area = w->area, .what = CHANGE_CHANGED,
	    .path = w->path, .key = {"(repeated names)", 16}};
	struct basis more;
	int rc;

	if (old == new || new == 0)
		return 0;
	basis_init(&more);
	basis_str(&more, "effect",
	    "programs can take another of the values than people do");
	basis_u64(&more, "old_count", old);
	basis_u64(&more, "new_count", new);
	r.more = &more;
	rc = w->rows->change(w->rows->ctx, &r);
	basis_release(&more);
	return rc;
}

int
around_flat(const struct flat_list *old, const struct flat_list *new,
    enum change_area area, struct row_text path, const struct rows *rows,
    struct err *e)
{
	struct walk w = {.list = {old, new}, .area = area, .path = path,
	    .rows = rows, .counting = true};
	int r;

	(void)e;	/* the rows' consumer keeps its own */
	if ((r = tell_doubles(&w)) < 0 || (r = walk_lists(&w)) < 0)
		return r;
	w.counting = false;
	for (unsigned i = 0; i <= EFFECT_NONE; i++) {
		w.now = (enum effect)i;
		w.told = 0;
		if (w.count[i] > 0 && ((r = walk_lists(&w)) < 0 ||
		    (r = tell_rest(&w)) < 0))
			return r;
	}
	return 0;
}

/* --- documents --- */

/* The list that a leaf "...name[3]" is an element of, if it is a set. */
static bool
is_element(const struct flat *f, size_t *list)
{
	size_t n = f->key_len, from;

	if (n < 4 || f->key[n - 1] != ']' || f->n > AROUND_VALUE)
		return false;
	for (n--; n > 0 && f->key[n - 1] >= '0' && f->key[n - 1] <= '9';)
		n--;
	if (n < 2 || f->key[--n] != '[')
		return false;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		from = strlen(sets[i]);
		*list = n;
		if (n >= from && memcmp(f->key + n - from, sets[i], from) == 0
		    && (n == from || f->key[n - from - 1] == '.'))
			return true;
	}
	return false;
}

/* Elements of sets get their value for a place. */
static int
as_sets(struct flat_list *l, struct arena *a, struct err *e)
{
	const uint64_t doubles = l->doubles;
	struct flatjson f = {.a = a};
	char key[LIMIT_FLAT_KEY + AROUND_VALUE + 2];
	size_t n;
	int r;

	for (size_t i = 0; i < l->n; i++) {
		const struct flat *x = &l->v[i];

		memcpy(key, x->key, n = x->key_len);
		if (is_element(x, &n) && n + x->n + 2 <= LIMIT_FLAT_KEY) {
			key[n++] = '{';
			if (x->n > 0)
				memcpy(key + n, x->p, x->n);
			n += x->n;
			key[n++] = '}';
		} else {
			n = x->key_len;
		}
		if ((r = flatjson_put(&f, flatjson_leaf(key, n, x->type,
		    x->p, x->n), e)) < 0)
			return r;
	}
	r = flatjson_done(&f, l, e);
	l->doubles = doubles;	/* an element twice is no name twice */
	return r;
}

static int
flatten(const struct doc *d, struct arena *a, struct flat_list *ret,
    struct err *e)
{
	struct flatjson f = {.a = a};
	struct json_token t;
	struct reader r;
	struct json j;
	uint64_t left;
	bool blanks = false;
	int rc;

	if (d->size > LIMIT_REPOSITORY_CONFIG)
		return 1;
	if ((rc = reader_init(&r, d->src, 0, 0, a, e)) < 0)
		return rc;
	json_open(&j, &r, a);
	if ((rc = json_next(&j, &t, e)) < 0 ||
	    (rc = flatjson_value(&f, "", &j, &t, e)) < 0 ||
	    (rc = json_trailing(&j, &left, &blanks, e)) < 0)
		return rc;
	if (!blanks)
		return 1;
	if ((rc = flatjson_done(&f, ret, e)) < 0)
		return rc;
	return as_sets(ret, a, e);
}

/* What is wrong with the document is no failure of ours. */
static int
soften(int r, struct err *e)
{
	if (r != ERR_FORMAT && r != ERR_TRUNC && r != ERR_LIMIT)
		return r;
	err_reset(e);
	return 1;
}

/* Both made flat by ${make}; either may be NULL. */
static int
compare(const struct doc *old, const struct doc *new, enum change_area area,
    int (*make)(const struct doc *, struct arena *, struct flat_list *,
    struct err *), const struct rows *rows, struct arena *a, struct err *e)
{
	const struct doc *const docs[ROW_SIDES] = {old, new};
	const struct doc *shown = new != NULL ? new : old;
	struct flat_list list[ROW_SIDES];
	int r;

	BUG_ON(shown == NULL);
	memset(list, 0, sizeof(list));
	for (unsigned i = 0; i < ROW_SIDES; i++)
		if (docs[i] != NULL && (r = make(docs[i], a, &list[i],
		    e)) != 0)
			return soften(r, e);
	return around_flat(&list[ROW_OLD], &list[ROW_NEW], area,
	    (struct row_text){shown->path, shown->path_len}, rows, e);
}

int
around_json(const struct doc *old, const struct doc *new,
    enum change_area area, const struct rows *rows, struct arena *a,
    struct err *e)
{
	return compare(old, new, area, flatten, rows, a, e);
}

/* Longer arrays are tables: their elements are no settings. */
#define GGUF_ELEMENTS 16

static int
flatten_gguf(const struct doc *d, struct arena *a, struct flat_list *ret,
    struct err *e)
{
	static const char *const without[] = {"tokenizer.ggml.tokens",
	    "tokenizer.ggml.scores", "tokenizer.ggml.token_type",
	    "tokenizer.ggml.merges", "tokenizer.chat_template", NULL};
	struct flatjson f = {.a = a};
	int r;

	if ((r = gguf_pairs_flat(d->src, GGUF_ELEMENTS, without, &f, a,
	    e)) != 0 || (r = flatjson_done(&f, ret, e)) < 0)
		return r;
	return as_sets(ret, a, e);
}

int
around_gguf(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *a, struct err *e)
{
	return compare(old, new, CHANGE_METADATA, flatten_gguf, rows, a, e);
}
