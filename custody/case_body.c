#include <inttypes.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "custody/case_body.h"

#define BODY_ARENA (64 * MIB)
#define BODY_WINDOW 4096
#define BODY_DEPTH 32 /* json_write's own limit */

/* Where we are: the path so far, and a level for each open container. */
struct walk {
	struct case_body *b;
	char path[CASE_BODY_PATH];
	unsigned depth;
	struct level {
		size_t path_len; /* of the container's own path */
		bool array;
		uint64_t next;    /* index of the next element */
		const char *last; /* the key before, or NULL */
		size_t last_len;
	} level[BODY_DEPTH];
	size_t len; /* of path now */
};

static int
malformed(const struct json_token *t, const char *what, struct err *e)
{
	int r = err_set(e, ERR_FORMAT, "event body, byte %" PRIu64 ": %s",
	    t->off, what);

	if (e != NULL && e->off == 0)
		e->off = t->off;
	return r;
}

/* Path of a child of the innermost container. */
static int
set_path(struct walk *w, const char *name, size_t n, struct err *e)
{
	size_t at = w->depth > 0 ? w->level[w->depth - 1].path_len : 0;

	if (n + 2 > sizeof(w->path) - at)
		return err_set(e, ERR_LIMIT,
		    "event body: a path is longer "
		    "than %d bytes",
		    CASE_BODY_PATH);
	if (at > 0)
		w->path[at++] = '.';
	memcpy(w->path + at, name, n);
	w->len = at + n;
	w->path[w->len] = '\0';
	return 0;
}

static bool
key_ok(const char *s, size_t n)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return n > 0 && strspn(s, set) == n;
}

static int
on_key(struct walk *w, const struct json_token *t, struct err *e)
{
	struct level *lv = &w->level[w->depth - 1];
	size_t n = lv->last_len < t->len ? lv->last_len : t->len;
	int order;

	if (!key_ok(t->str, t->len))
		return malformed(t, "a key has a strange character", e);
	if (lv->last != NULL) {
		order = memcmp(lv->last, t->str, n);
		if (order > 0 || (order == 0 && lv->last_len >= t->len))
			return malformed(t,
			    "keys are not in ascending "
			    "order",
			    e);
	}
	lv->last = t->str;
	lv->last_len = t->len;
	return set_path(w, t->str, t->len, e);
}

static int
grow(struct case_body *b, struct err *e)
{
	size_t cap = b->cap == 0 ? 64 : b->cap * 2;
	struct case_pair *p;

	if (b->count == CASE_BODY_PAIRS)
		return err_set(e, ERR_LIMIT,
		    "event body: more than %d "
		    "values",
		    CASE_BODY_PAIRS);
	if ((p = arena_array(b->a, cap, sizeof(*p))) == NULL)
		return err_set(e, ERR_NOMEM, "event body: out of memory");
	if (b->count > 0)
		memcpy(p, b->pairs, b->count * sizeof(*p));
	b->pairs = p;
	b->cap = cap;
	return 0;
}

static int
add(struct walk *w, const struct json_token *t, struct err *e)
{
	struct case_body *b = w->b;
	struct case_pair *p;
	bool text = t->type == JSON_STRING || t->type == JSON_NUMBER;
	int r;

	if (b->count == b->cap && (r = grow(b, e)) < 0)
		return r;
	p = &b->pairs[b->count];
	memset(p, 0, sizeof(*p));
	p->type = t->type;
	p->str = text ? t->str : "";
	p->len = text ? t->len : 0;
	p->is_u64 = t->type == JSON_NUMBER && t->is_u64;
	p->u64 = p->is_u64 ? t->u64 : 0;
	if ((p->key = arena_dup(b->a, w->path, w->len)) == NULL)
		return err_set(e, ERR_NOMEM, "event body: out of memory");
	b->count++;
	return 0;
}

/* A value begins: name it when it is an element, keep it, go into it. */
static int
on_value(struct walk *w, const struct json_token *t, struct err *e)
{
	struct level *lv = w->depth > 0 ? &w->level[w->depth - 1] : NULL;
	char index[24];
	int r;

	if (lv == NULL && t->type != JSON_OBJECT)
		return malformed(t, "it is no object", e);
	if (lv != NULL && lv->array) {
		snprintf(index, sizeof(index), "%" PRIu64, lv->next++);
		if ((r = set_path(w, index, strlen(index), e)) < 0)
			return r;
	}
	if (lv != NULL && (r = add(w, t, e)) < 0)
		return r;
	if (t->type != JSON_OBJECT && t->type != JSON_ARRAY)
		return 0;
	if (w->depth == BODY_DEPTH)
		return malformed(t, "it is nested too deeply", e);
	lv = &w->level[w->depth++];
	memset(lv, 0, sizeof(*lv));
	lv->path_len = w->len;
	lv->array = t->type == JSON_ARRAY;
	return 0;
}

static int
walk_tokens(struct walk *w, struct json *j, struct err *e)
{
	struct json_token t;
	bool blanks;
	uint64_t rest;
	int r;

	for (;;) {
		if ((r = json_next(j, &t, e)) < 0)
			return r;
		if (t.type == JSON_END)
			break;
		if (t.type == JSON_KEY)
			r = on_key(w, &t, e);
		else if (t.type == JSON_OBJECT_END || t.type == JSON_ARRAY_END)
			w->depth--;
		else
			r = on_value(w, &t, e);
		if (r < 0)
			return r;
	}
	if ((r = json_trailing(j, &rest, &blanks, e)) < 0)
		return r;
	return rest == 0 ? 0 : malformed(&t, "something follows it", e);
}

int
case_body_read(struct case_body *b, const char *p, size_t n, struct err *e)
{
	struct bytesrc *src = NULL;
	struct walk *w = NULL;
	struct reader rd;
	struct json j;
	int r = ERR_NOMEM;

	memset(b, 0, sizeof(*b));
	if ((b->a = arena_new(BODY_ARENA)) == NULL ||
	    (w = arena_alloc(b->a, sizeof(*w))) == NULL) {
		r = err_set(e, ERR_NOMEM, "event body: out of memory");
		goto out;
	}
	w->b = b;
	if ((src = bytesrc_mem(p, n, e)) == NULL ||
	    (r = reader_init(&rd, src, 0, BODY_WINDOW, b->a, e)) < 0)
		goto out;
	json_open(&j, &rd, b->a);
	r = walk_tokens(w, &j, e);
out:
	bytesrc_free(src);
	if (r < 0)
		case_body_release(b);
	return r;
}

void
case_body_release(struct case_body *b)
{
	arena_free(b->a);
	memset(b, 0, sizeof(*b));
}

const struct case_pair *
case_body_find(const struct case_body *b, const char *key)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (strcmp(b->pairs[i].key, key) == 0)
			return &b->pairs[i];
	return NULL;
}

const char *
case_body_str(const struct case_body *b, const char *key)
{
	const struct case_pair *p = case_body_find(b, key);

	if (p == NULL || p->type != JSON_STRING || strlen(p->str) != p->len)
		return NULL;
	return p->str;
}

bool
case_body_u64(const struct case_body *b, const char *key, uint64_t *ret)
{
	const struct case_pair *p = case_body_find(b, key);

	if (p == NULL || !p->is_u64)
		return false;
	*ret = p->u64;
	return true;
}

bool
case_body_hash(const struct case_body *b, const char *key, uint8_t ret[32])
{
	const char *s = case_body_str(b, key);

	return s != NULL && strlen(s) == 64 && text_unhex(ret, s, 64);
}
